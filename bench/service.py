"""The service on a board of 1,000 runs × 7 tasks, with uploads going on: latency, requests a second, sizes.

The server is ``grue serve --no-worker`` in a process of its own; this process is the client: connections that stay open
and ask one request after another, while others send prediction files to ``/api/v1/validate``, each piece by piece and
the next one at once, so that as many uploads as said are under way at every moment. Asked for are the first view of the
board as a browser takes it (brotli), the same again with its tag (304), other orders and filters of it, the ranking as
JSON, and pages of runs. What is measured is what a client sees, and beside it the processor's time of the server, which
says what the clock would on a machine that does nothing else.

    python bench/service.py
    taskset -c 1 python bench/service.py --seconds 10
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from service_runs import write_board

from grue.store.database import open_store
from grue.store.rebuild import rebuild
from grue.submissions.artifacts import Artifacts
from grue.submissions.expected import read_expected
from grue.submissions.settings import service_settings
from grue.worker.expected import publish_expected

PIECES = 20
BOUNDARY = "grue-bench-7d1f0c"
Asked = list[tuple[str, str, str]]  # path, headers, kind


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--uploads", type=int, default=20)
    parser.add_argument("--upload-seconds", type=float, default=4.0, help="How long the sending of one file takes.")
    parser.add_argument("--kept", type=Path, help="Folder of a board written before, or to be kept.")
    call = parser.parse_args()
    with contextlib.ExitStack() as stack:
        home = call.kept or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environ = _prepared(home, call.runs)
        process, address = stack.enter_context(_served(environ, home))
        found = asyncio.run(_measured(address, process.pid, call, _upload(environ, home)))
        memory = _peak_megabytes(process.pid)
    print(json.dumps({"cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0], "runs": call.runs, **found,
                      "server_peak_mb": memory}, indent=1))  # fmt: skip


def _prepared(home: Path, n_runs: int) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GRUE_")}
    environ = kept | {
        "GRUE_HOME": str(home / "home"), "GRUE_DATA": "mini", "GRUE_SPLIT": "test", "GRUE_LOG_FORMAT": "json",
        "GRUE_POSTS_PER_MINUTE": "1000000", "GRUE_API_PER_MINUTE": "1000000", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    settings = service_settings(environ, home)
    if not (home / "runs").exists():
        write_board(home / "runs", n_runs)
        with open_store(settings.database_url or f"sqlite:///{home}/home/grue.sqlite") as store:
            rebuild(store, [home / "runs"])
        publish_expected(settings, Artifacts(settings.artifacts, home / "cache"))
    return environ


@contextlib.contextmanager
def _served(environ: dict[str, str], home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    words = [sys.executable, "-m", "grue", "serve", "--port", "0", "--no-worker"]
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen(words, env=environ, cwd=home, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            line = process.stdout.readline() if process.stdout else ""
            address = re.search(r"http://\S+", line)
            if address is None:
                raise SystemExit(f"the server does not start: {(home / 'server.log').read_text()[-2000:]}")
            yield process, address[0]
        finally:
            process.terminate()
            process.wait(60)


def _upload(environ: dict[str, str], home: Path) -> bytes:
    """A form with a prediction for every row of the split."""
    settings = service_settings(environ, home)
    expected = read_expected(Artifacts(settings.artifacts, home / "cache"), settings.split)
    if expected is None:
        raise SystemExit("no rows to answer were published")
    lines = [
        json.dumps({"task": task, "id": row.id, "prediction": "a grey river walks under the bridge " * 20})
        for task, rows in expected.tasks.items()
        for row in rows
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="p.jsonl"\r\n\r\n'
    return head.encode() + "\n".join(lines).encode() + f"\n\r\n--{BOUNDARY}--\r\n".encode()


@dataclass
class Answer:
    """What came back: status, headers in lower case, bytes of the body, and how long it took."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


class Connection:
    """One connection that stays open."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(
        self, path: str, headers: str = "", method: str = "GET", body: bytes = b"", seconds: float = 0.0
    ) -> Answer:
        """Send one request, its body over so many seconds, and read its answer whole."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nAccept-Encoding: br\r\n{headers}{length}\r\n"
        start = time.perf_counter()
        self._writer.write(head.encode())
        step = -(-len(body) // PIECES)
        for first in range(0, len(body), step or 1):
            self._writer.write(body[first : first + step])
            await self._writer.drain()
            await asyncio.sleep(seconds / PIECES)
        raw = await self._reader.readuntil(b"\r\n\r\n")
        line, *rest = raw.decode("latin-1").split("\r\n")
        found = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest if one)}
        content = await self._reader.readexactly(int(found.get("content-length", "0")))
        return Answer(int(line.split(" ")[1]), found, content, time.perf_counter() - start)


