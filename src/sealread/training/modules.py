"""The networks that can be trained: what they start from, what is drawn for them, and which task trains them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx

from sealread.errors import InputError, ModelError
from sealread.training.detector import band_network
from sealread.training.layout import seal_network
from sealread.training.loop import Task
from sealread.training.recogniser import ADDED_CHARACTERS, asking_all, with_alphabet
from sealread.training.request import MODEL_NAMES
from sealread.training.samples import Data, QuarterTurns
from sealread.training.tasks import CropSettings, DetectorTask, OrientationTask, RecogniserTask, SealFinderTask, drawn_data
from sealread.training.unwarping import UnwarpingTask, grid_network
from sealread.zoo import Network, find_network, network_from_directory


@dataclass(frozen=True, slots=True)
class TrainedModule:
    """One network that can be trained.

    Attributes:
        drawn: what is drawn for it, ``crops``, ``pages`` or ``sheets``, and how many of them are held out.
        base: gives the network from which the embedded one was trained.
        headed: the network with the heads, or the further characters, that are trained; files may have them already.
        task: makes what the loop trains.
    """

    drawn: tuple[str, int]
    base: Callable[[], onnx.ModelProto]
    headed: Callable[[onnx.ModelProto], onnx.ModelProto]
    task: Callable[[onnx.ModelProto, CropSettings, Data], Task]


def _with_head(build: Callable[[onnx.ModelProto], onnx.ModelProto], output: str) -> Callable[[onnx.ModelProto], onnx.ModelProto]:
    """Puts new heads on a trunk; a network that has them already, whose output is named so, is trained further."""
    return lambda model: model if model.graph.output[0].name == output else build(model)


def _carried(file: str) -> Callable[[], onnx.ModelProto]:
    return lambda: _loaded(carried_network(file))


def _orientation_classifier() -> onnx.ModelProto:
    return _with_alphabet(find_network("PP-LCNet_x1_0_doc_ori", "doc_text_orientation"))


def _with_seal_characters(model: onnx.ModelProto) -> onnx.ModelProto:
    return with_alphabet(model, ADDED_CHARACTERS)


MODULES = {
    "seal_text_detection": TrainedModule(
        ("crops", 96), _carried("PP-OCRv6_det_small.onnx"), _with_head(band_network, "maps"), DetectorTask
    ),
    "layout_detection": TrainedModule(("pages", 96), _orientation_classifier, _with_head(seal_network, "seals"), SealFinderTask),
    "text_recognition": TrainedModule(("crops", 192), _carried("PP-OCRv6_rec_small.onnx"), _with_seal_characters, RecogniserTask),
    "doc_text_orientation": TrainedModule(("pages", 96), _orientation_classifier, lambda model: model, OrientationTask),
    "image_unwarping": TrainedModule(("sheets", 128), _carried("PP-OCRv6_det_small.onnx"), _with_head(grid_network, "grid"), UnwarpingTask),
}


def drawn_for(module: str, settings: CropSettings) -> Data:
    """Drawn samples for a network."""
    kind, held_out = MODULES[module].drawn
    data = drawn_data(kind, settings, held_out)
    return Data(data.training, QuarterTurns(data.validation)) if module == "doc_text_orientation" else data


def starting_network(module: str, base: str | None, *, further: bool) -> onnx.ModelProto:
    """The network that training starts from.

    Args:
        module: which network.
        base: an ONNX file, a model directory or a name of the zoo; None: our own choice.
        further: whether that is the embedded network itself, not what it was trained from.

    Raises:
        ModelError: it is missing or damaged.
        InputError: nothing has that name.
    """
    made = MODULES[module]
    if base is not None:
        model = finished_network(module, base)
    elif further:
        model = _with_alphabet(find_network(MODEL_NAMES[module], module))
    else:
        model = made.base()
    return made.headed(model)


def finished_network(module: str, weight: str) -> onnx.ModelProto:
    """A network as it is: of an ONNX file, a model directory or a name of the zoo.

    Raises:
        ModelError: it is missing or damaged.
        InputError: nothing has that name.
    """
    path = Path(weight)
    return _loaded(path) if path.is_file() else _with_alphabet(named(module, weight))


def named(module: str, weight: str) -> Network:
    """The network of a model directory or a name of the zoo.

    Raises:
        InputError: neither a folder nor a model has that name.
        ModelError: its files are missing or damaged.
    """
    path = Path(weight)
    if path.is_dir():
        return network_from_directory(path, None, module)
    if path.suffix or len(path.parts) > 1:
        raise InputError(f"{weight} does not exist: name an ONNX file, a model directory or a model of the zoo", source=weight)
    return find_network(weight, module)


def _with_alphabet(network: Network) -> onnx.ModelProto:
    """The file of a network; a recogniser whose alphabet lies beside it gets it inside, where training looks."""
    if network.file is None:
        raise ModelError(f"the model {network.name} has no file to start from; name another with --base")
    model = _loaded(network.file)
    if "alphabet" in network.settings and all(entry.key != "character" for entry in model.metadata_props):
        model.metadata_props.add(key="character", value="\n".join(network.settings["alphabet"]))
    return model


def _loaded(file: Path) -> onnx.ModelProto:
    try:
        return asking_all(onnx.load(str(file)))
    except Exception as cause:  # protobuf's error is not part of onnx's interface
        raise ModelError(f"{file} is no ONNX network: {str(cause).splitlines()[0]}", source=str(file)) from cause


def carried_network(file: str) -> Path:
    """A network that the installed `rapidocr` package carries.

    Raises:
        ModelError: the package is not installed.
    """
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise ModelError(f"{file} comes with the package rapidocr, which is not installed; run: pip install 'sealread[train]'")
    return Path(spec.origin).parent / "models" / file
