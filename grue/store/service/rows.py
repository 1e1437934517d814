"""Rows of submissions and jobs as values, and the questions that read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, select

from grue.store.service.models import JobModel, SubmissionModel
from grue.store.service.values import Job, NewSubmission, Progress, Submission

# What a submission tells of its job.
_OF_JOB = ("status", "reason", "detail", "job_id")


def submissions_query() -> Select[Any]:
    """Submissions, each with the state of its job."""
    of_job = [getattr(JobModel, name) for name in _OF_JOB]
    return select(SubmissionModel.__table__, *of_job).join(
        JobModel, JobModel.submission_id == SubmissionModel.submission_id
    )


def submission_from(row: Mapping[Any, Any]) -> Submission:
    """A submission from its row and that of its job."""
    plain = {name: row[name] for name in _SUBMISSION if name not in ("tasks", "scores")}
    scores = None if row["scores"] is None else json.loads(row["scores"])
    return Submission(**plain, tasks=tuple(json.loads(row["tasks"])), scores=scores)


def submission_values(new: NewSubmission) -> dict[str, Any]:
    """The columns that a submitter fills."""
    return {**asdict(new), "tasks": json.dumps(list(new.tasks))}


def job_from(row: Mapping[Any, Any]) -> Job:
    """A job from its row."""
    plain = {name: row[name] for name in Job.__slots__ if name != "progress"}
    progress = None if row["progress"] is None else Progress(**json.loads(row["progress"]))
    return Job(**plain, progress=progress)


def progress_text(progress: Progress) -> str:
    """How far a step is, as it is stored."""
    return json.dumps(asdict(progress))


# A job whose workers were lost more often than that waits behind the others.
LOSSES_AT_ONCE = 2
_SUBMISSION = (*NewSubmission.__slots__, *Submission.__slots__)
