"""Keys, pace, queue, headers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sealread.errors import InputError, ModelError
from sealread.server import gate, tracing
from sealread.server.gate import Keys, Pace, Place, Refusal, Room
from sealread.server.limits import ServiceSettings, service_settings


def test_keys_are_needed_where_they_are_set(serve: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("SEALREAD_API_KEYS", "one, two")
    (tmp_path / "keys").write_text("three\n")
    service = serve(api_keys_file=str(tmp_path / "keys"), docs=False, metrics=True)
    body = {"file": "aaaa", "fileType": 1}
    for headers in ({}, {"authorization": "Bearer four"}, {"authorization": "Basic one"}, {"x-api-key": ""}, {"authorization": "Bearer"}):
        answer = service.client.post("/seal-recognition", json=body, headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    for headers in ({"authorization": "Bearer one"}, {"x-api-key": "two"}, {"authorization": "bearer three"}):
        assert service.client.post("/seal-recognition", json=body, headers=headers).status_code == 422
    assert service.client.get("/metrics").status_code == 401
    assert service.client.get("/health").status_code == 200
    assert service.client.get("/settings").json()["keyRequired"] is True
    assert {service.client.get(path).status_code for path in ("/docs", "/openapi.json")} == {404}


def test_answers_have_safe_headers_and_tell_no_version(service: Any) -> None:
    for path in ("/health", "/nothing", "/docs", "/openapi.json", "/settings"):
        answer = service.client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "server" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"


def test_the_documents_name_every_member(service: Any) -> None:
    page = service.client.get("/docs")
    document = service.client.get("/openapi.json").json()
    schema = document["paths"]["/seal-recognition"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"file", "fileType", "visualize", "layoutThreshold", "sealRecScoreThresh"} <= set(schema["properties"])
    for name in schema["properties"]:
        assert f"<code>{name}</code>" in page.text
    assert "<script" not in page.text and "://" not in page.text
    assert service.client.get("/docs/style.css").headers["content-type"].startswith("text/css")


def test_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(gate, "time", SimpleNamespace(monotonic=lambda: now))
    pace = Pace(60)
    assert [pace.allows("a") for _ in range(11)] == [True] * 10 + [False]
    assert pace.allows("b")
    now = 1.0
    assert [pace.allows("a") for _ in range(2)] == [True, False]
    assert all(Pace(None).allows("a") for _ in range(100))


def test_room() -> None:
    room = Room(2, 1)
    with Place(room), Place(room):
        with pytest.raises(Refusal) as refused, Place(room):
            pass
        assert (refused.value.status, refused.value.headers) == (429, {"retry-after": "5"})
        with pytest.raises(Refusal):
            room.add(1_000_001)
    assert (room.requests, room.bytes) == (0, 0)


def test_a_full_queue_answers_429(serve: Any) -> None:
    service = serve()
    room = service.application.room
    room.requests = 64
    answer = service.post(file="aaaa", fileType=1)
    assert (answer.status_code, answer.json()["errorCode"]) == (429, 429)
    assert int(answer.headers["retry-after"]) > 0
    room.requests = 0
    assert service.post(file="aaaa", fileType=1).status_code == 422


def test_a_key_is_told_by_a_name_that_does_not_tell_the_key() -> None:
    keys = Keys(["secret"])
    owner = keys.owner({"authorization": "Bearer secret"})
    assert owner is not None and "secret" not in owner
    assert keys.owner({"authorization": "Bearer secre"}) is None
    assert Keys([]).owner({}) == "anyone"


@pytest.mark.parametrize(
    ("extra", "complaint"),
    [
        ({"max_body": 5}, "Serving.extra.max_body is unknown; did you mean max_body_mb"),
        ({"max_queue": 0}, "Serving.extra.max_queue"),
        ({"page_seconds": "long"}, "Serving.extra.page_seconds"),
        ({"file_storage": {"type": "bos"}}, "Serving.extra.file_storage.type"),
        ({"api_keys_file": "/nowhere/keys"}, "Serving.extra.api_keys_file cannot be read"),
        ({"max_body_mb": 500}, "max_body_mb must not be above max_waiting_mb"),
    ],
)
def test_bad_settings_are_named(tiny: dict[str, Any], extra: dict[str, Any], complaint: str) -> None:
    from sealread.config import load_config

    with pytest.raises(InputError, match=complaint.replace(".", r"\.")):
        service_settings(load_config(config={**tiny, "Serving": {"extra": extra}}))


def test_settings_of_the_reference_are_taken(tiny: dict[str, Any]) -> None:
    from sealread.config import load_config

    extra = {"max_num_input_imgs": None, "max_output_img_size": [100, 50], "url_expires_in": -1, "file_storage": {"type": "memory"}}
    settings = service_settings(load_config(config={**tiny, "Serving": {"visualize": False, "extra": extra}}))
    assert settings.visualize is False
    assert (settings.limits.max_num_input_imgs, settings.limits.max_output_img_size) == (None, (100, 50))
    assert service_settings(load_config(config=tiny)) == ServiceSettings()
    with pytest.raises(InputError, match="return_urls"):
        service_settings(load_config(config={**tiny, "Serving": {"return_urls": True}}))


def test_telemetry_without_its_packages_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_NEEDED", ("no_such_package.sdk",))
    with pytest.raises(ModelError, match=r"sealread\[telemetry\]"):
        tracing.exported_spans()
