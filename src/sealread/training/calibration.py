"""Calibration of scores on held-out drawn images: how often what looks like this is right (logistic models; Platt 1999).

*Lines*: the whole pipeline reads drawn crops; each line that it gives is right (equal to the true line that it lies on) or not. The
model takes the mean and the least probability of its characters and the detection score.
Run: ``python -m sealread.training.calibration lines``; the four numbers go into the recogniser's row of the zoo.

*Places*: the layout network looks at drawn pages; each place that it shows is a seal or not. The model takes its score.
Run: ``python -m sealread.training.calibration places``; the two numbers are `_CALIBRATION` of `sealread.stages.layout`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sealread import create_pipeline
from sealread.metrics import match_boxes, normalise_text, polygon_iou
from sealread.odds import log_odds
from sealread.regions import LEAST_HINT
from sealread.stages import layout
from sealread.training.samples import drawn
from sealread.types import TextLine

#: Seed of the crops; no training uses it.
CALIBRATION_SEED = 13_579
#: Overlap (intersection over union) from which a read line is judged against a true one.
_SAME_PLACE = 0.3


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


def judged_lines(count: int, size: int = 320) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Lines that the default pipeline reads on held-out drawn crops.

    Returns:
        ``(n, 3)``, the log odds of the mean and of the least probability of each line's characters and of its detection score, and
        ``(n,)``, whether it was read right.
    """
    odds: list[tuple[float, float, float]] = []
    right: list[bool] = []
    for line, true in lines_with_truth(CALIBRATION_SEED, count, size):
        # Corrected lines have unlikely characters by their nature: they would teach that those are a good sign.
        if line.text and line.raw_text is None:
            odds.append((log_odds(float(np.mean(line.char_scores))), log_odds(min(line.char_scores)), log_odds(line.detection_score)))
            right.append(normalise_text(line.text) in true)
    return np.array(odds).reshape(-1, 3), np.array(right, bool)


def judged_places(count: int, long_side: int = 1200) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Places that the embedded layout network shows on held-out drawn pages.

    Returns:
        ``(n, 1)``, the log odds of each place's score, and ``(n,)``, whether there is a seal.
    """
    finder = next(stage for stage in create_pipeline().stages() if stage.network.task == "layout_detection").get()
    scores: list[float] = []
    right: list[bool] = []
    for index in range(count):
        page = drawn("pages", CALIBRATION_SEED, index, long_side, None)
        places = finder.find(page.image, LEAST_HINT)
        pairs = match_boxes([tuple(box) for box in page.boxes.tolist()], [region.box for region in places])
        seals = {pair.read for pair in pairs}
        scores += [layout.log_odds_of_place(region.score) for region in places]
        right += [i in seals for i in range(len(places))]
    return np.array(scores).reshape(-1, 1), np.array(right, bool)


def fit(features: NDArray[np.float64], right: NDArray[np.bool_], rounds: int = 100) -> NDArray[np.float64]:
    """The weights and, last, the constant of the logistic model that makes the judgements likeliest.

    Newton's method, with half steps where a whole one does harm.

    Args:
        features: ``(n, k)``.
        right: ``(n,)``.
    """
    features = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    signs = np.where(right, 1.0, -1.0)

    def cost(weights: NDArray[np.float64]) -> float:
        return float(np.logaddexp(0, -signs * (features @ weights)).sum() + 0.05 * weights @ weights)

    weights = np.zeros(features.shape[1])
    for _ in range(rounds):
        p = 1 / (1 + np.exp(np.clip(signs * (features @ weights), -50, 50)))
        gradient = features.T @ (signs * p) - 0.1 * weights
        curvature = (features * (p * (1 - p))[:, None]).T @ features + 0.1 * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        while cost(weights + step) > cost(weights) and np.abs(step).max() > 1e-9:
            step = step / 2
        weights = weights + step
    return weights


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("what", choices=("lines", "places"))
    parser.add_argument("--count", type=int, default=600, help="images to draw and read (default: %(default)s)")
    options = parser.parse_args()
    features, right = judged_lines(options.count) if options.what == "lines" else judged_places(options.count)
    print(json.dumps({"judged": len(right), "right": int(right.sum()), "weights and constant": fit(features, right).round(3).tolist()}))


if __name__ == "__main__":
    main()
