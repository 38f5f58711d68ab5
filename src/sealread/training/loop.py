"""The one training loop: AdamW, cosine rate, averaged weights, checkpoints that lose nothing, a log and a curve.

A `Task` brings the network, the batches and the measure; the loop knows none of them. Everything that matters for going on
after a kill (weights, average, optimizer, step, best score) is in one checkpoint, written beside and moved into place.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import onnx
import torch
from tqdm import tqdm

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
    warmup: int = 50
    decay: float = 1e-4
    clip: float = 2.0
    average: float = 0.995
    save_every: int = 100
    validate_every: int = 500
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


def train(task: Task, schedule: Schedule, output: Path) -> dict[str, Any]:
    """Train to the end of the schedule, going on from `output`'s checkpoint where there is one.

    Writes ``checkpoint.pt``, ``log.jsonl``, ``curve.png``, ``best.onnx`` (best validation) and ``last.onnx`` (averaged weights).
    Returns the last record of the log.
    """
    output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(schedule.threads)
    device = torch.device(schedule.device)
    module = task.module.to(device)
    if device.type == "cpu":
        module = module.to(memory_format=torch.channels_last)
    parameters = list(module.parameters())
    for parameter in parameters[: schedule.frozen]:
        parameter.requires_grad_(False)
    trained = [p for p in parameters if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=schedule.rate, weight_decay=schedule.decay)
    mean = [p.detach().clone() for p in trained]
    state: dict[str, Any] = {"step": 0, "best": -math.inf, "schedule": asdict(schedule)}
    checkpoint = output / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        module.load_state_dict(saved["module"])
        optimizer.load_state_dict(saved["optimizer"])
        mean = [t.to(device) for t in saved["mean"]]
        state.update(saved["state"])
    _forget_after(output / "log.jsonl", state["step"])
    log = (output / "log.jsonl").open("a", encoding="utf-8")
    record: dict[str, Any] = {}
    batches = task.batches(state["step"])
    shown: dict[str, str] = {}
    bar = tqdm(total=schedule.steps, initial=state["step"], unit="step", disable=None)
    started = time.time()
    for step in range(state["step"], schedule.steps):
        rate = _rate(schedule, step)
        for group in optimizer.param_groups:
            group["lr"] = rate
        batch = tuple(t.to(device) for t in next(batches))
        with torch.autocast(device.type, torch.bfloat16, enabled=schedule.half):
            loss, parts = task.loss(batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, schedule.clip)
        optimizer.step()
        keep = min(schedule.average, (1 + step) / (10 + step))
        torch._foreach_lerp_(mean, [p.detach() for p in trained], 1 - keep)
        state["step"] = step + 1
        bar.update()
        shown["loss"] = f"{loss.item():.3f}"
        record = {"step": step + 1, "seconds": round(time.time() - started, 1), "rate": rate, "loss": loss.item(), **parts}
        last = step + 1 == schedule.steps
        if last or (step + 1) % schedule.validate_every == 0:
            exported = _averaged(module, trained, mean)
            measures = task.validate(exported)
            record.update({f"val_{k}": v for k, v in measures.items()})
            save_network(exported, output / "last.onnx")
            if measures["score"] > state["best"]:
                state["best"] = measures["score"]
                save_network(exported, output / "best.onnx")
            shown["val"] = f"{measures['score']:.3f}"
            bar.write(json.dumps(record))
        bar.set_postfix(shown)
        if last or (step + 1) % 10 == 0 or "val_score" in record:
            log.write(json.dumps(record) + "\n")
            log.flush()
            if "val_score" in record:
                draw_curve(output / "log.jsonl", output / "curve.png")
        if last or (step + 1) % schedule.save_every == 0:
            _save(checkpoint, {"module": module.state_dict(), "optimizer": optimizer.state_dict(), "mean": mean, "state": state})
    bar.close()
    log.close()
    return record


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


def _averaged(module: OnnxModule, trained: list[torch.nn.Parameter], mean: list[torch.Tensor]) -> onnx.ModelProto:
    present = [p.detach().clone() for p in trained]
    with torch.no_grad():
        for parameter, value in zip(trained, mean, strict=True):
            parameter.copy_(value)
        exported = module.to_onnx()
        for parameter, value in zip(trained, present, strict=True):
            parameter.copy_(value)
    return exported


def _save(path: Path, state: dict[str, Any]) -> None:
    beside = path.with_suffix(".part")
    torch.save(state, beside)
    os.replace(beside, path)


def draw_curve(log: Path, picture: Path) -> None:
    """The loss (grey) and the validation score (red) over the steps, as a small picture."""
    from PIL import Image, ImageDraw

    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    if not records:
        return
    width, height, margin = 800, 400, 40
    canvas = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(canvas)
    last = max(r["step"] for r in records)
    top = max(r["loss"] for r in records)

    def place(step: float, share: float) -> tuple[float, float]:
        return margin + (width - 2 * margin) * step / last, height - margin - (height - 2 * margin) * share

    draw.rectangle((margin, margin, width - margin, height - margin), outline="#bbbbbb")
    draw.line([place(r["step"], r["loss"] / top) for r in records], fill="#888888")
    scores = [(r["step"], r["val_score"]) for r in records if "val_score" in r]
    if scores:
        draw.line([place(s, min(max(v, 0.0), 1.0)) for s, v in scores], fill="#cc2222", width=2)
        draw.text((margin, 12), f"loss (grey, full height {top:.2f}); validation score (red): last {scores[-1][1]:.3f}", fill="black")
    canvas.save(picture)
