"""The tasks that the loop trains: batches, loss and measure of each network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

from sealread.errors import InputError
from sealread.pixels import on_canvas
from sealread.stages.recognition import HEIGHT, LEAST_WIDTH
from sealread.training import detector, recogniser
from sealread.training.detector import band_loss
from sealread.training.export import characters_of, deployed
from sealread.training.graph import OnnxModule
from sealread.training.layout import seal_loss, seal_targets
from sealread.training.orientation import turn_input, turn_loss
from sealread.training.plain import plain_line
from sealread.training.recogniser import (
    ADDED_CHARACTERS,
    MOST_WIDTH,
    ctc_loss,
    features_of,
    has_ideographs,
    last_layer,
    last_softmax,
    random_strip,
)
from sealread.training.samples import Data, DrawnSamples, Samples, quarter_turned
from sealread.training.targets import TargetLine, target_maps
from sealread.training.validation import (
    VALIDATION_SEED,
    detector_measures,
    finder_measures,
    orientation_measures,
    recogniser_measures,
)

Array = NDArray[np.float32]
#: Batches of strips that are sorted by width together.
_POOL = 4
#: A line whose characters need not be learned is put back with this probability, and another crop is taken: the second where the network
#: shall keep what it says of ideographs.
_PUT_BACK, _PUT_BACK_KNOWN, _LEARNED = 0.3, 0.6, frozenset(ADDED_CHARACTERS)
#: Weight of the kept features beside the truth of the other lines.
_KEEP = 20.0
#: Share of plain printed lines among the recogniser's samples where seals are drawn.
_PLAIN_SHARE = 0.12
#: So many images are tried for one line that can be learned.
_ATTEMPTS = 20


class Endless(Sampler[int]):
    """Sample numbers in an order that depends only on the seed: each epoch shuffled anew, starting at any step."""

    def __init__(self, count: int, first: int, seed: int) -> None:
        self.count, self.first, self.seed = count, first, seed

    def __iter__(self) -> Iterator[int]:
        position = self.first
        while True:
            epoch, offset = divmod(position, self.count)
            # The first pass goes in order, so that samples may still be drawn by another process meanwhile.
            order = np.arange(self.count) if epoch == 0 else np.random.default_rng([self.seed, epoch]).permutation(self.count)
            for i in order[offset:]:
                yield int(i) + epoch * self.count
                position += 1


@dataclass(frozen=True, slots=True)
class CropSettings:
    """How samples become batches.

    Attributes:
        side: the network's input is ``side x side``; images are placed at the top left, the rest is grey.
        count: so many images are drawn, where they are drawn; later epochs turn and tint them anew.
        seed: of the drawn images, and of what is done to samples.
        workers: processes that make samples.
        cache: folder for drawn images, or None.
    """

    side: int = 320
    count: int = 12000
    batch: int = 16
    seed: int = 1
    workers: int = 1
    cache: Path | None = None


def drawn_data(kind: str, settings: CropSettings, held_out: int) -> Data:
    """Images that the generator draws, of a kind that `drawn` knows; the held-out ones are of a seed of their own."""
    training = DrawnSamples(kind, settings.seed, settings.count, settings.side, settings.cache)
    return Data(training, DrawnSamples(kind, VALIDATION_SEED, held_out, settings.side, settings.cache))


def place_crop(image: NDArray[np.uint8], long_side: float, side: int) -> tuple[NDArray[np.uint8], float]:
    """The crop scaled to `long_side` (at most `side`) at the top left of a grey ``side x side`` image, and the scale."""
    scale = long_side / max(image.shape[:2])
    size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    return on_canvas(image, size, (side, side)), scale


def tinted(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A random gamma, contrast and cast: cheap variety for samples that are used again."""
    table = (np.arange(256) / 255.0)[:, None] ** rng.uniform(0.7, 1.4)
    table = table * rng.uniform(0.75, 1.05, 3) * rng.uniform(0.9, 1.05) + rng.uniform(-0.05, 0.08)
    if rng.random() < 0.1:
        return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)  # type: ignore[return-value]
    return cv2.LUT(image, np.clip(table * 255, 0, 255).astype(np.uint8).reshape(1, 256, 3))  # type: ignore[return-value]


