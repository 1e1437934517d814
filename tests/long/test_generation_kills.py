"""Workers killed while a checkpoint generates: another, on another host, goes on from what was stored."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import grue
from tests.processes import kill, outcome, start
from tests.worker.scenario import DEMO, Scenario, rows_of

pytestmark = pytest.mark.long

TASKS = ("commongen", "iwslt2017", "narrativeqa", "totto", "wmt16")
ROUNDS = 3
PATIENCE_SECONDS = 900


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Scenario]:
    more = {
        "GRUE_ARTIFACTS": str(tmp_path / "shared"),
        "GRUE_LEASE_SECONDS": "1",
        "GRUE_HEARTBEAT_SECONDS": "0.3",
    }
    made = Scenario(tmp_path / "service", f"sqlite:///{tmp_path / 'db.sqlite'}", more).open()
    yield made
    made.close()


@pytest.mark.parametrize("kind", ["causal", "seq2seq"])
def test_generations_are_taken_up_by_the_next_worker(service, kind, tmp_path):
    rng = random.Random(kind)
    made = service.submit("model", DEMO / kind, TASKS)
    total = sum(len(rows_of(task)) for task in TASKS)
    partial = tmp_path / "shared" / "partial" / made.job_id / "samples"
    kept: list[int] = []
    for number in range(ROUNDS):
        # Each worker has a home of its own: they share the database and the artifacts, and nothing else.
        (tmp_path / f"host-{number}").mkdir()
        worker = start("worker", "--once", **{**service.environment, "GRUE_HOME": str(tmp_path / f"host-{number}")})
        before = stored_rows(partial)
        wanted = before + rng.randrange(1, max(2, (total - before) // 2))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while stored_rows(partial) < wanted and worker.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if worker.poll() is not None or service.now(made).status in ("done", "failed"):
            worker.communicate(timeout=PATIENCE_SECONDS)
            break
        time.sleep(rng.uniform(0, 0.2))
        kill(worker)
        kept.append(stored_rows(partial))
        assert kept[-1] >= before
    assert kept
    deadline = time.monotonic() + PATIENCE_SECONDS
    while service.now(made).status not in ("done", "failed") and time.monotonic() < deadline:
        service.work()
        time.sleep(0.2)
    assert service.now(made).status == "done", service.log(made)
    assert "Going on with the generations of an earlier attempt." in service.log(made)
    run = service.run(made)
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    starts = [at for at, event in enumerate(events) if event["kind"] == "started" and not event.get("scoring_only")]
    generated = sum(event["generations"] for event in events[starts[-1] :] if event["kind"] == "generated")
    # The last start made what the others had not stored, and not a row more.
    assert generated == total - kept[-1]
    assert sum(pq.read_table(run / "samples" / f"{task}.parquet").num_rows for task in TASKS) == total
    grue.evaluate(f"demo:{kind}", TASKS, data="mini", split="test", output=tmp_path / "direct")
    assert outcome(run) == outcome(tmp_path / "direct")


def stored_rows(folder: Path) -> int:
    """Generations that another host would find."""
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("*.partial.jsonl"))
