"""``grue worker`` as a process: its signals, its answer, its faults."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time

import pytest

from grue.runs.lock import FolderLock
from grue.store.service import jobs
from grue.worker.garbage import drop_dead_folders
from grue.worker.lease import Lease
from grue.worker.lines import MOST_CHARACTERS, shown
from grue.worker.reasons import LostError
from tests.processes import PROGRAM, finish, start
from tests.worker.scenario import null_predictions

# A job that never ends, so that a signal meets it at work.
SLOW = """
import time
import grue.worker.job as job


def take(self):
    while True:
        time.sleep(0.05)
        self._lease.check()


job._Steps.take = take
from grue.cli.main import main
main()
"""


@pytest.fixture
def waiting(scenario):
    service = scenario(lease_seconds=30, heartbeat_seconds=0.2)
    service.made = service.predictions(null_predictions("null:empty", "narrativeqa"))
    return service


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_gives_the_job_back_at_once(waiting, number):
    worker = start("worker", program=SLOW, **waiting.environment)
    deadline = time.monotonic() + 120
    while jobs.job(waiting.store, waiting.made.job_id).status == "queued" and time.monotonic() < deadline:
        time.sleep(0.02)
    worker.send_signal(number)
    _, said = worker.communicate(timeout=120)
    assert worker.returncode == 0, said
    job = jobs.job(waiting.store, waiting.made.job_id)
    assert (job.status, job.faults, job.losses) == ("queued", 0, 0)
    assert any("stops" in line for line in waiting.log(waiting.made))
    assert not list((waiting.home / "workers").glob("*"))


def test_once_answers_with_the_number_of_jobs(waiting):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "worker", "--once", "--name", "alpha", "--json"],
        env={"PATH": "/usr/bin:/bin", **waiting.environment},
        capture_output=True,
        text=True,
        check=True,
        cwd=waiting.home,
    )
    assert json.loads(done.stdout) == {"schema_version": 1, "worker": "alpha", "jobs": 1}
    assert "protections" in done.stderr
    assert [one.name for one in jobs.queue(waiting.store).workers] == ["alpha"]


def test_data_that_are_not_there_are_said_at_start(scenario, tmp_path):
    service = scenario(data=tmp_path / "nowhere")
    said = finish("worker", "--once", code=2, **service.environment)
    assert "there is no folder" in said
    assert "Traceback" not in said


def test_a_job_that_another_worker_took_is_left_alone(waiting):
    """Its lease ran out while the worker was held up: nothing of the first attempt may be written."""
    first = jobs.claim(waiting.store, "first", 0.001)
    assert first is not None
    time.sleep(0.05)
    second = jobs.claim(waiting.store, "second", 60)
    assert second is not None
    assert second.attempt == first.attempt + 1
    assert not jobs.heartbeat(waiting.store, first.job_id, first.attempt, 30)

    with Lease(waiting.store, first, "first", waiting.settings, threading.Event()) as lease:
        time.sleep(5 * waiting.settings.heartbeat_seconds)
        with pytest.raises(LostError):
            lease.check()


def test_folders_of_dead_workers_are_cleared_and_those_of_living_ones_kept(scenario, tmp_path):
    dead, living = tmp_path / "workers" / "dead", tmp_path / "workers" / "living"
    for folder in (dead, living):
        (folder / "job").mkdir(parents=True)
    lock = FolderLock.acquire(living)
    try:
        # A lock keeps out its own process too, as it is one of the open file.
        drop_dead_folders(tmp_path)
    finally:
        lock.release()
    assert not dead.exists()
    assert (living / "job").exists()


def test_log_lines_show_no_path_and_no_control_sign():
    assert shown("cannot read /srv/grue/labels/test.jsonl:3") == "cannot read test.jsonl:3"
    assert shown("at ~/x/y and 1/2 of https://example.org/a/b") == "at y and 1/2 of https://example.org/a/b"
    assert shown("a\x1b[31mb\nc") == "a [31mb c"
    assert len(shown("x" * 10_000)) == MOST_CHARACTERS
