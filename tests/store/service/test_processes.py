"""Several real processes on one database: each job once, whoever is killed when."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from grue.store import queries
from grue.store.database import open_store
from grue.store.service import jobs, submissions
from grue.store.service.values import Limits, Submission
from tests.store.service.claimer import work
from tests.store.service.conftest import Desk

MANY = Limits(scored_per_day=1000, attempts_per_day=1000, jobs_waiting=1000)


@pytest.fixture(scope="module")
def processes() -> Any:
    """Processes that fork from one which has our modules and no connection to a database."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.store.service.claimer", "psycopg"])
    return context


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def filled(
    request: pytest.FixtureRequest, desk_of: Callable[[str], tuple[Desk, str]]
) -> Callable[[int], tuple[Desk, str, list[Submission]]]:
    """A desk with so many submissions, and the address of its database."""

    def fill(number: int) -> tuple[Desk, str, list[Submission]]:
        desk, url = desk_of(request.param)
        desk.limits = MANY
        return desk, url, [desk.submit(is_public=bool(index % 3)) for index in range(number)]

    return fill


def lines(folder: Path) -> list[list[str]]:
    """What all workers told."""
    return [line.split() for path in sorted(folder.glob("told-*")) for line in path.read_text().splitlines()]


def assert_each_job_is_done_once(desk: Desk, made: list[Submission]) -> None:
    """Every submission has one whole result, shown as its owner said."""
    ids = {one.submission_id for one in made}
    found = [desk.again(one) for one in made]
    assert {(one.status, one.is_charged) for one in found} == {("done", True)}
    assert {one.run_id for one in found} == ids
    assert {one.run_id for one in queries.locations(desk.store)} == ids
    board = queries.board(desk.store, queries.settings(desk.store)[0].slug)
    assert set(board.runs) == ids
    assert submissions.hidden_run_ids(desk.store) == {one.submission_id for one in made if not one.is_public}
    for one in made:
        assert [line.text for line in jobs.log(desk.store, one.job_id)].count("Done.") == 1
    # One step of the board a result: none was counted twice.
    assert submissions.board_version(desk.store) == 1 + len(made)


def test_each_job_goes_to_one_worker(filled: Any, processes: Any, runs: Any, tmp_path: Path) -> None:
    desk, url, made = filled(30)
    run = runs.write()
    workers = [
        processes.Process(target=work, args=(url, f"w{index}", run, tmp_path / f"told-{index}")) for index in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 4
    taken = Counter(tuple(rest) for what, *rest in lines(tmp_path) if what == "taken")
    assert taken == Counter({(one.job_id, "1"): 1 for one in made})
    assert len({line[1] for line in lines(tmp_path) if line[0] == "finished"}) == len(made)
    assert_each_job_is_done_once(desk, made)


def kill_and_restart(
    filled: Any, processes: Any, runs: Any, folder: Path, *, submissions: int, kills: int, seed: int
) -> None:
    """Work off submissions while workers are killed at random moments."""
    desk, url, made = filled(submissions)
    run = runs.write()
    chance = random.Random(seed)
    started = 0

    def start() -> Any:
        nonlocal started
        started += 1
        arguments = (url, f"w{started}", run, folder / f"told-{started}", 0.3, 0.2)
        worker = processes.Process(target=work, args=arguments)
        worker.start()
        return worker

    workers = [start(), start()]
    killed, until = 0, time.monotonic() + 300
    while any(worker.is_alive() for worker in workers):
        assert time.monotonic() < until, "the queue is stuck"
        time.sleep(chance.random() * 0.4)
        index = chance.randrange(2)
        worker = workers[index]
        if killed < kills and worker.is_alive():
            os.kill(worker.pid, signal.SIGKILL)
            worker.join()
            killed += 1
            workers[index] = start()
        elif killed < kills:
            workers[index] = start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    told = [tuple(rest) for what, *rest in lines(folder) if what == "taken"]
    assert len(told) == len(set(told)), "an attempt was handed out twice"
    assert killed == kills
    assert_each_job_is_done_once(desk, made)


def test_killed_workers_lose_no_job_and_score_none_twice(
    filled: Any, processes: Any, runs: Any, tmp_path: Path
) -> None:
    kill_and_restart(filled, processes, runs, tmp_path, submissions=12, kills=5, seed=6)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_many_kills_lose_no_job_and_score_none_twice(
    filled: Any, processes: Any, runs: Any, tmp_path: Path, seed: int
) -> None:
    kill_and_restart(filled, processes, runs, tmp_path, submissions=200, kills=60, seed=seed)


def test_database_can_be_opened_after_every_process_was_killed(
    filled: Any, processes: Any, runs: Any, tmp_path: Path
) -> None:
    desk, url, made = filled(6)
    run = runs.write()
    desk.store.close()
    worker = processes.Process(target=work, args=(url, "w", run, tmp_path / "told-0", 0.1, 0.1))
    worker.start()
    while sum(what == "taken" for what, *_ in lines(tmp_path)) < 3:
        assert worker.is_alive()
        time.sleep(0.01)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    work(url, "after", run, tmp_path / "told-1", 0.1)
    with open_store(url) as store:
        desk.store = store
        assert_each_job_is_done_once(desk, made)
