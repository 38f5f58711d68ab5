"""The configuration: its numbers, how it is read, and what it says about mistakes."""

from __future__ import annotations

import copy
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sealread.blocks import Block, DocPreprocessor, Engine, LayoutDetection, Module, SealOCR, Serving, TextDetection, TextRecognition
from sealread.config import (
    MODEL_FLAGS,
    PipelineConfig,
    PredictOptions,
    load_config,
    override,
    packaged_config,
    packaged_config_text,
    parse_device,
)
from sealread.engines.devices import DEVICE_KINDS, Device
from sealread.errors import InputError
from sealread.zoo import find_network

PACKAGED = packaged_config_text("seal_recognition")
#: How two lines of the packaged file begin, whatever their numbers are.
THRESHOLD = re.search(r"threshold: [\d.]+ ", PACKAGED).group()  # type: ignore[union-attr]
SIDE_LENGTH = re.search(r"limit_side_len: \d+", PACKAGED).group()  # type: ignore[union-attr]
SEAL_MODULES = "SubPipelines.SealOCR.SubModules"
DETECTION = f"{SEAL_MODULES}.TextDetection"

#: The values of the file that the tutorial describes (behaviour.md, section 1.1).
TUTORIAL: dict[str, Any] = {
    "pipeline_name": "seal_recognition",
    "use_doc_preprocessor": True,
    "use_layout_detection": True,
    "SubModules": {
        "LayoutDetection": {
            "module_name": "layout_detection",
            "model_name": "PP-DocLayout-L",
            "model_dir": None,
            "threshold": 0.5,
            "layout_nms": True,
            "layout_unclip_ratio": 1.0,
            "layout_merge_bboxes_mode": "large",
        }
    },
    "SubPipelines": {
        "DocPreprocessor": {
            "pipeline_name": "doc_preprocessor",
            "use_doc_orientation_classify": True,
            "use_doc_unwarping": True,
            "SubModules": {
                "DocOrientationClassify": {
                    "module_name": "doc_text_orientation",
                    "model_name": "PP-LCNet_x1_0_doc_ori",
                    "model_dir": None,
                },
                "DocUnwarping": {"module_name": "image_unwarping", "model_name": "UVDoc", "model_dir": None},
            },
        },
        "SealOCR": {
            "pipeline_name": "OCR",
            "text_type": "seal",
            "use_doc_preprocessor": False,
            "use_textline_orientation": False,
            "SubModules": {
                "TextDetection": {
                    "module_name": "seal_text_detection",
                    "model_name": "PP-OCRv4_server_seal_det",
                    "model_dir": None,
                    "limit_side_len": 736,
                    "limit_type": "min",
                    "max_side_len": 4000,
                    "thresh": 0.2,
                    "box_thresh": 0.6,
                    "unclip_ratio": 0.5,
                },
                "TextRecognition": {
                    "module_name": "text_recognition",
                    "model_name": "PP-OCRv4_server_rec",
                    "model_dir": None,
                    "batch_size": 1,
                    "score_thresh": 0,
                },
            },
        },
    },
}


def changed(path: str, value: object) -> dict[str, Any]:
    """The tutorial's configuration with one key set; Ellipsis takes it away."""
    content = copy.deepcopy(TUTORIAL)
    *blocks, key = path.split(".")
    block = content
    for name in blocks:
        block = block[name]
    if value is ...:
        del block[key]
    else:
        block[key] = value
    return content


def detection(config: PipelineConfig) -> TextDetection:
    return config.sub_pipelines.seal_ocr.sub_modules.text_detection


def layout(config: PipelineConfig) -> LayoutDetection:
    found = config.sub_modules.layout_detection
    assert found is not None
    return found


def write(folder: Path, text: str) -> str:
    file = folder / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


