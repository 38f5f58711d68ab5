"""Hands waiting tasks to processes, several at a time where they take several, and starts a process anew when one is lost.

Nothing is lost with a process but its time: tasks that shared it are given out again, each by itself, so that one bad input fails alone.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sealread.errors import InputError, SealreadError
from sealread.server.processes import Answer, Task, Worker, WorkerLostError

_log = logging.getLogger(__name__)

_LONGEST_PAUSE = 30.0
#: After so many urgent turns in a row a patient task gets one.
_TURNS = 4

_REASONS = {
    "time": "The input takes longer than is allowed; make it smaller or ask for less.",
    "memory": "The input needs more memory than is allowed; make it smaller or ask for less.",
    "crash": "The input cannot be read: it made the reader fail.",
}


@dataclass(eq=False, slots=True)
class _Errand:
    task: Task
    seconds: float
    done: asyncio.Future[Answer]
    alone: bool = False
    crashes: int = field(default=0)


class Pool:
    """Processes of one trade.

    Args:
        make: makes one more `Worker`.
        count: number of processes.
        together: tasks that one call may take.
        join: makes one task of several; None: each goes alone.
        discard: is given answers that nobody waits for any more.
        part: cuts the answer to a joined task into the answers of its parts; a `SealreadError` stands for a failed one.
    """

    def __init__(
        self,
        make: Callable[[int], Worker],
        count: int,
        *,
        together: int = 1,
        join: Callable[[Sequence[Task]], Task] | None = None,
        part: Callable[[Answer], Sequence[Answer | SealreadError]] | None = None,
        discard: Callable[[Answer], None] | None = None,
    ) -> None:
        self.workers = [make(number) for number in range(count)]
        self._together, self._join, self._part, self._discard = together, join, part, discard
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="sealread-pool")
        self._urgent: deque[_Errand] = deque()
        self._patient: deque[_Errand] = deque()
        self._turns = 0
        self._idle = 0
        self._news = asyncio.Condition()
        self._tenders: list[asyncio.Task[None]] = []
        self.ready = 0
        self.lost = 0
        self.about: dict[str, Any] = {}

    @property
    def waiting(self) -> int:
        """Tasks that no process has yet."""
        return len(self._urgent) + len(self._patient)

    def start(self) -> None:
        """Start the processes; tasks wait until one is ready."""
        self._tenders = [asyncio.create_task(self._tend(worker)) for worker in self.workers]

    async def close(self) -> None:
        """End all processes; what waits is cancelled."""
        for tender in self._tenders:
            tender.cancel()
        await asyncio.gather(*self._tenders, return_exceptions=True)
        for errand in (*self._urgent, *self._patient):
            errand.done.cancel()
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(None, worker.close) for worker in self.workers))
        self._threads.shutdown(wait=False)

    async def do(self, task: Task, seconds: float, *, patient: bool = False) -> Answer:
        """Have a task done; cancelling the wait takes it out of the queue.

        Args:
            task: what the trade wants.
            seconds: for the work itself; waiting does not count.
            patient: lets others go first.

        Raises:
            SealreadError: refused or failed, or too large for the limits of time and memory.
        """
        errand = _Errand(task, seconds, asyncio.get_running_loop().create_future())
        await self._put(errand, patient=patient)
        try:
            return await errand.done
        finally:
            for line in (self._urgent, self._patient):
                if errand in line:
                    line.remove(errand)

    async def _put(self, errand: _Errand, *, patient: bool = False, first: bool = False) -> None:
        line = self._patient if patient else self._urgent
        if first:
            line.appendleft(errand)
        else:
            line.append(errand)
        async with self._news:
            self._news.notify()

    async def _next(self) -> list[_Errand]:
        """The tasks of one call: what waits is shared among the processes that are idle."""
        async with self._news:
            self._idle += 1
            try:
                await self._news.wait_for(lambda: self.waiting > 0)
                share = min(self._together, math.ceil(self.waiting / self._idle))
            finally:
                self._idle -= 1
            chosen = [self._take()]
            while len(chosen) < share and self.waiting and not chosen[0].alone and not (self._urgent or self._patient)[0].alone:
                chosen.append(self._take())
            return chosen

    def _take(self) -> _Errand:
        patient = self._patient and (not self._urgent or self._turns >= _TURNS)
        self._turns = 0 if patient else self._turns + 1
        return (self._patient if patient else self._urgent).popleft()

    async def _tend(self, worker: Worker) -> None:
        """The life of one process: start, work, start anew."""
        loop = asyncio.get_running_loop()
        pause = 0.5
        while True:
            try:
                self.about = await loop.run_in_executor(self._threads, worker.start)
            except (SealreadError, WorkerLostError, OSError) as error:
                _log.error("process not started", extra={"fields": {"process": worker.name, "reason": str(error)}})
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            pause = 0.5
            self.ready += 1
            try:
                while await self._served(worker):
                    pass
            finally:
                self.ready -= 1
            self.lost += 1

    async def _served(self, worker: Worker) -> bool:
        """Do one call; whether the process is still there, and fit to go on."""
        errands = [errand for errand in await self._next() if not errand.done.done()]
        if not errands:
            return True
        task = errands[0].task if self._join is None else self._join([errand.task for errand in errands])
        seconds = sum(errand.seconds for errand in errands)
        call = asyncio.get_running_loop().run_in_executor(self._threads, worker.call, task, seconds)
        try:
            answer = await asyncio.shield(call)
        except WorkerLostError as lost:
            for errand in reversed(errands):
                await self._again(errand, lost, shared=len(errands) > 1)
            return False
        except SealreadError as error:
            answers: Sequence[Answer | SealreadError] = [error] * len(errands)
        else:
            answers = [answer] if self._part is None else self._part(answer)
        for errand, each in zip(errands, answers, strict=True):
            if errand.done.done():
                if self._discard is not None and isinstance(each, Answer):
                    self._discard(each)
            elif isinstance(each, SealreadError):
                errand.done.set_exception(each)
            else:
                errand.done.set_result(each)
        return not worker.is_swollen

    async def _again(self, errand: _Errand, lost: WorkerLostError, *, shared: bool) -> None:
        """A task whose process is gone: it gets another one, unless it is known to be the cause."""
        errand.crashes += lost.reason == "crash" and not shared
        if errand.done.done():
            return
        if shared or (lost.reason == "crash" and errand.crashes < 2):
            errand.alone = True
            await self._put(errand, first=True)
        else:
            errand.done.set_exception(InputError(_REASONS[lost.reason]))
