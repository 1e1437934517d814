"""One submission: where it stands, in a sentence, five steps and a log; then its result and what its owner may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from grue.store.service.values import ENDED, RUNNING, Job, LogLine, Progress, Submission
from leaderboard_site.links import Page
from leaderboard_site.numbers import bytes_, count, duration, moment, percent, plural
from leaderboard_site.pages.frame import MARKS, Fact, Frame
from leaderboard_site.pages.submission_result import Result
from leaderboard_site.pages.submit import deleted_after

SCRIPT = "progress.js"
REFRESH_SECONDS = 30
UNDO_DAYS = 7
KIND_WORDS = {"predictions": "predictions", "run": "run directory", "model": "checkpoint"}
MARK_OF = {"predictions": "rescored", "run": "rescored", "model": "verified"}
_OURS = ("worker-lost", "internal", "queue-timeout")


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


@dataclass(frozen=True, slots=True)
class Note:
    """What stands out: published, withdrawn, failed; with the one action that it offers."""

    text: str
    title: str = ""
    is_bad: bool = False
    action: str = ""
    button: str = ""
    page: Page | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log; numbers grow."""

    number: int
    time: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionView:
    """Page value of ``submission.html``.

    Attributes:
        lead: The status in one sentence, which scripts replace.
        is_live: Whether it still changes by itself.
        can_cancel: Whether the viewer may stop it now.
        can_publish: Whether the viewer may put the result on the board now.
        can_withdraw: Whether the viewer may withdraw it with its texts.
        log_note: Why the log is short or empty.
        events: Address that scripts listen to; empty where nothing changes any more.
    """

    frame: Frame
    submission_id: str
    title: str
    lead: str
    is_live: bool
    steps: tuple[Step, ...]
    notes: tuple[Note, ...]
    result: Result | None
    run_page: Page | None
    facts: tuple[Fact, ...]
    description: str
    log: tuple[Line, ...]
    log_note: str
    can_cancel: bool
    can_publish: bool
    can_withdraw: bool
    undo_days: int
    withdraw_note: str
    events: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a submission stands besides its own values.

    Attributes:
        job: Its job.
        place: Its place in the queue; 0 while it runs.
        n_jobs: Jobs that wait.
        seconds: How long it will still take until it is taken; ``None`` where unknown.
        log: Lines of its job.
        by: Name of the account.
        quota: What the viewer has left, as text; empty for others.
        size_bytes: Of the upload; ``None`` where unknown.
    """

    job: Job | None
    place: int = 0
    n_jobs: int = 0
    seconds: float | None = None
    log: Sequence[LogLine] = ()
    by: str = ""
    quota: str = ""
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What the viewer may do with it."""

    publish: bool = False
    withdraw: bool = False
    cancel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the host's settings say of it."""

    withdrawn_days: float
    release_hours: float = 0.0
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


def submission_view(
    submission: Submission, standing: Standing, rights: Rights, policy: Policy, result: Result | None
) -> SubmissionView:
    """The page of a submission."""
    is_open = submission.status not in ENDED
    gone = bool(submission.withdrawn_at or submission.removed_at)
    is_done = submission.status == "done"
    is_out = is_released(submission, policy.now)
    sentence = status_sentence(submission, standing, policy.now)
    run_page = (
        Page(kind="run", run=submission.run_id)
        if is_done and submission.run_id and not gone and not submission.is_hidden
        else None
    )
    return SubmissionView(
        frame=Frame(
            Page(kind="submission", submission=submission.submission_id),
            f"{submission.name}, {submission.status}",
            "queue",
            Page(kind="json", name=f"submissions/{submission.submission_id}"),
            scripts=(SCRIPT,) if is_open else (),
            refresh_seconds=REFRESH_SECONDS if is_open else 0,
            is_indexed=False,
        ),
        submission_id=submission.submission_id,
        title=f"{submission.name}, {KIND_WORDS[submission.kind]}",
        lead=sentence,
        is_live=is_open,
        steps=_steps(submission, standing),
        notes=_notes(submission, rights, policy),
        result=result if is_done and is_out and not gone else None,
        run_page=run_page,
        facts=_facts(submission, standing),
        description=submission.description,
        log=tuple(Line(line.number, _clock(line.at), line.text) for line in standing.log),
        log_note=_log_note(submission, standing),
        can_cancel=rights.cancel and is_open,
        can_publish=rights.publish and is_done and not submission.is_public and not gone,
        can_withdraw=rights.withdraw and not is_open and not gone,
        undo_days=UNDO_DAYS,
        withdraw_note=_withdraw_note(policy, is_done=is_done),
        events=f"/submissions/{submission.submission_id}/events" if is_open else "",
    )


