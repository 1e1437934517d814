"""A stand-in hub on loopback, and a small task that is published there."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from grue.core.decoding import Decoding
from grue.core.rows import Row
from grue.core.task import Suite, Task, Truncation

DATASET = "stand/in"
REVISION = "a" * 40


@dataclass
class StandInHub:
    """What the server has and what it was asked.

    Attributes:
        files: Path -> bytes, at the one revision.
        breaks: Path -> bytes after which the next download of it is cut off, once.
        requests: Method, path and Range header of every request.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    breaks: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    """A server that answers what ``hf_hub_download`` and ``dataset_info`` ask."""
    state = StandInHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5  # a connection that is kept open ends with the server, which waits for it

        def log_message(self, *_: Any) -> None:
            """Keep the test's output clean."""

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            asked = self.headers.get("Range", "")
            state.requests.append((self.command, self.path, asked))
            prefix = f"/datasets/{DATASET}/resolve/"
            if self.path == "/":
                self.reply(200, b"", body=body)
            elif self.path.startswith("/archive/"):
                self.file(state.files.get(self.path.removeprefix("/archive/")), asked, body=body)
            elif self.path.startswith(f"/api/datasets/{DATASET}/revision/"):
                revision = self.path.split("?")[0].rpartition("/")[2]
                if revision != REVISION:
                    self.reply(404, b"{}", {"X-Error-Code": "RevisionNotFound"}, body=body)
                else:
                    info = {"id": DATASET, "sha": REVISION, "siblings": [], "tags": [], "private": False}
                    self.reply(200, json.dumps(info).encode(), {"Content-Type": "application/json"}, body=body)
            elif self.path.startswith(prefix):
                revision, _, name = self.path.removeprefix(prefix).partition("/")
                if revision != REVISION:
                    self.reply(404, b"", {"X-Error-Code": "RevisionNotFound"}, body=body)
                else:
                    self.file(state.files.get(name), asked, body=body, name=name)
            else:
                self.reply(404, b"", {"X-Error-Code": "RepoNotFound"}, body=body)

        def file(self, content: bytes | None, asked: str, *, body: bool, name: str = "") -> None:
            if content is None:
                self.reply(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": REVISION}, body=body)
                return
            headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": REVISION}
            name = name or self.path.rpartition("/")[2]
            if asked:
                start = int(asked.removeprefix("bytes=").partition("-")[0])
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
                self.reply(206, content[start:], headers, body=body)
            elif body and name in state.breaks:
                self.reply(200, content, headers, body=True, sent=state.breaks.pop(name))
            else:
                self.reply(200, content, headers, body=body)

        def reply(
            self,
            status: int,
            content: bytes,
            headers: Mapping[str, str] | None = None,
            *,
            body: bool,
            sent: int | None = None,
        ) -> None:
            self.send_response(status)
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content[:sent])
            if sent is not None:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def parquet_bytes() -> Callable[[Mapping[str, list[Any]]], bytes]:
    """Writes columns as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def write(columns: Mapping[str, list[Any]]) -> bytes:
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table(dict(columns)), sink)
        return bytes(sink.getvalue().to_pybytes())

    return write


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[..., Path]:
    """Writes a task plugin whose source takes the given arguments; returns its folder."""

    def write(**source: Any) -> Path:
        folder = tmp_path / "published"
        folder.mkdir(exist_ok=True)
        text = textwrap.dedent(
            f"""
            from grue.core.decoding import Decoding
            from grue.core.rows import Row
            from grue.core.source import HubSource
            from grue.core.task import MetricSpec, Suite, Task, Truncation


            def rows(records):
                for record in records:
                    yield Row(record.string("id"), record.string("text"), (record.string("answer"),))


            def suite(quirks):
                return Suite(rows=rows, truncation=Truncation("right", 8), decoding=Decoding(max_new_tokens=4),
                             metrics=(MetricSpec("f1"),), primary=("f1",))


            TASK = Task(name="published", version=1, title="Published", summary="Stand-in.", suite=suite,
                        package=__name__, source=HubSource(**{source!r}))
            """
        )
        (folder / "__init__.py").write_text(text)
        return folder

    return write


@pytest.fixture
def grue_online(hub: StandInHub, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs ``grue`` in a process of its own whose hub is the stand-in."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "GRUE_", "TRANSFORMERS"))}
        return subprocess.run(
            [sys.executable, "-c", "from grue.cli.main import main; main()", *map(str, arguments)],
            env={
                **kept,
                "HF_ENDPOINT": hub.address,
                "HF_HOME": str(tmp_path / "hf"),
                "HF_HUB_DISABLE_TELEMETRY": "1",
                "GRUE_HOME": str(tmp_path / "home"),
                "NO_PROXY": "127.0.0.1",
                "no_proxy": "127.0.0.1",
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def make_task() -> Callable[..., Task]:
    """A task of records ``{"id", "text"}``; ``rows`` and other fields may be replaced."""

    def rows(records: Any) -> Iterator[Row]:
        for record in records:
            yield Row(record.string("id"), record.string("text"), ("reference",))

    def make(rows: Callable[..., Any] = rows, **fields: Any) -> Task:
        suite = Suite(
            rows=rows,
            truncation=Truncation("right", 8),
            decoding=Decoding(max_new_tokens=4),
            metrics=(),
            primary=(),
        )
        values: dict[str, Any] = {"name": "toy", "version": 1, "title": "Toy", "summary": "", "package": "no_such"}
        return Task(suite=lambda _: suite, **{**values, **fields})

    return make