def network_input(image: NDArray[np.uint8]) -> Array:
    """``(3, h, w)`` as PP-OCRv6 wants it: BGR, (x / 255 - 0.5) / 0.5."""
    return np.ascontiguousarray(image.astype(np.float32).transpose(2, 0, 1) / 127.5 - 1)


class DetectorSamples(Dataset[tuple[Array, Array, Array]]):
    """Crops with their target maps."""

    def __init__(self, settings: CropSettings, samples: Samples) -> None:
        self.settings = settings
        self.samples = samples

    def __getitem__(self, index: int) -> tuple[Array, Array, Array]:
        s = self.settings
        epoch, number = divmod(index, len(self.samples))
        rng = np.random.default_rng([s.seed, epoch, number, 7])
        labelled = self.samples[number]
        labelled = quarter_turned(labelled, int(rng.integers(4)) if epoch else 0)
        long_side = s.side if rng.random() < 0.6 else rng.uniform(0.6, 1.0) * s.side
        image, scale = place_crop(labelled.image, long_side, s.side)
        if rng.random() < (0.7 if epoch else 0.3):
            image = tinted(image, rng)
        lines = [TargetLine(line.top * scale, line.bottom * scale, line.vertical, line.ignored) for line in labelled.lines]
        targets = target_maps(lines, s.side, s.side)
        return network_input(image), targets.maps, targets.weight


class _Teacher:
    """What a finished network says, on the device on which the other one is trained."""

    def __init__(self, module: OnnxModule) -> None:
        self.module = module

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            answer: torch.Tensor = self.module.to(images.device)(images)[0]
        return answer.float()


class DetectorTask:
    """Curved text detection on seal crops.

    Args:
        teacher: a finished network whose maps are learned beside the truth.
    """

    def __init__(self, model: onnx.ModelProto, settings: CropSettings, data: Data, teacher: onnx.ModelProto | None = None) -> None:
        self.module = OnnxModule(model)
        self.settings = settings
        self.data = data
        self.teacher = None if teacher is None else _Teacher(OnnxModule(teacher))

    def batches(self, first_step: int) -> Iterator[tuple[torch.Tensor, ...]]:
        """Endless batches of images, target maps and weights."""
        return batches(DetectorSamples(self.settings, self.data.training), self.settings, len(self.data.training), first_step)

    def loss(self, batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, dict[str, float]]:
        """See `band_loss` and `detector.imitation_loss`."""
        images, maps, weight = batch
        predicted = self.module(images.contiguous(memory_format=torch.channels_last))[0]
        loss, parts = band_loss(predicted, maps, weight)
        if self.teacher is None:
            return loss, parts
        imitation = detector.imitation_loss(predicted, self.teacher(images), weight)
        return loss + imitation, {**parts, "imitation": float(imitation.detach())}

    def validate(self, model: onnx.ModelProto) -> dict[str, float]:
        """See `detector_measures`."""
        return detector_measures(deployed("seal_text_detection", model), self.data.validation)


class PageSamples(Dataset[tuple[Array, Array]]):
    """Pages with the maps of their seals."""

    def __init__(self, settings: CropSettings, samples: Samples) -> None:
        self.settings = settings
        self.samples = samples

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        s = self.settings
        epoch, number = divmod(index, len(self.samples))
        rng = np.random.default_rng([s.seed, epoch, number, 8])
        labelled = self.samples[number]
        if rng.random() < (0.5 if epoch else 0.25):
            labelled = quarter_turned(labelled, int(rng.integers(1, 4)))
        long_side = s.side if rng.random() < 0.5 else rng.uniform(0.55, 1.0) * s.side
        image, scale = place_crop(labelled.image, long_side, s.side)
        if rng.random() < 0.5:
            image = tinted(image, rng)
        return network_input(image), seal_targets(labelled.boxes * scale, s.side, s.side)


class SealFinderTask:
    """Seal layout detection on pages."""

    def __init__(self, model: onnx.ModelProto, settings: CropSettings, data: Data) -> None:
        self.module = OnnxModule(model)
        self.settings = settings
        self.data = data

    def batches(self, first_step: int) -> Iterator[tuple[torch.Tensor, ...]]:
        """Endless batches of images and target maps."""
        return batches(PageSamples(self.settings, self.data.training), self.settings, len(self.data.training), first_step)

    def loss(self, batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, dict[str, float]]:
        """See `seal_loss`."""
        images, maps = batch
        return seal_loss(self.module(images.contiguous(memory_format=torch.channels_last))[0], maps)

    def validate(self, model: onnx.ModelProto) -> dict[str, float]:
        """See `finder_measures`."""
        return finder_measures(deployed("layout_detection", model), self.data.validation)