def is_released(submission: Submission, now: datetime) -> bool:
    """Whether its scores may be seen: those of a hidden split have to wait for their time."""
    if not submission.is_hidden:
        return True
    return submission.released_at is not None and _time(submission.released_at) <= now


def undo_until(submission: Submission) -> datetime | None:
    """Until when a published result may be made private again; ``None`` where it is not published."""
    if not submission.published_at:
        return None
    return _time(submission.published_at) + timedelta(days=UNDO_DAYS)


def status_sentence(submission: Submission, standing: Standing, now: datetime) -> str:
    """The one sentence that changes."""
    status = submission.status
    progress = standing.job.progress if standing.job else None
    if submission.removed_at:
        return "Removed by the host of this board."
    if submission.withdrawn_at:
        return "Withdrawn."
    if status == "queued":
        after = f", about {about(standing.seconds)}" if standing.seconds is not None else ""
        return f"Queued, place {count(standing.place)} of {count(max(standing.n_jobs, standing.place))}{after}."
    if status == "leased":
        return "A worker has taken it and prepares."
    if status in ("generating", "scoring"):
        return _running_sentence(status, submission, progress)
    if status == "done":
        if not is_released(submission, now):
            at = f" on {moment(_time(submission.released_at))}" if submission.released_at else " later"
            return f"Scored. The scores of this split appear{at}."
        return "Finished and on the board." if submission.is_public else "Finished. The result is private."
    if status == "cancelled":
        return "Cancelled."
    return "Stopped before the end."


def _running_sentence(status: str, submission: Submission, progress: Progress | None) -> str:
    word = status.capitalize()
    if progress is None or progress.step != status:
        return f"{word}: it begins."
    where = ""
    if progress.task in submission.tasks and len(submission.tasks) > 1:
        where = f": task {submission.tasks.index(progress.task) + 1} of {len(submission.tasks)}"
    left = f"{', ' if where else ': '}about {about(progress.seconds_left)} left" if progress.seconds_left else ""
    return f"{word}{where}{left}."


def about(seconds: float | None) -> str:
    """A span in the words of a guess: nobody needs it by the second."""
    if seconds is None or seconds < 45:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 90:
        return plural(minutes, "minute")
    return plural(round(minutes / 60), "hour")


