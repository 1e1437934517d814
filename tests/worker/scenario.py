"""A service without its web part: settings, store, artifacts, an account, and what it hands in."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from grue.core.rows import Row
from grue.core.task import STANDARD, Suite
from grue.data.location import locate
from grue.data.split import load_split
from grue.engine.open import EngineOptions, open_engine
from grue.engine.protocol import Job, Request
from grue.registry.tasks import load_task
from grue.store.database import Store, open_store
from grue.store.service import jobs, submissions, users
from grue.store.service.values import Limits, NewSubmission, Submission
from grue.submissions.artifacts import Artifacts
from grue.submissions.settings import ServiceSettings, service_settings
from grue.worker import run_worker

MANY = Limits(scored_per_day=10_000, attempts_per_day=10_000, jobs_waiting=10_000)
DEMO = Path(__file__).parents[2] / "grue" / "engine" / "demo"


@cache
def rows_of(name: str) -> tuple[Row, ...]:
    """Rows of a task's test split, with labels."""
    suite, place = suite_of(name), locate("mini", "mini")
    return tuple(load_split(load_task(name), suite, "test", place, home=Path(), limit=None, offline=True).rows)


@cache
def suite_of(name: str) -> Suite:
    """A task's suite."""
    return load_task(name).profile(STANDARD)


def null_predictions(system: str, task: str, seed: int = 0) -> str:
    """A prediction file of a null system."""
    rows = rows_of(task)
    suite = suite_of(task)
    engine = open_engine(system, EngineOptions())
    job = Job(decoding=suite.decoding, truncation=suite.truncation, seed=seed, rows=rows)
    made = [one for portion in engine.generate([Request(row, 0) for row in rows], job) for one in portion.generations]
    lines = ({"task": task, "id": one.id, "prediction": one.prediction} for one in made)
    return "".join(json.dumps(line) + "\n" for line in lines)


@dataclass
class Scenario:
    """One service in a folder."""

    home: Path
    database: str
    more: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """Variables of its processes."""
        return {
            "GRUE_HOME": str(self.home),
            "GRUE_DATABASE_URL": self.database,
            "GRUE_DATA": "mini",
            "GRUE_SPLIT": "test",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            **self.more,
        }

    def open(self) -> Scenario:
        """Open the store, make an account."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.settings: ServiceSettings = service_settings(self.environment, self.home)
        self.store: Store = open_store(self.database)
        self.artifacts = Artifacts(self.settings.artifacts, self.home / "cache")
        self.user = users.user_by_name(self.store, "ann") or users.create_user(self.store, "ann", "submitter")
        self._uploads = 0
        return self

    def close(self) -> None:
        """Give the store back."""
        self.store.close()

    def submit(self, kind: str, upload: Path, tasks: tuple[str, ...], **more: object) -> Submission:
        """Upload something and queue it."""
        self._uploads += 1
        key = f"uploads/{kind}-{self._uploads}-{os.urandom(4).hex()}"
        (self.artifacts.put_folder if upload.is_dir() else self.artifacts.put_file)(upload, key)
        new = NewSubmission(
            user_id=self.user.user_id,
            name="system",
            kind=kind,
            upload=key,
            model="",
            revision="",
            split=self.settings.split,
            tasks=tasks,
            is_public=True,
            description="What it is.",
            url="https://example.org/system",
            licence="MIT",
            trained_on="nothing",
            contamination="none known",
            rows=1,
            content_sha256=os.urandom(32).hex(),
            is_hidden=self.settings.is_hidden,
        )
        return submissions.submit(self.store, replace(new, **more), MANY)

    def predictions(self, text: str, task: str = "narrativeqa", **more: object) -> Submission:
        """Queue a prediction file."""
        path = self.home / "predictions.jsonl"
        path.write_text(text, encoding="utf-8")
        return self.submit("predictions", path, (task,), **more)

    def work(self, **settings: object) -> list[str]:
        """Run a worker in this process until nothing waits; what it said."""
        said: list[str] = []
        chosen = self.settings.model_copy(update=settings)
        run_worker(chosen, self.store, name="here", stop=threading.Event(), once=True, tell=said.append)
        return said

    def now(self, submission: Submission) -> Submission:
        """A submission as it is now."""
        found = submissions.submission(self.store, submission.submission_id)
        assert found is not None
        return found

    def run(self, submission: Submission) -> Path:
        """Its run directory."""
        run_id = self.now(submission).run_id
        assert run_id is not None, self.now(submission)
        return self.artifacts.local_folder(f"runs/{run_id}")

    def log(self, submission: Submission) -> list[str]:
        """Its log."""
        return [line.text for line in jobs.log(self.store, submission.job_id)]
