"""Hostile uploads sent to a real server: no 5xx, no death, little memory, and what was stored before is still there."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest

from grue.core.rows import Row
from grue.store.service import tokens, users
from grue.submissions.expected import write_expected
from leaderboard_site.service import open_service
from tests.hostile.inputs import ROWS, hostile_inputs
from tests.hostile.packing import NAMES
from tests.hostile.prediction_files import sound
from tests.hostile.value import Hostile
from tests.service.serving import settings_in

KINDS = ("predictions", "run", "model", "text")
MOST_MIB = 512
LIMITS = {
    "split": "test", "upload_mb": "64", "unpacked_mb": "32", "posts_per_minute": "1000000", "api_per_minute": "1000000",
    "attempts_per_day": "1000000", "scored_per_day": "1000000", "jobs_waiting": "1000000",
}  # fmt: skip
# Said by a stranger, and never to come back as markup.
MARKUP = ("<script>alert", "<svg onload", "<img src=x")
PAGES = (
    "/runs/{}",
    "/runs/{}/samples/toy",
    "/tasks/{}",
    "/submissions/{}",
    "/?q={}",
    "/?sort={}",
    "/compare?runs={}",
    "/{}",
)


@dataclass(frozen=True)
class Server:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    client: httpx.Client
    home: Path
    errors: Path

    def most_mib(self) -> int:
        """The most memory that the server has held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        return int(found[1]) >> 10


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A board of a few rows, and a submitter's token in the client."""
    home = tmp_path / "home"
    home.mkdir()
    with open_service(settings_in(home, **LIMITS)) as service:
        write_expected(
            service.artifacts, "test", {task: [Row(row, "say") for row in ids] for task, ids in ROWS.items()}
        )
        token, _ = tokens.create_token(
            service.store, users.create_user(service.store, "submitter", "submitter").user_id, "t", ("read", "submit")
        )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GRUE_")}
    environment |= {f"GRUE_{key.upper()}": value for key, value in LIMITS.items()}
    environment |= {"GRUE_HOME": str(home), "GRUE_DATA": "mini", "GRUE_HUB": "no"}
    command = [sys.executable, "-m", "grue", "serve", "--no-worker", "--port", "0"]
    errors = tmp_path / "errors.txt"
    with errors.open("w") as log:
        process = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            address = re.search(r"http://\S+", process.stdout.readline())
            assert address, errors.read_text()
            headers = {"Authorization": f"Bearer {token}", "Accept": "text/html, */*"}
            with httpx.Client(base_url=address[0], headers=headers, timeout=600) as client:
                yield Server(process, client, home, errors)
        finally:
            process.kill()
            process.wait(30)
            assert process.stdout is not None
            process.stdout.close()


def send(server: Server, hostile: Hostile, number: int) -> httpx.Response:
    """Send an upload by one of the ways there are."""
    rng = random.Random(number)
    name = rng.choice([*NAMES, "p.jsonl", "<script>.gz", "model.safetensors"])[:200].replace("\0", "")
    fields: dict[str, str | bytes] = {"name": f"{hostile.name} {number}", "kind": hostile.kind, "public": "yes"}
    match hostile.kind:
        case "text":
            if rng.random() < 0.5:
                return server.client.get(rng.choice(PAGES).format(quote(hostile.content[:3_000])))
            fields = {**fields, "kind": "predictions"}
            for key in rng.sample(
                ["name", "description", "url", "licence", "trained_on", "kind", "public", "model"], 3
            ):
                fields[key] = hostile.content[:90_000]
            content = sound(ROWS, f"text {number}")
            path = rng.choice(["/submit", "/api/v1/submissions"])
            return server.client.post(path, data=fields, files={"file": (name, content)})
        case "model":
            files = [("file", (each[:300].replace("\0", ""), content)) for each, content in hostile.files.items()]
            return server.client.post("/api/v1/submissions", data=fields, files=files)
        case _ if rng.random() < 0.2 and hostile.kind == "predictions":
            return server.client.post("/api/v1/validate", content=hostile.content)
        case _:
            path = rng.choice(["/api/v1/validate", "/api/v1/submissions", "/submit"])
            asked = {"kind": hostile.kind} if path == "/submit" else {}
            return server.client.post(path, params=asked, data=fields, files={"file": (name, hostile.content)})


def is_taken(answer: httpx.Response) -> bool:
    """Whether an upload was said to be sound; the form shows faults on a page and goes on from a sound file."""
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    return answer.status_code < 400 and not is_page


@contextlib.contextmanager
def slow_bodies(server: Server, count: int) -> Iterator[None]:
    """Meanwhile, bodies that come a byte at a time and never end."""
    stop = threading.Event()
    at = urlsplit(str(server.client.base_url))
    connections = []
    for number in range(count):
        connection = socket.create_connection((at.hostname or "", at.port or 0), timeout=30)
        kind = "application/json" if number % 2 else "multipart/form-data; boundary=b"
        head = ("POST /api/v1/validate HTTP/1.1", "Host: x", f"Content-Type: {kind}", "Content-Length: 99999")
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        if not number % 2:
            connection.sendall(b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n')
        connections.append(connection)

    def drip() -> None:
        while not stop.wait(0.5):
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.sendall(b"{")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for connection in connections:
            connection.close()


def attack(server: Server, count: int) -> Counter[int]:
    """Statuses of so many answers, after a sound submission that has to outlive them."""
    before = server.client.post(
        "/api/v1/submissions", data={"name": "sound", "kind": "predictions"}, files={"file": ("p", sound(ROWS))}
    )
    assert before.status_code == 201, before.text
    statuses: Counter[int] = Counter()
    inputs = enumerate(hostile_inputs(count, kinds=KINDS))
    with ThreadPoolExecutor(4) as pool, slow_bodies(server, 8):
        while batch := list(itertools.islice(inputs, 16)):
            for (_, hostile), answer in zip(
                batch, pool.map(lambda one: send(server, one[1], one[0]), batch), strict=True
            ):
                statuses[answer.status_code] += 1
                assert answer.status_code < 500, (hostile.name, answer.text[:500])
                shown = answer.headers.get("content-type", "")
                if answer.status_code >= 400 and "json" in shown:
                    json.dumps(answer.json(), ensure_ascii=False).encode()
                elif "html" in shown:
                    assert not any(markup in answer.text for markup in MARKUP), hostile.name
                assert not (hostile.is_wrong and is_taken(answer)), (hostile.name, answer.text[:500])
    assert server.process.poll() is None
    assert "Traceback" not in server.errors.read_text()
    after = server.client.get(f"/api/v1/submissions/{before.json()['id']}")
    assert after.json()["status"] == "queued"
    assert after.json()["name"] == "sound"
    stored = [path.read_bytes() for path in (server.home / "artifacts" / "uploads").rglob("*") if path.is_file()]
    assert sound(ROWS) in stored
    assert server.client.get("/readyz").status_code == 200
    assert not Path("/tmp/grue-hostile-evil").exists()
    return statuses


def test_some_hostile_uploads_are_answered(server: Server) -> None:
    statuses = attack(server, 40)
    assert statuses[422] > 15
    assert server.most_mib() < MOST_MIB


@pytest.mark.long
def test_five_thousand_hostile_uploads_are_answered(server: Server) -> None:
    statuses = attack(server, 5_000)
    assert sum(statuses.values()) == 5_000
    assert statuses[422] > 2_500
    assert server.most_mib() < MOST_MIB
