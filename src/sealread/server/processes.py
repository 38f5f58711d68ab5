"""Processes that do one task after the other and may be killed: for files from strangers, and for networks that run beside each other.

Messages are JSON and bytes, never pickles: a process that a hostile file took over can answer nonsense, but run nothing here.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, Protocol

from sealread.errors import EngineError, InputError, ModelError, SealreadError
from sealread.server.logs import log_to_standard_error

_log = logging.getLogger(__name__)

_LOOK_EVERY = 0.05
_START_SECONDS = 120.0
_END_SECONDS = 2.0
_MEGABYTE = 1_000_000
_CONTEXT = multiprocessing.get_context("spawn")
_ERRORS = {"InputError": InputError, "ModelError": ModelError, "EngineError": EngineError}

Task = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a task gave: values that JSON knows, and blocks of bytes."""

    values: dict[str, Any]
    parts: tuple[bytes, ...] = ()


class Trade(Protocol):
    """What a process can do: made once in it, then called with one task after the other."""

    def describe(self) -> dict[str, Any]:
        """What the service wants to know when the process is ready."""
        ...

    def __call__(self, task: Task) -> Answer:
        """Do a task."""
        ...


class WorkerLostError(Exception):
    """The process is gone, and its task with it.

    Attributes:
        reason: ``time`` or ``memory`` where it was killed for these, ``crash`` where it died of itself or by another's hand.
    """

    def __init__(self, reason: Literal["time", "memory", "crash"]) -> None:
        super().__init__(reason)
        self.reason = reason


class Worker:
    """A process and the line to it; one task at a time, from one thread at a time.

    Args:
        name: for the list of processes and the log.
        make: makes the trade; importable, as its arguments are picklable.
        memory_mb: the process is killed above that; None: not looked at.
    """

    def __init__(self, name: str, make: Callable[..., Trade], arguments: Sequence[Any] = (), *, memory_mb: int | None = None) -> None:
        self.name = name
        self._make, self._arguments = make, tuple(arguments)
        self._memory = None if memory_mb is None else memory_mb * _MEGABYTE
        self._process: Any = None
        self._line: Connection | None = None
        self._ending = threading.RLock()

    @property
    def pid(self) -> int | None:
        """Of the process that runs, None if there is none."""
        return None if self._process is None else self._process.pid

    @property
    def is_swollen(self) -> bool:
        """Whether the process kept more than half of what it may have, as engines do after an unusual input."""
        return self._memory is not None and 2 * resident(self.pid) > self._memory

    def start(self) -> dict[str, Any]:
        """Start the process and wait until it is ready; gives what it says of itself.

        Raises:
            SealreadError: it could not be made ready.
            WorkerLostError: it died on the way.
        """
        self.kill()
        here, there = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_work, args=(there, self._make, self._arguments), name=self.name, daemon=True)
        self._process.start()
        there.close()
        self._line = here
        return self._answer(_START_SECONDS).values

    def call(self, task: Task, seconds: float) -> Answer:
        """Have a task done.

        Raises:
            SealreadError: the task was refused or failed; the process goes on.
            WorkerLostError: the process is gone; `start` makes a new one.
        """
        if self._line is None:
            raise WorkerLostError("crash")
        try:
            self._line.send_bytes(json.dumps(task).encode())
        except OSError:
            self.kill()
            raise WorkerLostError("crash") from None
        return self._answer(seconds)

    def _answer(self, seconds: float) -> Answer:
        line, deadline = self._line, time.monotonic() + seconds
        assert line is not None
        try:
            while not line.poll(_LOOK_EVERY):
                if time.monotonic() > deadline:
                    self._lose("time")
                if self._memory is not None and resident(self.pid) > self._memory:
                    self._lose("memory")
            head = json.loads(line.recv_bytes())
            parts = tuple(line.recv_bytes() for _ in range(head["parts"]))
        except (EOFError, OSError, ValueError, KeyError):
            self._lose("crash")
        if "error" in head:
            raise _ERRORS.get(head["error"], SealreadError)(head["message"], parameter=head.get("parameter"))
        return Answer(head["values"], parts)

    def _lose(self, reason: Literal["time", "memory", "crash"]) -> None:
        _log.warning("process lost", extra={"fields": {"process": self.name, "pid": self.pid, "reason": reason}})
        self.kill()
        raise WorkerLostError(reason)

    def kill(self) -> None:
        """End the process at once; nothing happens where there is none."""
        with self._ending:
            self._hang_up()
            if self._process is not None:
                self._process.kill()
                self._process.join()
                self._process.close()
                self._process = None

    def close(self) -> None:
        """Let the process end by itself, and kill it if it does not."""
        with self._ending:
            self._hang_up()
            if self._process is not None:
                self._process.join(_END_SECONDS)
            self.kill()

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def resident(pid: int | None) -> int:
    """Bytes of memory that a process holds; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def limit_address_space(megabytes: int) -> None:
    """Let this process have so much more memory than now, where the system knows such a limit: then allocations fail instead."""
    if sys.platform != "linux":
        return
    import resource

    now = int(Path("/proc/self/statm").read_bytes().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (now + megabytes * _MEGABYTE,) * 2)


def _work(line: Connection, make: Callable[..., Trade], arguments: tuple[Any, ...]) -> None:
    """The life of a process: until the other end of the line is closed."""
    for number in (signal.SIGINT, signal.SIGTERM):  # whoever stops the service lets this one finish
        signal.signal(number, signal.SIG_IGN)
    log_to_standard_error()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        trade: Trade | None = None

        def ready() -> Answer:
            nonlocal trade
            trade = make(*arguments)
            return Answer(trade.describe())

        _reply(line, ready)
        while trade is not None:
            _reply(line, partial(trade, json.loads(line.recv_bytes())))
    os._exit(0)  # nothing is open that needs more; taking networks apart takes seconds


def _reply(line: Connection, do: Callable[[], Answer]) -> None:
    parts: tuple[bytes, ...] = ()
    head: dict[str, Any]
    try:
        answer = do()
        parts, head = answer.parts, {"values": answer.values}
    except SealreadError as error:
        head = {"error": type(error).__name__, "message": str(error), "parameter": error.parameter}
    except MemoryError:
        head = {"error": "InputError", "message": "The input needs more memory than is allowed; make it smaller.", "parameter": None}
    except OSError as cause:  # a file that was given up while its task waited
        head = {"error": "EngineError", "message": f"a file cannot be used: {cause.strerror}", "parameter": None}
    line.send_bytes(json.dumps({**head, "parts": len(parts)}).encode())
    for part in parts:
        line.send_bytes(part)
