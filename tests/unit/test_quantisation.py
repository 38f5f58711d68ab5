"""8-bit networks: calibrated on drawn samples, found again, and refused where they were not made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_networks import detection_folder

from sealread import ModelError, create_pipeline
from sealread.cli import main
from sealread.engines import EngineSettings, open_engine
from sealread.engines.int8 import place

pytest.importorskip("onnxruntime.quantization", reason="needs the package onnx: pip install 'sealread[quantise]'")
quantisation = pytest.importorskip("sealread.training.quantisation", reason="needs the extra [quantise]")


def drawn(count: int, seed: int) -> Any:
    """Stand-ins for drawn samples: crops with a bar whose colours the tiny recogniser reads."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        image = np.full((160, 200, 3), 255, np.uint8)
        image[: 160 // 5, : 200 // 5] = (90, 200, 90)
        image[70:95, 30 : 120 + int(rng.integers(50))] = 0 if i % 2 else (0, 0, 255)
        yield image, i % 4 == 0


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_every_network_gets_an_8_bit_form_that_answers_alike(
    own_cache: Path, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantisation, "samples", drawn)
    with create_pipeline(config=tiny) as pipeline:
        written = quantisation.quantise(pipeline, 8, 0)
    assert set(written) == {"tiny_ori", "sealread-unwarping", "tiny_layout", "tiny_det", "tiny_rec"}
    assert all(path.parent == own_cache / "int8" and path.is_file() for path in written.values())
    assert len(list((own_cache / "int8").iterdir())) == 5
    folder = Path(tiny["SubPipelines"]["SealOCR"]["SubModules"]["TextDetection"]["model_dir"])
    image: NDArray[np.float32] = np.zeros((1, 3, 32, 64), np.float32)
    image[:, :, :, 32:] = 1
    [exact] = open_engine(folder / "inference.onnx", EngineSettings("onnxruntime")).run([image])
    for engine in ("onnxruntime", "openvino"):
        made = open_engine(folder / "inference.onnx", EngineSettings(engine, "int8"))
        assert made.name.endswith(" int8")
        np.testing.assert_allclose(made.run([image])[0], exact, atol=0.05)


def test_networks_of_an_old_version_of_onnx(own_cache: Path, tmp_path: Path) -> None:
    """Ours are of version 11, which knows no scales by channel."""
    import onnx

    file = detection_folder(tmp_path) / "inference.onnx"
    model = onnx.load(str(file))
    model.opset_import[0].version = 11
    onnx.save(model, str(file))
    image: NDArray[np.float32] = np.linspace(0, 1, 3 * 32 * 32, dtype=np.float32).reshape(1, 3, 32, 32)
    quantisation._written(file, [{"x": image}])
    [exact] = open_engine(file, EngineSettings("onnxruntime")).run([image])
    np.testing.assert_allclose(open_engine(file, EngineSettings("openvino", "int8")).run([image])[0], exact, atol=0.05)


def test_a_changed_network_is_calibrated_anew(own_cache: Path, tmp_path: Path) -> None:
    file = detection_folder(tmp_path) / "inference.onnx"
    before = place(file)
    file.write_bytes(file.read_bytes() + b"\x00")
    assert place(file) != before
    with pytest.raises(ModelError, match="run: sealread quantise"):
        open_engine(file, EngineSettings(precision="int8"))


def test_the_command(own_cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def stand_in(pipeline: Any, count: int, seed: int, progress: Any) -> dict[str, Path]:
        asked.append((count, seed))
        assert {row["engine"].split()[-1] for row in pipeline.describe() if row["engine"] is not None} == {"f32"}
        return {"sealread-seal-det": own_cache / "x.onnx"}

    monkeypatch.setattr(quantisation, "quantise", stand_in)
    assert main(["quantise", "--count", "7", "--seed", "3"]) == 0
    assert asked == [(7, 3)]
    assert capsys.readouterr().out == f"sealread-seal-det {own_cache / 'x.onnx'}\n"
    assert main(["quantise", "--count", "0"]) == 2
