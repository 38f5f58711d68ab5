"""Downloads of models, against a server that also cuts off, corrupts, stalls, redirects and refuses."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sealread import InputError, ModelError, create_pipeline
from sealread.cli import main
from sealread.zoo import hubs
from sealread.zoo.archive import unpack
from sealread.zoo.fetch import fetch_model
from sealread.zoo.hubs import bring, folder_of, intact, sources
from sealread.zoo.table import Entry, entries

CARD, ONNX = b"Global:\n  model_name: own\n", bytes(range(256)) * 800
OWN = Entry("own", "text_recognition", "ctc", "a test", "Apache-2.0", hub="PaddlePaddle/own", onnx_hub="PaddlePaddle/own_onnx")


class Site(ThreadingHTTPServer):
    """Files by path, and for each path what goes wrong at its next requests.

    Attributes:
        asked: ``(path, Range header)`` of every request.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files: dict[str, bytes] = {}
        self.tricks: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.over = threading.Event()
        self.slow: threading.Barrier | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: Site

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        with contextlib.suppress(OSError):  # the reader has gone
            self.answer()

    def answer(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append((self.path, asked))
        waiting = self.server.tricks.get(self.path, [])
        trick = waiting.pop(0) if waiting else ""
        body = self.server.files.get(self.path)
        if body is None or trick.isdecimal():
            self.send_error(404 if body is None else int(trick))
            return
        if trick == "redirect":
            self.send_response(302)
            self.send_header("Location", f"/moved{self.path}")
            self.end_headers()
            return
        tag = f'"{hashlib.sha256(body).hexdigest()[:8]}"'
        start = 0
        if asked is not None and self.headers.get("If-Range") == tag and trick != "no range":
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        if start and start >= len(body):
            self.send_error(416)
            return
        content = bytes(len(body)) if trick == "corrupt" else body
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        if trick != "no tag":
            self.send_header("ETag", tag)
        self.end_headers()
        if trick in ("cut", "stall", "no tag"):
            self.wfile.write(content[start : start + (len(body) - start) // 2])
            self.wfile.flush()
            if trick == "stall":
                self.server.over.wait(10)
            return
        self.wfile.write(content[start:])


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    """A mirror that holds the model `own`; the official hubs are out of reach, and downloads are allowed."""
    server = Site()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.files = {"/own/inference.yml": CARD, "/own/inference.onnx": ONNX}
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SEALREAD_OFFLINE")
    monkeypatch.setattr(hubs, "HUBS", {})
    monkeypatch.setattr(hubs, "_QUIET", 0.3)
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


def mirror(site: Site) -> str:
    # A mirror serves one folder for each name, whatever the repositories are called.
    return f"{site.address}/{{name}}/{{file}}"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != hubs.RECORD}


def test_a_model_comes_whole_into_the_cache_folder(site: Site, tmp_path: Path) -> None:
    folder = bring(OWN, mirror(site))
    assert folder == tmp_path / "cache" / "models" / "own" == folder_of("own")
    assert content(folder) == {"inference.yml": CARD, "inference.onnx": ONNX}
    record = json.loads((folder / hubs.RECORD).read_text())
    assert record["files"]["inference.onnx"] == {"bytes": len(ONNX), "sha256": hashlib.sha256(ONNX).hexdigest()}
    assert [path.name for path in folder.parent.iterdir()] == ["own"]
    requests = len(site.asked)
    assert bring(OWN, mirror(site)) == folder
    assert len(site.asked) == requests


@pytest.mark.parametrize("trick", ["cut", "stall"])
def test_what_breaks_is_continued_where_it_broke(site: Site, trick: str) -> None:
    site.tricks["/own/inference.onnx"] = [trick, trick]
    assert content(bring(OWN, mirror(site)))["inference.onnx"] == ONNX
    half, quarter = len(ONNX) // 2, len(ONNX) // 2 + len(ONNX) // 4
    assert [ranges for path, ranges in site.asked if path.endswith("onnx")] == [None, f"bytes={half}-", f"bytes={quarter}-"]


@pytest.mark.parametrize("first", ["cut", "no tag"])
def test_a_server_without_ranges_or_tags_starts_again(site: Site, first: str) -> None:
    site.tricks["/own/inference.onnx"] = [first, "no range"]
    assert content(bring(OWN, mirror(site)))["inference.onnx"] == ONNX


def test_a_file_that_changed_meanwhile_is_not_mixed(site: Site) -> None:
    site.tricks["/own/inference.onnx"] = ["cut"] * hubs._ATTEMPTS
    with pytest.raises(ModelError, match="was cut off"):
        bring(OWN, mirror(site))
    site.files["/own/inference.onnx"] = changed = ONNX[::-1]
    assert content(bring(OWN, mirror(site)))["inference.onnx"] == changed


def test_a_later_run_continues(site: Site) -> None:
    site.tricks["/own/inference.onnx"] = ["cut"] * hubs._ATTEMPTS
    with pytest.raises(ModelError):
        bring(OWN, mirror(site))
    assert not folder_of("own").exists()
    site.asked.clear()
    bring(OWN, mirror(site))
    [(path, ranges)] = site.asked  # the card is here already
    assert path == "/own/inference.onnx"
    assert ranges is not None


def test_redirects_are_followed(site: Site) -> None:
    for name in ("inference.yml", "inference.onnx"):
        site.tricks[f"/own/{name}"] = ["redirect"]
        site.files[f"/moved/own/{name}"] = site.files[f"/own/{name}"]
    assert content(bring(OWN, mirror(site)))["inference.onnx"] == ONNX


def test_the_next_source_is_asked_where_one_fails(site: Site) -> None:
    site.files["/b/own/inference.yml"], site.files["/b/own/inference.onnx"] = CARD, ONNX
    bring(OWN, [f"{site.address}/a", f"{site.address}/b"])
    record = json.loads((folder_of("own") / hubs.RECORD).read_text())
    assert record["source"] == f"{site.address}/b"


def test_paddle_files_are_taken_where_there_is_no_onnx_file(site: Site) -> None:
    del site.files["/own/inference.onnx"]
    site.files.update({"/own/inference.pdmodel": b"program", "/own/inference.pdiparams": b"weights"})
    bring(OWN, mirror(site))
    assert set(content(folder_of("own"))) == {"inference.yml", "inference.pdmodel", "inference.pdiparams"}


def test_repositories_of_a_hub(site: Site) -> None:
    site.files = {"/PaddlePaddle/own/x/inference.yml": CARD, "/PaddlePaddle/own/x/inference.json": b"{}"}
    site.files["/PaddlePaddle/own/x/inference.pdiparams"] = b"weights"
    bring(OWN, f"{site.address}/{{repo}}/x/{{file}}")  # the repository with ONNX files is not there
    assert site.asked[0][0] == "/PaddlePaddle/own_onnx/x/inference.yml"
    assert set(content(folder_of("own"))) == {"inference.yml", "inference.json", "inference.pdiparams"}


def test_where_nothing_helps_one_sentence_says_what_to_do(site: Site) -> None:
    site.tricks["/own/inference.yml"] = ["500"]
    with pytest.raises(ModelError) as caught:
        bring(OWN, [mirror(site), f"{site.address}/elsewhere"])
    said = str(caught.value)
    assert "answered 500" in said and "answered 404" in said
    assert f"name a mirror in {hubs.SOURCE_VARIABLE}, or put its files into {folder_of('own')}" in said
    assert "\n" not in said


def test_threads_and_processes_download_once(site: Site) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: bring(OWN, mirror(site)), range(4))) == {folder_of("own")}
    assert len(site.asked) == 2


