"""What a training command asks for, and how configuration files and ``KEY=VALUE`` words say it (the reference's keys)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from sealread.errors import InputError
from sealread.options import parse_switch, suggestion
from sealread.zoo import known_names

MODES = ("check_dataset", "train", "evaluate", "export", "predict")
#: Networks that can be trained; directories that training writes bear these names.
MODEL_NAMES = {
    "seal_text_detection": "sealread-seal-det",
    "layout_detection": "sealread-layout",
    "text_recognition": "sealread-seal-rec",
    "doc_text_orientation": "PP-LCNet_x1_0_doc_ori",
    "image_unwarping": "sealread-unwarping",
}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """One training command; None: as in the recipe of the module.

    Attributes:
        module: which network.
        mode: one of `MODES`.
        output: folder for everything that is written.
        dataset: a data set on disk; None: samples are drawn.
        base: where training starts: an ONNX file, a model directory, or a name of the zoo.
        teacher: a finished network to learn from: the same.
        only_ideographs: of the teacher, only on lines with ideographs.
        weight: the network that is evaluated, exported or used: the same; None: what training left in `output`.
        inputs: what to predict: files, folders, addresses.
        resume: a checkpoint to go on from where `output` has none.
        threads: CPU threads of the arithmetic.
        workers: processes that make samples.
        cache: folder for drawn images.
        steps, epochs: how long; the number of steps wins.
        validate_every, validate_epochs, save_every, save_epochs: how often, in steps or in epochs; steps win.
        count: images to draw.
        half: arithmetic in bf16.
    """

    module: str
    output: Path
    mode: str = "train"
    dataset: Path | None = None
    base: str | None = None
    teacher: str | None = None
    only_ideographs: bool = False
    weight: str | None = None
    inputs: tuple[str, ...] = ()
    resume: Path | None = None
    device: str = "cpu"
    threads: int = 2
    workers: int = 1
    cache: Path | None = None
    steps: int | None = None
    epochs: int | None = None
    count: int | None = None
    batch: int | None = None
    rate: float | None = None
    warmup: int | None = None
    seed: int | None = None
    validate_every: int | None = None
    validate_epochs: int | None = None
    save_every: int | None = None
    save_epochs: int | None = None
    log_every: int | None = None
    half: bool | None = None


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number")
    return value


def _count(value: object) -> int:
    if _whole(value) < 1:
        raise ValueError("a whole number above 0")
    return _whole(value)


def _not_negative(value: object) -> int:
    if _whole(value) < 0:
        raise ValueError("a whole number, 0 or more")
    return _whole(value)


def _rate(value: object) -> float:
    if isinstance(value, str):  # YAML takes 1e-3 for a word
        try:
            value = float(value)
        except ValueError as cause:
            raise ValueError("a number above 0") from cause
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ValueError("a number above 0")
    return float(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _path(value: object) -> Path:
    return Path(_text(value))


def _inputs(value: object) -> tuple[str, ...]:
    return tuple(_text(v) for v in value) if isinstance(value, list) else (_text(value),)


def _mode(value: object) -> str:
    if value not in MODES:
        raise ValueError(f"one of {', '.join(MODES)}")
    return _text(value)


def _device(value: object) -> str:
    """The reference's ``gpu:0`` in torch's words."""
    device = _text(value)
    kind, _, numbers = device.partition(":")
    if kind not in ("cpu", "cuda", "gpu") or "," in numbers:
        raise ValueError("cpu, or one GPU such as gpu:0")
    return device if kind != "gpu" else f"cuda:{numbers if numbers else 0}"


def _half(value: object) -> bool:
    # YAML reads the word OFF as False.
    if value is not False and value not in ("OFF", "O1", "O2"):
        raise ValueError("OFF, O1 or O2")
    return value in ("O1", "O2")


def _switch(value: object) -> bool:
    switch = parse_switch(value)
    if not isinstance(switch, bool):
        raise ValueError("true or false")
    return switch


def _off(value: object) -> None:
    if parse_switch(value) is not False:
        raise ValueError("false, because data sets are read as they are and never changed")


#: Which field a key sets, and how its value is read.
_KEYS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "Global.mode": ("mode", _mode),
    "Global.dataset_dir": ("dataset", _path),
    "Global.device": ("device", _device),
    "Global.output": ("output", _path),
    "Global.threads": ("threads", _count),
    "Global.workers": ("workers", _not_negative),
    "Global.cache": ("cache", _path),
    "Train.epochs_iters": ("epochs", _count),
    "Train.batch_size": ("batch", _count),
    "Train.learning_rate": ("rate", _rate),
    "Train.pretrain_weight_path": ("base", _text),
    "Train.teacher_weight_path": ("teacher", _text),
    "Train.only_ideographs": ("only_ideographs", _switch),
    "Train.warmup_steps": ("warmup", _not_negative),
    "Train.resume_path": ("resume", _path),
    "Train.log_interval": ("log_every", _count),
    "Train.eval_interval": ("validate_epochs", _count),
    "Train.save_interval": ("save_epochs", _count),
    "Train.amp": ("half", _half),
    "Train.steps": ("steps", _count),
    "Train.count": ("count", _count),
    "Train.seed": ("seed", _whole),
    "Train.validate_every": ("validate_every", _count),
    "Train.save_every": ("save_every", _count),
    "Predict.input": ("inputs", _inputs),
}
#: The key that names the network of a mode.
_WEIGHT_KEYS = {"evaluate": "Evaluate.weight_path", "export": "Export.weight_path", "predict": "Predict.model_dir"}
_SWITCHED_OFF = ("CheckDataset.convert.enable", "CheckDataset.split.enable")
#: Keys of the reference that say nothing here; those that end in a dot with all that is below them.
_WITHOUT_EFFECT = (
    "CheckDataset.convert.",
    "CheckDataset.split.",
    "Evaluate.log_interval",
    "Export.",
    "Predict.",
    "Train.basic_config_path",
    "Train.dist_ips",
    "Train.dy2st",
    "Train.num_classes",
)


def read_request(file: Path | None, words: Sequence[str]) -> Request:
    """The command of a configuration file and of ``KEY=VALUE`` words, which win.

    Raises:
        InputError: the file cannot be read, or a key is unknown, missing or has a bad value.
    """
    values = {} if file is None else dict(_leaves(_content(file)))
    for word in words:
        key, sign, text = word.partition("=")
        if not sign:
            raise InputError(f"-o {word} has no value: write KEY=VALUE, as in -o Global.mode=train", parameter=key)
        values[key] = _value(key, text)
    values = {key: value for key, value in values.items() if value is not None}
    model = values.pop("Global.model", None)
    if model is None:
        raise InputError("no network is named: give Global.model, as in -o Global.model=sealread-seal-det", parameter="Global.model")
    for key in _SWITCHED_OFF:
        _read(_off, key, values.pop(key, False))
    given: dict[str, Any] = {"module": _module_of(model), "output": Path("output")}
    weights = {mode: values.pop(key, None) for mode, key in _WEIGHT_KEYS.items()}
    for key, value in values.items():
        if key in _KEYS:
            field, read = _KEYS[key]
            given[field] = _read(read, key, value)
        elif any(key == known or (known.endswith(".") and key.startswith(known)) for known in _WITHOUT_EFFECT):
            _LOG.info("%s has no effect here", key)
        else:
            known = [*_KEYS, *_WEIGHT_KEYS.values(), "Global.model"]
            raise InputError(f"the key {key} is unknown{suggestion(key, known)}", parameter=key)
    weight = weights.get(given.get("mode", "train"))
    if weight is not None:
        given["weight"] = _read(_text, _WEIGHT_KEYS[given["mode"]], weight)
    for field in ("base", "teacher", "weight"):
        if str(given.get(field, "")).endswith(".pdparams"):
            _LOG.warning("%s is a file of Paddle, which is not loaded; our own network is taken instead", given.pop(field))
    return Request(**given)


def _read(read: Callable[[Any], Any], key: str, value: object) -> Any:
    try:
        return read(value)
    except ValueError as cause:
        raise InputError(f"{key} must be {cause}, but is {value!r}", parameter=key) from cause


def _content(file: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except OSError as cause:
        message = f"the configuration file {file} cannot be read ({cause.strerror}); check its name"
        raise InputError(message, source=str(file), parameter="config") from cause
    except (ValueError, RecursionError, yaml.YAMLError) as cause:
        mark = getattr(cause, "problem_mark", None)
        place = str(file) if mark is None else f"{file}, line {mark.line + 1}"
        raise InputError(f"{place} is no YAML; compare it with docs/training.md", source=str(file), parameter="config") from cause
    if not isinstance(content, Mapping):
        raise InputError(f"{file} is not a mapping of keys; compare it with docs/training.md", source=str(file), parameter="config")
    return content


def _leaves(block: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested blocks by their dotted keys."""
    for key, value in block.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _value(key: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as cause:
        raise InputError(f"the value of -o {key}={text} cannot be read; put quotes around it", parameter=key) from cause


def _module_of(model: object) -> str:
    """The module that a model's name means: one of our own, or another network of the same task."""
    for module, name in MODEL_NAMES.items():
        if model in (name, module):
            return module
    for module, name in MODEL_NAMES.items():
        if model in known_names(module):
            _LOG.warning("%s itself is not trained here; %s is, which does the same task", model, name)
            return module
    near = suggestion(model, [name for module in MODEL_NAMES for name in known_names(module)])
    message = f"there is no network {model} to train{near}; trained are {', '.join(MODEL_NAMES.values())}"
    raise InputError(message, parameter="Global.model")


def request_of(values: Mapping[str, Any]) -> Request:
    """The command of parsed flags, whose names are those of the fields; None is left out."""
    names = {field.name for field in fields(Request)}
    return Request(**{name: value for name, value in values.items() if name in names and value is not None})
