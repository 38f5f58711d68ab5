"""The one training loop: AdamW, cosine rate, averaged weights, checkpoints that lose nothing, a log and a curve.

A `Task` brings the network, the batches and the measure; the loop knows none of them. Everything that matters for going on
after a kill (weights, average, optimizer, step, best score) is in one checkpoint, written beside and moved into place.
"""

from __future__ import annotations

import json
import math
import os
import pickle
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import onnx
import torch
from tqdm import tqdm

from sealread.errors import InputError
from sealread.training.export import save_network
from sealread.training.graph import OnnxModule


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        steps: optimiser steps in all; `rate` rises over `warmup` steps, then falls to a hundredth along a cosine.
        average: share of the old average kept at each step (exponential moving average of the weights).
        threads: CPU threads of the arithmetic.
        device: ``cpu`` or ``cuda:0``.
        frozen: so many of the first weight tensors stay as they are.
    """

    steps: int
    rate: float = 4e-4
    warmup: int = 200
    decay: float = 1e-4
    clip: float = 2.0
    average: float = 0.995
    save_every: int = 100
    validate_every: int = 500
    log_every: int = 10
    threads: int = 2
    device: str = "cpu"
    half: bool = True
    frozen: int = 0


class Task(Protocol):
    """What is trained."""

    module: OnnxModule

    def batches(self, first_step: int) -> Iterator[tuple[torch.Tensor, ...]]:
        """Endless batches; the one of step n is the same whenever it is asked for."""
        ...

    def loss(self, batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss of a batch and its parts."""
        ...

    def validate(self, model: onnx.ModelProto) -> dict[str, float]:
        """Measures of the exported network on held-out samples; ``score`` is the one to maximise."""
        ...


def train(task: Task, schedule: Schedule, output: Path, resume: Path | None = None) -> dict[str, Any]:
    """Train to the end of the schedule, going on from `output`'s checkpoint where there is one, else from `resume`.

    Writes ``checkpoint.pt``, ``log.jsonl``, ``curve.png``, ``best.onnx`` (best validation, the network as it was at first included)
    and ``last.onnx`` (averaged weights). Returns the last record of the log.

    Raises:
        InputError: the checkpoint cannot be read.
    """
    output.mkdir(parents=True, exist_ok=True)
    run = _Run(task, schedule, output, resume)
    _forget_after(output / "log.jsonl", run.step)
    with (
        (output / "log.jsonl").open("a", encoding="utf-8") as log,
        tqdm(total=schedule.steps, initial=run.step, unit="step", disable=None) as bar,
    ):
        record: dict[str, Any] = {}
        shown = {}
        batches = task.batches(run.step)
        started = time.time()
        if run.step == 0:
            record = {"step": 0, **run.validated()}
            _write(log, record)
        while run.step < schedule.steps:
            rate = _rate(schedule, run.step)
            loss, parts = run.train_on(next(batches), rate)
            record = {"step": run.step, "seconds": round(time.time() - started, 1), "rate": rate, "loss": loss, **parts}
            last = run.step == schedule.steps
            if last or run.step % schedule.validate_every == 0:
                record.update(run.validated())
                shown["val"] = f"{record['val_score']:.3f}"
                bar.write(json.dumps(record), file=sys.stderr)
            if last or run.step % schedule.log_every == 0 or "val_score" in record:
                _write(log, record)
            if "val_score" in record:
                draw_curve(output / "log.jsonl", output / "curve.png")
            if last or run.step % schedule.save_every == 0:
                run.save()
            bar.update()
            bar.set_postfix({"loss": f"{loss:.3f}", **shown})
    return record


def _fast_in_half(device: torch.device) -> bool:
    """Whether the device has instructions for bf16; a CPU without them takes ten times as long as with f32."""
    return device.type != "cpu" or torch.cpu._is_avx512_bf16_supported()


