"""The recogniser of straightened seal lines: its samples and its loss.

The network is PP-OCRv6 small recognition (Apache-2.0, carried by the `rapidocr` wheel) with its own alphabet, fine-tuned on strips
that are cut from drawn seals by the deployed rectification, a little off in every direction, as detected bands are.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import cv2
import numpy as np
import onnx
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from onnx import numpy_helper

from sealread.polygons import at_lengths, lengths_along
from sealread.stages.recognition import HEIGHT
from sealread.stages.rectification import straighten
from sealread.training.graph import drop_unneeded
from sealread.training.samples import LabelledImage, SampleLine
from sealread.types import Ribbon

#: Longer strips are left out: they would make the whole batch wide.
MOST_WIDTH = 1120
#: The output of a network that skips blanks which tells the other steps.
ASKED = "asked"
#: Input pixels per step of the network.
_STEP = 8
#: Share of the lines of a batch that count.
_LEGIBLE = 0.85
#: Characters of seals that PP-OCRv6 small cannot write: Cyrillic (Russian, Ukrainian, Bulgarian) and Vietnamese.
_VIETNAMESE = "ẢẠẰẮẲẴẶẦẤẨẪẬẺẼẸỀẾỂỄỆỈỊỎỌỒỐỔỖỘỜỚỞỠỢỦỤỪỨỬỮỰỲỶỸỴ"
ADDED_CHARACTERS = "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯІЇЄҐабвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ№" + _VIETNAMESE + _VIETNAMESE.lower()
_LOOKS_LIKE = dict(zip("АВЕКМНОРСТУХІЇБГДЗИЙЛПФЧЯаеорсухіїкмнтвигпчяЁё№", "ABEKMHOPCTYXIÏ6ГA3NNAПO4RaeopcyxiïkmHTBurn4REeN", strict=True))


def last_softmax(model: onnx.ModelProto) -> onnx.NodeProto:
    """Where the scores become probabilities."""
    return next(node for node in reversed(model.graph.node) if node.op_type == "Softmax")


def features_of(model: onnx.ModelProto) -> str:
    """Name of the features ``(n, steps, channels)`` from which the last layer makes the scores."""
    return str(last_product(model).input[0])


def last_product(model: onnx.ModelProto) -> onnx.NodeProto:
    """Where the features become scores."""
    return next(node for node in reversed(model.graph.node) if node.op_type == "MatMul")


def asking_all(model: onnx.ModelProto) -> onnx.ModelProto:
    """A recogniser without what makes it skip blanks (`sealread.training.blanks`): it says something of each step."""
    if [answer.name for answer in model.graph.output[1:]] != [ASKED]:
        return model
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph, product = result.graph, last_product(result)
    product.input[0] = next(node for node in graph.node if product.input[0] in node.output).input[0]
    del graph.output[1:]
    answer, classes = graph.output[0].name, graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    batch = graph.input[0].type.tensor_type.shape.dim[0].dim_param
    graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info(answer, onnx.TensorProto.FLOAT, [batch, "steps", classes]))
    drop_unneeded(graph)
    return result


def same_last_layer(model: onnx.ModelProto, other: onnx.ModelProto) -> bool:
    """Whether both make the same scores of the same last features."""
    mine, theirs = _last_weight(model), _last_weight(other)
    return mine is not None and theirs is not None and np.array_equal(mine, theirs)


def _last_weight(model: onnx.ModelProto) -> NDArray[np.float32] | None:
    weights = {weight.name: weight for weight in model.graph.initializer}
    name = next((node.input[1] for node in reversed(model.graph.node) if node.op_type == "MatMul"), None)
    return numpy_helper.to_array(weights[name]) if name in weights else None


def last_layer(model: onnx.ModelProto) -> tuple[str, str]:
    """Names of the weights ``(channels, classes)`` and of the bias ``(classes,)`` of the last layer."""
    product = last_product(model)
    offset = next(node for node in reversed(model.graph.node) if node.op_type == "Add" and product.output[0] in node.input)
    return product.input[1], next(name for name in offset.input if name != product.output[0])


def with_alphabet(base: onnx.ModelProto, added: str, seed: int = 0) -> onnx.ModelProto:
    """The network with further classes for the characters of `added` that it does not know; what it knows stays as it is.

    A new class starts from the weights of a character that looks alike, but far less likely.
    """
    model = onnx.ModelProto()
    model.CopyFrom(base)
    entry = next(p for p in model.metadata_props if p.key == "character")
    characters = entry.value.split("\n")
    new = [c for c in dict.fromkeys(added) if c not in set(characters)]
    if not new:
        return model
    tensors = {i.name: i for i in model.graph.initializer}
    weight, bias = (tensors[name] for name in last_layer(model))
    columns, constants = numpy_helper.to_array(weight), numpy_helper.to_array(bias)
    rng = np.random.default_rng(seed)
    classes = {c: i + 1 for i, c in enumerate(characters)}
    alike = [classes.get(_LOOKS_LIKE.get(c, unicodedata.normalize("NFD", c)[0])) for c in new]
    fresh = rng.normal(0, 0.3 * columns.std(), (len(columns), len(new))).astype(np.float32)
    fresh += np.stack([columns.mean(axis=1) if i is None else columns[:, i] for i in alike], axis=1)
    level = np.array([constants.mean() if i is None else constants[i] - 2 for i in alike], np.float32)
    # The space stays the last class.
    columns = np.concatenate([columns[:, :-1], fresh, columns[:, -1:]], axis=1)
    constants = np.concatenate([constants[:-1], level, constants[-1:]])
    weight.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(columns), weight.name))
    bias.CopyFrom(numpy_helper.from_array(constants, bias.name))
    entry.value = "\n".join([*characters, *new])
    model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value = len(constants)
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    return model


def random_strip(labelled: LabelledImage, rng: np.random.Generator, known: frozenset[str]) -> tuple[NDArray[np.uint8], str] | None:
    """One line of a sample as a strip of the network's height, and its text; None if no line can be used."""
    height, width = labelled.image.shape[:2]
    usable = [line for line in labelled.lines if line.text and known.issuperset(line.text) and _inside(line, width, height)]
    if not usable:
        return None
    line = usable[int(rng.integers(len(usable)))]
    text = learned_text(line.text)
    strip = straighten(labelled.image, _jittered(line, rng), HEIGHT)
    if strip is None or strip.image.shape[1] > MOST_WIDTH:
        return None
    image = strip.image
    if rng.random() < 0.5:
        stretch = rng.uniform(0.85, 1.2)
        width = min(max(round(image.shape[1] * stretch), 8), MOST_WIDTH)
        image = np.asarray(cv2.resize(image, (width, HEIGHT), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    if rng.random() < 0.15:
        image = np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    # Repeats need a step between them.
    needed = len(text) + sum(a == b for a, b in pairwise(text))
    return (image, text) if image.shape[1] // _STEP >= needed else None


def _inside(line: SampleLine, width: int, height: int) -> bool:
    """Whether the whole line is on the image: what is cut off cannot be read."""
    points = np.concatenate([line.top, line.bottom])
    slack = 0.3 * float(np.mean(np.hypot(*(line.top - line.bottom).T)))
    return bool(np.all(points >= -slack) and np.all(points <= np.array([width, height]) + slack))


def learned_text(text: str) -> str:
    """The text as the network shall give it: among ideographs spaces mean nothing."""
    return text.replace(" ", "") if has_ideographs(text) else text


def has_ideographs(text: str) -> bool:
    """Whether any of its characters is one."""
    return any("\u2e80" <= c <= "\u9fff" for c in text)


def _jittered(line: SampleLine, rng: np.random.Generator) -> Ribbon:
    centre, offset = (line.top + line.bottom) / 2, (line.top - line.bottom) / 2
    half = float(np.mean(np.hypot(*offset.T)))
    offset = offset * rng.normal(1.06, 0.09) + offset * rng.normal(0, 0.05) * np.linspace(-1, 1, len(offset))[:, None]
    centre = centre + offset * rng.normal(0, 0.07) + offset * rng.normal(0, 0.05) * np.linspace(-1, 1, len(offset))[:, None]
    along = lengths_along(centre)
    if along[-1] <= 0:
        return Ribbon(line.top, line.bottom)
    before, after = np.clip(rng.normal(0.12, 0.18, 2), -0.18, 0.7) * half
    places = np.linspace(-before, along[-1] + after, len(centre))
    offset = np.stack([np.interp(places, along, offset[:, i]) for i in (0, 1)], axis=1)
    centre = at_lengths(centre, places)
    cells = len(line.text.replace(" ", "")) if line.vertical else 0
    return Ribbon(centre + offset, centre - offset, cells)


def ctc_loss(
    scores: torch.Tensor, classes: torch.Tensor, lengths: torch.Tensor, learned: frozenset[int] = frozenset()
) -> tuple[torch.Tensor, dict[str, float]]:
    """Connectionist temporal classification (Graves et al. 2006), mean over lines of the loss per character.

    The worst lines of a batch are left out: worn and overprinted ones that nobody can read would teach guessing.

    Args:
        scores: ``(n, steps, classes)`` before the softmax.
        classes: the texts' classes, one after the other.
        lengths: of the texts.
        learned: classes that the network is just learning: lines with them look unreadable at first and all count.
    """
    logarithms = functional.log_softmax(scores.float(), dim=2).transpose(0, 1)
    steps = torch.full((scores.shape[0],), scores.shape[1], dtype=torch.int64)
    each = functional.ctc_loss(logarithms, classes, steps, lengths, blank=0, reduction="none", zero_infinity=True)
    per_character = each / lengths.to(each.device)
    new = torch.tensor([not learned.isdisjoint(text.tolist()) for text in classes.split(lengths.tolist())], device=each.device)
    known = per_character[~new].sort().values
    loss = torch.cat([known[: max(round(len(known) * _LEGIBLE), 1)], per_character[new]]).mean()
    return loss, {"ctc": float(loss.detach())}


def imitation_loss(features: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """How far the last features are from those of a teacher (Romero et al. 2015), as a share of their squares: 0 for a perfect copy.

    Not the readings: those of drawn lines came nearer to the teacher's, while those of real ones went away from them.
    """
    return ((features.float() - wanted) ** 2).sum() / (wanted**2).sum()