def test_a_folder_that_is_damaged_is_fetched_again(site: Site) -> None:
    folder = bring(OWN, mirror(site))
    (folder / "inference.onnx").write_bytes(ONNX[:100])
    assert not intact(folder)
    assert content(bring(OWN, mirror(site)))["inference.onnx"] == ONNX


def test_a_folder_that_a_person_filled_counts_as_it_is(site: Site) -> None:
    folder = folder_of("own")
    folder.mkdir(parents=True)
    (folder / "inference.yml").write_bytes(CARD)
    assert bring(OWN, mirror(site)) == folder
    assert site.asked == []
    (folder / "inference.yml").rename(folder / "notes.txt")
    with pytest.raises(ModelError, match=r"in the way: it has no inference\.yml; remove it"):
        bring(OWN, mirror(site))
    assert (folder / "notes.txt").exists()


def test_a_cache_that_cannot_be_written(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="set SEALREAD_CACHE_HOME to a folder that can be"):
        bring(OWN, mirror(site))


class TestArchives:
    @pytest.fixture
    def packed(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> Entry:
        monkeypatch.setattr(hubs, "HUBS", {"bos": ""})
        site.files = {"/own_infer.tar": tar({"own_infer/inference.yml": CARD, "own_infer/inference.pdiparams": b"weights"})}
        return replace(OWN, archive=f"{site.address}/own_infer.tar")

    def test_an_archive_is_unpacked_without_its_folder(self, site: Site, packed: Entry) -> None:
        assert content(bring(packed)) == {"inference.yml": CARD, "inference.pdiparams": b"weights"}

    def test_size_and_digest_are_those_of_the_table(self, site: Site, packed: Entry) -> None:
        body = site.files["/own_infer.tar"]
        site.tricks["/own_infer.tar"] = ["corrupt"]
        known = replace(packed, download_bytes=len(body), download_sha256=hashlib.sha256(body).hexdigest())
        assert (bring(known) / "inference.yml").read_bytes() == CARD
        assert len(site.asked) == 2

    @pytest.mark.parametrize(("key", "value", "said"), [("download_bytes", 3, "instead of 3"), ("download_sha256", "0" * 64, "sha256")])
    def test_another_file_is_never_used(self, site: Site, packed: Entry, key: str, value: Any, said: str) -> None:
        changed: dict[str, Any] = {key: value}
        with pytest.raises(ModelError, match=said):
            bring(replace(packed, **changed))
        assert not folder_of("own").exists()

    def test_an_archive_without_a_card(self, site: Site, packed: Entry) -> None:
        site.files["/own_infer.tar"] = tar({"other/readme": b"x"})
        with pytest.raises(ModelError, match=r"holds no inference\.yml"):
            bring(packed)

    def test_a_damaged_archive_is_fetched_anew_the_next_time(self, site: Site, packed: Entry) -> None:
        whole = site.files["/own_infer.tar"]
        site.files["/own_infer.tar"] = b"no archive"
        with pytest.raises(ModelError, match="cannot be unpacked"):
            bring(packed)
        site.files["/own_infer.tar"] = whole
        assert (bring(packed) / "inference.yml").read_bytes() == CARD

    @pytest.mark.parametrize(
        ("member", "said"),
        [
            ("../outside", "leads out of it"),
            ("own/../../outside", "leads out of it"),
            ("/etc/outside", "leads out of it"),
            ("own\\..\\outside", "leads out of it"),
            ("c:/outside", "leads out of it"),
            ("own/a", "cannot be unpacked"),
            ("large", "too large"),
            ("symlink", "link or a device"),
            ("hardlink", "link or a device"),
            ("device", "link or a device"),
        ],
    )
    def test_what_archives_must_not_hold(self, tmp_path: Path, member: str, said: str) -> None:
        entry = tarfile.TarInfo(member)
        kinds = {"symlink": tarfile.SYMTYPE, "hardlink": tarfile.LNKTYPE, "device": tarfile.CHRTYPE}
        entry.type = kinds.get(member, tarfile.REGTYPE)
        entry.linkname = "/etc/passwd"
        entry.size = 1001 if member == "large" else 1 if entry.isreg() else 0
        archive, folder = tmp_path / "a.tar", tmp_path / "deep" / "folder"
        folder.mkdir(parents=True)
        with tarfile.open(archive, "w") as file:
            first = tarfile.TarInfo("own/a")
            first.size = 1
            file.addfile(first, io.BytesIO(b"a"))
            file.addfile(entry, io.BytesIO(bytes(entry.size)))
        with pytest.raises(ModelError, match=said):
            unpack(archive, folder, most_bytes=1000)
        assert not any(tmp_path.rglob("*outside*"))
        assert {path.name for path in tmp_path.iterdir()} == {"a.tar", "deep"}


def tar(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return packed.getvalue()


class TestSources:
    def test_the_official_hubs_in_their_order(self) -> None:
        assert [source.name for source in sources()] == ["huggingface", "aistudio", "modelscope", "bos"]

    def test_named_ones_go_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(hubs.SOURCE_VARIABLE, "modelscope, https://mirror.example/models/")
        names = [source.name for source in sources()]
        assert names == ["modelscope", "https://mirror.example/models/", "huggingface", "aistudio", "bos"]
        assert sources()[1].address == "https://mirror.example/models/{name}/{file}"
        assert [source.name for source in sources("bos")] == ["bos", "huggingface", "aistudio", "modelscope"]

    def test_the_first_hub_has_mirrors_of_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert sources()[0].address == "https://huggingface.co/{repo}/resolve/main/{file}"
        monkeypatch.setenv("HF_ENDPOINT", "https://hf.example/")
        assert sources()[0].address == "https://hf.example/{repo}/resolve/main/{file}"

    def test_an_unknown_one_is_named(self) -> None:
        with pytest.raises(InputError, match="the model source 'hugging' is unknown") as caught:
            sources("hugging")
        assert caught.value.parameter == "model_source"


class TestOffline:
    NAME = "PP-OCRv4_server_rec_doc"

    def test_it_fails_at_once_with_what_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hubs, "save", lambda *_, **__: pytest.fail("it asks a server"))
        with pytest.raises(ModelError) as caught:
            fetch_model(self.NAME)
        said = str(caught.value)
        assert entries()[self.NAME].archive in said and str(folder_of(self.NAME)) in said and "SEALREAD_OFFLINE" in said
        assert caught.value.exit_status == 3 and "\n" not in said

    def test_the_pipeline_and_the_command_line_say_it(self, capsys: pytest.CaptureFixture[str], tiny: dict[str, Any]) -> None:
        tiny["SubPipelines"]["SealOCR"]["SubModules"]["TextRecognition"] = {"model_name": self.NAME}
        with pytest.raises(ModelError, match="SEALREAD_OFFLINE"):
            create_pipeline(config=tiny)
        assert main(["download", self.NAME]) == 3
        assert "SEALREAD_OFFLINE" in capsys.readouterr().err


def test_the_command_line_brings_models(site: Site, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    site.files = {"/PP-OCRv5_server_rec/inference.yml": CARD, "/PP-OCRv5_server_rec/inference.onnx": ONNX}
    with caplog.at_level(logging.INFO):
        assert main(["download", "PP-OCRv5_server_rec", "--model_source", site.address]) == 0
    assert capsys.readouterr().out == f"{folder_of('PP-OCRv5_server_rec')}\n"
    assert main(["download", "PP-OCRv5_server_reg"]) == 2
    assert "did you mean PP-OCRv5_server_rec?" in capsys.readouterr().err
