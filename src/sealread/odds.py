"""Odds of probabilities: what logistic models add up."""

from __future__ import annotations

import math


def log_odds(probability: float, least: float = 1e-4) -> float:
    """``log(p / (1 - p))``; probabilities nearer to 0 or 1 than `least` are not told apart."""
    clipped = min(max(probability, least), 1 - least)
    return math.log(clipped / (1 - clipped))


def probability(log_odds: float) -> float:
    """The probability that has these log odds."""
    return 1 / (1 + math.exp(-log_odds))