class TestWhatIsPackaged:
    def test_the_file_repeats_the_defaults_key_by_key(self) -> None:
        assert yaml.safe_load(PACKAGED) == packaged_config().to_mapping()

    def test_the_name_gives_the_defaults(self) -> None:
        assert load_config("seal_recognition") == packaged_config()

    def test_a_copy_of_the_file_gives_the_same(self, tmp_path: Path) -> None:
        assert load_config(write(tmp_path, PACKAGED)) == packaged_config()

    def test_it_has_every_key_of_the_tutorial(self) -> None:
        def paths(block: dict[str, Any], above: str = "") -> set[str]:
            inner = {above + key for key in block}
            return inner.union(*(paths(value, f"{above}{key}.") for key, value in block.items() if isinstance(value, dict)))

        assert paths(TUTORIAL) - paths(packaged_config().to_mapping()) == {f"{DETECTION}.max_side_len"}

    def test_every_network_is_there(self) -> None:
        blocks = re.findall(r"module_name: (\S+)\n +model_name: (\S+)\n +model_dir: null", PACKAGED)
        assert len(blocks) == PACKAGED.count("model_name:") == 5
        assert all(find_network(name, task).name == name for task, name in blocks)

    def test_another_name_is_refused_with_the_nearest(self) -> None:
        with pytest.raises(InputError, match="did you mean seal_recognition"):
            packaged_config_text("seal_recogniton")


class TestDocumentation:
    TABLES = (
        ("## Top", PipelineConfig, ()),
        ("## `SubModules.LayoutDetection`", LayoutDetection, ("SubModules", "LayoutDetection")),
        ("## `SubPipelines.DocPreprocessor`", DocPreprocessor, ("SubPipelines", "DocPreprocessor")),
        ("## `SubPipelines.SealOCR`", SealOCR, ("SubPipelines", "SealOCR")),
        ("### `SubModules.TextDetection`", TextDetection, ("SubPipelines", "SealOCR", "SubModules", "TextDetection")),
        ("### `SubModules.TextRecognition`", TextRecognition, ("SubPipelines", "SealOCR", "SubModules", "TextRecognition")),
    )
    TEXT = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")

    @pytest.mark.parametrize(("title", "kind", "path"), TABLES, ids=[kind.__name__ for _, kind, _ in TABLES])
    def test_the_tables_repeat_the_numbers_of_the_code(self, title: str, kind: type[Block], path: tuple[str, ...]) -> None:
        packaged: Any = packaged_config().to_mapping()
        for key in path:
            packaged = packaged[key]
        section = self.TEXT.split(f"\n{title}\n")[1].split("\n#")[0]
        rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \| ?([^|]*?) ?\|$", section, flags=re.MULTILINE)
        missing = {key: yaml.safe_load(text) for key, text, _ in rows}
        checked = [key for key in missing if key in kind.model_fields and not isinstance(packaged.get(key), (dict, type(None)))]
        assert len(checked) >= 2
        for key, _, text in rows:
            if key in checked:
                assert yaml.safe_load(text) == packaged[key], key
                field = kind.model_fields[key]
                if missing[key] not in ("error", "the model decides", "the stage decides"):
                    assert missing[key] == field.default, key
                else:
                    assert field.is_required() or field.default is None, key

    def test_every_key_is_described(self) -> None:
        for kind in (PipelineConfig, Engine, Module, LayoutDetection, DocPreprocessor, SealOCR, TextDetection, TextRecognition, Serving):
            for name, declared in kind.model_fields.items():
                assert (name if declared.alias is None else declared.alias) in self.TEXT


