"""The five steps of a submission: accepted, queued, generating, scoring, result."""

from __future__ import annotations

from dataclasses import dataclass

from grue.store.service.values import Job, Progress, Submission
from leaderboard_site.numbers import count, duration, moment, percent
from leaderboard_site.pages.submission_status import Standing, time_of


@dataclass(frozen=True, slots=True)
class Bar:
    """A progress bar with its numbers in words."""

    label: str
    done: int
    total: int
    percent: str


@dataclass(frozen=True, slots=True)
class Step:
    """One of the five steps; ``state`` is ``done``, ``now``, ``failed``, ``skipped`` or empty for what is to come."""

    name: str
    state: str
    note: str = ""
    bar: Bar | None = None


def steps_of(submission: Submission, standing: Standing) -> tuple[Step, ...]:
    """The five steps, each with its state."""
    job, status = standing.job, submission.status
    progress = job.progress if job else None
    at = _reached(submission, job)
    names = ("Accepted", "Queued", "Generating", "Scoring", "Result")
    notes = [
        f"{moment(time_of(submission.created_at))}, its check found no error",
        _queued_note(submission, standing),
        "not needed: its texts came with it" if submission.kind != "model" else "",
        "",
        _result_note(submission),
    ]
    steps = []
    for index, (name, note) in enumerate(zip(names, notes, strict=True)):
        if name == "Generating" and submission.kind != "model":
            state = "skipped"
        elif index < at or status == "done":
            state = "done"
        elif index == at:
            state = "failed" if status in ("failed", "cancelled") else "now"
        else:
            state = ""
        bar = None
        if state == "now" and progress is not None and progress.step == status and progress.rows_total:
            bar = _bar(progress)
        if state == "now" and name == "Generating" and job and job.attempt > 1:
            note = f"attempt {job.attempt}: it goes on from the last row that was kept"
        steps.append(Step(name, state, note, bar))
    return tuple(steps)


def _reached(submission: Submission, job: Job | None) -> int:
    """The step at which it is, or ended before the result."""
    status = submission.status
    if status in ("failed", "cancelled"):
        if job is None or job.started_at is None:
            return 1
        step = job.progress.step if job.progress else ""
        if (submission.reason or "").startswith("score") or step == "scoring":
            return 3
        return 2 if submission.kind == "model" else 3
    if status == "leased":
        return 2 if submission.kind == "model" else 3
    return {"queued": 1, "generating": 2, "scoring": 3, "done": 4}[status]


def _bar(progress: Progress) -> Bar:
    parts = [f"{count(progress.rows_done)} of {count(progress.rows_total)} rows"]
    if progress.task:
        parts.insert(0, progress.task)
    if progress.rate:
        parts.append(f"{count(round(progress.rate * 60))} rows a minute")
    return Bar(
        ", ".join(parts), progress.rows_done, progress.rows_total, percent(progress.rows_done / progress.rows_total)
    )


def _queued_note(submission: Submission, standing: Standing) -> str:
    if submission.status == "queued":
        again = f" Its attempt {standing.job.attempt} was given back." if standing.job and standing.job.attempt else ""
        before = f"{count(standing.place - 1)} before it" if standing.place > 1 else "next"
        return f"{before}.{again}" if again else before
    job = standing.job
    if job is None or job.started_at is None:
        return ""
    return f"waited {duration((time_of(job.started_at) - time_of(job.created_at)).total_seconds())}"


def _result_note(submission: Submission) -> str:
    if submission.status in ("failed", "cancelled"):
        return "none"
    if submission.is_public:
        return "on the board" if submission.status == "done" else "goes onto the board"
    return "private until you publish it"
