"""The id of the run that an attempt of a job makes: the same whenever it is asked for, another for each attempt.

An attempt that lost its job may still be storing files while the next one stores its own: as each has a place of its
own, neither sees half of the other's, and the one whose result counts knows what the others may have left behind.
"""

from __future__ import annotations

import hashlib

from ulid import ULID

from grue.store.service.values import Job


def run_id_of(job: Job, attempt: int | None = None) -> str:
    """A ULID of the job's time, its random part a hash over job and attempt."""
    number = job.attempt if attempt is None else attempt
    digest = hashlib.sha256(f"grue-run-1:{job.job_id}:{number}".encode()).digest()
    return str(ULID.from_bytes(ULID.from_str(job.job_id).bytes[:6] + digest[:10]))


def earlier_run_ids(job: Job) -> list[str]:
    """Ids of runs that earlier attempts may have stored."""
    return [run_id_of(job, attempt) for attempt in range(1, job.attempt)]
