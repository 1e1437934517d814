"""A worker process for tests: takes jobs and brings a result for each, until none is open."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path

from grue.runs.read import read_run
from grue.store.database import open_store
from grue.store.records import record_of
from grue.store.service import jobs
from grue.store.service.values import OPEN


def work(url: str, name: str, run: Path, told: Path, lease_seconds: float = 60.0, pause: float = 0.0) -> None:
    """Work; each job that was taken, and each result that was accepted, is a line of ``told``."""
    record = record_of(read_run(run))
    chance = random.Random(name)
    with open_store(url) as store, told.open("a", buffering=1) as lines:
        while True:
            held = jobs.claim(store, name, lease_seconds)
            if held is None:
                counts = jobs.status_counts(store)
                if not any(counts[status] for status in OPEN):
                    return
                time.sleep(0.02)
                continue
            lines.write(f"taken {held.job_id} {held.attempt}\n")
            key = (store, held.job_id, held.attempt)
            jobs.seen(store, name, held.job_id)
            jobs.advance(*key, "scoring")
            jobs.add_log(*key, [f"{name} at work"])
            time.sleep(chance.random() * pause)
            jobs.heartbeat(*key, lease_seconds)
            # The id is the submission's, so that every attempt brings the same run.
            own = replace(record, run_id=held.submission_id)
            if jobs.finish(*key, own, own.run_id):
                lines.write(f"finished {held.job_id} {held.attempt}\n")