class TestRoundTrip:
    @pytest.mark.parametrize("content", [TUTORIAL, packaged_config().to_mapping()], ids=["tutorial", "packaged"])
    def test_mapping_and_yaml(self, content: dict[str, Any], tmp_path: Path) -> None:
        config = load_config(config=content)
        assert load_config(config=config.to_mapping()) == config
        assert load_config(write(tmp_path, yaml.safe_dump(config.to_mapping()))) == config

    def test_the_tutorials_values_come_through(self) -> None:
        config = load_config(config=TUTORIAL)
        assert layout(config).model_name == "PP-DocLayout-L"
        assert (detection(config).limit_side_len, detection(config).limit_type, detection(config).max_side_limit) == (736, "min", 4000)
        assert config.batch_size == 1

    def test_optional_keys_of_every_level(self) -> None:
        engine = {"use_hpip": True, "hpi_config": {"backend": "openvino"}, "engine": "openvino", "engine_config": {"cpu_threads": 2}}
        content = {**copy.deepcopy(TUTORIAL), **engine, "batch_size": 4}
        content["Serving"] = {"visualize": False, "return_urls": None, "extra": {"max_num_input_imgs": 3}}
        content["SubModules"]["LayoutDetection"] |= {**engine, "batch_size": 2}
        content["SubPipelines"]["DocPreprocessor"] |= {**engine, "batch_size": 2}
        seals = content["SubPipelines"]["SealOCR"]
        seals |= {**engine, "batch_size": 2}
        seals["SubModules"]["TextDetection"] |= {**engine, "input_shape": [3, 640, 640]}
        seals["SubModules"]["TextRecognition"] |= {"return_word_box": False, "input_shape": [3, 48, 320]}
        config = load_config(config=content)
        assert config.engine_config == {"cpu_threads": 2}
        assert config.serving is not None
        assert config.serving.visualize is False
        assert detection(config).input_shape == (3, 640, 640)
        assert load_config(config=config.to_mapping()) == config

    def test_it_cannot_be_changed(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            packaged_config().batch_size = 2


class TestValues:
    @pytest.mark.parametrize(
        ("key", "fallback"),
        [
            ("limit_side_len", 736),
            ("limit_type", "min"),
            ("max_side_len", 4000),
            ("thresh", 0.2),
            ("box_thresh", 0.6),
            ("unclip_ratio", 0.5),
        ],
    )
    def test_a_missing_key_of_text_detection_falls_back(self, key: str, fallback: object) -> None:
        config = load_config(config=changed(f"{DETECTION}.{key}", ...))
        assert getattr(detection(config), "max_side_limit" if key == "max_side_len" else key) == fallback

    @pytest.mark.parametrize("spelling", ["max_side_len", "max_side_limit"])
    def test_both_spellings_of_the_longest_side(self, spelling: str) -> None:
        content = changed(f"{DETECTION}.max_side_len", ...)
        content["SubPipelines"]["SealOCR"]["SubModules"]["TextDetection"][spelling] = 3000
        assert detection(load_config(config=content)).max_side_limit == 3000

    def test_both_at_once_must_agree(self) -> None:
        assert detection(load_config(config=changed(f"{DETECTION}.max_side_limit", 4000))).max_side_limit == 4000
        with pytest.raises(InputError, match="max_side_len and max_side_limit are two spellings") as caught:
            load_config(config=changed(f"{DETECTION}.max_side_limit", 3000))
        assert caught.value.parameter == f"{DETECTION}.max_side_len"

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1e-3", 0.001),
            ("'0.25'", 0.25),
            ("0", 0.0),
            ("1", 1.0),
            ("{16: 0.3}", {16: 0.3}),
            ("'{16: 0.3}'", {16: 0.3}),
            ("{seal: 0}", {"seal": 0.0}),
        ],
    )
    def test_numbers_written_as_text(self, text: str, value: object, tmp_path: Path) -> None:
        file = write(tmp_path, PACKAGED.replace(THRESHOLD, f"threshold: {text} "))
        assert layout(load_config(file)).threshold == value

    @pytest.mark.parametrize("value", [False, "False", "no", 0, "0"])
    def test_switches(self, value: object) -> None:
        assert load_config(config=changed("use_layout_detection", value)).use_layout_detection is False

    def test_zero_stays_a_whole_number_in_the_score_threshold(self) -> None:
        kept = load_config(config=TUTORIAL).sub_pipelines.seal_ocr.sub_modules.text_recognition.score_thresh
        assert (kept, type(kept)) == (0, int)

    def test_model_dir_may_be_a_path(self, tmp_path: Path) -> None:
        assert detection(load_config(config=changed(f"{DETECTION}.model_dir", tmp_path))).model_dir == str(tmp_path)

    @pytest.mark.parametrize(
        ("path", "value", "allowed"),
        [
            ("SubModules.LayoutDetection.threshold", 1.5, "from 0 to 1"),
            ("SubModules.LayoutDetection.threshold", True, "from 0 to 1"),
            ("SubModules.LayoutDetection.threshold", {"seal": 2}, "from 0 to 1"),
            ("SubModules.LayoutDetection.layout_nms", "perhaps", "True or False"),
            ("SubModules.LayoutDetection.layout_unclip_ratio", 0, "above 0"),
            ("SubModules.LayoutDetection.layout_unclip_ratio", [1, 2, 3], "width and height"),
            ("SubModules.LayoutDetection.layout_merge_bboxes_mode", "big", "large, small or union"),
            ("SubModules.LayoutDetection.model_name", "", "name of a model"),
            ("SubModules.LayoutDetection.model_dir", 3, "folder, or null"),
            ("SubModules.LayoutDetection.batch_size", 0, "whole number above 0"),
            (f"{DETECTION}.limit_side_len", 1.5, "whole number above 0"),
            (f"{DETECTION}.limit_type", "longest", "min, max or resize_long"),
            (f"{DETECTION}.max_side_len", -1, "whole number above 0"),
            (f"{DETECTION}.thresh", float("nan"), "from 0 to 1"),
            (f"{DETECTION}.box_thresh", "high", "from 0 to 1"),
            (f"{DETECTION}.unclip_ratio", -0.5, "not negative"),
            (f"{DETECTION}.unclip_ratio", float("inf"), "not negative"),
            (f"{DETECTION}.input_shape", [3, 640], "channels, height, width"),
            (f"{SEAL_MODULES}.TextRecognition.score_thresh", 2, "from 0 to 1"),
            ("SubPipelines.SealOCR.text_type", "general", "seal"),
            ("SubPipelines.SealOCR.use_textline_orientation", True, "False"),
            ("SubPipelines.SealOCR.use_doc_preprocessor", True, "False"),
            ("pipeline_name", "OCR", "seal_recognition"),
            ("engine_config", "fast", "block of keys"),
            ("SubPipelines.SealOCR", [1], "block of keys"),
        ],
    )
    def test_what_is_refused_is_named_with_what_is_allowed(self, path: str, value: object, allowed: str) -> None:
        with pytest.raises(InputError) as caught:
            load_config(config=changed(path, value))
        key = path.replace("max_side_len", "max_side_limit")
        assert caught.value.parameter == key
        assert str(caught.value).startswith(f"config: {key} must be ")
        assert allowed in str(caught.value)


