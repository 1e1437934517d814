"""A server and two workers killed at random moments: every job done once, with the result of an undisturbed run."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

import grue
from grue.core.errors import StoreError
from grue.runs.read import read_run
from grue.store import queries
from grue.store.service import jobs, tokens, users
from grue.store.service.submissions import all_submissions
from grue.store.service.values import Submission
from tests.databases import Databases
from tests.processes import PROGRAM, outcome
from tests.worker.scenario import Scenario, null_predictions

pytestmark = pytest.mark.long

JOBS = int(os.environ.get("GRUE_TEST_QUEUE_JOBS", "200"))
KILLS = JOBS // 4 + 4
PATIENCE_SECONDS = 3600
SYSTEMS = ("null:random-reference", "null:copy-input", "null:constant", "null:empty")
TASKS = ("narrativeqa", "narrativeqa", "commongen", "totto")


class Processes:
    """A server and two workers, each started again after its kill."""

    def __init__(self, service: Scenario, folder: Path) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        self._environment = {**kept, "HOME": str(folder), **service.environment}
        self._folder = folder
        self.port = free_port()
        self._commands = {
            "server": ("serve", "--no-worker", "--port", str(self.port)),
            "worker-0": ("worker", "--name", "worker-0"),
            "worker-1": ("worker", "--name", "worker-1"),
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Processes:
        for name in self._commands:
            self._start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def kill(self, name: str) -> None:
        """Kill one and start it again; it may have been starting still."""
        process = self._running[name]
        assert process.poll() is None, f"{name} ended by itself:\n{self.said(name)}"
        process.send_signal(signal.SIGKILL)
        process.wait()
        self._start(name)

    def check(self) -> None:
        """All three run."""
        for name, process in self._running.items():
            assert process.poll() is None, f"{name} ended by itself:\n{self.said(name)}"

    def said(self, name: str) -> str:
        """The end of what a process wrote."""
        return (self._folder / f"{name}.log").read_text(errors="replace")[-4000:]

    def libraries(self) -> str:
        """Files that the workers and all that they started have in memory."""
        import psutil

        found = []
        for name in ("worker-0", "worker-1"):
            with suppress(psutil.Error):
                worker = psutil.Process(self._running[name].pid)
                for process in (worker, *worker.children(recursive=True)):
                    with suppress(psutil.Error):
                        found += [entry.path for entry in process.memory_maps()]
        return "\n".join(found)

    def _start(self, name: str) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *self._commands[name]],
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=self._folder,
            )


def free_port() -> int:
    """A port that no client is given: one that asks a server which is being started again could be given its port."""
    for port in random.SystemRandom().sample(range(15_000, 30_000), 100):
        with suppress(OSError), socket.socket() as free:
            free.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


class Submitter(threading.Thread):
    """Hands in all files over HTTP; a server that is killed meanwhile is asked again."""

    def __init__(self, service: Scenario, token: str, port: int, files: dict[str, tuple[str, str]]) -> None:
        super().__init__(daemon=True)
        self._store, self._files = service.store, files
        self._address = f"http://127.0.0.1:{port}/api/v1/submissions"
        self._token = token
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            with httpx.Client(headers={"Authorization": f"Bearer {self._token}"}, timeout=60) as client:
                for name, (_, text) in self._files.items():
                    self._submit(client, name, text)
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.fault = error

    def _submit(self, client: httpx.Client, name: str, text: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            # A kill may have come between the submission's transaction and the answer.
            if name in {one.name for one in submitted(self._store)}:
                return
            try:
                answer = client.post(
                    self._address,
                    data={"name": name, "kind": "predictions", "public": "yes"},
                    files={"file": ("p.jsonl", text.encode())},
                )
            except httpx.TransportError:
                time.sleep(0.1)
                continue
            if answer.status_code == 201:
                return
            if answer.status_code not in (409, 429, 503):
                raise AssertionError(f"{answer.status_code}: {answer.text[:2000]}")
            time.sleep(min(5.0, float(answer.headers.get("Retry-After", "0.2"))))
        raise AssertionError("the server took nothing")


def submitted(store: object) -> list[Submission]:
    """All submissions."""
    found: list[Submission] = []
    cursor = None
    while True:
        page = all_submissions(store, limit=1000, cursor=cursor)
        found += page.submissions
        if (cursor := page.next_cursor) is None:
            return found


@pytest.fixture(scope="module")
def files() -> dict[str, tuple[str, str]]:
    """Name -> task and text, each different."""
    found: dict[str, tuple[str, str]] = {}
    seen: set[str] = set()
    for number in range(JOBS):
        task, system = TASKS[number % len(TASKS)], SYSTEMS[number // len(TASKS) % len(SYSTEMS)]
        text = null_predictions(system, task, seed=number)
        if text in seen:
            # A system without chance: one prediction more or less makes another file.
            lines = text.splitlines()
            place = number % len(lines)
            lines[place] = json.dumps({**json.loads(lines[place]), "prediction": f"{number}"})
            text = "\n".join(lines) + "\n"
        assert text not in seen
        seen.add(text)
        found[f"{system} {number}"] = (task, text)
    return found


@pytest.fixture(scope="module")
def undisturbed(files, tmp_path_factory) -> dict[str, tuple[dict, dict]]:
    """Values and samples of each file, by ``grue score``."""
    folder = tmp_path_factory.mktemp("undisturbed")
    found = {}
    for number, (name, (_, text)) in enumerate(files.items()):
        path = folder / f"{number}.jsonl"
        path.write_text(text)
        grue.score(path, data="mini", split="test", output=folder / str(number))
        found[name] = outcome(folder / str(number))
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request, databases_of: Callable[[str], Databases], tmp_path: Path) -> Iterator[Scenario]:
    url = databases_of(request.param).new()
    settings = {
        "GRUE_LEASE_SECONDS": "3",
        "GRUE_HEARTBEAT_SECONDS": "1",
        "GRUE_SCORED_PER_DAY": "100000",
        "GRUE_ATTEMPTS_PER_DAY": "100000",
        "GRUE_JOBS_WAITING": "100000",
        "GRUE_POSTS_PER_MINUTE": "100000",
        "GRUE_API_PER_MINUTE": "100000",
    }
    made = Scenario(tmp_path / "service", url, settings).open()
    yield made
    made.close()


def test_every_job_is_done_once_whatever_is_killed(service, files, undisturbed, tmp_path):
    rng = random.Random(f"{JOBS} {service.database[:8]}")
    user = users.user_by_name(service.store, "ann")
    token, _ = tokens.create_token(service.store, user.user_id, "test", ("submit",))
    checked: set[str] = set()
    kills = 0
    libraries = ""
    with Processes(service, tmp_path) as processes:
        submitter = Submitter(service, token, processes.port, files)
        submitter.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (done := jobs.status_counts(service.store).get("done", 0)) < JOBS:
            assert time.monotonic() < deadline, (done, processes.said("worker-0"), processes.said("server"))
            assert submitter.fault is None, submitter.fault
            check_whole(service, checked)
            if kills < KILLS and done >= kills * JOBS // KILLS:
                # Spread over the work that there is, at a moment that chance chooses.
                time.sleep(rng.uniform(0.0, 0.8))
                processes.kill(rng.choice(["worker-0", "worker-0", "worker-1", "worker-1", "server"]))
                kills += 1
            elif kills % 5 == 0:
                libraries += processes.libraries()
            time.sleep(0.05)
        processes.check()
    assert submitter.fault is None
    assert kills >= JOBS // 4
    assert "torch" not in libraries
    assert "pyarrow" in libraries
    everything = submitted(service.store)
    assert sorted(one.name for one in everything) == sorted(files)
    check_whole(service, checked)
    assert checked == {one.run_id for one in everything}
    assert {path.name for path in (service.home / "artifacts" / "runs").iterdir()} == checked
    for one in everything:
        assert outcome(service.run(one)) == undisturbed[one.name], one.name
    attempts = sum(jobs.job(service.store, one.job_id).attempt for one in everything)
    assert attempts > JOBS


def check_whole(service: Scenario, checked: set[str]) -> None:
    """Each run that the index shows is whole, from the first moment that it does."""
    cursor = None
    while True:
        with suppress(StoreError):
            page = queries.runs(service.store, limit=500, cursor=cursor)
            for run in page.runs:
                if run.run_id not in checked:
                    stored = read_run(queries.run(service.store, run.run_id).path)
                    assert stored.results["status"] == "finished"
                    checked.add(run.run_id)
            if (cursor := page.next_cursor) is None:
                return
