"""What hangs is told with phase, time and stack; what works is left alone, and nothing is ever ended."""

from __future__ import annotations

import contextvars
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from grue.engine import watchdog
from grue.engine.generator_thread import GeneratorThread
from grue.engine.watchdog import Stall, Watchdog

PATIENCE_SECONDS = 60


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[Stall]:
    return []


@pytest.fixture
def dog(clock: Clock, told: list[Stall]) -> Watchdog:
    return Watchdog(120, told.append, clock=clock)


def after(seconds: float, clock: Clock, dog: Watchdog) -> None:
    """Time goes by, and the watcher looks every second of it."""
    for _ in range(int(seconds)):
        clock.now += 1
        dog.check()


def test_silence_is_told_once_and_again_when_it_has_doubled(dog, clock, told):
    dog.beat("decode", rows=64)
    after(119, clock, dog)
    assert told == []
    after(881, clock, dog)
    assert [stall.seconds for stall in told] == [120, 240, 480, 960]
    assert {stall.what for stall in told} == {"decode (rows 64)"}


def test_a_sign_of_work_starts_the_time_anew(dog, clock, told):
    for _ in range(50):
        dog.beat("decode")
        after(100, clock, dog)
    assert told == []
    after(20, clock, dog)
    assert [stall.seconds for stall in told] == [120]
    dog.beat()
    after(121, clock, dog)
    assert [stall.seconds for stall in told] == [120, 120]


def test_a_look_that_comes_late_tells_once(dog, clock, told):
    dog.beat("loading")
    clock.now += 1000
    dog.check()
    dog.check()
    assert [stall.seconds for stall in told] == [1000]


def test_steps_are_named_and_what_was_before_goes_on(dog, clock, told):
    dog.wait("for worker cuda:1")
    with dog.step("prefill", rows=8, tokens=512):
        after(120, clock, dog)
    with pytest.raises(RuntimeError), dog.step("decode"):
        raise RuntimeError
    after(120, clock, dog)
    assert [stall.what for stall in told] == ["prefill (rows 8, tokens 512)", "waiting for worker cuda:1"]


def test_a_listener_that_raises_disturbs_nothing(clock):
    def raising(stall: Stall) -> None:
        raise OSError("the disk is full")

    dog = Watchdog(1, raising, clock=clock)
    clock.now += 5
    dog.check()


def test_code_that_nobody_watches_says_what_it_does_to_nobody():
    watchdog.beat("decode")
    with watchdog.step("decode", rows=3):
        pass


def test_a_real_thread_names_the_line_that_hangs_while_the_work_goes_on(told):
    released = threading.Event()

    def stuck_in_here() -> None:
        released.wait(PATIENCE_SECONDS)

    def tell(stall: Stall) -> None:
        told.append(stall)
        released.set()

    with Watchdog(0.05, tell, poll_seconds=0.01):
        with watchdog.step("decode", rows=2):
            stuck_in_here()
        watchdog.beat("done")
    assert told[0].what == "decode (rows 2)"
    assert told[0].seconds >= 0.05
    assert any("stuck_in_here" in line and __file__ in line for line in told[0].stack)
    count = len(told)
    time.sleep(0.2)
    assert len(told) == count


def test_a_thread_of_the_work_is_named_before_the_one_that_waits_for_it(told):
    released = threading.Event()

    def stuck_over_there() -> None:
        with watchdog.step("decode", rows=3):
            released.wait(PATIENCE_SECONDS)

    with Watchdog(0.05, told.append, poll_seconds=0.01):
        thread = threading.Thread(target=contextvars.copy_context().run, args=(stuck_over_there,))
        thread.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not told and time.monotonic() < deadline:
            watchdog.wait("for the engine")
            time.sleep(0.2)
        released.set()
        thread.join()
    assert told[0].what == "decode (rows 3)"
    assert any("stuck_over_there" in line for line in told[0].stack)


def test_the_line_of_an_engine_that_decodes_in_a_thread_of_its_own(told):
    def decoding(is_stopped):
        with watchdog.step("decode", rows=5):
            stuck_while_decoding(is_stopped)
        yield 1

    def stuck_while_decoding(is_stopped):
        while not told and not is_stopped():
            time.sleep(0.01)

    with Watchdog(0.05, told.append, poll_seconds=0.01):
        assert list(GeneratorThread(decoding)) == [[1]]
    assert told[0].what == "decode (rows 5)"
    assert any("stuck_while_decoding" in line for line in told[0].stack)


def test_a_thread_that_has_ended_is_not_named(clock, told):
    with Watchdog(120, told.append, clock=clock, poll_seconds=PATIENCE_SECONDS) as dog:
        thread = threading.Thread(target=dog.beat, args=("decode",))
        thread.start()
        thread.join()
        dog.wait("for the engine")
        clock.now += 120
        dog.check()
    assert [stall.what for stall in told] == ["waiting for the engine"]


def test_the_work_of_a_strange_thread_is_not_taken_for_this_ones(told):
    def work() -> None:
        while not told:
            watchdog.beat("of the other thread")

    with Watchdog(0.05, told.append, poll_seconds=0.01):
        watchdog.beat("of this thread")
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(PATIENCE_SECONDS)
    assert told[0].what == "of this thread"


HANGING = """
import sys, time
from grue.engine.null import NullEngine
from grue.evaluation import stalls

stalls.STALL_SECONDS = 0.2
before = NullEngine.generate


def hangs_for_a_second(self, requests, job):
    for number, portion in enumerate(before(self, requests, job)):
        if number == 0:
            time.sleep(1)
        yield portion


NullEngine.generate = hangs_for_a_second
from grue.cli.main import main
main()
"""


def test_a_run_whose_engine_hands_out_nothing_says_so_and_goes_on(tmp_path):
    call = ["eval", "-m", "null:empty", "-t", "iwslt2017", "--data", "mini", "-L", "4", "-o", str(tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, "-c", HANGING, *call],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "waiting for the engine" in done.stderr
    assert "Traceback" not in done.stderr
    events = [json.loads(line) for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    stalled = [event for event in events if event["kind"] == "stalled"]
    assert stalled
    assert stalled[0]["task"] == "iwslt2017"
    assert stalled[0]["what"] == "waiting for the engine"
    assert stalled[0]["seconds"] >= 0.2
    assert any("hangs_for_a_second" in line for line in stalled[0]["stack"])