class TestMissingBlocks:
    @pytest.mark.parametrize(
        ("path", "part"),
        [
            ("SubModules", "layout_det_model"),
            ("SubModules.LayoutDetection", "layout_det_model"),
            ("SubPipelines", "seal_ocr_pipeline"),
            ("SubPipelines.SealOCR", "seal_ocr_pipeline"),
            ("SubPipelines.DocPreprocessor", "doc_preprocessor_pipeline"),
            ("SubPipelines.DocPreprocessor.SubModules.DocOrientationClassify", "doc_ori_classify_model"),
            ("SubPipelines.DocPreprocessor.SubModules.DocUnwarping", "doc_unwarping_model"),
            (DETECTION, "text_det_model"),
            (f"{SEAL_MODULES}.TextRecognition", "text_rec_model"),
        ],
    )
    def test_a_block_that_is_needed(self, path: str, part: str) -> None:
        with pytest.raises(InputError, match=f"config error for {part}: the block {path}.* is missing; add it"):
            load_config(config=changed(path, ...))

    @pytest.mark.parametrize(
        ("switch", "block"),
        [
            ("use_layout_detection", "SubModules"),
            ("use_layout_detection", "SubModules.LayoutDetection"),
            ("use_doc_preprocessor", "SubPipelines.DocPreprocessor"),
            ("use_doc_preprocessor", "SubPipelines.DocPreprocessor.SubModules.DocUnwarping"),
            ("SubPipelines.DocPreprocessor.use_doc_unwarping", "SubPipelines.DocPreprocessor.SubModules.DocUnwarping"),
        ],
    )
    def test_a_block_whose_switch_is_off_may_be_absent(self, switch: str, block: str) -> None:
        content = changed(switch, False)
        *blocks, key = block.split(".")
        place = content
        for name in blocks:
            place = place[name]
        del place[key]
        assert isinstance(load_config(config=content), PipelineConfig)

    @pytest.mark.parametrize("path", ["pipeline_name", "SubPipelines.SealOCR.text_type", f"{DETECTION}.model_name"])
    def test_a_key_that_is_needed(self, path: str) -> None:
        with pytest.raises(InputError, match=f"config: {path} is missing; add it"):
            load_config(config=changed(path, ...))


