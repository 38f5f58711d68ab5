"""Layers set anew without training, by linear least squares on drawn samples: what the commands that lighten a network share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from sealread.training.commands import RECIPES
from sealread.training.export import save_network
from sealread.training.modules import MODULES, drawn_for, starting_network

Weights = NDArray[np.float64]
#: Image, row and column of places in features ``(n, c, h, w)``.
Places = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
#: Places of an image that are looked at in each layer.
_PLACES = 1500
#: What is added to the diagonal of the features' products, as a share of its mean: without it features that are nearly the same
#: cannot be told apart.
_RIDGE = 1e-4


def random_places(features: NDArray[np.float32], rng: np.random.Generator) -> Places:
    """Image, row and column of some places of ``(n, c, h, w)`` features."""
    images, _, height, width = features.shape
    return rng.integers(0, images, _PLACES), rng.integers(0, height, _PLACES), rng.integers(0, width, _PLACES)


def seen_at(features: NDArray[np.float32], side: int, places: Places, stride: int = 1) -> NDArray[np.float32]:
    """What a convolution of that odd side sees at places of its answer: ``(c side side, places)``."""
    image, y, x = places
    reach = side // 2
    padded = np.pad(features, ((0, 0), (0, 0), (reach, reach), (reach, reach)))
    parts = [padded[image, :, stride * y + dy, stride * x + dx].T for dy in range(side) for dx in range(side)]
    return np.stack(parts, axis=1).reshape(features.shape[1] * side * side, len(image))


def products(pairs: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]]) -> tuple[Weights, Weights]:
    """The sums over places of what is seen ``(s, places)`` times itself, ``(s, s)``, and times what is wanted ``(places, a)``: ``(s, a)``.

    Weights that solve both equal the answer that is wanted best.
    """
    seen, wanted = np.zeros(()), np.zeros(())
    for each, answer in pairs:
        seen = seen + (each @ each.T).astype(np.float64)
        wanted = wanted + (each @ answer).astype(np.float64)
    # Features that are nearly the same cannot be told apart without it.
    return seen + np.eye(len(seen)) * _RIDGE * np.trace(seen) / len(seen), wanted


def drawn_inputs(module: str, model: onnx.ModelProto, count: int) -> list[NDArray[np.float32]]:
    """Batches of about so many inputs for a network, as its training draws them."""
    settings = replace(RECIPES[module][0], count=count, batch=4, seed=17, workers=0)
    batches = MODULES[module].task(model, settings, drawn_for(module, settings)).batches(0)
    return [next(batches)[0].numpy() for _ in range(-(-count // settings.batch))]


def rewrite(
    module: str, change: Callable[[onnx.ModelProto, Sequence[NDArray[np.float32]]], onnx.ModelProto], description: str | None, count: int
) -> None:
    """A command that changes a network by what it says of drawn inputs, and writes it.

    Args:
        module: which network.
        change: takes the network and its inputs, ``(n, 3, h, w)`` each.
        description: what the command does.
        count: inputs to draw, where the caller does not say how many.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("output", type=Path, help="file to write")
    parser.add_argument("--base", help="the network: ONNX file, model directory or model name (default: the embedded one)")
    parser.add_argument("--count", type=int, default=count, help="images to draw (default: %(default)s)")
    options = parser.parse_args()
    model = starting_network(module, options.base, further=True)
    save_network(change(model, drawn_inputs(module, model, options.count)), options.output)