@dataclass
class Tally:
    """Latencies by kind of request, and what was not as it should be."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)
    uploads: int = 0
    upload_bytes: int = 0


async def _measured(address: str, pid: int, call: argparse.Namespace, upload: bytes) -> dict[str, object]:
    first = Connection(address)
    start = time.perf_counter()
    cold = await first.ask("/")
    cold_seconds = time.perf_counter() - start
    ranking = json.loads(await _plain(first, "/api/v1/leaderboard?limit=300"))
    runs = [row["run_id"] for row in ranking["rows"]]
    asked = _asked(cold.headers.get("etag", ""), runs)
    for path, headers, _ in {one[0]: one for one in asked}.values():
        await first.ask(path, headers)
    sizes = {path: len((await first.ask(path)).body) for path in ("/", "/api/v1/leaderboard", f"/runs/{runs[0]}")}
    out: dict[str, object] = {"first_request_seconds": round(cold_seconds, 2), "compressed_bytes": sizes}
    for name, n_uploads in (("alone", 0), (f"with {call.uploads} uploads", call.uploads)):
        busy, tally, stop = _processor_seconds(pid), Tally(), time.perf_counter() + call.seconds
        readers = [_read(address, asked, stop, tally, random.Random(seed)) for seed in range(call.connections)]
        senders = [_send(address, upload, stop, tally, call.upload_seconds) for _ in range(n_uploads)]
        await asyncio.gather(*readers, *senders)
        out[name] = _figures(tally, call.seconds, _processor_seconds(pid) - busy)
    return out


async def _plain(connection: Connection, path: str) -> bytes:
    import brotli

    answer = await connection.ask(path)
    return brotli.decompress(answer.body) if answer.headers.get("content-encoding") == "br" else answer.body


def _asked(etag: str, runs: list[str]) -> Asked:
    """Path, headers and kind, as often as each is asked for."""
    views = ["/?sort=speed", "/?q=model+1", "/?view=naturalness", "/?mark=verified", "/?charts=no", "/tasks/totto"]
    return (
        [("/", "", "first view")] * 8
        + [("/", f"If-None-Match: {etag}\r\n", "304")] * 6
        + [(path, "", "other views") for path in views]
        + [("/api/v1/leaderboard", "", "JSON")] * 2
        + [(f"/runs/{run}", "", "run page") for run in runs[:3]]
    )


async def _read(
    address: str, asked: list[tuple[str, str, str]], stop: float, tally: Tally, pick: random.Random
) -> None:
    connection = Connection(address)
    while time.perf_counter() < stop:
        path, headers, kind = pick.choice(asked)
        answer = await connection.ask(path, headers)
        tally.seconds.setdefault(kind, []).append(answer.seconds)
        if answer.status != (304 if kind == "304" else 200):
            tally.wrong.add(f"{answer.status} {path}")


async def _send(address: str, upload: bytes, stop: float, tally: Tally, seconds: float) -> None:
    connection = Connection(address)
    await asyncio.sleep(random.random() * seconds)
    kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
    while time.perf_counter() < stop:
        answer = await connection.ask("/api/v1/validate", kind, "POST", upload, seconds)
        if answer.status != 200:
            tally.wrong.add(f"{answer.status} upload")
        tally.uploads += 1
        tally.upload_bytes += len(upload)


def _figures(tally: Tally, seconds: float, busy: float) -> dict[str, object]:
    every = [one for kind in tally.seconds.values() for one in kind]
    return {
        "requests_per_second": round(len(every) / seconds),
        "requests_per_processor_second": round(len(every) / busy),
        "milliseconds": {"all": _quantiles(every), **{kind: _quantiles(one) for kind, one in tally.seconds.items()}},
        "wrong_answers": sorted(tally.wrong),
        "uploads_per_second": round(tally.uploads / seconds, 1),
        "uploaded_mb_per_second": round(tally.upload_bytes / 1e6 / seconds, 1),
    }


def _quantiles(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100) if len(seconds) > 1 else [seconds[0]] * 99
    return {"p50": round(1000 * cuts[49], 2), "p95": round(1000 * cuts[94], 2), "p99": round(1000 * cuts[98], 2)}


def _processor_seconds(pid: int) -> float:
    """Of the server so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    return round(int(found[1]) / 1024) if found else 0.0


if __name__ == "__main__":
    main()