class TestFile:
    @pytest.mark.parametrize(
        ("before", "after", "key", "says"),
        [
            (THRESHOLD, "threshold: 7 ", "SubModules.LayoutDetection.threshold", "from 0 to 1"),
            (THRESHOLD, f"t{THRESHOLD[2:]}", "SubModules.LayoutDetection.treshold", "is unknown; did you mean threshold?"),
            (SIDE_LENGTH, "limit_side_len: none", f"{DETECTION}.limit_side_len", "whole number"),
            ("  SealOCR:", "  SealOcr:", "SubPipelines.SealOcr", "did you mean SealOCR?"),
            ("text_type: seal", "text_type: general", "SubPipelines.SealOCR.text_type", "must be seal"),
            ("batch_size: 8", "score_thresh: 8", f"{SEAL_MODULES}.TextRecognition.score_thresh", "stands here again"),
        ],
    )
    def test_a_mistake_is_told_with_file_line_and_key(self, before: str, after: str, key: str, says: str, tmp_path: Path) -> None:
        assert PACKAGED.count(before) == 1
        text = PACKAGED.replace(before, after)
        file = write(tmp_path, text)
        with pytest.raises(InputError) as caught:
            load_config(file)
        name = after.strip().split(":")[0]
        lines = [number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(f"{name}:")]
        expected = lines[-1] if "again" in says else next(n for n in lines if after.strip() in text.splitlines()[n - 1])
        assert str(caught.value).startswith(f"{file}, line {expected}: {key} ")
        assert says in str(caught.value)
        assert (caught.value.source, caught.value.parameter) == (file, key)

    def test_the_first_of_several_mistakes_is_told(self, tmp_path: Path) -> None:
        file = write(tmp_path, re.sub(r" unclip_ratio: [\d.]+", " unclip_ratio: -1", PACKAGED).replace("layout_nms: true", "layout_nms: 7"))
        with pytest.raises(InputError, match="layout_nms"):
            load_config(file)

    def test_a_missing_key_is_told_with_the_line_of_its_block(self, tmp_path: Path) -> None:
        text = PACKAGED.replace(f"        model_name: {detection(packaged_config()).model_name}\n", "")
        line = text.splitlines().index("      TextDetection:") + 1
        with pytest.raises(InputError, match=f"line {line}: {DETECTION}.model_name is missing"):
            load_config(write(tmp_path, text))

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "a configuration is a block of keys"),
            ("- a\n- b\n", "a configuration is a block of keys"),
            ("a: [1\nb: 2\n", "line 2: this is no YAML"),
            ("\tx: 1\n", "line 1: this is no YAML"),
            ("a: !!python/name:os.system x\n", "this is no YAML"),
            ("a: &a {b: *a}\n", "line 1: a is unknown"),
            ("16: x\n", "line 1: 16 is unknown"),
        ],
    )
    def test_what_is_no_configuration(self, text: str, says: str, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=says):
            load_config(write(tmp_path, text))

    def test_a_missing_file(self) -> None:
        with pytest.raises(FileNotFoundError, match=r"nowhere\.yaml does not exist") as caught:
            load_config("nowhere.yaml")
        assert isinstance(caught.value, InputError)
        assert caught.value.source == "nowhere.yaml"

    def test_a_file_that_is_no_text(self, tmp_path: Path) -> None:
        file = tmp_path / "x.yml"
        file.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(InputError, match="cannot be read as UTF-8"):
            load_config(file)

    def test_neither_name_nor_config(self) -> None:
        with pytest.raises(InputError, match="no pipeline is named"):
            load_config()

    def test_config_wins_over_pipeline(self, caplog: pytest.LogCaptureFixture) -> None:
        assert load_config("other", TUTORIAL) == load_config(config=TUTORIAL)
        assert "pipeline='other' is left aside" in caplog.text

    def test_a_config_that_is_no_mapping(self) -> None:
        with pytest.raises(InputError, match="this is str"):
            load_config(config="seal_recognition")  # type: ignore[arg-type]


