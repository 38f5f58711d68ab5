"""The training command: its flags, and the recipes of the embedded networks.

One command makes each embedded network again; the defaults are the recipe that was used.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sealread.errors import InputError
from sealread.training.loop import Schedule
from sealread.training.modes import run
from sealread.training.request import MODES, read_request, request_of
from sealread.training.tasks import CropSettings

#: Input side, images drawn, batch, and learning rate of each recipe.
RECIPES = {
    "seal_text_detection": (CropSettings(side=320, count=20000, batch=16, seed=11), Schedule(steps=2500, rate=6e-4, frozen=10)),
    "layout_detection": (CropSettings(side=640, count=20000, batch=16, seed=81), Schedule(steps=12000, rate=1e-3)),
    "text_recognition": (CropSettings(side=320, count=20000, batch=16, seed=1), Schedule(steps=2300, rate=2e-4, frozen=10)),
    "doc_text_orientation": (CropSettings(side=512, count=4000, batch=32, seed=14), Schedule(steps=500, rate=1e-4)),
    "image_unwarping": (
        CropSettings(side=410, count=3000, batch=16, seed=21),
        Schedule(steps=3000, rate=8e-4, frozen=10),
    ),
}


def add_train_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `sealread train`."""
    parser.add_argument("module", nargs="?", choices=tuple(RECIPES), help="which network")
    parser.add_argument("output", nargs="?", type=Path, help="folder for all that is written: checkpoints, log, curve, the trained network")
    parser.add_argument("-c", "--config", type=Path, metavar="FILE", help="a configuration file, in place of MODULE, OUTPUT and flags")
    parser.add_argument("-o", "--override", action="append", default=[], metavar="KEY=VALUE", help="a key of the configuration; may repeat")
    parser.add_argument("--mode", choices=MODES, help="what to do (default: train)")
    parser.add_argument("--data", dest="dataset", type=Path, metavar="DIR", help="a data set of your own; default: samples are drawn")
    parser.add_argument("--base", help="where training starts: ONNX file, model directory or model name")
    parser.add_argument("--teacher", help="a finished text detector or recogniser to learn from: the same")
    parser.add_argument(
        "--only-ideographs",
        action="store_true",
        default=None,
        help="learn from the teacher on lines with ideographs alone, and the truth on the others",
    )
    parser.add_argument("--weight", help="the network to evaluate, export or predict with; default: what was trained into OUTPUT")
    parser.add_argument("--input", dest="inputs", nargs="+", action="extend", metavar="INPUT", help="images to predict")
    parser.add_argument("--steps", type=int, help="optimiser steps in all")
    parser.add_argument("--epochs", type=int, help="passes over the training images, in place of --steps")
    parser.add_argument("--count", type=int, help="synthetic images to draw")
    parser.add_argument("--batch", type=int, help="images per step")
    parser.add_argument("--rate", type=float, help="highest learning rate")
    parser.add_argument("--seed", type=int, help="seed of the synthetic images")
    parser.add_argument("--threads", type=int, help="CPU threads of the arithmetic (default: 2)")
    parser.add_argument("--workers", type=int, help="processes that make samples (default: 1)")
    parser.add_argument("--device", help="cpu or cuda:0 (default: cpu)")
    parser.add_argument("--cache", type=Path, help="folder for drawn images; default: OUTPUT/cache")
    parser.add_argument("--validate-every", type=int, help="steps between validations")


def run_train(namespace: argparse.Namespace) -> int:
    """Do what the flags ask for; an interrupted training goes on where it stopped.

    Raises:
        SealreadError: it cannot be done.
    """
    configured = namespace.config is not None or bool(namespace.override)
    if configured:
        given = [name for name, value in vars(namespace).items() if name not in ("config", "override") and value is not None]
        if given:
            raise InputError(f"{given[0]} is given beside a configuration; write it as a key with -o", parameter=given[0])
        request = read_request(namespace.config, namespace.override)
    elif namespace.module is None or namespace.output is None:
        raise InputError("name a MODULE and an OUTPUT folder, or a configuration file with -c", parameter="module")
    else:
        request = request_of(vars(namespace))
    return run(request, *RECIPES[request.module])
