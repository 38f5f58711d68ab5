"""The training commands: `sealread train` and `sealread synth`.

One command makes each embedded network again; the defaults are the recipe that was used.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import onnx

from sealread.errors import ModelError
from sealread.training.export import MODEL_NAMES, write_directory
from sealread.training.loop import Schedule, Task, train
from sealread.training.recogniser import ADDED_CHARACTERS, with_alphabet
from sealread.training.samples import Data, QuarterTurns
from sealread.training.tasks import CropSettings, DetectorTask, OrientationTask, RecogniserTask, SealFinderTask, drawn_data
from sealread.zoo import find_network

#: Input side, images drawn, batch, and learning rate of each recipe.
_RECIPES = {
    "seal_text_detection": (CropSettings(side=320, count=20000, batch=16, seed=11), Schedule(steps=2500, rate=6e-4, frozen=10)),
    "layout_detection": (CropSettings(side=512, count=4000, batch=4, seed=12), Schedule(steps=1400, rate=6e-4, frozen=10)),
    "text_recognition": (CropSettings(side=320, count=20000, batch=16, seed=1), Schedule(steps=2300, rate=2e-4, frozen=10)),
    "doc_text_orientation": (CropSettings(side=512, count=4000, batch=32, seed=14), Schedule(steps=500, rate=1e-4)),
}

MODULES = tuple(_RECIPES)
#: What is drawn for each module, and how many of them are held out for validation.
_DRAWN = {
    "seal_text_detection": ("crops", 96),
    "layout_detection": ("pages", 96),
    "text_recognition": ("crops", 192),
    "doc_text_orientation": ("pages", 96),
}


def add_train_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `sealread train`."""
    parser.add_argument("module", choices=MODULES, help="which network to train")
    parser.add_argument("output", type=Path, help="folder for checkpoints, log, curve and the trained network")
    parser.add_argument("--base", type=Path, help="ONNX file to start from; default: PP-OCRv6 small from the rapidocr package")
    parser.add_argument("--steps", type=int, help="optimiser steps in all")
    parser.add_argument("--count", type=int, help="synthetic images to draw")
    parser.add_argument("--batch", type=int, help="images per step")
    parser.add_argument("--rate", type=float, help="highest learning rate")
    parser.add_argument("--seed", type=int, help="seed of the synthetic images")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads of the arithmetic")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw images")
    parser.add_argument("--device", default="cpu", help="cpu or cuda:0")
    parser.add_argument("--cache", type=Path, help="folder for drawn images; default: OUTPUT/cache")
    parser.add_argument("--validate-every", type=int, help="steps between validations")


def run_train(namespace: argparse.Namespace) -> int:
    """Train one network; goes on where an interrupted run stopped."""
    settings, schedule = _RECIPES[namespace.module]
    cache = namespace.cache if namespace.cache is not None else namespace.output / "cache"
    settings = replace(settings, cache=cache, workers=namespace.workers)
    for name in ("count", "batch", "seed"):
        if getattr(namespace, name) is not None:
            settings = replace(settings, **{name: getattr(namespace, name)})
    schedule = replace(schedule, threads=namespace.threads, device=namespace.device)
    for name in ("steps", "rate", "validate_every"):
        if getattr(namespace, name) is not None:
            schedule = replace(schedule, **{name: getattr(namespace, name)})
    kind, held_out = _DRAWN[namespace.module]
    data = drawn_data(kind, settings, held_out)
    if namespace.module == "doc_text_orientation":
        data = replace(data, validation=QuarterTurns(data.validation))
    train(_task(namespace.module, namespace.base, settings, data), schedule, namespace.output)
    write_directory(namespace.module, onnx.load(str(namespace.output / "best.onnx")), namespace.output / "inference")
    return 0


def _task(module: str, base: Path | None, settings: CropSettings, data: Data) -> Task:
    if module == "doc_text_orientation":
        return OrientationTask(onnx.load(str(base if base is not None else embedded_network(module))), settings, data)
    if module == "text_recognition":
        network = onnx.load(str(base if base is not None else carried_network("PP-OCRv6_rec_small.onnx")))
        return RecogniserTask(with_alphabet(network, ADDED_CHARACTERS), settings, data)
    trunk = onnx.load(str(base if base is not None else carried_network("PP-OCRv6_det_small.onnx")))
    # A file that has the heads already is trained further.
    fresh = trunk.graph.output[0].name not in ("maps", "seals")
    if module == "seal_text_detection":
        from sealread.training.detector import band_network

        return DetectorTask(band_network(trunk) if fresh else trunk, settings, data)
    from sealread.training.layout import seal_network

    return SealFinderTask(seal_network(trunk) if fresh else trunk, settings, data)


def embedded_network(module: str) -> Path:
    """The file of the network that the package carries for a module."""
    file = find_network(MODEL_NAMES[module], module).file
    if file is None:
        raise ModelError(f"the package carries no network for {module} to start from; name one with --base")
    return file


def carried_network(file: str) -> Path:
    """A network that the installed `rapidocr` package carries.

    Raises:
        ModelError: the package is not installed.
    """
    import importlib.util

    spec = importlib.util.find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise ModelError(f"{file} comes with the package rapidocr, which is not installed; run: pip install 'sealread[train]'")
    return Path(spec.origin).parent / "models" / file
