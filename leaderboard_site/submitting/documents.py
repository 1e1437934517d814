"""The JSON documents of submissions."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from grue.core.text import Json
from grue.store.service.values import Job, Submission
from grue.submissions.check import CheckedUpload
from leaderboard_site.pages.submission_status import is_released
from leaderboard_site.submitting.fields import FieldFault
from leaderboard_site.submitting.refusals import RefusalError


def submission_document(submission: Submission, job: Job | None = None, place: int | None = None) -> dict[str, Json]:
    """A submission as the API tells it.

    Args:
        submission: The submission.
        job: Its job, where its progress is asked for.
        place: Its place in the queue, where that is asked for: 0 while it runs.
    """
    shown = is_released(submission, datetime.now(UTC)) and not submission.withdrawn_at and not submission.removed_at
    document: dict[str, Json] = {
        "id": submission.submission_id,
        "url": f"/submissions/{submission.submission_id}",
        "name": submission.name,
        "kind": submission.kind,
        "status": submission.status,
        "reason": submission.reason,
        "detail": submission.detail,
        "run_id": submission.run_id if shown else None,
        "public": submission.is_public,
        "split": submission.split,
        "tasks": list(submission.tasks),
        "rows": submission.rows,
        "model": submission.model or None,
        "revision": submission.revision or None,
        "description": submission.description,
        "link": submission.url,
        "licence": submission.licence,
        "trained_on": submission.trained_on,
        "contamination": submission.contamination,
        "created_at": submission.created_at,
        "published_at": submission.published_at,
        "withdrawn_at": submission.withdrawn_at,
        "removed_at": submission.removed_at,
        "removed_reason": submission.removed_reason,
    }
    if submission.is_hidden:
        document["released_at"] = submission.released_at
        document["scores"] = dict(submission.scores) if shown and submission.scores else None
    if job is not None:
        document["attempt"] = job.attempt
        document["progress"] = asdict(job.progress) if job.progress else None
        document["finished_at"] = job.finished_at
    if place is not None:
        document["place"] = place
    return document


def checked_document(checked: CheckedUpload) -> dict[str, Json]:
    """A sound upload."""
    return {
        "valid": True,
        "kind": checked.kind,
        "rows": checked.rows,
        "content_sha256": checked.content_sha256,
        "tasks": {name: asdict(count) for name, count in checked.tasks.items()},
        "notes": list(checked.notes),
    }


def invalid_file(checked: CheckedUpload) -> RefusalError:
    """The problem of an upload with errors; the first hundred, and how many there are."""
    errors = [{"line": one.line, "id": one.id, "problem": one.problem, "fix": one.fix} for one in checked.problems]
    count = f"{checked.problem_count:,} error{'s' * (checked.problem_count != 1)}"
    return RefusalError(
        422,
        "The file has errors",
        f"{count}; nothing was submitted, and this did not cost quota.",
        valid=False,
        errors=errors,
        error_count=checked.problem_count,
    )


def invalid_fields(faults: tuple[FieldFault, ...]) -> RefusalError:
    """The problem of fields that cannot be taken, in the form of a file's errors."""
    errors = [{"line": None, "id": None, "field": one.field, "problem": one.problem, "fix": one.fix} for one in faults]
    return RefusalError(
        422,
        "A field is wrong",
        " ".join(f"{one.field}: {one.problem}" for one in faults),
        errors=errors,
        error_count=len(errors),
    )
