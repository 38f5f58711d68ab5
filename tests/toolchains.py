"""Which languages' toolchains are here, and how a program of one file is built and run with them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

JARS = Path("/usr/share/java")
NEWTONSOFT = Path("/usr/lib/cli/newtonsoft-json-5.0/Newtonsoft.Json.dll")
TIME_LIMIT = 120


def need(program: str, package: str) -> str:
    """Where a program is; the test is skipped where it is not."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed (apt-get install {package})")
    return found


def need_file(path: Path, package: str) -> Path:
    if not path.exists():
        pytest.skip(f"{path} is not installed (apt-get install {package})")
    return path


def run(words: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=TIME_LIMIT, check=False
    )


def built(words: list[str], folder: Path, **variables: str) -> None:
    done = run(words, folder, **variables)
    assert done.returncode == 0, done.stderr


@dataclass(frozen=True)
class Language:
    """`command(source, folder)` builds what must be built and gives the words that run it."""

    name: str
    file: str
    command: Callable[[Path, Path], list[str]]


def _python(source: Path, folder: Path) -> list[str]:
    return [sys.executable, str(source)]


def _node(source: Path, folder: Path) -> list[str]:
    return [need("node", "nodejs"), str(source)]


def _php(source: Path, folder: Path) -> list[str]:
    return [need("php", "php-cli"), str(source)]


def _go(source: Path, folder: Path) -> list[str]:
    program = folder / "program"
    built(
        [need("go", "golang"), "build", "-o", str(program), str(source)],
        folder,
        GOCACHE=str(folder / "cache"),
        GOFLAGS="-mod=mod",
        GOPROXY="off",
    )
    return [str(program)]


def _java(source: Path, folder: Path) -> list[str]:
    java = need("java", "default-jdk-headless")
    jars = [need_file(JARS / f"jackson-{part}.jar", "libjackson2-databind-java") for part in ("databind", "core", "annotations")]
    if "okhttp3" in source.read_text(encoding="utf-8"):
        jars += [need_file(JARS / f"{part}.jar", "libokhttp-java") for part in ("okhttp", "okio")]
    return [java, "-cp", os.pathsep.join(map(str, jars)), str(source)]


def _csharp(source: Path, folder: Path) -> list[str]:
    compiler, mono = need("mcs", "mono-mcs"), need("mono", "mono-runtime")
    library = need_file(NEWTONSOFT, "libnewtonsoft-json5.0-cil")
    program = folder / "program.exe"
    shutil.copy(library, folder)
    built([compiler, "-r:System.Net.Http.dll", f"-r:{library}", f"-out:{program}", str(source)], folder)
    return [mono, str(program)]


def _cpp(source: Path, folder: Path) -> list[str]:
    compiler, program = need("g++", "g++"), folder / "program"
    need_file(Path("/usr/include/nlohmann/json.hpp"), "nlohmann-json3-dev")
    libraries = []
    if "curl/curl.h" in source.read_text(encoding="utf-8"):
        if not any(Path("/usr/include").glob("**/curl/curl.h")):
            pytest.skip("curl/curl.h is not installed (apt-get install libcurl4-openssl-dev)")
        libraries.append("-lcurl")
    else:
        need_file(Path("/usr/include/httplib.h"), "libcpp-httplib-dev")
        libraries += ["-lcpp-httplib", "-lpthread"]
    built([compiler, "-std=c++17", "-I", str(folder), str(source), *libraries, "-o", str(program)], folder)
    return [str(program)]


LANGUAGES = (
    Language("python", "client.py", _python),
    Language("cpp", "client.cpp", _cpp),
    Language("java", "Client.java", _java),
    Language("go", "client.go", _go),
    Language("csharp", "Client.cs", _csharp),
    Language("js", "client.js", _node),
    Language("php", "client.php", _php),
)
