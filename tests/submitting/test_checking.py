"""Checks run apart from the server: what ends or blocks one of them is told, and the next one works."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator

import pytest

from leaderboard_site.submitting.checking import Checks
from leaderboard_site.submitting.refusals import RefusalError


@pytest.fixture
def checks() -> Iterator[Checks]:
    made = Checks(processes=1, waiting=2)
    yield made
    made.close()


def die_once(path: str) -> str:
    """Dies the first time that it is called with a path."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return "alive"
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


def die(_: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def take_memory() -> int:
    return len(bytearray(64 << 30))


def test_a_check_whose_process_is_killed_goes_again(checks: Checks, tmp_path: object) -> None:
    assert asyncio.run(checks.run(die_once, f"{tmp_path}/mark")) == "alive"


def test_a_check_that_kills_its_process_is_refused_and_the_next_works(checks: Checks) -> None:
    async def both() -> str:
        with pytest.raises(RefusalError) as refused:
            await checks.run(die, "x")
        assert refused.value.status_code == 422
        return await checks.run(str.upper, "after")

    assert asyncio.run(both()) == "AFTER"


def test_memory_is_bounded(checks: Checks) -> None:
    with pytest.raises(RefusalError) as refused:
        asyncio.run(checks.run(take_memory))
    assert "memory" in refused.value.detail


def test_a_check_that_takes_too_long_is_ended() -> None:
    made = Checks(processes=1, seconds=1.0)

    async def both() -> str:
        with pytest.raises(RefusalError) as refused:
            await made.run(time.sleep, 600)
        assert "too long" in refused.value.title
        return "ended"

    try:
        assert asyncio.run(both()) == "ended"
    finally:
        made.close()


def test_more_than_may_wait_are_turned_away(checks: Checks) -> None:
    async def many() -> list[object]:
        return await asyncio.gather(*(checks.run(time.sleep, 0.2) for _ in range(6)), return_exceptions=True)

    found = asyncio.run(many())
    refused = [one for one in found if isinstance(one, RefusalError)]
    assert len(refused) == 3
    assert {one.status_code for one in refused} == {429}
    assert all(int((one.headers or {})["Retry-After"]) > 0 for one in refused)