class StripSamples(Dataset[tuple[NDArray[np.uint8], str]]):
    """Straightened lines, cut from crops as a detector would: a little off.

    Attributes:
        alphabet: lines with other characters are left out.
        plain_share: share of plain printed lines that are drawn in between.
        known: whether the network reads ideographs well enough, and is to learn other lines.
    """

    def __init__(self, settings: CropSettings, samples: Samples, alphabet: frozenset[str], plain_share: float, known: bool) -> None:
        self.settings = settings
        self.samples = samples
        self.alphabet = alphabet
        self.plain_share = plain_share
        self.known = known

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], str]:
        s = self.settings
        # Each visit of a crop takes another of its lines.
        visit, number = divmod(index, len(self.samples))
        rng = np.random.default_rng([s.seed, visit, number, 10])
        if rng.random() < self.plain_share:
            strip, text = plain_line(rng)
            if text and strip.shape[1] <= MOST_WIDTH and self.alphabet.issuperset(text):
                return strip, text
        for attempt in range(_ATTEMPTS):
            labelled = self.samples[(number + attempt * 7919) % len(self.samples)]
            line = random_strip(labelled, np.random.default_rng([s.seed, visit, number, attempt, 9]), self.alphabet)
            # What is to be learned comes more often: other lines are put back now and then.
            if line is not None and (self._new(line[1]) or rng.random() >= (_PUT_BACK_KNOWN if self.known else _PUT_BACK)):
                return line
        raise InputError(f"{_ATTEMPTS} images have no line that can be learned; see what --mode check_dataset says of them")

    def _new(self, text: str) -> bool:
        return not has_ideographs(text) if self.known else not _LEARNED.isdisjoint(text)


