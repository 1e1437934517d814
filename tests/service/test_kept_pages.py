"""Pages from memory under many requests at once: one question for all, one making of a page, never an old one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grue.store.rebuild import add_run
from leaderboard_site import documents
from leaderboard_site.web.kept_pages import Shared, is_of_board
from tests.service.serving import Served
from tests.site.boards import scored_runs
from tests.site.fake_runs import FakeTask, write_run


def test_all_who_wait_share_a_question_that_was_put_after_they_came() -> None:
    truth, calls = [0], []

    def slow() -> int:
        calls.append(truth[0])
        time.sleep(0.02)
        return calls[-1]

    async def ask(shared: Shared[int]) -> None:
        known = truth[0]
        assert await shared.ask() >= known

    async def many() -> None:
        shared = Shared(slow, ThreadPoolExecutor(1))
        tasks = []
        for _ in range(200):
            truth[0] += 1
            tasks.append(asyncio.create_task(ask(shared)))
            await asyncio.sleep(0.001)
        await asyncio.gather(*tasks)

    asyncio.run(many())
    assert 2 <= len(calls) < 100


def test_a_question_that_fails_fails_for_those_who_wait_and_no_later_one() -> None:
    answers = iter([RuntimeError("the database is away"), 7])

    def call() -> int:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    async def both() -> int:
        shared = Shared(call, ThreadPoolExecutor(1))
        first = await asyncio.gather(shared.ask(), shared.ask(), return_exceptions=True)
        assert [str(one) for one in first] == ["the database is away"] * 2
        return await shared.ask()

    assert asyncio.run(both()) == 7


def test_one_who_goes_away_takes_the_answer_from_nobody() -> None:
    async def both() -> int:
        shared = Shared(lambda: time.sleep(0.05) or 3, ThreadPoolExecutor(1))
        leaver, stayer = asyncio.create_task(shared.ask()), asyncio.create_task(shared.ask())
        await asyncio.sleep(0.01)
        leaver.cancel()
        return await stayer

    assert asyncio.run(both()) == 3


def test_a_missing_page_is_made_once_however_many_ask(board: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    made, real = [], documents.task_list

    def slow(*given: object) -> object:
        made.append(threading.get_ident())
        time.sleep(0.3)
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(documents, "task_list", slow)
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda _: board.get("/api/v1/tasks?fresh=yes"), range(12)))
    assert {one.status_code for one in found} == {200}
    assert len({one.content for one in found}) == 1
    assert len(made) == 1


def test_no_answer_is_older_than_its_request(service_app: Callable[..., Served], tmp_path: Path) -> None:
    served = service_app(tmp_path / "home", runs=scored_runs(tmp_path / "runs"))
    stop, old = threading.Event(), []
    done: list[str] = []

    def ask() -> None:
        while not stop.is_set():
            known = set(done)
            feed = served.get("/feed.xml").text
            old.extend(run_id for run_id in known if run_id not in feed)

    readers = [threading.Thread(target=ask) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(8):
        run_id = f"09NEW{number}"
        task = FakeTask(values={"sacrebleu": 20.0 + number})
        add_run(served.service.store, write_run(tmp_path / "more", run_id, run_id, {"wmt16": task}))
        done.append(run_id)
    stop.set()
    for reader in readers:
        reader.join()
    assert not old
    assert all(run_id in served.get("/feed.xml").text for run_id in done)


@pytest.mark.parametrize(
    "path", ["/", "/tasks", "/tasks/wmt16/cost", "/runs/A", "/api/v1/runs/A", "/feed.xml", "/compare"]
)
def test_what_shows_the_board_changes_with_it(path: str) -> None:
    assert is_of_board(path)


@pytest.mark.parametrize("path", ["/submit", "/queue", "/account", "/runsx", "/api/v1/queue", "/healthz", "/static/x"])
def test_what_does_not_show_the_board_asks_no_version(path: str) -> None:
    assert not is_of_board(path)
