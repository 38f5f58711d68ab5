"""Tasks handed to processes: shared, retried, given up; and a service whose processes die."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from server_files import encoded, until

from sealread.errors import InputError, SealreadError
from sealread.server.pool import Pool
from sealread.server.processes import Answer, Task, Worker, WorkerLostError

Draw = Callable[[int, int], NDArray[np.uint8]]


class Scripted(Worker):
    """A worker without a process: it answers with the numbers of its task, and dies of what it cannot stand.

    Attributes:
        calls: the numbers of each call.
        gate: calls wait until it is open.
    """

    def __init__(self, deadly: dict[int, str]) -> None:
        super().__init__("scripted", lambda: None)  # type: ignore[arg-type, return-value]
        self.deadly = deadly
        self.calls: list[list[int]] = []
        self.starts = 0
        self.gate = threading.Event()

    def start(self) -> dict[str, Any]:
        self.starts += 1
        return {"networks": []}

    def call(self, task: Task, seconds: float) -> Answer:
        self.gate.wait(10)
        numbers = [each["number"] for each in task["pages"]]
        self.calls.append(numbers)
        for number in numbers:
            if number in self.deadly:
                reason = self.deadly[number]
                if reason == "once":
                    del self.deadly[number]
                    reason = "crash"
                raise WorkerLostError(reason)  # type: ignore[arg-type]
        return Answer({"pages": [{"number": number} for number in numbers]})


def part(answer: Answer) -> list[Answer | SealreadError]:
    return [InputError("refused") if row["number"] == 13 else Answer(row) for row in answer.values["pages"]]


def run(numbers: list[int], deadly: dict[int, str], together: int = 4, patient: int = 0) -> tuple[Scripted, list[Any]]:
    """All numbers handed in at once, the last `patient` of them patiently; the worker, and the answers or errors in order."""

    async def all_at_once() -> tuple[Scripted, list[Any]]:
        worker = Scripted(deadly)
        pool = Pool(lambda _: worker, 1, together=together, join=lambda tasks: {"pages": list(tasks)}, part=part)
        tasks = [
            asyncio.create_task(pool.do({"number": number}, 1.0, patient=place >= len(numbers) - patient))
            for place, number in enumerate(numbers)
        ]
        while pool.waiting < len(numbers):
            await asyncio.sleep(0)
        pool.start()
        worker.gate.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert pool.waiting == 0
        await pool.close()
        return worker, [outcome.values["number"] if isinstance(outcome, Answer) else str(outcome) for outcome in outcomes]

    return within(all_at_once())


def within(work: Coroutine[Any, Any, Any]) -> Any:
    """The outcome, in a loop with threads of its own."""
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(ThreadPoolExecutor(2))
        return runner.run(asyncio.wait_for(work, 30))


def test_waiting_tasks_share_calls_and_keep_their_answers() -> None:
    worker, outcomes = run(list(range(10)), {})
    assert outcomes == list(range(10))
    assert [len(call) for call in worker.calls] == [4, 4, 2]


def test_each_alone_where_nothing_is_shared() -> None:
    assert [len(call) for call in run(list(range(3)), {}, together=1)[0].calls] == [1, 1, 1]


def test_a_refused_part_leaves_the_others() -> None:
    assert run([1, 13, 2], {})[1] == [1, "refused", 2]


@pytest.mark.parametrize(("reason", "told"), [("time", "takes longer"), ("memory", "more memory"), ("crash", "made the reader fail")])
def test_a_deadly_task_fails_alone(reason: str, told: str) -> None:
    worker, outcomes = run([1, 2, 3, 4, 5], {3: reason})
    assert outcomes[:2] == [1, 2] and outcomes[3:] == [4, 5]
    assert told in outcomes[2]
    assert worker.starts == (4 if reason == "crash" else 3)


def test_a_process_that_is_killed_from_outside_costs_no_answer() -> None:
    assert run([1, 2, 3], {2: "once"})[1] == [1, 2, 3]
    assert run([1], {1: "once"}, together=1)[1] == [1]


def test_patient_tasks_let_others_go_first_but_not_for_ever() -> None:
    worker, _ = run([*range(10), 100, 101], {}, together=1, patient=2)
    order = [call[0] for call in worker.calls]
    assert order[:5] == [0, 1, 2, 3, 100]
    assert order.index(101) == 9


def test_tasks_that_were_given_up_are_not_done() -> None:
    async def cancelled() -> Scripted:
        worker = Scripted({})
        pool = Pool(lambda _: worker, 1, together=1, join=lambda tasks: {"pages": list(tasks)}, part=part)
        first, second = (asyncio.create_task(pool.do({"number": number}, 1.0)) for number in (1, 2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        pool.start()
        worker.gate.set()
        await second
        await pool.close()
        return worker

    assert within(cancelled()).calls == [[2]]


def test_a_killed_reader_loses_nothing(service: Any, tiny_page: Draw) -> None:
    page = encoded(tiny_page(100, 100))
    before = service.post(file=page, fileType=1, visualize=False).json()["result"]
    for pool in (service.application.service.readers, service.application.service.openers):
        lost = pool.lost
        os.kill(pool.workers[0].pid, signal.SIGKILL)
        after = service.post(file=page, fileType=1, visualize=False)
        assert after.json()["result"] == before
        assert pool.lost == lost + 1


def test_stopping_finishes_what_was_accepted(serve: Any, tiny_page: Draw) -> None:
    service = serve()
    page = encoded(*[tiny_page(300, 300)] * 5, form="TIFF")
    answers: list[Any] = []
    clients = [threading.Thread(target=lambda: answers.append(service.post(file=page, fileType=1))) for _ in range(4)]
    for client in clients:
        client.start()
    until(lambda: service.application.room.requests == 4)
    service.server.should_exit = True
    for client in clients:
        client.join()
    assert [answer.status_code for answer in answers] == [200] * 4


def test_health_answers_while_work_runs(service: Any, tiny_page: Draw) -> None:
    page = encoded(*[tiny_page(300, 300)] * 10, form="TIFF")
    answers: list[Any] = []
    client = threading.Thread(target=lambda: answers.append(service.post(file=page, fileType=1)))
    client.start()
    until(lambda: service.application.room.requests > 0)
    assert service.client.get("/health").status_code == 200
    assert answers == []
    client.join()
    assert answers[0].status_code == 200