class RecogniserTask:
    """Recognition of straightened seal lines.

    Args:
        teacher: a finished network with the same last layer, whose features before it are learned in place of the truth.
        only_ideographs: of the teacher, only on lines with ideographs; the others learn the truth (after Learning without Forgetting,
            Li and Hoiem 2016), and what the last layer says of ideographs stays.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        settings: CropSettings,
        data: Data,
        teacher: onnx.ModelProto | None = None,
        *,
        only_ideographs: bool = False,
    ) -> None:
        self.teacher = None if teacher is None else _Teacher(OnnxModule(teacher, outputs=[features_of(teacher)]))
        scores = [last_softmax(model).input[0]] if teacher is None or only_ideographs else []
        self.module = OnnxModule(model, outputs=[features_of(model), *scores])
        self.settings = settings
        self.data = data
        self.only_ideographs = only_ideographs
        characters = [*characters_of(model), " "]
        self.classes = {c: i + 1 for i, c in enumerate(characters)}
        self._ideographs = torch.tensor([False, *map(has_ideographs, characters)])
        if only_ideographs:
            stay = self._ideographs.clone()
            stay[0] = True  # blanks
            for name in last_layer(model):
                self.module.weight(name).register_hook(lambda gradient: gradient.masked_fill(stay.to(gradient.device), 0))
        self.learned = frozenset(self.classes[c] for c in ADDED_CHARACTERS if c in self.classes)
        self._samples = partial(
            StripSamples,
            samples=data.training,
            alphabet=frozenset(self.classes),
            plain_share=_PLAIN_SHARE if isinstance(data.training, DrawnSamples) else 0.0,
            known=only_ideographs,
        )

    def batches(self, first_step: int) -> Iterator[tuple[torch.Tensor, ...]]:
        """Endless batches of strips, the classes of their texts one after the other, and the texts' lengths.

        Strips of like width share a batch: a pool of several batches is sorted, so that little of a batch is padding.
        """
        pool = replace(self.settings, batch=self.settings.batch * _POOL)
        skip = first_step % _POOL
        samples = self._samples(pool)
        for several in batches(samples, pool, len(self.data.training), first_step // _POOL, self._sorted):
            yield from several[skip:]
            skip = 0

    def _sorted(self, samples: list[tuple[NDArray[np.uint8], str]]) -> tuple[tuple[torch.Tensor, ...], ...]:
        samples = sorted(samples, key=lambda sample: sample[0].shape[1])
        size = self.settings.batch
        return tuple(self._collate(samples[i : i + size]) for i in range(0, len(samples), size))

    def _collate(self, samples: list[tuple[NDArray[np.uint8], str]]) -> tuple[torch.Tensor, ...]:
        width = -(-max(strip.shape[1] for strip, _ in samples) // 80) * 80
        images = np.zeros((len(samples), 3, HEIGHT, max(width, LEAST_WIDTH)), np.float32)
        for row, (strip, _) in zip(images, samples, strict=True):
            row[:, :, : strip.shape[1]] = network_input(strip)
        texts = [[self.classes[c] for c in text] for _, text in samples]
        lengths = torch.tensor([len(t) for t in texts])
        return torch.from_numpy(images), torch.tensor([c for t in texts for c in t]), lengths

    def loss(self, batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, dict[str, float]]:
        """See `ctc_loss`, and `recogniser.imitation_loss` for a teacher."""
        images, classes, lengths = batch
        features, *scores = self.module(images.contiguous(memory_format=torch.channels_last))
        if self.teacher is None:
            return ctc_loss(scores[0], classes, lengths, self.learned)
        copied = torch.ones(len(images), dtype=torch.bool)
        if self.only_ideographs:
            copied = torch.tensor([bool(ideographs.any()) for ideographs in self._ideographs[classes.cpu()].split(lengths.tolist())])
        loss, parts = features.new_zeros(()), {}
        if copied.any():
            imitation = recogniser.imitation_loss(features[copied], self.teacher(images[copied]))
            parts["imitation"] = float(imitation.detach())
            loss = loss + imitation * (_KEEP if self.only_ideographs else 1.0)
        if not copied.all():
            read = torch.cat([text for text, same in zip(classes.split(lengths.tolist()), copied.tolist(), strict=True) if not same])
            ctc, shown = ctc_loss(scores[0][~copied], read, lengths[~copied], self.learned)
            loss, parts = loss + ctc, parts | shown
        return loss, parts

    def validate(self, model: onnx.ModelProto) -> dict[str, float]:
        """See `recogniser_measures`."""
        return recogniser_measures(deployed("text_recognition", model), self.data.validation)


class TurnSamples(Dataset[tuple[Array, int]]):
    """Middles of pages in any of the four turns, and the number of quarter turns clockwise."""

    def __init__(self, settings: CropSettings, samples: Samples) -> None:
        self.settings = settings
        self.samples = samples

    def __getitem__(self, index: int) -> tuple[Array, int]:
        epoch, number = divmod(index, len(self.samples))
        rng = np.random.default_rng([self.settings.seed, epoch, number, 11])
        labelled = quarter_turned(self.samples[number], int(rng.integers(4)))
        return turn_input(labelled.image, rng), labelled.turns


class OrientationTask:
    """Which way up a page is."""

    def __init__(self, model: onnx.ModelProto, settings: CropSettings, data: Data) -> None:
        self.module = OnnxModule(model, outputs=[last_softmax(model).input[0]])
        self.settings = settings
        self.data = data

    def batches(self, first_step: int) -> Iterator[tuple[torch.Tensor, ...]]:
        """Endless batches of images and quarter turns."""
        return batches(TurnSamples(self.settings, self.data.training), self.settings, len(self.data.training), first_step)

    def loss(self, batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, dict[str, float]]:
        """See `turn_loss`."""
        images, turns = batch
        return turn_loss(self.module(images.contiguous(memory_format=torch.channels_last))[0], turns)

    def validate(self, model: onnx.ModelProto) -> dict[str, float]:
        """See `orientation_measures`."""
        return orientation_measures(deployed("doc_text_orientation", model), self.data.validation)


def batches(
    samples: Dataset[Any], settings: CropSettings, count: int, first_step: int, collate: Callable[[list[Any]], Any] | None = None
) -> Iterator[Any]:
    """Endless batches of the `count` samples, from that of `first_step` on, the order following from the seed."""
    loader = DataLoader(
        samples,
        batch_size=settings.batch,
        sampler=Endless(count, first_step * settings.batch, settings.seed),
        num_workers=settings.workers,
        prefetch_factor=4 if settings.workers else None,
        collate_fn=collate,
    )
    for batch in loader:
        yield tuple(batch)
