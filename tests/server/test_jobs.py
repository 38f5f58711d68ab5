"""Jobs: handed in, read page by page, fetched, deleted, and not lost with the service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from server_files import encoded, until

from sealread.errors import InputError
from sealread.server.intake import Upload
from sealread.server.jobstore import JobStore, StoredPage

Draw = Callable[[int, int], NDArray[np.uint8]]


def finished(service: Any, name: str, **asked: int) -> Any:
    """What is told of a job when it is at its end."""
    told: list[Any] = []

    def is_finished() -> bool:
        answer = service.client.get(f"/jobs/{name}", params=asked)
        assert answer.status_code == 200
        told[:] = [answer.json()]
        return told[0]["result"]["state"] in ("done", "failed")

    until(is_finished)
    return told[0]


def hand_in(service: Any, **members: Any) -> Any:
    return service.client.post("/jobs", json={"fileType": 1, "visualize": False, **members})


def test_a_job_is_read_page_by_page(service: Any, tiny_page: Draw) -> None:
    pages = [tiny_page(100 + 10 * number, 100) for number in range(12)]
    answer = hand_in(service, file=encoded(*pages, form="TIFF"), logId="long one")
    assert answer.status_code == 202
    name = answer.json()["result"]["jobId"]
    assert answer.headers["location"] == f"/jobs/{name}"
    told = finished(service, name, first=3, count=100)
    assert told["logId"] == "long one"
    assert {"state": "done", "pagesDone": 12, "numPages": 12, "totalPages": 12, "type": "tiff"}.items() <= told["result"].items()
    results = told["result"]["sealRecResults"]
    assert [(page["pageIndex"], page["width"]) for page in results] == [(number, 100 + 10 * number) for number in range(3, 12)]
    (alone,) = service.post(file=encoded(pages[5]), fileType=1, visualize=False).json()["result"]["sealRecResults"]
    assert results[2]["prunedResult"] == alone["prunedResult"]
    assert service.client.delete(f"/jobs/{name}").status_code == 200
    assert service.client.get(f"/jobs/{name}").status_code == 404


def test_a_job_that_cannot_be_read_says_why(service: Any) -> None:
    name = hand_in(service, file="aaaa").json()["result"]["jobId"]
    told = finished(service, name)["result"]
    assert told["state"] == "failed"
    assert told["errorMsg"].startswith("Invalid input file")


def test_a_bad_request_makes_no_job(service: Any) -> None:
    assert hand_in(service, file="aaa").status_code == 422
    assert hand_in(service, file="aaaa", sealDetThresh=7).status_code == 422
    assert service.client.get("/jobs/nothing").status_code == 404
    assert service.client.get("/jobs/nothing", params={"count": 1000}).status_code == 422


def test_jobs_of_others_are_not_seen(serve: Any, tiny_page: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALREAD_API_KEYS", "one two")
    service = serve()
    service.client.headers["x-api-key"] = "one"
    path = hand_in(service, file=encoded(tiny_page(50, 50))).headers["location"]
    assert service.client.get(path).status_code == 200
    assert service.client.get(path, headers={"x-api-key": "two"}).status_code == 404
    assert service.client.delete(path, headers={"x-api-key": "two"}).status_code == 404
    assert service.client.get(path, headers={"x-api-key": "three"}).status_code == 401


def test_a_full_store_refuses(serve: Any, tiny_page: Draw) -> None:
    service = serve(max_jobs_mb=1)
    answer = hand_in(service, file=encoded(np.random.default_rng(0).integers(0, 255, (700, 700, 3), np.uint8)))
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


def test_a_restart_goes_on_where_it_was(serve: Any, tiny_page: Draw, tmp_path: Path) -> None:
    """The store is as a service leaves it that is killed with two of four pages read."""
    source = serve(jobs_folder=str(tmp_path / "elsewhere"))
    pages = [tiny_page(100, 100 + number) for number in range(4)]
    whole = finished(source, hand_in(source, file=encoded(*pages, form="TIFF")).json()["result"]["jobId"])

    import base64

    store = JobStore(tmp_path / "jobs")
    file = tmp_path / "upload"
    file.write_bytes(base64.b64decode(encoded(*pages, form="TIFF")))
    job = store.add(Upload(file, 1, {}, False, None), "anyone", "before")
    store.begin(job.id, "tiff", 4, 4)
    for number in (0, 2):
        store.save(job.id, StoredPage(number, 1, 1, 0, b'{"prunedResult":"kept"}', None))
    store.close()

    service = serve()
    told = finished(service, job.id)
    results = told["result"]["sealRecResults"]
    assert told["logId"] == "before"
    assert [page["prunedResult"] for page in results][::2] == ["kept", "kept"]
    assert [page["prunedResult"] for page in results][1::2] == [p["prunedResult"] for p in whole["result"]["sealRecResults"]][1::2]


def test_a_folder_belongs_to_one_service(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    with pytest.raises(InputError, match="another service uses it"):
        JobStore(tmp_path)
    store.close()
    JobStore(tmp_path).close()


def test_results_expire(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    names = []
    for number in range(2):
        file = tmp_path / f"upload{number}"
        file.write_bytes(b"content")
        names.append(store.add(Upload(file, 1, {"layout_threshold": {16: 0.5}}, None, None), "me", "log").id)
    assert store.size() == 14
    store.save(names[0], StoredPage(0, 1, 1, 0, b"12345", None))
    store.finish(names[0])
    assert store.size() == 12
    assert store.expire(1.0) == 0
    assert store.expire(-1.0) == 1
    assert store.unfinished() == [names[1]]
    assert store.job(names[1]).options == {"layout_threshold": {"16": 0.5}}
    with pytest.raises(KeyError):
        store.job(names[0])
    assert store.pages(names[0], 0, 10) == []
    for number in range(4):
        store.save(names[1], StoredPage(number, 1, 1, 0, bytes(8_000_000), None))
    assert [page.number for page in store.pages(names[1], 0, 10)] == [0, 1]
    assert [page.number for page in store.pages(names[1], 2, 1)] == [2]
    store.close()
