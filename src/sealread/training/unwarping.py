"""The network that flattens pages: its samples and its loss.

The network is the backbone of PP-OCRv6 small detection (Apache-2.0, carried by the `rapidocr` wheel) down to a sixteenth of the
input, then residual blocks of dilated convolutions, so that each place sees the whole page. It gives, for a grid over the flat
page, how far from its regular place each node lies on the photo; `sealread.stages.unwarping` reads the grid. A grid that is found
by convolutions follows Verhoeven et al. 2023 (UVDoc).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from sealread.pixels import resize
from sealread.stages.unwarping import Unwarper, regular
from sealread.training import synth
from sealread.training.export import UNWARPING_SIDE, deployed
from sealread.training.flatness import unwarper_measures
from sealread.training.graph import OnnxModule
from sealread.training.heads import HeadBuilder
from sealread.training.samples import Data, Samples
from sealread.training.synth.truth import Sample
from sealread.training.tasks import CropSettings, batches, network_input
from sealread.training.validation import VALIDATION_SEED

Array = NDArray[np.float32]

#: The network gives so many nodes a side: one for each place of its features, at a sixteenth of the input.
NODES = UNWARPING_SIDE // 16
#: Longer side of the photos before they are shrunk to that.
_PHOTO = 333
_WIDTH = 96
_DILATIONS = (1, 2, 4, 8, 2, 1)
#: Weight of differences between neighbouring nodes beside that of places: lines are to be straight, not only near.
_SLOPE = 4.0


def grid_network(base: onnx.ModelProto, seed: int = 0) -> onnx.ModelProto:
    """The backbone of PP-OCRv6 small detection with a head that gives the sampling grid; a fresh one is nearly regular."""
    head = HeadBuilder(base, seed)
    rng = np.random.default_rng([seed, 1])
    features = head.convolution(head.before_halving(1), "grid.in", 192, _WIDTH, 1, relu=False)
    features = head.sum(features, head.weights("grid.place", rng.normal(0, 0.1, (1, _WIDTH, NODES, NODES)).astype(np.float32)))
    for i, dilation in enumerate(_DILATIONS):
        hidden = head.convolution(features, f"grid.{i}.wide", _WIDTH, _WIDTH, 3, dilation=dilation)
        features = head.sum(features, head.convolution(hidden, f"grid.{i}.back", _WIDTH, _WIDTH, 1, relu=False))
    offsets = head.convolution(features, "grid.offsets", _WIDTH, 2, 3, relu=False)
    x_and_y = regular(NODES, NODES).transpose(2, 0, 1)[None].astype(np.float32)
    return head.finish([head.sum(offsets, head.weights("grid.regular", x_and_y))], "grid", 2)


def bent_sample(sheets: Samples, seed: int, number: int, visit: int) -> synth.BentPage:
    """Photo `number` of a seed; each visit bends its sheet anew."""
    sheet = Sample(sheets[number].image, ())
    return synth.draw_bent_page(np.random.default_rng([seed, visit, number, 11]), sheet, _PHOTO)


class BentPages(Dataset[tuple[Array, Array]]):
    """Photos of pages with their grids, -1 to 1."""

    def __init__(self, settings: CropSettings, sheets: Samples) -> None:
        self.settings = settings
        self.sheets = sheets

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        visit, number = divmod(index, len(self.sheets))
        page = bent_sample(self.sheets, self.settings.seed, number, visit)
        grid = page.look.sampling(NODES, NODES).transpose(2, 0, 1) * 2 - 1
        return network_input(resize(page.image, UNWARPING_SIDE, UNWARPING_SIDE)), grid.astype(np.float32)


class UnwarpingTask:
    """Flattening of pages."""

    def __init__(self, model: onnx.ModelProto, settings: CropSettings, data: Data) -> None:
        self.module = OnnxModule(model)
        self.settings = settings
        self.data = data

    def batches(self, first_step: int) -> Iterator[tuple[torch.Tensor, ...]]:
        """Endless batches of images and grids."""
        return batches(BentPages(self.settings, self.data.training), self.settings, len(self.data.training), first_step)

    def loss(self, batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, dict[str, float]]:
        """See `grid_loss`."""
        images, grids = batch
        return grid_loss(self.module(images.contiguous(memory_format=torch.channels_last))[0], grids)

    def validate(self, model: onnx.ModelProto) -> dict[str, float]:
        """See `sheet_measures`."""
        return sheet_measures(deployed("image_unwarping", model), self.data.validation)


def sheet_measures(unwarper: Unwarper, sheets: Samples) -> dict[str, float]:
    """The measures of `unwarper_measures` on a photo of each sheet."""
    return unwarper_measures(unwarper, (bent_sample(sheets, VALIDATION_SEED, i, 0) for i in range(len(sheets))))


def grid_loss(predicted: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
    """Distance of the nodes, and of the steps between neighbours, in per cent of the page; the parts for the log."""
    off = (predicted.float() - wanted) * 50
    place = off.abs().mean()
    slope = off.diff(dim=2).abs().mean() + off.diff(dim=3).abs().mean()
    return place + _SLOPE * slope, {"place": float(place.detach()), "slope": float(slope.detach())}
