"""Progress as events: numbers often, a sentence at most once in ten seconds, an end."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest

from grue.store.service import jobs
from grue.store.service.values import Progress
from leaderboard_site.submitting import events
from tests.submitting.conftest import ROWS, Board, answers


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Polls ten times a second, so that the test need not wait; the ten seconds stay."""
    monkeypatch.setattr(events, "POLL_SECONDS", 0.1)


def read(client: httpx.Client, address: str, headers: dict[str, str], enough: threading.Event, seen: list[Any]) -> None:
    with client.stream("GET", address, headers=headers, timeout=60) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                seen.append((name, json.loads(line.removeprefix("data: "))))
                if len(seen) >= 5:
                    enough.set()


def test_progress_comes_as_it_happens_and_ends_with_the_job(board: Board, quick: None) -> None:
    account, store = board.account("ada"), board.service.store
    made = board.submit(account, answers(ROWS)).json()["id"]
    taken = jobs.claim(store, "worker", 600)
    assert taken is not None
    assert jobs.advance(store, taken.job_id, taken.attempt, "scoring")
    jobs.add_log(store, taken.job_id, taken.attempt, ["first line"])
    seen: list[Any] = []
    enough = threading.Event()
    args = (board.client, f"/submissions/{made}/events", account.headers, enough, seen)
    reader = threading.Thread(target=read, args=args)
    reader.start()
    for done in (1, 2, 3):
        progress = Progress(step="scoring", task="totto", rows_done=done, rows_total=7, seconds_left=600.0 / done)
        assert jobs.heartbeat(store, taken.job_id, taken.attempt, 600, progress)
        jobs.add_log(store, taken.job_id, taken.attempt, [f"line {done}"])
        enough.wait(20)
        enough.clear()
    assert jobs.fail(store, taken.job_id, taken.attempt, "invalid-file", "Not good.", is_ours=False)
    reader.join(30)
    assert not reader.is_alive()
    assert seen[-1] == ("changed", {})
    told = [data for name, data in seen if name == "progress"]
    assert [one["sentence"] for one in told if one["sentence"]] == [told[0]["sentence"]]
    assert told[-1]["bar"]["done"] == 3
    lines = [text for one in told for _, _, text in one["log"]]
    assert [line for line in lines if "line" in line] == ["first line", "line 1", "line 2", "line 3"]
    numbers = [number for one in told for number, _, _ in one["log"]]
    assert numbers == sorted(set(numbers))


def test_what_has_ended_only_says_so(board: Board, quick: None) -> None:
    account = board.account("ada")
    made = board.submit(account, answers(ROWS)).json()["id"]
    board.client.post(f"/api/v1/submissions/{made}/cancel", headers=account.headers)
    seen: list[Any] = []
    read(board.client, f"/submissions/{made}/events", account.headers, threading.Event(), seen)
    assert seen == [("changed", {})]
