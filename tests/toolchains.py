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
NEWTONSOFT = Path("/usr/lib/cli/Newtonsoft.Json-5.0/Newtonsoft.Json.dll")
#: As Debian builds the library; with others its header describes other classes than the library has.
HTTPLIB_AS_BUILT = [f"-DCPPHTTPLIB_{part}_SUPPORT" for part in ("OPENSSL", "ZLIB", "BROTLI")]
#: Where Debian and npm put packages for all users.
NODE_MODULES = "/usr/share/nodejs:/usr/lib/node_modules:/usr/local/lib/node_modules"
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
    environment = {"NODE_PATH": NODE_MODULES, **os.environ, **variables}
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
    java, compiler = need("java", "default-jdk-headless"), need("javac", "default-jdk-headless")
    jars = [need_file(JARS / f"jackson-{part}.jar", "libjackson2-databind-java") for part in ("databind", "core", "annotations")]
    if "okhttp3" in source.read_text(encoding="utf-8"):
        jars += [need_file(JARS / f"{part}.jar", "libokhttp-java") for part in ("okhttp", "okio")]
    path = os.pathsep.join(map(str, [folder, *jars]))
    built([compiler, "-encoding", "UTF-8", "-cp", path, "-d", str(folder), str(source)], folder)
    return [java, "-XX:TieredStopAtLevel=1", "-cp", path, source.stem]


#: Mono's compiler knows no asynchronous Main; newer ones add this call of it themselves.
_CSHARP_START = """
using System;
using System.Linq;
using System.Reflection;
using System.Threading.Tasks;

static class Start
{
    static int Main(string[] words)
    {
        var known = Assembly.LoadFrom("LIBRARY").GetTypes();
        var hidden = BindingFlags.NonPublic | BindingFlags.Static;
        var main = known.Select(type => type.GetMethod("Main", hidden)).First(method => method != null);
        var task = (Task)main.Invoke(null, new object[] { words });
        task.GetAwaiter().GetResult();
        return task is Task<int> ? ((Task<int>)task).Result : 0;
    }
}
"""


def _csharp(source: Path, folder: Path) -> list[str]:
    compiler, mono = need("mcs", "mono-mcs"), need("mono", "mono-runtime")
    newtonsoft = need_file(NEWTONSOFT, "libnewtonsoft-json5.0-cil")
    shutil.copy(newtonsoft, folder)
    library, start = folder / "program.dll", folder / "start.cs"
    built([compiler, "-target:library", "-r:System.Net.Http.dll", f"-r:{newtonsoft}", f"-out:{library}", str(source)], folder)
    start.write_text(_CSHARP_START.replace("LIBRARY", str(library)), encoding="utf-8")
    built([compiler, f"-out:{folder / 'start.exe'}", str(start)], folder)
    return [mono, str(folder / "start.exe")]


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
        need_file(Path("/usr/include/brotli/decode.h"), "libbrotli-dev libssl-dev zlib1g-dev")
        libraries += [*HTTPLIB_AS_BUILT, "-lcpp-httplib", "-lpthread"]
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