class TestOverride:
    @pytest.mark.parametrize("flag", MODEL_FLAGS)
    def test_each_flag_sets_its_key(self, flag: str) -> None:
        value = 3 if flag.endswith("batch_size") else "other"
        block: Any = override(packaged_config(), {flag: value}).to_mapping()
        for key in MODEL_FLAGS[flag]:
            block = block[key]
        assert block == value

    def test_a_bad_value_names_the_flag(self) -> None:
        with pytest.raises(InputError, match=r"^text_recognition_batch_size: .* whole number above 0"):
            override(packaged_config(), {"text_recognition_batch_size": "many"})

    def test_nothing_changes_nothing(self) -> None:
        assert override(packaged_config(), {}) == packaged_config()


GOOD: list[tuple[str, Any, Any]] = [
    *[
        (name, value, value)
        for name in ("use_doc_orientation_classify", "use_doc_unwarping", "use_layout_detection")
        for value in (True, False)
    ],
    ("layout_nms", np.False_, False),
    ("layout_threshold", 0, 0.0),
    ("layout_threshold", 1, 1.0),
    ("layout_threshold", np.float32(0.5), 0.5),
    ("layout_threshold", {"16": 0, "seal": 1}, {16: 0.0, "seal": 1.0}),
    ("layout_unclip_ratio", 2, 2.0),
    ("layout_unclip_ratio", [1, 1.5], (1.0, 1.5)),
    ("layout_unclip_ratio", np.array([1, 2]), (1.0, 2.0)),
    ("layout_unclip_ratio", {16: (1, 2), "seal": 3}, {16: (1.0, 2.0), "seal": 3.0}),
    ("layout_merge_bboxes_mode", "union", "union"),
    ("layout_merge_bboxes_mode", "'large'", "large"),
    ("layout_merge_bboxes_mode", {16: "small"}, {16: "small"}),
    ("seal_det_limit_side_len", 640.0, 640),
    ("seal_det_limit_type", "resize_long", "resize_long"),
    ("seal_det_thresh", 0, 0.0),
    ("seal_det_box_thresh", 0.0, 0.0),
    ("seal_det_unclip_ratio", 0, 0.0),
    ("seal_rec_score_thresh", 0, 0),
    ("seal_rec_score_thresh", "0.5", 0.5),
]
BAD: list[tuple[str, Any]] = [
    ("use_doc_orientation_classify", "T"),
    ("use_doc_unwarping", 2),
    ("use_layout_detection", []),
    ("layout_threshold", True),
    ("layout_threshold", -0.1),
    ("layout_threshold", {1.5: 0.5}),
    ("layout_threshold", "[" * 3000),
    ("layout_nms", "perhaps"),
    ("layout_unclip_ratio", 0),
    ("layout_unclip_ratio", [1, 2, 3]),
    ("layout_merge_bboxes_mode", "large,small"),
    ("layout_merge_bboxes_mode", {16: "big"}),
    ("seal_det_limit_side_len", 0),
    ("seal_det_limit_side_len", 0.5),
    ("seal_det_limit_type", "MIN"),
    ("seal_det_thresh", 1.01),
    ("seal_det_box_thresh", float("nan")),
    ("seal_det_unclip_ratio", -1),
    ("seal_rec_score_thresh", True),
    ("layout_det_res", 3),
    ("layout_det_res", [{"boxes": [{"cls_id": 16}]}]),
]


