"""`POST /seal-recognition` and the health of the service, as clients of the reference know them."""

from __future__ import annotations

import base64
import io
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from server_files import encoded

from sealread import SealPipeline

Draw = Callable[[int, int], NDArray[np.uint8]]


def complaints(answer: Any) -> dict[str, str]:
    """What a refused request is told, by place."""
    assert answer.status_code == 422
    return {row["loc"]: row["msg"] for row in json.loads(answer.json()["errorMsg"])}


def test_the_tutorials_client_is_answered(service: Any, tiny_page: Draw, tmp_path: Path, tiny_pipeline: SealPipeline) -> None:
    page = tiny_page(320, 320)
    file_path = tmp_path / "demo.png"
    Image.fromarray(page[:, :, ::-1]).save(file_path)

    file_data = base64.b64encode(file_path.read_bytes()).decode("ascii")
    response = service.client.post("/seal-recognition", json={"file": file_data, "fileType": 1})
    assert response.status_code == 200
    answer = response.json()
    assert list(answer) == ["logId", "result", "errorCode", "errorMsg"]
    assert (answer["errorCode"], answer["errorMsg"]) == (0, "Success")
    assert str(uuid.UUID(answer["logId"])) == answer["logId"]
    assert answer["result"]["dataInfo"] == {"width": 320, "height": 320, "type": "image"}
    (result,) = answer["result"]["sealRecResults"]
    for name, img in result["outputImages"].items():
        assert Image.open(io.BytesIO(base64.b64decode(img))).format == "JPEG", name
    assert Image.open(io.BytesIO(base64.b64decode(result["inputImage"]))).size == (320, 320)
    (expected,) = tiny_pipeline.predict(page)
    assert set(result["outputImages"]) == set(expected.img)
    assert [seal["lines"] for seal in result["prunedResult"]["seals"]] == [seal["lines"] for seal in expected["seals"]]
    assert "input_path" not in json.dumps(result) and "page_index" not in json.dumps(result)


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_health(service: Any, path: str, tiny_page: Draw) -> None:
    service.post(file=encoded(tiny_page(64, 64)), fileType=1)  # by now its processes are up
    answer = service.client.get(path)
    assert answer.status_code == 200
    assert answer.json()["errorCode"] == 0
    if path == "/health":
        assert answer.json()["errorMsg"] == "Healthy"


def test_pages_of_a_file_beyond_the_limit_are_told(service: Any, tiny_page: Draw) -> None:
    answer = service.post(file=encoded(*[tiny_page(120, 100 + number) for number in range(12)], form="TIFF"), fileType=1, visualize=False)
    info = answer.json()["result"]["dataInfo"]
    assert (info["type"], info["numPages"], info["totalPages"]) == ("tiff", 10, 12)
    assert info["pages"] == [{"width": 120, "height": 100 + number} for number in range(10)]
    assert len(answer.json()["result"]["sealRecResults"]) == 10


def test_pages_of_a_pdf(service: Any, tiny_page: Draw) -> None:
    answer = service.post(file=encoded(tiny_page(72, 72), tiny_page(72, 144), form="PDF"), fileType=0, visualize=False)
    info = answer.json()["result"]["dataInfo"]
    assert (info["type"], info["numPages"], info["totalPages"]) == ("pdf", 2, 2)
    assert [page["height"] / page["width"] for page in info["pages"]] == [1, 2]


def test_without_pictures_the_members_are_absent(service: Any, tiny_page: Draw) -> None:
    (result,) = service.post(file=encoded(tiny_page(100, 100)), fileType=1, visualize=False).json()["result"]["sealRecResults"]
    assert list(result) == ["prunedResult"]


def test_pictures_are_reduced(serve: Any, tiny_page: Draw) -> None:
    service = serve(max_output_img_size=[50, 200])
    (result,) = service.post(file=encoded(tiny_page(100, 100)), fileType=1).json()["result"]["sealRecResults"]
    for img in (*result["outputImages"].values(), result["inputImage"]):
        width, height = Image.open(io.BytesIO(base64.b64decode(img))).size
        assert width <= 50 and height <= 200


def test_the_log_id_comes_back(service: Any, tiny_page: Draw) -> None:
    assert service.post(file=encoded(tiny_page(50, 50)), fileType=1, logId="mine").json()["logId"] == "mine"
    assert service.post(file=3, logId="mine").json()["logId"] == "mine"


def test_options_reach_the_pipeline(service: Any, tiny_page: Draw) -> None:
    page = encoded(tiny_page(200, 200))
    asked = {"layoutThreshold": {"1": 0.95, "text": 0.1}, "sealDetUnclipRatio": 0.25, "sealRecScoreThresh": 0, "useDocUnwarping": False}
    (result,) = service.post(file=page, fileType=1, visualize=False, **asked).json()["result"]["sealRecResults"]
    boxes = result["prunedResult"]["layout_det_res"]["boxes"]
    assert {box["label"] for box in boxes if box["score"] < 0.95} <= {"text"}
    (whole,) = service.post(file=page, fileType=1, visualize=False, useLayoutDetection=False, **asked).json()["result"]["sealRecResults"]
    (seal,) = whole["prunedResult"]["seal_res_list"]
    assert seal["text_det_params"]["unclip_ratio"] == 0.25
    assert seal["text_rec_score_thresh"] == 0


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("layoutMergeBboxesMode", "huge"),
        ("sealDetLimitType", "longest"),
        ("sealDetThresh", 1.5),
        ("sealDetLimitSideLen", 0),
        ("sealRecScoreThresh", "much"),
        ("layoutUnclipRatio", [1, 2, 3]),
        ("layoutThreshold", {"16": 2}),
        ("useDocUnwarping", "perhaps"),
        ("fileType", 2),
        ("file", 5),
        ("file", ""),
        ("visualize", "loud"),
    ],
)
def test_bad_values_are_named(service: Any, member: str, value: object) -> None:
    assert list(complaints(service.post(**{"file": "aaaa", "fileType": 1, member: value}))) == [f"body.{member}"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"file": "aaaa"}, "File type cannot be determined"),
        ({"file": "ftp://example.org/a.png"}, "File type cannot be determined"),
        ({"file": "http://example.org/a"}, "Unsupported file type"),
        ({"file": "http://example.org/a.png"}, "Invalid input file"),
        ({"file": "aaaa", "fileType": 1}, "Invalid input file"),
        ({"file": "aaaa", "fileType": 0}, "Invalid input file"),
        ({"file": "aaa", "fileType": 1}, "Invalid input file"),
        ({"file": "data:image/png;base64,aaaa", "fileType": 1}, "Invalid input file"),
        ({"fileType": 1}, '[{"type": "missing", "loc": "body.file"'),
    ],
)
def test_refusals_are_those_of_the_reference(service: Any, members: dict[str, Any], message: str) -> None:
    answer = service.post(**members)
    assert answer.status_code == 422
    assert answer.json()["errorCode"] == 422
    assert answer.json()["errorMsg"].startswith(message)


def test_other_routes_and_methods(service: Any) -> None:
    assert service.client.get("/nothing").json()["errorMsg"] == "Not Found"
    assert service.client.get("/seal-recognition").json()["errorMsg"] == "Method Not Allowed"


def test_what_may_be_asked_for_is_told(service: Any) -> None:
    told = service.client.get("/settings").json()
    assert {"name": "sealDetLimitType", "allowed": "min, max or resize_long"}.items() <= told["options"][8].items()
    assert (told["maxPages"], told["keyRequired"], told["urls"]) == (10, False, False)
