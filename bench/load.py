"""Load on the service, each answer checked against its page: `python bench/load.py`.

Starts `sealread --serve` on a port of this machine, reads the same pages in process before each level, and asks with 1 to 64 connections
that never pause. In the middle of one level a reader is killed, at the end the whole service while a job runs; then the job must go on.
Client and service share the cores. Writes results/load.json.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops

from pages import A4_200_DPI, a4_page, round_seal
from setting import setting, write

PLACES = "东海 西湖 南岭 北川 青山 白云 金沙 银川 长乐 永安 太平 新城".split()
#: Of the drawn page the part above its own seals, as large as a scan at 150 dots per inch.
PAGE_SIZE, BELOW_IS_SEALED = (1240, 1350), 1800
LEVELS = (1, 2, 4, 8, 16, 32, 64)
JOB_PAGES = 16


@dataclass
class Level:
    """What happened with so many connections."""

    connections: int
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    health: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    killed: int | None = None
    cpu: float = 0.0

    def summary(self) -> dict[str, Any]:
        """As the results file has it."""
        cuts = statistics.quantiles(self.times, n=100) if len(self.times) > 1 else [0.0] * 99
        return {
            "connections": self.connections,
            "seconds": round(self.seconds, 1),
            "answers": len(self.times),
            "statuses": dict(self.statuses),
            "wrong": self.wrong,
            "per_second": round(len(self.times) / self.seconds, 2),
            "cpu_seconds_per_answer": round(self.cpu / max(len(self.times), 1), 4),
            "p50_ms": round(1000 * cuts[49]),
            "p95_ms": round(1000 * cuts[94]),
            "p99_ms": round(1000 * cuts[98]),
            "health_worst_ms": round(1000 * max(self.health, default=0.0)),
            "memory_mb": [round(min(self.memory) / 1e6), round(max(self.memory) / 1e6)] if self.memory else None,
            "killed_reader": self.killed is not None,
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0, help="of load, shared out among the levels (default: %(default)s)")
    parser.add_argument("--levels", type=int, nargs="+", default=LEVELS, help="connections (default: %(default)s)")
    parser.add_argument("--baseline", type=float, default=20.0, help="seconds in process before each level (default: %(default)s)")
    parser.add_argument("--together", type=int, default=4, help="pages_together of the service (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8765, help="(default: %(default)s)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    pages = drawn_pages()
    if options.child:
        print(json.dumps(read_in_process(pages, options.baseline)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        config = write_config(Path(folder), options.together)
        with running(config, options.port) as process:
            levels = [measured(options, number, pages, process.pid) for number in range(len(options.levels))]
        job = killed_with_a_job(config, options.port, pages, run_child(0.1)["readings"])
    figures = {"setting": setting(), "together": options.together, "levels": levels, "job": job}
    write("load", figures)
    print(json.dumps(figures, indent=1))
    good = all(not level["wrong"] and set(level["statuses"]) <= {"200", "429"} for level in levels) and job["right"]
    return 0 if good else 1


# ---------------------------------------------------------------- pages, and reading them in process


def drawn_pages() -> list[bytes]:
    """Contract pages as JPEG files, each with a seal of its own, at a place of its own."""
    made = []
    text = a4_page().crop((0, 0, A4_200_DPI[0], BELOW_IS_SEALED))
    for number, place in enumerate(PLACES):
        layer = Image.new("RGB", text.size, "white")
        layer.paste(round_seal(f"{place}示范科技有限公司", "合同专用章"), (200 + 80 * number, 300 + 90 * number))
        content = io.BytesIO()
        ImageChops.multiply(text, layer).resize(PAGE_SIZE).save(content, "JPEG", quality=90)
        made.append(content.getvalue())
    return made


def read_in_process(pages: list[bytes], seconds: float) -> dict[str, Any]:
    """Pages a second that `predict` reads, and what it reads."""
    from sealread import create_pipeline

    pipeline = create_pipeline()
    readings = [seals_of(result["seals"]) for result in pipeline.predict(pages)]
    started, count, cpu = time.perf_counter(), 0, time.process_time()
    while time.perf_counter() - started < seconds:
        count += sum(len(json.dumps(result.json)) > 0 for result in pipeline.predict(pages))
    per_page = round((time.process_time() - cpu) / count, 4)
    return {"per_second": round(count / (time.perf_counter() - started), 2), "cpu_seconds_per_page": per_page, "readings": readings}


def run_child(seconds: float) -> Any:
    command = [sys.executable, __file__, "--child", "--baseline", str(seconds)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def seals_of(seals: Any) -> list[Any]:
    """What must be the same: where each seal is, and its texts."""
    return [[[round(edge) for edge in seal["bbox"]], [line["text"] for line in seal["lines"]]] for seal in seals]


# ---------------------------------------------------------------- the service


def write_config(folder: Path, together: int) -> Path:
    from sealread.config import packaged_config_text

    extra = {"jobs_folder": str(folder / "jobs"), "pages_together": together, "max_queue": 48, "max_body_mb": 200}
    path = folder / "load.yaml"
    path.write_text(packaged_config_text("seal_recognition") + f"\nServing: {json.dumps({'visualize': False, 'extra': extra})}\n")
    return path


@contextmanager
def running(config: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The service, until it has stopped by itself after SIGTERM."""
    command = [sys.executable, "-m", "sealread", "--serve", "--pipeline", str(config), "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while status_of(port, "/health/ready") != 200:
            if process.poll() is not None:
                raise RuntimeError("the service does not start")
            time.sleep(0.2)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def asked(port: int, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", data), timeout=300) as answer:
        return json.load(answer)


def status_of(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def family(pid: int) -> dict[int, int]:
    """Resident bytes of a process and its children, by number."""
    found = {pid: resident(pid)}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == pid:
                found[int(entry.name)] = resident(int(entry.name))
    return found


def cpu_seconds(pid: int) -> float:
    """Of a process, its children that live and those that are gone."""
    ticks = 0
    for member in family(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15] if member == pid else fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


# ---------------------------------------------------------------- load


def measured(options: argparse.Namespace, number: int, pages: list[bytes], pid: int) -> dict[str, Any]:
    """One level, and reading the same pages in process right before it, while the service idles."""
    bodies = [json.dumps({"file": base64.b64encode(page).decode(), "fileType": 1}).encode() for page in pages]
    alone = run_child(options.baseline)
    seconds, kill = options.seconds / len(options.levels), number == len(options.levels) // 2
    level = asyncio.run(one_level(options.levels[number], seconds, options.port, bodies, alone.pop("readings"), pid, kill))
    summary = {**level.summary(), "in_process": alone}
    print(json.dumps(summary), file=sys.stderr, flush=True)
    return summary


async def one_level(connections: int, seconds: float, port: int, bodies: list[bytes], expected: list[Any], pid: int, kill: bool) -> Level:
    level = Level(connections)
    started = time.perf_counter()
    end = started + seconds
    cpu = cpu_seconds(pid)
    watch = asyncio.create_task(watched(level, port, pid, seconds / 2 if kill else None))
    await asyncio.gather(*(client(level, number, port, bodies, expected, end) for number in range(connections)))
    level.seconds = time.perf_counter() - started
    level.cpu = cpu_seconds(pid) - cpu
    watch.cancel()
    return level


async def watched(level: Level, port: int, pid: int, kill_after: float | None) -> None:
    """Look at memory and health once a second, and kill a reader when it is time."""
    started = time.perf_counter()
    while True:
        await asyncio.sleep(1.0)
        sizes = family(pid)
        level.memory.append(sum(sizes.values()))
        asked_at = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        status, _ = await exchanged(reader, writer, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        writer.close()
        if status != 200:
            level.statuses[f"health {status}"] += 1
        level.health.append(time.perf_counter() - asked_at)
        if kill_after is not None and time.perf_counter() - started > kill_after:
            del sizes[pid]
            level.killed = max(sizes, key=lambda child: sizes[child])  # readers hold networks, parsers none
            os.kill(level.killed, signal.SIGKILL)
            kill_after = None


async def client(level: Level, number: int, port: int, bodies: list[bytes], expected: list[Any], end: float) -> None:
    """One connection that asks again as soon as it has its answer, each time for another page and by another name."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    turn = number
    while time.perf_counter() < end:
        which = turn % len(bodies)
        name = f"{number}-{turn}"
        body = bodies[which][:-1] + f', "logId": "{name}"}}'.encode()
        head = f"POST /seal-recognition HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        started = time.perf_counter()
        try:
            status, content = await exchanged(reader, writer, head + body)
        except (OSError, asyncio.IncompleteReadError):
            level.statuses["broken"] += 1
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
            continue
        level.statuses[str(status)] += 1
        if status == 200:
            level.times.append(time.perf_counter() - started)
            answer = json.loads(content)
            (page,) = answer["result"]["sealRecResults"]
            level.wrong += answer["logId"] != name or seals_of(page["prunedResult"]["seals"]) != expected[which]
        else:
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
            await asyncio.sleep(0.5)
        turn += 1
    writer.close()


async def exchanged(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to a request."""
    writer.write(request)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = next(int(line.partition(":")[2]) for line in head.split("\r\n") if line.startswith("content-length:"))
    return int(head.split(" ", 2)[1]), await reader.readexactly(length)


# ---------------------------------------------------------------- a job that outlives its service


def killed_with_a_job(config: Path, port: int, pages: list[bytes], expected: list[Any]) -> dict[str, Any]:
    """Hand in a long file, kill the service with SIGKILL while it is read, start it again, and look at the pages."""
    frames = [Image.open(io.BytesIO(pages[number % len(pages)])) for number in range(JOB_PAGES)]
    content = io.BytesIO()
    frames[0].save(content, "TIFF", save_all=True, append_images=frames[1:], compression="tiff_adobe_deflate")
    body = {"file": base64.b64encode(content.getvalue()).decode(), "fileType": 1}
    with running(config, port) as process:
        job = asked(port, "/jobs", body)["result"]["jobId"]
        while (at_kill := asked(port, f"/jobs/{job}?count=0")["result"]["pagesDone"]) < JOB_PAGES // 4:
            time.sleep(0.1)
        process.kill()
        process.wait()
    with running(config, port):
        while (told := asked(port, f"/jobs/{job}?count=100")["result"])["state"] not in ("done", "failed"):
            time.sleep(0.2)
    read = [seals_of(page["prunedResult"]["seals"]) for page in told["sealRecResults"]]
    right = sum(each == expected[number % len(pages)] for number, each in enumerate(read))
    return {"pages": JOB_PAGES, "done_at_kill": at_kill, "state": told["state"], "right_pages": right, "right": right == JOB_PAGES}


if __name__ == "__main__":
    sys.exit(main())
