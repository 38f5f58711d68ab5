"""Several workers on one stream: order, no lock-step, failures. Threads meet at events, never by the clock."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tiny_networks import tiny_config

from sealread import EngineError, InputError, ModelError, SealPipeline, create_pipeline
from sealread.workers import in_order

Draw = Callable[[int, int], NDArray[np.uint8]]
WAIT = 10.0


class Scripted:
    """A worker that answers ten times the job, or does what the script says for it."""

    def __init__(self, name: str = "w", script: Callable[[int], int] | None = None) -> None:
        self.name, self.script = name, script
        self.done: list[int] = []
        self.restarts = 0

    def work(self, job: int) -> int:
        answer = 10 * job if self.script is None else self.script(job)
        self.done.append(job)
        return answer

    def restart(self) -> None:
        self.restarts += 1


def failing(*jobs: int, error: type[Exception] = EngineError) -> Callable[[int], int]:
    def script(job: int) -> int:
        if job in jobs or not jobs:
            raise error(f"no {job}")
        return 10 * job

    return script


def answers(jobs: Any, *workers: Scripted, ahead: int | None = None) -> list[Any]:
    return [outcome for _, outcome in in_order(iter(jobs), workers, ahead)]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 30), st.integers(1, 4), st.integers(1, 6))
def test_every_job_is_answered_once_in_order(jobs: int, workers: int, ahead: int) -> None:
    team = [Scripted() for _ in range(workers)]
    assert answers(range(jobs), *team, ahead=ahead) == [10 * job for job in range(jobs)]
    assert sorted(itertools.chain(*(worker.done for worker in team))) == list(range(jobs))


def test_a_slow_job_does_not_hold_the_others() -> None:
    """Job 0 does not end before the five after it have."""
    others = threading.Barrier(2)
    count = itertools.count(1)

    def script(job: int) -> int:
        if job == 0 or next(count) == 5:
            others.wait(WAIT)
        return job

    assert answers(range(8), Scripted(script=script), Scripted(script=script), ahead=6) == list(range(8))


def test_no_more_jobs_are_in_hand_than_asked_for() -> None:
    pulled: list[int] = []

    def jobs() -> Iterator[int]:
        for job in itertools.count():
            pulled.append(job)
            yield job

    with closing(in_order(jobs(), [Scripted(), Scripted()], 3)) as results:
        assert pulled == []
        for job in range(4):
            assert next(results) == (job, 10 * job)
            assert len(pulled) <= job + 1 + 3


def test_a_job_that_a_worker_fails_at_is_done_by_another(caplog: pytest.LogCaptureFixture) -> None:
    bad, good = Scripted("gpu:0", failing(2)), Scripted("gpu:1")
    with caplog.at_level(logging.WARNING):
        assert answers(range(9), bad, good) == [10 * job for job in range(9)]
    if bad.restarts:  # whoever came first took it
        assert caplog.messages == ["gpu:0 failed (no 2); the page is read again"]
        assert 2 in good.done


def test_a_worker_that_only_fails_is_left_aside_and_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    meet = threading.Event()

    def script(job: int) -> int:
        if job < 2:
            meet.wait(WAIT)  # so that the bad one gets its jobs
        return 10 * job

    tries = itertools.count(1)

    def always(job: int) -> int:
        if next(tries) == 2:
            meet.set()
        raise EngineError("the card is gone")

    bad, good = Scripted("gpu:0", always), Scripted("gpu:1", script)
    with caplog.at_level(logging.WARNING):
        assert answers(range(12), bad, good) == [10 * job for job in range(12)]
    assert bad.restarts == 2
    assert "gpu:0 failed 2 times in a row and is left aside" in caplog.messages


def test_a_job_at_which_two_workers_fail_is_given_up() -> None:
    team = [Scripted("a", failing(3)), Scripted("b", failing(3))]
    results = answers(range(6), *team)
    assert [str(answer) for answer in results] == ["0", "10", "20", "no 3", "40", "50"]
    assert isinstance(results[3], EngineError)
    assert [worker.restarts for worker in team] == [1, 1]


def test_a_job_that_is_itself_at_fault_is_not_tried_again() -> None:
    team = [Scripted(script=failing(1, error=InputError)), Scripted(script=failing(1, error=InputError))]
    results = answers(range(3), *team)
    assert isinstance(results[1], InputError)
    assert sum(worker.restarts for worker in team) == 0


def test_a_worker_that_can_do_nothing_leaves_its_job_to_the_others(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        results = answers(range(5), Scripted("gpu:0", failing(error=ModelError)), Scripted("gpu:1"))
    assert results == [10 * job for job in range(5)]


def test_where_nobody_can_do_anything_it_is_said() -> None:
    with pytest.raises(ModelError, match="no "):
        answers(range(5), *(Scripted(script=failing(error=ModelError)) for _ in range(2)))


def test_what_the_stream_raises_comes_after_the_answers_before() -> None:
    def jobs() -> Iterator[int]:
        yield 1
        yield 2
        raise KeyError("stream")

    results = in_order(jobs(), [Scripted(), Scripted()])
    assert [next(results), next(results)] == [(1, 10), (2, 20)]
    with pytest.raises(KeyError, match="stream"):
        next(results)


def test_a_stream_that_waits_for_an_answer_is_not_waited_for() -> None:
    """The caller's stream gives the next page only when the last one was handled."""
    handled = threading.Semaphore(1)

    def jobs() -> Iterator[int]:
        for job in range(4):
            assert handled.acquire(timeout=WAIT)
            yield job

    seen = []
    for job, _ in in_order(jobs(), [Scripted(), Scripted()]):
        seen.append(job)
        handled.release()
    assert seen == [0, 1, 2, 3]


