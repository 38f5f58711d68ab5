"""What the training command does: check a data set, train, evaluate, export, predict; one implementation behind all its forms.

Each mode but predict writes ``OUTPUT/MODE_result.json``: `done_flag`, and what came of it or what went wrong.
"""

from __future__ import annotations

import json
import logging
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from tqdm import tqdm

from sealread.engines import EngineSettings, open_engine
from sealread.errors import InputError, ModelError, SealreadError
from sealread.sources import pages
from sealread.stages.unwarping import bend, is_bent
from sealread.training.datasets import DataSet, read_dataset
from sealread.training.export import characters_of, deployed, stage_of, write_directory
from sealread.training.loop import Schedule, Task, train
from sealread.training.modules import MODULES, drawn_for, finished_network, named, starting_network
from sealread.training.pictures import save_outlines, save_sample
from sealread.training.recogniser import same_last_layer, with_alphabet
from sealread.training.request import Request
from sealread.training.samples import Data, QuarterTurns, Samples
from sealread.training.tasks import CropSettings, DetectorTask, RecogniserTask
from sealread.training.unwarping import sheet_measures
from sealread.training.validation import (
    detection_settings,
    detector_measures,
    finder_measures,
    orientation_measures,
    recogniser_measures,
    seals_found,
)
from sealread.types import FailedPage, Image

#: Of a data set of one's own: passes over it, unless a number of steps or epochs is given.
_OWN_EPOCHS = 20
#: A network that can do its task already is trained at this share of the recipe's rate.
_FURTHER_RATE = 0.3
#: Problems that are named in an error message; `check_dataset` lists all.
_SHOWN = 3
#: Samples of each split that `check_dataset` draws.
_PICTURES = 5
_LOG = logging.getLogger(__name__)


def run(request: Request, settings: CropSettings, schedule: Schedule) -> int:
    """Do what is asked for.

    Args:
        request: the command.
        settings, schedule: the recipe of its module.

    Returns:
        The exit status: 0; 2 if a checked data set cannot be used, or if not all of the inputs could be read.

    Raises:
        SealreadError: what is asked for cannot be done; the result file says so too.
    """
    handlers = {"check_dataset": _check, "train": _train, "evaluate": _evaluate, "export": _export, "predict": _predict}
    try:
        request.output.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise InputError(f"{request.output} cannot be written ({cause.strerror}): name another folder", parameter="output") from cause
    try:
        status, result = handlers[request.mode](request, settings, schedule)
    except SealreadError as error:
        _write_result(request, {"done_flag": False, "err_type": type(error).__name__, "err_msg": str(error)})
        raise
    _write_result(request, {"done_flag": True, **result})
    return status


def _write_result(request: Request, result: dict[str, Any]) -> None:
    if request.mode != "predict":
        text = json.dumps(result, ensure_ascii=False, indent=1)
        (request.output / f"{request.mode}_result.json").write_text(f"{text}\n", encoding="utf-8")


_Outcome = tuple[int, dict[str, Any]]


# ---------------------------------------------------------------- data


def _dataset(request: Request) -> DataSet:
    if request.dataset is None:
        raise InputError("no data set is named: give its folder with --data, or as Global.dataset_dir", parameter="dataset_dir")
    if request.module == "image_unwarping":
        raise InputError("data sets of bent pages are not read: image_unwarping is trained on drawn ones only", parameter="dataset_dir")
    alphabet = None
    if request.module == "text_recognition":
        alphabet = frozenset([*characters_of(starting_network(request.module, request.base, further=True)), " "])
    return read_dataset(request.dataset, request.module, alphabet)


def _data(request: Request, settings: CropSettings) -> tuple[Data, str]:
    """The samples asked for, and the characters that are new to the network.

    Images of a data set about which something is wrong are left out, and that is said.
    """
    if request.dataset is None:
        return drawn_for(request.module, settings), ""
    dataset = _dataset(request)
    if dataset.problems:
        first = "; ".join(map(str, dataset.problems[:_SHOWN]))
        count = len(dataset.problems)
        summary = f"{count} problem{'s' if count > 1 else ''} in {dataset.folder} (see --mode check_dataset), the first: {first}"
        if dataset.usable:
            _LOG.warning("images are left out for %s", summary)
        else:
            raise InputError(f"{_unusable(dataset)}; {summary}", source=str(dataset.folder))
    elif not dataset.usable:
        raise InputError(_unusable(dataset), source=str(dataset.folder))
    training, validation = dataset.samples()
    return Data(training, QuarterTurns(validation) if dataset.upright else validation), dataset.new_characters


