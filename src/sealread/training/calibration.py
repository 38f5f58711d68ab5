"""Calibration of line scores: how often a line with these character probabilities is right.

The whole pipeline reads held-out drawn crops; each line that it gives is right (equal to the true line that it lies on) or not.
A logistic model of three numbers, the mean and the least probability of its characters and the detection score, is fitted to that
(Platt 1999). Run: ``python -m sealread.training.calibration``; the four numbers go into the recogniser's row of the zoo.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealread import create_pipeline
from sealread.metrics import normalise_text, polygon_iou
from sealread.stages.recognition import Calibration, log_odds
from sealread.training.samples import drawn
from sealread.types import TextLine

#: Seed of the crops; no training uses it.
CALIBRATION_SEED = 13_579
#: Overlap (intersection over union) from which a read line is judged against a true one.
_SAME_PLACE = 0.3


@dataclass(frozen=True, slots=True)
class Judged:
    """One line that the pipeline gave: its characters' mean and least probability, its detection score, and whether it was right."""

    mean: float
    least: float
    detection: float
    right: bool


def lines_with_truth(seed: int, count: int, size: int = 320) -> Iterator[tuple[TextLine, list[str]]]:
    """Lines that the default pipeline reads on drawn crops, each with the normalised true texts that it lies on."""
    pipeline = create_pipeline()
    for index in range(count):
        labelled = drawn("crops", seed, index, size, None)
        result = next(
            iter(pipeline.predict(labelled.image, use_layout_detection=False, use_doc_orientation_classify=False, use_doc_unwarping=False))
        )
        for line in result.reading.seals[0].lines:
            yield (
                line,
                [
                    normalise_text(true.text)
                    for true in labelled.lines
                    if polygon_iou(line.page_polygon, np.concatenate([true.top, true.bottom[::-1]])) >= _SAME_PLACE
                ],
            )


def judged_lines(count: int, size: int = 320) -> list[Judged]:
    """Lines that the default pipeline reads on held-out drawn crops."""
    return [
        Judged(float(np.mean(line.char_scores)), min(line.char_scores), line.detection_score, normalise_text(line.text) in true)
        for line, true in lines_with_truth(CALIBRATION_SEED, count, size)
        # Corrected lines have unlikely characters by their nature: they would teach that those are a good sign.
        if line.text and line.raw_text is None
    ]


def fit(rows: list[Judged], rounds: int = 100) -> Calibration:
    """The logistic model that makes the judgements likeliest (Newton's method, half steps where a whole one does harm)."""
    features: NDArray[np.float64] = np.array([[log_odds(r.mean), log_odds(r.least), log_odds(r.detection), 1.0] for r in rows])
    signs = np.array([1.0 if r.right else -1.0 for r in rows])

    def cost(weights: NDArray[np.float64]) -> float:
        return float(np.logaddexp(0, -signs * (features @ weights)).sum() + 0.05 * weights @ weights)

    weights = np.zeros(4)
    for _ in range(rounds):
        p = 1 / (1 + np.exp(np.clip(signs * (features @ weights), -50, 50)))
        gradient = features.T @ (signs * p) - 0.1 * weights
        curvature = (features * (p * (1 - p))[:, None]).T @ features + 0.1 * np.eye(4)
        step = np.linalg.solve(curvature, gradient)
        while cost(weights + step) > cost(weights) and np.abs(step).max() > 1e-9:
            step = step / 2
        weights = weights + step
    return Calibration(*(float(weight) for weight in weights))


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--count", type=int, default=600, help="crops to read")
    rows = judged_lines(parser.parse_args().count)
    fitted = fit(rows)
    print(
        json.dumps(
            {
                "lines": len(rows),
                "right": sum(r.right for r in rows),
                "calibration": [fitted.mean, fitted.least, fitted.detection, fitted.offset],
            }
        )
    )


if __name__ == "__main__":
    main()