def test_closing_ends_the_threads_and_the_stream() -> None:
    closed = threading.Event()

    def jobs() -> Iterator[int]:
        try:
            yield from itertools.count()
        finally:
            closed.set()

    results = in_order(jobs(), [Scripted("x"), Scripted("y")])
    next(results)
    results.close()
    assert closed.wait(WAIT)
    threads = [thread for thread in threading.enumerate() if thread.name in ("sealread-x", "sealread-y")]
    for thread in threads:
        thread.join(WAIT)
    assert not any(thread.is_alive() for thread in threads)


@pytest.fixture(scope="module")
def two(tiny_root: Path) -> Iterator[SealPipeline]:
    with create_pipeline(config=tiny_config(tiny_root), device="cpu:0,1") as pipeline:
        pipeline.warm_up()
        yield pipeline


class TestPipeline:
    """Two instances on the CPU over the tiny networks."""

    def pages(self, draw: Draw) -> list[NDArray[np.uint8]]:
        return [draw(150 + 7 * number, 120 + 3 * number) for number in range(9)]

    def test_the_results_are_those_of_one(self, two: SealPipeline, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        pages = self.pages(tiny_page)
        assert [r.to_dict() for r in two.predict(pages)] == [r.to_dict() for r in tiny_pipeline.predict(pages)]

    def test_nothing_runs_before_the_first_result_is_asked_for(self, two: SealPipeline) -> None:
        assert isinstance(two.predict("/nowhere/seal.png"), Iterator)
        with pytest.raises(InputError, match="does not exist"):
            next(two.predict("/nowhere/seal.png"))

    @pytest.mark.parametrize("error", [InputError("bad page"), EngineError("out of memory")])
    def test_of_nine_pages_one_fails(self, two: SealPipeline, tiny_page: Draw, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        read = SealPipeline.read

        def sometimes(self: SealPipeline, page: Any, *rest: Any) -> Any:
            if page.image.shape[1] == 150 + 7 * 4:
                raise error
            return read(self, page, *rest)

        monkeypatch.setattr(SealPipeline, "read", sometimes)
        results = list(two.predict(self.pages(tiny_page), errors="return"))
        assert [result.ok for result in results] == [number != 4 for number in range(9)]
        assert results[4].error is error
        generator = two.predict(self.pages(tiny_page))
        assert [next(generator).ok for _ in range(4)] == [True] * 4
        with pytest.raises(type(error), match=str(error)):
            next(generator)

    def test_regions_of_the_caller_go_with_their_pages(self, two: SealPipeline, tiny_page: Draw) -> None:
        given = [{"boxes": [{"cls_id": 1, "label": "seal", "score": 1.0, "coordinate": [n, n, 90 + n, 90 + n]}]} for n in range(9)]
        results = two.predict(self.pages(tiny_page), layout_det_res=given)
        assert [result["seals"][0]["bbox"][0] for result in results] == list(range(9))
