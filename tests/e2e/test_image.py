"""The Dockerfile and the compose file: what they promise, and their install steps in a fresh virtual environment.

No container engine is needed. The steps download packages and take minutes, so they run only where `SEALREAD_TEST_IMAGE=1` asks
for them (`make test-image`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from live_service import HOST, free_port

ROOT = Path(__file__).resolve().parents[2]
ASKED = os.environ.get("SEALREAD_TEST_IMAGE") == "1"


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their words, continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, words) for name, _, words in (line.partition(" ") for line in lines)]


def last(name: str) -> str:
    return [words for known, words in instructions() if known == name][-1]


def compose() -> dict[str, Any]:
    service: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["sealread"]
    return service


def test_the_image_runs_as_nobody_in_particular() -> None:
    names = [name for name, _ in instructions()]
    assert last("USER").isdecimal() and int(last("USER")) > 0
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert all("-slim" in words for name, words in instructions() if name == "FROM")


def test_the_image_tells_whether_it_is_well() -> None:
    assert "/health" in last("HEALTHCHECK")
    assert json.loads(last("ENTRYPOINT"))[:4] == ["sealread", "--serve", "--pipeline", "seal_recognition"]


def test_what_the_image_copies_reaches_the_build() -> None:
    sent = {line.lstrip("!") for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    copied = {word for name, words in instructions() if name == "COPY" and "--from" not in words for word in words.split()[:-1]}
    assert copied == sent
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_compose_gives_the_container_little() -> None:
    service = compose()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    written = {words.split(":")[0] for words in service["tmpfs"]} | {words.split(":")[1] for words in service["volumes"]}
    assert written == {"/tmp", "/data"}
    assert service["mem_limit"] and service["pids_limit"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that the build stage fills, filled by its steps."""
    if not ASKED:
        pytest.skip("the Dockerfile's install steps take minutes: make test-image runs them")
    pytest.importorskip("fastapi", reason="the service needs the extra [serve]")
    base = tmp_path_factory.mktemp("image")
    source, target = base / "source", base / "sealread"
    source.mkdir()
    for name, words in instructions():
        if name == "FROM" and (target / "bin").is_dir():
            break  # the second stage only copies
        if name == "COPY":
            *parts, place = words.split()
            for part in parts:
                copy = source / place / part if place == "./" else source / place
                (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, copy)
        if name == "RUN":
            step = words.replace("/opt/sealread", str(target)).replace("python -m venv", f"{sys.executable} -m venv")
            subprocess.run(["bash", "-euc", step], cwd=source, check=True, timeout=1200)
    shutil.rmtree(source)  # nothing that runs may come from there
    yield target


#: Runs in a network of its own that has nothing but loopback: starts the service, asks it, stops it.
_ALONE = """
ip link set lo up
"$@" &
service=$!
trap 'kill $service 2>/dev/null || true' EXIT
for _ in $(seq 300); do python -c "$CHECK" 2>/dev/null && break; kill -0 $service; sleep 0.2; done
python -c "$CHECK"
python "$CLIENT" "$SAMPLE" "$ADDRESS"
python -c "import urllib.request; print(len(urllib.request.urlopen('$ADDRESS/page/samples/contract.png').read()), 'bytes of the sample')"
kill -TERM $service
wait $service || [ $? -eq 143 ]  # the signal, after a graceful end
"""


def test_the_installed_service_reads_without_a_network(installed: Path, tmp_path: Path) -> None:
    """As the image runs it: its user where this test may choose, its variables, no network, and nothing but its folder to write."""
    if shutil.which("unshare") is None or shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("a network of its own needs root, unshare and ip")
    port = free_port()
    words = [word.replace("8080", str(port)) for word in json.loads(last("ENTRYPOINT"))]
    check = json.loads(last("HEALTHCHECK").partition("CMD ")[2])[2].replace("8080", str(port))
    environment = {
        "PATH": f"{installed}/bin:/usr/bin:/bin:/usr/sbin",
        "SEALREAD_CACHE_HOME": str(tmp_path / "data"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "CHECK": check,
        "CLIENT": str(ROOT / "examples" / "clients" / "client.py"),
        "SAMPLE": str(ROOT / "examples" / "contract.png"),
        "ADDRESS": f"http://{HOST}:{port}",
    }
    done = subprocess.run(
        ["unshare", "--net", "bash", "-euc", _ALONE, "bash", *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "合同专用章" in done.stdout
    assert f"{(ROOT / 'examples' / 'contract.png').stat().st_size} bytes of the sample" in done.stdout


def engine() -> str | None:
    """A container engine that answers; the command alone is not enough."""
    for name in ("docker", "podman"):
        program = shutil.which(name)
        if program is not None and subprocess.run([program, "info"], capture_output=True, timeout=60, check=False).returncode == 0:
            return program
    return None


def test_the_image_builds() -> None:
    program = engine()
    if program is None:
        pytest.skip("no container engine runs here, so the image itself was not built; only its install steps can be run")
    if not ASKED:
        pytest.skip("building the image takes minutes: make test-image does it")
    subprocess.run([program, "build", "--tag", "sealread-test", "."], cwd=ROOT, check=True, timeout=1800)
