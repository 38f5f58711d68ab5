"""Several readers at work on one stream of pages: the order is kept, and no reader waits for another.

Jobs are taken from the stream in a thread of their own, at most so many ahead of the answer that is wanted next. Each reader works in
its thread and takes the next job when it is free. A reader that fails is started anew and its job goes to another one; a job that makes
readers fail twice is given up. Nothing of this knows pages or networks.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from sealread.errors import ModelError

_log = logging.getLogger(__name__)

Job = TypeVar("Job")
Answer = TypeVar("Answer")
JobIn = TypeVar("JobIn", contravariant=True)
AnswerOut = TypeVar("AnswerOut", covariant=True)

#: Jobs in hand for each reader: taken from the stream and not yet given back.
AHEAD = 3
#: Failures of readers after which a job is given up, and failures in a row after which a reader is.
_MOST_FAILURES = 2


class Worker(Protocol[JobIn, AnswerOut]):
    """Somebody who does jobs.

    Attributes:
        name: for the log.
    """

    name: str

    def work(self, job: JobIn) -> AnswerOut:
        """Do a job.

        Raises:
            ValueError: the job itself is at fault; nobody else could do it.
            ModelError: this worker can do no job at all.
            Exception: this worker failed; another one may do the job.
        """
        ...

    def restart(self) -> None:
        """Forget everything after a failure."""
        ...


@dataclass(slots=True, eq=False)
class _Task(Generic[Job]):
    number: int
    job: Job
    failures: int = 0
    avoids: int | None = None


@dataclass(eq=False)
class _Desk(Generic[Job, Answer]):
    """What the threads share; everything is touched under `change` only."""

    change: threading.Condition = field(default_factory=threading.Condition)
    waiting: deque[_Task[Job]] = field(default_factory=deque)
    done: dict[int, tuple[Job, Answer | Exception]] = field(default_factory=dict)
    taken: int = 0
    given: int = 0
    total: int | None = None
    broken: BaseException | None = None
    alive: set[int] = field(default_factory=set)
    closed: bool = False

    def next_for(self, worker: int) -> _Task[Job] | None:
        """The first job that this worker may do; it avoids a job that it failed at while another worker is there."""
        for task in self.waiting:
            if task.avoids != worker or len(self.alive) == 1:
                self.waiting.remove(task)
                return task
        return None


def in_order(
    jobs: Iterator[Job], workers: Sequence[Worker[Job, Answer]], ahead: int | None = None
) -> Generator[tuple[Job, Answer | Exception], None, None]:
    """Each job with its answer, or with the error that it ended with, in the order of the jobs.

    Nothing starts before the first is asked for; from then on the workers go ahead of the caller.

    Args:
        jobs: taken one at a time, in a thread of its own; closed in the end if it can be.
        workers: at least one.
        ahead: jobs in hand at most; None: `AHEAD` for each worker.

    Raises:
        ModelError: no worker can do anything.
        BaseException: what `jobs` raises, after the answers to the jobs before.
    """
    desk: _Desk[Job, Answer] = _Desk(alive=set(range(len(workers))))
    most = AHEAD * len(workers) if ahead is None else ahead
    threading.Thread(target=_feed, args=(desk, jobs, most), name="sealread-pages", daemon=True).start()
    for i, worker in enumerate(workers):
        threading.Thread(target=_serve, args=(desk, i, worker), name=f"sealread-{worker.name}").start()
    try:
        while True:
            with desk.change:
                desk.change.wait_for(lambda: desk.given in desk.done or desk.total == desk.given or not desk.alive)
                if desk.given not in desk.done:
                    if desk.total != desk.given or desk.broken is not None:
                        assert desk.broken is not None
                        raise desk.broken
                    return
                result = desk.done.pop(desk.given)
                desk.given += 1
                desk.change.notify_all()
            yield result
    finally:
        with desk.change:
            desk.closed = True
            desk.change.notify_all()
        # Not joined: this may run in the garbage collector, in any thread. The threads end with the jobs that they hold.


def _feed(desk: _Desk[Job, Answer], jobs: Iterator[Job], most: int) -> None:
    """Take jobs while there is room for them. The stream may wait for its own reasons; nobody waits for this thread."""
    broken: BaseException | None = None
    try:
        while True:
            with desk.change:
                desk.change.wait_for(lambda: desk.closed or desk.taken - desk.given < most)
                if desk.closed:
                    break
            job = next(jobs)
            with desk.change:
                desk.waiting.append(_Task(desk.taken, job))
                desk.taken += 1
                desk.change.notify_all()
    except StopIteration:
        pass
    except BaseException as error:  # whatever it is, it belongs to the thread that asks for answers
        broken = error
    close = getattr(jobs, "close", None)
    if close is not None:
        close()
    with desk.change:
        desk.total = desk.taken
        desk.broken = broken if desk.broken is None else desk.broken
        desk.change.notify_all()


def _serve(desk: _Desk[Job, Answer], number: int, worker: Worker[Job, Answer]) -> None:
    """One worker's thread."""
    in_a_row = 0
    while True:
        with desk.change:
            task = None
            while task is None:
                if desk.closed or desk.total == desk.given:
                    return
                task = desk.next_for(number)
                if task is None:
                    desk.change.wait()
        try:
            answer: Answer | Exception = worker.work(task.job)
        except ModelError as error:
            _retire(desk, number, worker, task, error)
            return
        except ValueError as error:
            answer = error
        except Exception as error:  # the worker is lost, not the job: it must come out of this thread whatever happened
            in_a_row += 1
            task.failures, task.avoids = task.failures + 1, number
            worker.restart()
            if task.failures < _MOST_FAILURES:
                _log.warning("%s failed (%s); the page is read again", worker.name, error)
                with desk.change:
                    desk.waiting.appendleft(task)
                    desk.change.notify_all()
                    if in_a_row >= _MOST_FAILURES and len(desk.alive) > 1:
                        desk.alive.remove(number)
                        _log.warning("%s failed %d times in a row and is left aside", worker.name, in_a_row)
                        return
                continue
            answer = error
        else:
            in_a_row = 0
        with desk.change:
            desk.done[task.number] = task.job, answer
            desk.change.notify_all()


def _retire(desk: _Desk[Job, Answer], number: int, worker: Worker[Job, Answer], task: _Task[Job], error: ModelError) -> None:
    """A worker that can do nothing leaves; its job waits for the others, and where there is none the error is everybody's."""
    with desk.change:
        desk.alive.remove(number)
        desk.waiting.appendleft(task)
        if desk.alive:
            _log.warning("%s is left aside: %s", worker.name, error)
        else:
            desk.broken = error
        desk.change.notify_all()
