"""Stage 6: read strips.

Takes:      strips of any width, first character leftmost.
Gives:      for each its text with a score for the line and for each character.
Method:     a CTC network (PP-OCR family); strips of like width share a batch, widths are rounded up so that few shapes occur.
Engine:     one network ``(n, 3, 48, width) -> (n, width / 8, classes)``, softmax; ours gives ``(rows, classes)`` of the steps that may hold
            a character, and which these are, ``(n, width / 8)``.
Nothing:    an empty text with score 0.
Invariants: order and number are kept; batching does not change a reading beyond rounding.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from sealread.corrections import Corrections
from sealread.engines import Engine
from sealread.odds import log_odds, probability
from sealread.text import Steps, ctc_greedy, every_step, in_reading_order
from sealread.types import Image, Recognition, Tensor

HEIGHT = 48
#: Wider strips are squeezed to this.
MOST_WIDTH = 3200
#: Networks that do not say how narrow their strips may be get no narrower ones.
LEAST_WIDTH = 96
#: Widths are rounded up to this multiple: engines compile fewer shapes, and padding costs as much as text.
_WIDTH_STEP = 16
#: The widest strip of a batch is at most so many times as wide as the narrowest.
_LIKE = 1.25
#: Pixels of one batch: beyond this, larger batches are no faster.
_BATCH_WIDTH = 3200


@dataclass(frozen=True, slots=True)
class Calibration:
    """From what the networks say of a line to the share of such lines that is right: a logistic model (Platt 1999).

    Attributes:
        mean, least, detection: weights of the log odds of the mean and of the least character probability, and of the detection score.
        offset: constant.
    """

    mean: float
    least: float
    detection: float
    offset: float

    def __call__(self, char_scores: Sequence[float], detection_score: float) -> float:
        """The calibrated score of a line; 0 for a line without characters."""
        if len(char_scores) == 0:
            return 0.0
        mean = sum(char_scores) / len(char_scores)
        evidence = self.mean * log_odds(mean) + self.least * log_odds(min(char_scores)) + self.detection * log_odds(detection_score)
        return probability(evidence + self.offset)


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A CTC recogniser.

    Attributes:
        alphabet: one string per class, blank first.
        batch_size: strips per batch at most.
        calibration: gives the scores of lines in results; None: the mean of their characters' probabilities.
        corrections: applied to each reading.
        least_width: narrower strips are padded to this.
        rgb: whether the network sees red first.
        right_to_left: whether the script runs so: texts are then given in reading order.
    """

    engine: Engine
    alphabet: tuple[str, ...]
    batch_size: int = 8
    calibration: Calibration | None = None
    corrections: Corrections | None = None
    least_width: int = LEAST_WIDTH
    rgb: bool = False
    right_to_left: bool = False

    def read(self, strips: Sequence[Image]) -> list[Recognition]:
        """Read strips ``(h, w, 3)`` uint8 BGR; empty in, empty out."""
        return self.read_together([strips])[0]

    def read_together(self, pages: Sequence[Sequence[Image]]) -> list[list[Recognition]]:
        """Read the strips of pages, which share runs where they are padded to the same width: a page reads alike in any company."""
        sized = [[_to_height(strip) for strip in strips] for strips in pages]
        by_width: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for page, strips in enumerate(sized):
            for width, members in self._batches([strip.shape[1] for strip in strips]):
                by_width[width].extend((page, i) for i in members)
        answers: dict[tuple[int, int], Recognition] = {}
        for width, places in by_width.items():
            most = min(self.batch_size, max(_BATCH_WIDTH // width, 1))
            for start in range(0, len(places), most):
                chosen = places[start : start + most]
                answers.update(zip(chosen, self._read_batch([sized[page][i] for page, i in chosen], width), strict=True))
        return [[answers[page, i] for i in range(len(strips))] for page, strips in enumerate(sized)]

    def _batches(self, widths: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
        """Strips of like width together, with the width to which they are padded."""
        order = sorted(range(len(widths)), key=lambda i: widths[i])
        start = 0
        while start < len(order):
            count = 1
            width = least = self._padded_width(widths[order[start]])
            while count < self.batch_size and start + count < len(order):
                wider = self._padded_width(widths[order[start + count]])
                if wider * (count + 1) > max(_BATCH_WIDTH, wider) or wider > _LIKE * least:
                    break
                count, width = count + 1, wider
            yield width, order[start : start + count]
            start += count

    def _read_batch(self, strips: Sequence[Image], width: int) -> list[Recognition]:
        # An engine that plans sees batches of one size; widths stay, because a reading depends on its padding.
        batch = np.zeros((self.batch_size if self.engine.plans else len(strips), 3, HEIGHT, width), np.float32)
        for row, strip in zip(batch, strips, strict=False):
            row[:, :, : strip.shape[1]] = (strip[..., ::-1] if self.rgb else strip).transpose(2, 0, 1).astype(np.float32) / 127.5 - 1
        said = _steps(self.engine.run([batch]))
        return [self._decode(steps, strip.shape[1] / width) for steps, strip in zip(said, strips, strict=False)]

    def _decode(self, steps: Steps, used: float) -> Recognition:
        reading = ctc_greedy(steps, self.alphabet, used)
        if self.corrections is not None:
            reading = self.corrections.instead(reading, steps, used)
        return in_reading_order(reading) if self.right_to_left else reading

    def _padded_width(self, width: int) -> int:
        return max(self.least_width, math.ceil(width / _WIDTH_STEP) * _WIDTH_STEP)


def _steps(answers: Sequence[Tensor]) -> list[Steps]:
    """What a network says of each strip, in either of its forms (see above)."""
    if answers[0].ndim == 3:
        return [every_step(probabilities) for probabilities in answers[0]]
    probabilities, asked = answers
    counts = asked.sum(axis=1)
    rows = np.where(asked, np.cumsum(asked, axis=1) - 1, counts[:, None])
    ends = np.cumsum(counts)
    return [Steps(probabilities[end - count : end], row) for end, count, row in zip(ends, counts, rows, strict=True)]


def _to_height(strip: Image) -> Image:
    height, width = strip.shape[:2]
    wanted = min(max(math.ceil(HEIGHT * width / height), 1), MOST_WIDTH)
    if (height, width) == (HEIGHT, wanted):
        return strip
    shrinking = height > HEIGHT or width > wanted
    return np.asarray(cv2.resize(strip, (wanted, HEIGHT), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR), dtype=np.uint8)