def _unusable(dataset: DataSet) -> str:
    split = "validation" if dataset.training else "training"
    return f"the data set {dataset.folder} has no usable image for {split}"


# ---------------------------------------------------------------- modes


def _check(request: Request, settings: CropSettings, schedule: Schedule) -> _Outcome:
    dataset = _dataset(request)
    for problem in dataset.problems:
        print(problem)
    for what, count in dataset.left_aside.items():
        print(f"left aside: {count} {what}")
    training, validation = dataset.samples()
    for split, samples in (("train", training), ("val", validation)):
        for number in range(min(_PICTURES, len(samples))):
            save_sample(request.output / "check_dataset" / f"{split}_{number}.png", samples[number])
    usable = f"{len(dataset.training)} images for training and {len(dataset.validation)} for validation"
    print(f"{dataset.folder} ({dataset.form}): {len(dataset.problems)} problems; usable are {usable}")
    result = {**dataset.summary(), "dataset_path": str(dataset.folder), "dataset_type": dataset.form}
    return (0 if dataset.usable else InputError.exit_status), result


def _train(request: Request, settings: CropSettings, schedule: Schedule) -> _Outcome:
    given = {name: value for name in ("count", "batch", "seed") if (value := getattr(request, name)) is not None}
    cache = request.cache if request.cache is not None else request.output / "cache"
    settings = replace(settings, cache=cache, workers=request.workers, **given)
    data, new_characters = _data(request, settings)
    schedule = _planned(request, schedule, -(-len(data.training) // settings.batch))
    model = starting_network(request.module, request.base, further=request.dataset is not None)
    if new_characters:
        _LOG.info("%d characters of dict.txt are new to the network and get classes of their own", len(new_characters))
        model = with_alphabet(model, new_characters)
    # What reading could not load is known now, not after hours.
    deployed(request.module, model)
    record = train(_task(request, model, settings, data), schedule, request.output, request.resume)
    folder = request.output / "inference"
    write_directory(request.module, onnx.load(str(request.output / "best.onnx")), folder)
    _LOG.info("the best network lies in %s, which works as model_dir", folder)
    measures = {name.removeprefix("val_"): value for name, value in record.items() if name.startswith("val_")}
    return 0, {"steps": schedule.steps, "last": measures, "model_dir": str(folder)}


def _task(request: Request, model: onnx.ModelProto, settings: CropSettings, data: Data) -> Task:
    make = MODULES[request.module].task
    if request.teacher is None:
        if request.only_ideographs:
            raise InputError("name the --teacher whose features of ideographs stay", parameter="teacher")
        return make(model, settings, data)
    if make not in (DetectorTask, RecogniserTask):
        raise InputError("only text detectors and recognisers learn from a teacher; leave --teacher out", parameter="teacher")
    teacher = finished_network(request.module, request.teacher)
    if make is RecogniserTask:
        if not same_last_layer(model, teacher):
            message = f"the teacher {request.teacher} has another last layer than the network to train; name the one that it was made from"
            raise InputError(message, parameter="teacher")
        return RecogniserTask(model, settings, data, teacher, only_ideographs=request.only_ideographs)
    if request.only_ideographs:
        raise InputError("only recognisers read ideographs; leave --only-ideographs out", parameter="only_ideographs")
    try:
        deployed(request.module, teacher)
    except ModelError as cause:
        message = f"the teacher {request.teacher} does not show the five maps of a text detector; name one like sealread-seal-det"
        raise InputError(message, parameter="teacher") from cause
    return DetectorTask(model, settings, data, teacher)


def _planned(request: Request, schedule: Schedule, epoch: int) -> Schedule:
    """The recipe's schedule with what the request changes.

    Args:
        epoch: steps in which every training image is seen once.
    """
    schedule = replace(schedule, threads=request.threads, device=request.device)
    if request.dataset is not None:
        steps = _OWN_EPOCHS * epoch
        every = min(schedule.validate_every, max(epoch, steps // 10))
        rate = schedule.rate * (_FURTHER_RATE if request.base is None else 1.0)
        schedule = replace(schedule, steps=steps, validate_every=every, rate=rate)
    for name, epochs in (("steps", "epochs"), ("validate_every", "validate_epochs"), ("save_every", "save_epochs")):
        if getattr(request, epochs) is not None:
            schedule = replace(schedule, **{name: epoch * getattr(request, epochs)})
    names = ("steps", "rate", "warmup", "validate_every", "save_every", "log_every", "half")
    schedule = replace(schedule, **{name: value for name in names if (value := getattr(request, name)) is not None})
    return schedule if request.warmup is not None else replace(schedule, warmup=min(schedule.warmup, math.ceil(schedule.steps / 10)))


def _evaluate(request: Request, settings: CropSettings, schedule: Schedule) -> _Outcome:
    cache = request.cache if request.cache is not None else request.output / "cache"
    samples = _data(request, replace(settings, cache=cache))[0].validation
    weight, stage = _opened(request)
    measures = measured(request.module, stage, samples)
    print(json.dumps(measures))
    return 0, {"network": weight, "samples": len(samples), "measures": measures}


def measured(module: str, stage: Any, samples: Samples) -> dict[str, float]:
    """The measures of a stage on labelled samples."""
    measures: dict[str, Any] = {
        "seal_text_detection": detector_measures,
        "layout_detection": finder_measures,
        "text_recognition": recogniser_measures,
        "doc_text_orientation": orientation_measures,
        "image_unwarping": sheet_measures,
    }
    found: dict[str, float] = measures[module](stage, samples)
    return found


def _export(request: Request, settings: CropSettings, schedule: Schedule) -> _Outcome:
    weight = str(request.output / "best.onnx") if request.weight is None else request.weight
    if request.weight is None and not Path(weight).is_file():
        raise InputError(f"{weight} does not exist: train into {request.output} first, or name a network", source=weight)
    model = finished_network(request.module, weight)
    deployed(request.module, model)
    folder = request.output / "inference"
    write_directory(request.module, model, folder)
    print(folder)
    return 0, {"network": weight, "model_dir": str(folder)}


def _opened(request: Request) -> tuple[str, Any]:
    """The network that is named, or the one that training left, and the pipeline's stage that runs it."""
    weight = str(request.output / "inference") if request.weight is None else request.weight
    if request.weight is None and not Path(weight).is_dir():
        raise InputError(f"{weight} does not exist: train into {request.output} first, or name a network", source=weight)
    if Path(weight).is_file():
        return weight, deployed(request.module, finished_network(request.module, weight))
    network = named(request.module, weight)
    engine = None if network.file is None else open_engine(network.file, EngineSettings(threads=request.threads))
    return weight, stage_of(network, engine)


# ---------------------------------------------------------------- predict


def _predict(request: Request, settings: CropSettings, schedule: Schedule) -> _Outcome:
    if not request.inputs:
        raise InputError("no input: name files, folders or addresses with --input, or as Predict.input", parameter="input")
    _, stage = _opened(request)
    status = 0
    with (request.output / "predict.jsonl").open("w", encoding="utf-8") as file:
        for number, page in enumerate(tqdm(pages(list(request.inputs), errors="return"), unit=" images", disable=not sys.stderr.isatty())):
            if isinstance(page, FailedPage):
                _LOG.error("%s", page.error)
                status = InputError.exit_status
                continue
            seen, outlines = _seen(request.module, stage, page.image)
            row = json.dumps({"input_path": page.source, "page_index": page.index, **seen}, ensure_ascii=False)
            print(row)
            file.write(f"{row}\n")
            if outlines is not None:
                name = "image" if page.source is None else Path(page.source).stem
                save_outlines(request.output / "predict" / f"{number:04d}_{name}.png", page.image, outlines)
    return status, {}


def _seen(module: str, stage: Any, image: Image) -> tuple[dict[str, Any], Iterator[Any] | None]:
    """What a network sees on an image, and the outlines of it; None where it gives none."""
    if module == "seal_text_detection":
        lines = stage.find([image], detection_settings(stage))[0]
        seen = {"dt_polys": [np.round(line.polygon, 1).tolist() for line in lines], "dt_scores": [round(line.score, 4) for line in lines]}
        return seen, (line.polygon for line in lines)
    if module == "layout_detection":
        regions = seals_found(stage, image)
        boxes = [
            {"cls_id": r.cls_id, "label": r.label, "score": round(r.score, 4), "coordinate": [round(v, 1) for v in r.box]} for r in regions
        ]
        corners = (np.array([[r.box[0], r.box[1]], [r.box[2], r.box[1]], [r.box[2], r.box[3]], [r.box[0], r.box[3]]]) for r in regions)
        return {"boxes": boxes}, corners
    if module == "text_recognition":
        answer = stage.read([image])[0]
        return {"rec_text": answer.text, "rec_score": round(answer.score, 4)}, None
    if module == "image_unwarping":
        places = stage.places(image)
        return {"bend": round(bend(places), 4), "bent": is_bent(places)}, iter(places)
    probabilities = stage.probabilities(image)
    best = int(np.argmax(probabilities))
    return {"class_ids": [best], "scores": [round(float(probabilities[best]), 4)], "label_names": [str(stage.labels[best])]}, None
