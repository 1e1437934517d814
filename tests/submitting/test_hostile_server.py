"""Hostile uploads, names and connections against ``grue serve`` itself: it answers on, small, and loses nothing."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from grue.core.rows import Row
from grue.store.service import tokens, users
from grue.submissions.expected import write_expected
from leaderboard_site.service import open_service
from tests.hostile.inputs import ROWS, hostile_inputs, sound_predictions
from tests.hostile.value import Hostile
from tests.service.serving import settings_in

KINDS = ("predictions", "run", "model", "text")
MIB = 1 << 20
SERVER_MIB = 512
SETTINGS = {
    "split": "test",
    "posts_per_minute": "1000000",
    "api_per_minute": "1000000",
    "attempts_per_day": "1000000",
    "scored_per_day": "20",
}


@dataclass
class Serving:
    """A server in a process of its own, and how large it became."""

    address: str
    process: psutil.Process
    token: str
    peak_mib: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def watch(self, stop: threading.Event) -> None:
        while not stop.wait(0.25):
            self.peak_mib = max(self.peak_mib, self.process.memory_info().rss / MIB)

    def note(self, what: str, answer: httpx.Response) -> None:
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 500:
            self.faults.append(f"{what}: {answer.status_code} {answer.text[:300]}")


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """``grue serve`` without a worker, rows to answer, one account, one submission that waits."""
    home = tmp_path / "home"
    home.mkdir()
    settings = settings_in(home, **SETTINGS)
    with open_service(settings) as service:
        rows = {task: [Row(one, f"prompt {one}") for one in ids] for task, ids in ROWS.items()}
        write_expected(service.artifacts, "test", rows)
        user = users.create_user(service.store, "ada", "submitter")
        token, _ = tokens.create_token(service.store, user.user_id, "tests", ("read", "submit"))
    changes = {f"GRUE_{key.upper()}": value for key, value in SETTINGS.items()}
    environ = {**os.environ, "GRUE_HOME": str(home), "GRUE_DATA": "mini", "GRUE_HUB": "no", **changes}
    command = [sys.executable, "-m", "grue", "serve", "--no-worker", "--port", "0"]
    with (
        open(tmp_path / "log", "w") as log,
        subprocess.Popen(command, env=environ, cwd=home, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        found = Serving(address, psutil.Process(process.pid), token)
        stop = threading.Event()
        watcher = threading.Thread(target=found.watch, args=(stop,))
        watcher.start()
        try:
            yield found
            assert process.poll() is None
        finally:
            stop.set()
            watcher.join()
            process.terminate()
            process.wait(60)
    assert "Traceback" not in (tmp_path / "log").read_text()


def post(serving: Serving, client: httpx.Client, hostile: Hostile, number: int) -> None:
    """Send one input the way that its kind comes, by form and by API in turn."""
    headers = {"Authorization": f"Bearer {serving.token}"}
    rng = random.Random(number)
    if hostile.kind == "text":
        said = hostile.content
        names = ("name", "description", "url", "licence", "trained_on", "contamination", "kind", "public")
        parts: list[Any] = [(name, (None, said)) for name in rng.sample(names, 4)]
        parts.append(("file", (said.decode("utf-8", "replace"), sound_predictions())))
        page = client.post("/submit", files=parts, headers={"Accept": "text/html"})
        serving.note(hostile.name, page)
        # Said or not, it is never markup.
        assert "<script>alert" not in page.text
        assert "<svg onload" not in page.text
        serving.note(hostile.name, client.post("/api/v1/submissions", files=parts, headers=headers))
        address = f"/submissions/{said[:200].hex() if number % 2 else '%2e%2e%2fx'}"
        serving.note(hostile.name, client.get(address))
        return
    if hostile.kind == "model":
        files: Any = [("name", (None, "x")), ("kind", (None, "model"))]
        files += [("file", (name, content)) for name, content in hostile.files.items()]
        answer = client.post("/api/v1/submissions", files=files, headers=headers)
    elif number % 3:
        files = {"kind": (None, hostile.kind), "file": (hostile.name, hostile.content)}
        answer = client.post("/api/v1/validate", files=files)
    else:
        files = {"name": (None, "x"), "public": (None, "no"), "file": (hostile.name, hostile.content)}
        answer = client.post("/submit", params={"kind": hostile.kind}, files=files)
    serving.note(hostile.name, answer)
    if hostile.is_wrong:
        assert answer.status_code not in (201, 303), hostile.name
        assert not (number % 3 and answer.status_code == 200 and hostile.kind != "model"), hostile.name


def slow_bodies(address: str, count: int) -> list[socket.socket]:
    """Connections that begin a large upload and say no more."""
    host, port = address.removeprefix("http://").split(":")
    opened = []
    head = (
        "POST /api/v1/validate HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        'Content-Length: 1000000\r\n\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n{'
    )
    for _ in range(count):
        one = socket.create_connection((host, int(port)))
        one.sendall(head.encode())
        opened.append(one)
    return opened


def attack(serving: Serving, count: int) -> None:
    headers: Mapping[str, str] = {"Authorization": f"Bearer {serving.token}"}
    with httpx.Client(base_url=serving.address, timeout=300) as client, contextlib.ExitStack() as stack:
        files = {"file": ("a.jsonl", sound_predictions())}
        data = {"name": "stored before", "kind": "predictions"}
        before = client.post("/api/v1/submissions", data=data, files=files, headers=headers).json()["id"]
        for one in slow_bodies(serving.address, 20):
            stack.enter_context(one)
        with ThreadPoolExecutor(4) as pool:
            tasks = [
                pool.submit(post, serving, client, hostile, number)
                for number, hostile in enumerate(hostile_inputs(count, kinds=KINDS))
            ]
            for task in tasks:
                task.result()
        assert serving.faults == []
        kept = client.get(f"/api/v1/submissions/{before}", headers=headers).json()
        assert (kept["name"], kept["status"]) == ("stored before", "queued")
        fine = client.post("/api/v1/validate", files=files)
        assert fine.json()["valid"] is True
        assert client.get("/readyz").status_code == 200
    assert 0 < serving.peak_mib < SERVER_MIB
    assert sum(serving.statuses.values()) >= count


def test_the_server_answers_hostile_inputs_and_goes_on(serving: Serving) -> None:
    attack(serving, 40)


@pytest.mark.long
def test_five_thousand_hostile_inputs_end_nothing(serving: Serving) -> None:
    attack(serving, 5_000)