def _steps(submission: Submission, standing: Standing) -> tuple[Step, ...]:
    job, status = standing.job, submission.status
    progress = job.progress if job else None
    at = _reached(submission, job)
    names = ("Accepted", "Queued", "Generating", "Scoring", "Result")
    notes = [
        f"{moment(_time(submission.created_at))}, its check found no error",
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
    return f"waited {duration((_time(job.started_at) - _time(job.created_at)).total_seconds())}"


def _result_note(submission: Submission) -> str:
    if submission.status in ("failed", "cancelled"):
        return "none"
    if submission.is_public:
        return "on the board" if submission.status == "done" else "goes onto the board"
    return "private until you publish it"


def _notes(submission: Submission, rights: Rights, policy: Policy) -> tuple[Note, ...]:
    notes = []
    if submission.removed_at:
        reason = f" Reason: {submission.removed_reason}" if submission.removed_reason else ""
        return (Note(f"The host removed it on {moment(_time(submission.removed_at))}.{reason}", is_bad=True),)
    if submission.withdrawn_at:
        if submission.texts_deleted_at:
            after = f"Its texts were deleted on {moment(_time(submission.texts_deleted_at))}."
        else:
            due = _time(submission.withdrawn_at) + timedelta(days=policy.withdrawn_days)
            after = f"Its texts are deleted after {moment(due)}."
        return (Note(f"Withdrawn on {moment(_time(submission.withdrawn_at))}. {after}"),)
    if submission.status == "failed":
        notes.append(_failure(submission))
    if submission.status == "cancelled":
        back = "" if submission.is_charged else " It did not cost quota."
        notes.append(Note(f"Cancelled before it was scored.{back}", page=Page(kind="submit"), link="Submit again"))
    if submission.is_hidden and submission.status == "done":
        hours = f" and appear at most once in {duration(policy.release_hours * 3600)}" if policy.release_hours else ""
        notes.append(Note(f"Samples of this split are not shown: its labels are private. Scores are rounded{hours}."))
    if submission.status == "done" and submission.is_public and submission.published_at:
        notes.append(_published(submission, rights, policy))
    return tuple(notes)


def _failure(submission: Submission) -> Note:
    detail = submission.detail or "No reason was kept."
    reason = f" (reason {submission.reason})" if submission.reason else ""
    back = "" if submission.is_charged else " Your quota was given back."
    is_ours = submission.reason in _OURS
    title = "Something broke on our side" if is_ours else "It could not be scored"
    more = " Nothing of yours was lost: submit it again." if is_ours else ""
    return Note(
        f"{detail}{reason}.{more}{back}".replace("..", "."),
        title,
        is_bad=True,
        page=Page(kind="submit"),
        link="Submit anew",
    )


def _published(submission: Submission, rights: Rights, policy: Policy) -> Note:
    until = undo_until(submission)
    text = f"Published on {moment(_time(submission.published_at or submission.created_at))}."
    if rights.publish and until is not None and until > policy.now:
        return Note(
            f"{text} It can be made private again until {moment(until)}.",
            action="unpublish",
            button="Undo, make it private",
        )
    return Note(text)


def _facts(submission: Submission, standing: Standing) -> tuple[Fact, ...]:
    facts = []
    if submission.model:
        facts += [Fact("Model", submission.model, is_code=True), Fact("Revision", submission.revision, is_code=True)]
    if standing.size_bytes:
        facts.append(Fact("Upload", bytes_(standing.size_bytes)))
    facts.append(Fact("Split", f"{submission.split}, hidden" if submission.is_hidden else submission.split))
    facts.append(Fact("Tasks", ", ".join(submission.tasks)))
    if submission.rows:
        facts.append(Fact("Rows", count(submission.rows)))
    mark = MARK_OF[submission.kind]
    facts.append(Fact("Mark", f"{mark}: {MARKS[mark]}"))
    if standing.by:
        facts.append(Fact("By", standing.by))
    facts.append(Fact("Visible to", _seen_by(submission)))
    for name, text in (
        ("Licence", submission.licence),
        ("Trained on", submission.trained_on),
        ("Contamination", submission.contamination),
    ):
        if text:
            facts.append(Fact(name, text))
    if submission.url:
        facts.append(Fact("Link", submission.url, href=submission.url))
    if standing.quota:
        facts.append(Fact("Quota left", standing.quota))
    return tuple(facts)


def _seen_by(submission: Submission) -> str:
    if not submission.is_public:
        return "its owner and the hosts"
    return "everyone" if submission.status == "done" else "everyone, when it is done"


def _log_note(submission: Submission, standing: Standing) -> str:
    if submission.is_hidden and standing.log:
        return "The log of a hidden split shows no data."
    if standing.log:
        return ""
    if submission.status == "queued":
        return "Nothing yet: no worker has taken it."
    return "No line."


def _withdraw_note(policy: Policy, *, is_done: bool) -> str:
    after = deleted_after(policy.withdrawn_days)
    return (
        f"It leaves the board at the next request; its texts are deleted {after}."
        if is_done
        else (f"Its texts are deleted {after}.")
    )


def is_running(submission: Submission) -> bool:
    """Whether a worker has it."""
    return submission.status in RUNNING


def _time(text: str | None) -> datetime:
    return datetime.fromisoformat((text or "").replace("Z", "+00:00"))


def _clock(text: str) -> str:
    return _time(text).astimezone(UTC).strftime("%H:%M:%S")
