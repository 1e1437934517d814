"""A desk where submissions are handed in, on both databases, with a clock that tests move."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from grue.runs.read import read_run
from grue.store.database import Store, open_store
from grue.store.records import RunRecord, record_of
from grue.store.service import jobs, submissions, users
from grue.store.service.values import Job, Limits, NewSubmission, Submission, User

LIMITS = Limits(scored_per_day=20, attempts_per_day=200, jobs_waiting=20)


@dataclass
class Desk:
    """A store with an account, and what tests do with both."""

    store: Store
    user: User
    now: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)
    limits: Limits = LIMITS
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def new(self, **changes: Any) -> NewSubmission:
        """Something to hand in, with content of its own."""
        values: dict[str, Any] = {
            "user_id": self.user.user_id, "name": "system", "kind": "predictions", "upload": "uploads/x", "model": "",
            "revision": "", "split": "test", "tasks": ("commongen",), "is_public": True, "description": "", "url": "",
            "licence": "", "trained_on": "", "contamination": "", "rows": 7,
            "content_sha256": f"{next(self.numbers):064x}", "is_hidden": False,
        }  # fmt: skip
        return NewSubmission(**{**values, **changes})

    def submit(self, **changes: Any) -> Submission:
        """Hand it in."""
        return submissions.submit(self.store, self.new(**changes), self.limits, now=self.now)

    def claim(self, worker: str = "w", **more: Any) -> Job:
        """Take a job, of which there must be one."""
        found = self.claim_any(worker, **more)
        assert found is not None
        return found

    def claim_any(self, worker: str = "w", **more: Any) -> Job | None:
        """Take a job, if there is one."""
        return jobs.claim(self.store, worker, 30, now=self.now, **more)

    def job(self, job_id: str) -> Job:
        """A job as it is now."""
        found = jobs.job(self.store, job_id)
        assert found is not None
        return found

    def again(self, submission: Submission) -> Submission:
        """A submission as it is now."""
        found = submissions.submission(self.store, submission.submission_id)
        assert found is not None
        return found

    def done(self, submission: Submission, record: RunRecord) -> str:
        """Let a worker bring a submission's result, with an id of its own; the run's id."""
        taken = self.claim()
        assert taken.submission_id == submission.submission_id
        own = replace(record, run_id=submission.submission_id)
        assert jobs.finish(self.store, taken.job_id, taken.attempt, own, own.run_id, now=self.now)
        return own.run_id


@pytest.fixture
def desk(store: Store) -> Desk:
    """A desk on a new database of each kind."""
    return Desk(store, users.create_user(store, "Ann", "submitter"))


@pytest.fixture
def desk_of(databases_of: Callable[..., Any]) -> Iterator[Callable[[str], tuple[Desk, str]]]:
    """Makes a desk on a database of the kind that is asked for, and says its address."""
    opened: list[Store] = []

    def make(kind: str) -> tuple[Desk, str]:
        url = databases_of(kind).new()
        opened.append(open_store(url))
        return Desk(opened[-1], users.create_user(opened[-1], "Ann", "submitter"), datetime.now(UTC)), url

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def record(runs: Any) -> RunRecord:
    """What the index holds of a run."""
    path: Path = runs.write()
    return record_of(read_run(path))
