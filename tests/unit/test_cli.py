"""The command line, with a pipeline that answers from a script."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sealread import selfcheck
from sealread.cli import BROKEN_PIPE, INTERRUPTED, main
from sealread.config import MODEL_FLAGS, PredictOptions, load_config, packaged_config_text
from sealread.errors import EngineError, InputError, ModelError, SealreadError
from sealread.flags import IGNORED_FLAGS, read_parser

FLAGS = [name for name in PredictOptions.model_fields if name != "layout_det_res"]
ENGINE_FLAGS = (
    "pipeline",
    "paddlex_config",
    "device",
    "engine",
    "engine_config",
    "precision",
    "cpu_threads",
    "use_hpip",
    "enable_hpi",
    "hpi_config",
    "model_source",
)
ALL_FLAGS = [
    *FLAGS,
    *MODEL_FLAGS,
    *ENGINE_FLAGS,
    *IGNORED_FLAGS,
    "input",
    "resume",
    "save_path",
    "get_pipeline_config",
    "serve",
    "host",
    "port",
    "force",
    "yes",
    "quiet",
    "version",
    "help",
]


@dataclass
class ScriptedResult:
    """A page with some seals, or the error that stands for it."""

    source: str
    error: Exception | None = None
    seals: int = 1
    text: str = ""
    save_error: Exception | None = None

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def reading(self) -> Any:
        seal = SimpleNamespace(lines=(SimpleNamespace(text=self.text, score=0.5),))
        return SimpleNamespace(seals=(seal,) * self.seals, page=SimpleNamespace(source=self.source))

    def print(self) -> None:
        print(json.dumps({"res": {"input_path": self.source}}, ensure_ascii=False))

    def save_all(self, save_path: str) -> None:
        if self.save_error is not None:
            raise self.save_error
        Path(save_path, f"{Path(self.source).stem}_res.json").write_text("{}", encoding="utf-8")


@dataclass
class ScriptedPipeline:
    """Remembers how it was made and called; a name that starts with ``bad`` fails, ``stop`` is Ctrl-C."""

    made: dict[str, Any] = field(default_factory=dict)
    inputs: Any = None
    errors: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    results: dict[str, ScriptedResult] = field(default_factory=dict)
    drawn_text: str = selfcheck.DRAWN_TEXT

    def create(self, **arguments: Any) -> ScriptedPipeline:
        self.made = arguments
        return self

    def predict(self, input: Any, *, errors: str, **options: Any) -> Iterator[ScriptedResult]:
        self.inputs, self.errors, self.options = input, errors, options
        for source in input if isinstance(input, list) else ["drawn"]:
            if source == "stop":
                raise KeyboardInterrupt
            if source == "halt":
                raise EngineError("the network failed; try another engine")
            yield self.results.get(source, ScriptedResult(source, text=self.drawn_text))

    def describe(self) -> list[dict[str, Any]]:
        return [
            {
                "task": "recognition",
                "name": "sealread-seal-rec",
                "file": "rec.onnx",
                "sha256": "0123456789abcdef" * 4,
                "licence": "Apache-2.0",
            }
        ]


def failed(source: str, error: type[SealreadError] = InputError) -> ScriptedResult:
    return ScriptedResult(source, error("the file is empty; give a picture", source=source))


@pytest.fixture
def pipeline() -> ScriptedPipeline:
    return ScriptedPipeline()


@pytest.fixture
def run(pipeline: ScriptedPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.chdir(tmp_path)
    return lambda *words: main([str(word) for word in words], create=pipeline.create)


Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


class TestForms:
    def test_the_short_form(self, run: Run, pipeline: ScriptedPipeline, capsys: Capture, tmp_path: Path) -> None:
        assert run("scan.pdf", "photo.jpg", "--save_path", "out") == 0
        assert pipeline.inputs == ["scan.pdf", "photo.jpg"]
        assert pipeline.errors == "return"
        assert pipeline.options == {}
        assert pipeline.made == {
            "pipeline": "seal_recognition",
            **dict.fromkeys(("device", "use_hpip", "hpi_config", "engine", "engine_config", "model_source")),
        }
        captured = capsys.readouterr()
        assert [json.loads(line)["res"]["input_path"] for line in captured.out.splitlines()] == ["scan.pdf", "photo.jpg"]
        assert captured.err == "sealread: 2 pages read, 2 seals found\n"
        assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["photo_res.json", "scan_res.json"]

    def test_the_tutorials_form(self, run: Run, pipeline: ScriptedPipeline, tmp_path: Path) -> None:
        words = "--pipeline seal_recognition --input seal.png --use_doc_orientation_classify False --use_doc_unwarping False"
        assert run(*words.split(), "--device", "cpu", "--save_path", "./output") == 0
        assert pipeline.inputs == ["seal.png"]
        assert pipeline.made["device"] == "cpu"
        assert pipeline.options == {"use_doc_orientation_classify": False, "use_doc_unwarping": False}
        assert (tmp_path / "output" / "seal_res.json").is_file()

    def test_the_wrappers_form(self, run: Run, pipeline: ScriptedPipeline) -> None:
        assert run("seal_recognition", "-i", "seal.png", "--enable_hpi", "True", "--paddlex_config", "seal_recognition") == 0
        assert pipeline.inputs == ["seal.png"]
        assert pipeline.made["use_hpip"] is True

    @pytest.mark.parametrize(
        "words",
        [
            "a b c",
            "--input a b --input c",
            "--input=a --input=b -i c",
            "a --device cpu b --save_path out c",
            "--device cpu a b c",
            "--use_hpip a b c",
            "a b --input c",
        ],
    )
    def test_inputs_may_stand_anywhere(self, words: str, run: Run, pipeline: ScriptedPipeline) -> None:
        assert run(*words.split()) == 0
        assert pipeline.inputs == ["a", "b", "c"]

    def test_a_configuration_file(self, run: Run, pipeline: ScriptedPipeline) -> None:
        assert run("a.png", "--pipeline", "./my_path/seal_recognition.yaml") == 0
        assert pipeline.made["pipeline"] == "./my_path/seal_recognition.yaml"

    def test_a_file_named_like_a_command_is_read(self, run: Run, pipeline: ScriptedPipeline, tmp_path: Path) -> None:
        (tmp_path / "check").write_bytes(b"")
        assert run("check") == 0
        assert pipeline.inputs == ["check"]

    def test_without_save_path_nothing_is_written(self, run: Run, tmp_path: Path) -> None:
        assert run("a.png") == 0
        assert list(tmp_path.iterdir()) == []


class TestPredictFlags:
    VALUES = (
        ("layout_threshold", "0", 0.0),
        ("layout_threshold", "{16: 0.3}", {16: 0.3}),
        ("layout_unclip_ratio", "[1.2, 1.5]", (1.2, 1.5)),
        ("layout_unclip_ratio", "2", 2.0),
        ("layout_merge_bboxes_mode", "large", "large"),
        ("layout_merge_bboxes_mode", "'large'", "large"),
        ("layout_merge_bboxes_mode", "{16: 'union'}", {16: "union"}),
        ("seal_det_limit_side_len", "736", 736),
        ("seal_det_limit_type", "min", "min"),
        ("seal_det_thresh", "1e-3", 0.001),
        ("seal_det_box_thresh", "0.6", 0.6),
        ("seal_det_unclip_ratio", "0", 0.0),
        ("seal_rec_score_thresh", "0", 0),
    )
    SWITCHES = ("use_doc_orientation_classify", "use_doc_unwarping", "use_layout_detection", "layout_nms")

    @pytest.mark.parametrize(("flag", "text", "value"), VALUES)
    @pytest.mark.parametrize("spelling", ["--{}", "--{}=", "dashes"])
    def test_values(self, flag: str, text: str, value: object, spelling: str, run: Run, pipeline: ScriptedPipeline) -> None:
        name = f"--{flag.replace('_', '-')}" if spelling == "dashes" else spelling.format(flag)
        words = [name + text] if name.endswith("=") else [name, text]
        assert run("a.png", *words) == 0
        assert pipeline.options == {flag: value}

    @pytest.mark.parametrize("flag", SWITCHES)
    @pytest.mark.parametrize(("word", "value"), [("True", True), ("YES", True), ("1", True), ("false", False), ("No", False), ("0", False)])
    def test_switches(self, flag: str, word: str, value: bool, run: Run, pipeline: ScriptedPipeline) -> None:
        assert run("a.png", f"--{flag}", word) == 0
        assert pipeline.options == {flag: value}

    @pytest.mark.parametrize("flag", FLAGS)
    def test_none_is_as_configured(self, flag: str, run: Run, pipeline: ScriptedPipeline) -> None:
        assert run("a.png", f"--{flag}", "None") == 0
        assert pipeline.options == {}

    @pytest.mark.parametrize("flag", FLAGS)
    @pytest.mark.parametrize("text", ["perhaps", "-1", ""])
    def test_a_bad_value_stops_before_anything_runs(
        self, flag: str, text: str, run: Run, pipeline: ScriptedPipeline, capsys: Capture
    ) -> None:
        assert run("a.png", f"--{flag}", text) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err == f"sealread: {flag} must be {PredictOptions.allowed(flag)}, but is {text!r}\n"
        assert pipeline.made == {}

    def test_each_flag_is_tried_above(self) -> None:
        assert {flag for flag, _, _ in self.VALUES} | set(self.SWITCHES) == set(FLAGS)


class TestEngineFlags:
    @pytest.mark.parametrize("flag", MODEL_FLAGS)
    def test_networks(self, flag: str, run: Run, pipeline: ScriptedPipeline) -> None:
        value: Any = 3 if flag.endswith("batch_size") else "mine"
        assert run("a.png", f"--{flag}", value) == 0
        assert "pipeline" not in pipeline.made
        block = load_config(config=pipeline.made["config"]).to_mapping()
        for key in MODEL_FLAGS[flag]:
            block = block[key]
        assert block == value

    def test_networks_go_over_a_file(self, run: Run, pipeline: ScriptedPipeline, tmp_path: Path) -> None:
        file = tmp_path / "mine.yaml"
        file.write_text(packaged_config_text("seal_recognition").replace("batch_size: 8", "batch_size: 5"), encoding="utf-8")
        assert run("a.png", "--pipeline", "mine.yaml", "--text_recognition_model_dir", "fine") == 0
        recognition = load_config(config=pipeline.made["config"]).sub_pipelines.seal_ocr.sub_modules.text_recognition
        assert (recognition.model_dir, recognition.batch_size) == ("fine", 5)

    @pytest.mark.parametrize(
        ("words", "name", "value"),
        [
            (["--device", "gpu:0,1"], "device", "gpu:0,1"),
            (["--engine", "onnxruntime"], "engine", "onnxruntime"),
            (["--use_hpip"], "use_hpip", True),
            (["--use-hpip"], "use_hpip", True),
            (["--use_hpip", "no"], "use_hpip", False),
            (["--use_hpip=False"], "use_hpip", False),
            (["--enable_hpi", "None"], "use_hpip", None),
            (["--hpi_config", "{'backend': 'openvino', 'auto_config': True}"], "hpi_config", {"backend": "openvino", "auto_config": True}),
            (["--hpi_config", '{"auto_config": true}'], "hpi_config", {"auto_config": True}),
            (["--engine_config", "{'a': 1}"], "engine_config", {"a": 1}),
            (["--precision", "fp32"], "engine_config", {"precision": "f32"}),
            (["--cpu_threads", "2"], "engine_config", {"cpu_threads": 2}),
            (["--cpu_threads", "2", "--engine_config", "{'a': 1}"], "engine_config", {"a": 1, "cpu_threads": 2}),
        ],
    )
    def test_what_create_pipeline_is_given(self, words: list[str], name: str, value: object, run: Run, pipeline: ScriptedPipeline) -> None:
        assert run(*words, "a.png") == 0
        assert pipeline.made[name] == value
        assert pipeline.inputs == ["a.png"]

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["--device", "gpx"], "did you mean gpu"),
            (["--use_hpip=maybe"], "--use_hpip.*must be True or False, but is 'maybe'"),
            (["--hpi_config", "fast"], "--hpi_config.*must be a dict"),
            (["--precision", "fp8"], "--precision.*must be one of"),
            (["--cpu_threads", "0"], "--cpu_threads.*above 0"),
            (["--text_recognition_batch_size", "0"], "text_recognition_batch_size: .*above 0"),
            (["--text_recognition_model_name", "x", "--pipeline", "no.yaml"], "no.yaml does not exist"),
            (["--layout_treshold", "1"], "there is no flag --layout_treshold; did you mean --layout_threshold"),
            (["--seal"], "there is no flag --seal"),
            (["--device"], "expected one argument"),
        ],
    )
    def test_a_bad_flag(self, words: list[str], says: str, run: Run, pipeline: ScriptedPipeline, capsys: Capture) -> None:
        assert run("a.png", *words) == 2
        message = capsys.readouterr().err
        assert re.search(says, message)
        assert message.count("\n") == 1
        assert pipeline.made == {}

    def test_flags_without_effect_get_one_note(self, run: Run, pipeline: ScriptedPipeline, capsys: Capture) -> None:
        words = ["--use_tensorrt", "False", "--enable_mkldnn", "--mkldnn_cache_capacity", "10", "a.png", "--enable_cinn"]
        assert run(*words) == 0
        assert pipeline.inputs == ["a.png"]
        notes = [line for line in capsys.readouterr().err.splitlines() if "no effect" in line]
        assert notes == ["sealread: --use_tensorrt, --enable_mkldnn, --mkldnn_cache_capacity, --enable_cinn: no effect here"]


class TestOutcomes:
    def test_one_bad_input_does_not_harm_the_others(self, run: Run, pipeline: ScriptedPipeline, capsys: Capture) -> None:
        pipeline.results["bad.png"] = failed("bad.png")
        pipeline.results["many.png"] = ScriptedResult("many.png", seals=3)
        assert run("a.png", "bad.png", "many.png") == 2
        captured = capsys.readouterr()
        assert len(captured.out.splitlines()) == 2
        assert captured.err.splitlines() == [
            "sealread: bad.png: the file is empty; give a picture",
            "sealread: 2 pages read, 4 seals found, 1 input failed: bad.png: the file is empty; give a picture",
        ]

    @pytest.mark.parametrize(
        ("errors", "status"),
        [((InputError,), 2), ((ModelError,), 3), ((EngineError,), 4), ((InputError, EngineError, ModelError), 4), ((SealreadError,), 1)],
    )
    def test_the_worst_error_gives_the_status(
        self, errors: tuple[type[SealreadError], ...], status: int, run: Run, pipeline: ScriptedPipeline, capsys: Capture
    ) -> None:
        names = [f"bad{number}" for number in range(len(errors))]
        pipeline.results = {name: failed(name, error) for name, error in zip(names, errors, strict=True)}
        assert run(*names, "a.png") == status
        last = capsys.readouterr().err.splitlines()[-1]
        assert last.startswith("sealread: 1 page read, 1 seal found, ")
        assert all(name in last for name in names)

    def test_an_error_of_another_kind(self, run: Run, pipeline: ScriptedPipeline, capsys: Capture) -> None:
        pipeline.results["a.png"] = ScriptedResult("a.png", MemoryError("too large"))
        assert run("a.png") == SealreadError.exit_status
        assert "1 input failed: MemoryError: too large" in capsys.readouterr().err

    def test_a_run_that_fails_as_a_whole(self, run: Run, capsys: Capture) -> None:
        assert run("a.png", "halt", "b.png") == 4
        assert capsys.readouterr().err.splitlines()[-1] == (
            "sealread: 1 page read, 1 seal found, 1 input failed: the network failed; try another engine"
        )

    def test_a_pipeline_that_cannot_be_made(self, capsys: Capture) -> None:
        def create(**arguments: Any) -> ScriptedPipeline:
            raise ModelError("the network is damaged; fetch it again")

        assert main(["a.png"], create=create) == 3
        assert capsys.readouterr().err == "sealread: the network is damaged; fetch it again\n"

    def test_a_result_that_cannot_be_saved(self, run: Run, pipeline: ScriptedPipeline, capsys: Capture) -> None:
        pipeline.results["a.png"] = ScriptedResult("a.png", save_error=OSError(28, "No space left on device"))
        assert run("a.png", "b.png", "--save_path", "out") == 2
        assert "a.png: the result cannot be saved in out: No space left on device" in capsys.readouterr().err

    def test_resume_goes_on_in_the_folder_of_the_results(self, run: Run, pipeline: ScriptedPipeline, capsys: Capture) -> None:
        assert run("a.png", "--save_path", "out", "--resume") == 0
        assert pipeline.options == {"resume_from": "out"}
        assert run("a.png", "--resume") == 2
        assert "name its folder with --save_path" in capsys.readouterr().err

    def test_quiet_leaves_errors_only(self, run: Run, pipeline: ScriptedPipeline, capsys: Capture) -> None:
        pipeline.results["bad.png"] = failed("bad.png")
        assert run("a.png", "bad.png", "--quiet", "--enable_cinn") == 2
        assert capsys.readouterr().err == "sealread: bad.png: the file is empty; give a picture\n"

    def test_no_input(self, run: Run, capsys: Capture) -> None:
        assert run("--device", "cpu") == 2
        assert capsys.readouterr().err == "sealread: no input: name a file, a folder or an address, as in: sealread scan.pdf\n"

    def test_no_word_at_all_shows_the_help(self, run: Run, capsys: Capture) -> None:
        assert run() == 2
        assert capsys.readouterr().err.startswith("usage: sealread INPUT")

    def test_interrupted(self, run: Run, capsys: Capture) -> None:
        assert run("a.png", "stop") == INTERRUPTED
        assert capsys.readouterr().err.splitlines() == ["sealread: 1 page read, 1 seal found", "sealread: interrupted"]

    def test_nobody_reads_the_output(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        script = "import sys, test_cli; sys.exit(test_cli.main(['a'], create=test_cli.ScriptedPipeline().create))"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent)])}
        done = subprocess.run([sys.executable, "-c", script], stdout=writer, stderr=subprocess.PIPE, env=environment, check=False)
        os.close(writer)
        assert done.returncode == BROKEN_PIPE
        assert b"Traceback" not in done.stderr
        assert b"Exception ignored" not in done.stderr


class TestSavePath:
    @pytest.mark.parametrize("place", ["file", "file/inside", "out.json", "page.png"])
    def test_what_is_no_folder_is_refused_before_reading(
        self, place: str, run: Run, pipeline: ScriptedPipeline, capsys: Capture, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        assert run("a.png", "--save_path", place) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith(f"sealread: --save_path {place} ")
        assert pipeline.made == {}

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
    def test_a_read_only_folder(self, run: Run, pipeline: ScriptedPipeline, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir(mode=0o555)
        assert run("a.png", "--save_path", "out") == 2
        assert pipeline.made == {}


class TestGetPipelineConfig:
    PACKAGED = packaged_config_text("seal_recognition")

    @pytest.mark.parametrize(
        ("words", "file"),
        [
            ([], "seal_recognition.yaml"),
            (["--save_path", "./my_path"], "my_path/seal_recognition.yaml"),
            (["--save_path", "deep/er/mine.yaml"], "deep/er/mine.yaml"),
            (["--save-path=mine.yml"], "mine.yml"),
        ],
    )
    def test_where_it_goes(
        self, words: list[str], file: str, run: Run, pipeline: ScriptedPipeline, capsys: Capture, tmp_path: Path
    ) -> None:
        assert run("--get_pipeline_config", "seal_recognition", *words) == 0
        assert (tmp_path / file).read_text(encoding="utf-8") == self.PACKAGED
        assert capsys.readouterr().out == f"{Path(file)}\n"
        assert pipeline.made == {}

    @pytest.mark.parametrize("force", ["--force", "-y", "--yes"])
    def test_an_existing_file_is_kept_unless_forced(self, force: str, run: Run, capsys: Capture, tmp_path: Path) -> None:
        target = tmp_path / "seal_recognition.yaml"
        target.write_text("mine", encoding="utf-8")
        assert run("--get_pipeline_config", "seal_recognition") == 2
        assert "seal_recognition.yaml exists: add --force" in capsys.readouterr().err
        assert target.read_text(encoding="utf-8") == "mine"
        assert run("--get_pipeline_config", "seal_recognition", force) == 0
        assert target.read_text(encoding="utf-8") == self.PACKAGED

    def test_an_unknown_name(self, run: Run, capsys: Capture) -> None:
        assert run("--get_pipeline_config", "seal_recog") == 2
        assert "did you mean seal_recognition" in capsys.readouterr().err

    def test_a_place_that_cannot_be_written(self, run: Run, capsys: Capture, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        assert run("--get_pipeline_config", "seal_recognition", "--save_path", "file") == 2
        assert re.search("cannot be written|exists", capsys.readouterr().err)


class TestHelp:
    @pytest.mark.parametrize("flag", ALL_FLAGS)
    def test_each_flag_is_in_the_help_and_the_documentation(self, flag: str) -> None:
        pattern = rf"--{flag}\b"
        assert re.search(pattern, read_parser().format_help())
        assert re.search(pattern, (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8"))

    def test_the_list_of_flags_is_whole(self) -> None:
        assert set(re.findall(r"--(\w+)", read_parser().format_help())) == set(ALL_FLAGS)

    @pytest.mark.parametrize(
        "words", [["--help"], ["-h"], ["evaluate", "--help"], ["synth", "--help"], ["check", "--help"], ["download", "--help"]]
    )
    def test_help_is_no_error(self, words: list[str], run: Run, capsys: Capture) -> None:
        assert run(*words) == 0
        assert capsys.readouterr().out.startswith("usage: sealread")

    def test_version(self, run: Run, capsys: Capture) -> None:
        assert run("--version") == 0
        assert re.fullmatch(r"sealread \S+.*\n", capsys.readouterr().out)

    def test_help_loads_nothing_heavy(self) -> None:
        heavy = {"openvino", "onnxruntime", "torch", "tqdm"}
        script = f"import sys; from sealread.cli import main; main(['--help']); print({heavy} & set(sys.modules))"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
        assert done.stdout.endswith("set()\n")


class TestCheck:
    def test_it_tells_what_is_used(self, run: Run, pipeline: ScriptedPipeline, capsys: Capture) -> None:
        assert run("check", "--device", "cpu", "--engine", "openvino") == 0
        out = capsys.readouterr().out
        assert pipeline.made["engine"] == "openvino"
        assert pipeline.options["use_layout_detection"] is False
        for word in ("sealread ", "python ", "openvino ", "onnxruntime ", "device     cpu", "sha256     0123456789ab\n", "Apache-2.0"):
            assert word in out
        assert f"drawn seal {selfcheck.DRAWN_TEXT}, read as {selfcheck.DRAWN_TEXT} (0.50)" in out

    def test_a_wrong_reading_is_an_error(self, run: Run, pipeline: ScriptedPipeline, capsys: Capture) -> None:
        pipeline.drawn_text = "合同"
        assert run("check") == EngineError.exit_status
        assert "was not read so" in capsys.readouterr().err

    def test_the_drawn_seal_is_red_on_white(self) -> None:
        seal = selfcheck.drawn_seal()
        assert seal.shape == (320, 320, 3)
        assert seal.dtype == np.uint8
        assert tuple(seal[0, 0]) == (255, 255, 255)
        red = (seal[..., 2] > 150) & (seal[..., 0] < 100)
        assert red[160 - 30 : 160 + 30, 40:280].mean() > 0.1


class TestSynth:
    @pytest.mark.parametrize(("words", "says"), [(["--count", "0"], "--count must be"), (["--size", "-3"], "--size must be")])
    def test_numbers_are_checked(self, words: list[str], says: str, run: Run, capsys: Capture) -> None:
        assert run("synth", "out", *words) == 2
        assert says in capsys.readouterr().err

    def test_it_says_what_was_drawn_and_how_fast(self, run: Run, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn: dict[str, object] = {}
        monkeypatch.setattr("sealread.training.synth.formats.write_dataset", lambda out, **words: drawn.update(words, out=out))
        assert run("synth", str(tmp_path), "--count", "7", "--kind", "pages", "--seed", "3") == 0
        assert drawn == {"out": tmp_path, "count": 7, "seed": 3, "kind": "pages", "form": "realseals", "size": 640, "validation": 0.1}
        assert re.fullmatch(rf"{re.escape(str(tmp_path))}: 7 images, [0-9.]+ a second\n", capsys.readouterr().out)

    @pytest.mark.parametrize("words", [[], ["out", "--kind", "round"], ["out", "more"], ["out", "--cuont", "3"]])
    def test_flags_are_checked(self, words: list[str], run: Run, capsys: Capture) -> None:
        assert run("synth", *words) == 2
        assert capsys.readouterr().err.startswith("sealread synth: ")


class TestTrain:
    def test_without_the_extra_it_says_what_to_install(self, run: Run, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in sys.modules if name.startswith("sealread.training")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "onnx", None)
        assert run("train", "seal_text_detection", "out") == ModelError.exit_status
        assert "sealread train needs onnx, which is not installed: run pip install 'sealread[train]'" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["--steps", "0"], "--steps must be above 0, but is 0"),
            (["--rate", "-0.5"], "--rate must be above 0, but is -0.5"),
            (["--base", "nothing.onnx"], "nothing.onnx does not exist"),
            (["--setps", "5"], "did you mean --steps"),
            (["--steps", "many"], "--steps"),
        ],
    )
    def test_flags_are_checked(self, words: list[str], says: str, run: Run, capsys: Capture) -> None:
        pytest.importorskip("torch")
        assert run("train", "layout_detection", "out", *words) == 2
        assert says in capsys.readouterr().err

    def test_flags_reach_the_command(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("torch")
        from sealread.training import commands

        asked: dict[str, Any] = {}

        def take(namespace: Any) -> int:
            asked.update(vars(namespace))
            return 0

        monkeypatch.setattr(commands, "run_train", take)
        assert run("train", "text_recognition", "out", "--steps", "7", "--validate_every=3") == 0
        assert asked["module"] == "text_recognition"
        assert asked["output"] == Path("out")
        assert (asked["steps"], asked["validate_every"], asked["count"]) == (7, 3, None)