class _Run:
    """A network in training, with all that a checkpoint holds.

    Attributes:
        step: optimiser steps that were made.
    """

    def __init__(self, task: Task, schedule: Schedule, output: Path, resume: Path | None) -> None:
        self._task, self._schedule, self._output = task, schedule, output
        torch.set_num_threads(schedule.threads)
        self._device = torch.device(schedule.device)
        self._half = schedule.half and _fast_in_half(self._device)
        module = task.module.to(self._device)
        self._module = module.to(memory_format=torch.channels_last) if self._device.type == "cpu" else module
        parameters = list(self._module.parameters())
        for parameter in parameters[: schedule.frozen]:
            parameter.requires_grad_(False)
        self._trained = [p for p in parameters if p.requires_grad]
        self._optimizer = torch.optim.AdamW(self._trained, lr=schedule.rate, weight_decay=schedule.decay)
        self._mean = [p.detach().clone() for p in self._trained]
        self._best = -math.inf
        self.step = 0
        own = output / "checkpoint.pt"
        if own.exists() or resume is not None:
            self._restore(own if own.exists() or resume is None else resume)

    def _restore(self, path: Path) -> None:
        try:
            saved = torch.load(path, map_location=self._device, weights_only=True)
            self._module.load_state_dict(saved["module"])
            self._optimizer.load_state_dict(saved["optimizer"])
            self._mean = [t.to(self._device) for t in saved["mean"]]
            self.step, self._best = saved["state"]["step"], saved["state"]["best"]
        except (OSError, RuntimeError, LookupError, ValueError, EOFError, pickle.UnpicklingError) as cause:
            message = f"the checkpoint {path} is damaged or of another network; name another output folder, or delete it to start anew"
            raise InputError(message, source=str(path), parameter="resume_path") from cause

    def train_on(self, batch: tuple[torch.Tensor, ...], rate: float) -> tuple[float, dict[str, float]]:
        """Make one step; gives the loss and its parts."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._half):
            loss, parts = self._task.loss(tuple(t.to(self._device) for t in batch))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._trained, self._schedule.clip)
        self._optimizer.step()
        keep = min(self._schedule.average, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(self._mean, [p.detach() for p in self._trained], 1 - keep)
        self.step += 1
        return loss.item(), parts

    def validated(self) -> dict[str, float]:
        """The measures of the averaged network, which is written; ``val_score`` is the one to maximise."""
        exported = self._averaged()
        measures = self._task.validate(exported)
        save_network(exported, self._output / "last.onnx")
        if measures["score"] >= self._best:
            self._best = measures["score"]
            save_network(exported, self._output / "best.onnx")
        return {f"val_{name}": value for name, value in measures.items()}

    def _averaged(self) -> onnx.ModelProto:
        present = [p.detach().clone() for p in self._trained]
        with torch.no_grad():
            for parameter, value in zip(self._trained, self._mean, strict=True):
                parameter.copy_(value)
            exported = self._module.to_onnx()
            for parameter, value in zip(self._trained, present, strict=True):
                parameter.copy_(value)
        return exported

    def save(self) -> None:
        """Write the checkpoint beside its place and move it there."""
        state = {"step": self.step, "best": self._best, "schedule": asdict(self._schedule)}
        content = {"module": self._module.state_dict(), "optimizer": self._optimizer.state_dict(), "mean": self._mean, "state": state}
        beside = self._output / "checkpoint.part"
        torch.save(content, beside)
        os.replace(beside, self._output / "checkpoint.pt")


def _write(log: IO[str], record: dict[str, Any]) -> None:
    log.write(json.dumps(record) + "\n")
    log.flush()


def _forget_after(log: Path, step: int) -> None:
    """Leave out records of steps that were lost with a killed process and are done again."""
    if log.exists():
        rows = [row for row in log.read_text(encoding="utf-8").splitlines() if _step_of(row) <= step]
        log.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")


def _step_of(row: str) -> float:
    try:
        return float(json.loads(row)["step"])
    except ValueError:  # cut off by the kill
        return math.inf


def _rate(schedule: Schedule, step: int) -> float:
    if step < schedule.warmup:
        return schedule.rate * (step + 1) / schedule.warmup
    done = (step - schedule.warmup) / max(schedule.steps - schedule.warmup, 1)
    return schedule.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def draw_curve(log: Path, picture: Path) -> None:
    """The loss (grey) and the validation score (red) over the steps, as a small picture."""
    from PIL import Image, ImageDraw

    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    losses = [(r["step"], r["loss"]) for r in records if "loss" in r]
    if not losses:
        return
    width, height, margin = 800, 400, 40
    canvas = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(canvas)
    last = max(step for step, _ in losses)
    top = max(max(loss for _, loss in losses), 1e-9)

    def place(step: float, share: float) -> tuple[float, float]:
        return margin + (width - 2 * margin) * step / last, height - margin - (height - 2 * margin) * share

    draw.rectangle((margin, margin, width - margin, height - margin), outline="#bbbbbb")
    draw.line([place(step, loss / top) for step, loss in losses], fill="#888888")
    scores = [(r["step"], r["val_score"]) for r in records if "val_score" in r]
    if scores:
        draw.line([place(s, min(max(v, 0.0), 1.0)) for s, v in scores], fill="#cc2222", width=2)
        draw.text((margin, 12), f"loss (grey, full height {top:.2f}); validation score (red): last {scores[-1][1]:.3f}", fill="black")
    canvas.save(picture)