class TestPredictOptions:
    @pytest.mark.parametrize(("name", "value", "kept"), GOOD)
    def test_values_are_kept(self, name: str, value: Any, kept: Any) -> None:
        found = getattr(PredictOptions.parse({name: value}), name)
        assert found == kept
        assert type(found) is type(kept)

    @pytest.mark.parametrize(("name", "value"), BAD)
    def test_bad_values_name_the_parameter(self, name: str, value: Any) -> None:
        with pytest.raises(InputError, match=f"^{name} must be ") as caught:
            PredictOptions.parse({name: value})
        assert caught.value.parameter == name
        assert PredictOptions.allowed(name) in str(caught.value)
        assert len(str(caught.value)) < 300

    @pytest.mark.parametrize("name", PredictOptions.model_fields)
    def test_none_means_as_configured(self, name: str) -> None:
        assert getattr(PredictOptions.parse({}), name) is None
        assert getattr(PredictOptions.parse({name: None}), name) is None

    def test_every_parameter_is_tried_above(self) -> None:
        assert {name for name, _ in BAD} == set(PredictOptions.model_fields)
        assert {name for name, _, _ in GOOD} == set(PredictOptions.model_fields) - {"layout_det_res"}

    @pytest.mark.parametrize(("word", "near"), [("layout_treshold", "layout_threshold"), ("use_layout", "use_layout_detection")])
    def test_an_unknown_keyword(self, word: str, near: str) -> None:
        with pytest.raises(TypeError, match=f"no parameter '{word}'; did you mean {near}"):
            PredictOptions.parse({word: 1})

    def test_layout_results_of_one_page_or_several(self) -> None:
        page = {"input_path": None, "boxes": [{"cls_id": 16, "label": "seal", "score": np.float32(0.5), "coordinate": [1, 2, 3, 4.5]}]}
        one = PredictOptions.parse({"layout_det_res": page}).layout_det_res
        assert one is not None
        assert one[0].boxes[0].coordinate == (1.0, 2.0, 3.0, 4.5)
        assert PredictOptions.parse({"layout_det_res": [page, {"boxes": []}]}).layout_det_res == (one[0], type(one[0])(boxes=()))

    @given(st.text(max_size=40), st.sampled_from(sorted(set(PredictOptions.model_fields) - {"layout_det_res"})))
    def test_any_text_is_either_read_or_refused(self, text: str, name: str) -> None:
        with suppress(InputError):
            assert getattr(PredictOptions.parse({name: text}), name) is not None

    @given(st.floats())
    def test_a_probability_lies_from_0_to_1(self, value: float) -> None:
        if 0 <= value <= 1:
            assert PredictOptions.parse({"seal_det_thresh": value}).seal_det_thresh == value
        else:
            with pytest.raises(InputError):
                PredictOptions.parse({"seal_det_thresh": value})

    def test_a_json_schema_can_be_made_of_it(self) -> None:
        schema = PredictOptions.model_json_schema()
        assert set(schema["properties"]) == set(PredictOptions.model_fields)
        assert json.dumps(schema)


class TestDevice:
    @pytest.mark.parametrize("kind", DEVICE_KINDS[1:])
    def test_cards(self, kind: str) -> None:
        assert parse_device(kind) == Device(kind, (0,))
        assert parse_device(f"{kind.upper()}:0,3,0") == Device(kind, (0, 3, 0))

    def test_cpu(self) -> None:
        assert parse_device(" CPU ") == Device("cpu")
        assert parse_device("cpu:0,1") == Device("cpu", (0, 1))

    def test_one_instance_for_each_card(self) -> None:
        assert parse_device("gpu:0,0,2").each() == (Device("gpu", (0,)), Device("gpu", (0,)), Device("gpu", (2,)))
        assert parse_device("cpu").each() == (Device("cpu"),)

    @pytest.mark.parametrize("text", ["cpu", "gpu:0", "npu:2,1"])
    def test_text_round_trip(self, text: str) -> None:
        assert str(parse_device(text)) == text

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("gpx:0", "use one of cpu, gpu.*did you mean gpu"),
            ("", "use one of"),
            ("cpu:", "write the cards as numbers"),
            ("gpu:", "write the cards as numbers"),
            ("gpu:a", "write the cards as numbers"),
            ("gpu:0,,1", "write the cards as numbers"),
            ("gpu:0:1", "write the cards as numbers"),
            ("gpu:-1", "write the cards as numbers"),
            ("gpu:٣", "write the cards as numbers"),
        ],
    )
    def test_what_is_refused(self, text: str, says: str) -> None:
        with pytest.raises(InputError, match=says) as caught:
            parse_device(text)
        assert caught.value.parameter == "device"
