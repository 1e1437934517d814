"""What the service's part of the store takes and answers: values, never rows of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grue.core.errors import GrueError
from grue.core.text import Json

# Each may do what the one before may.
ROLES = ("reader", "submitter", "host")
SCOPES = ("read", "submit", "host")
KINDS = ("predictions", "run", "model")
# All of one column; those of RUNNING are in a worker's hands, those of ENDED stay as they are.
STATUSES = ("queued", "leased", "generating", "scoring", "done", "failed", "cancelled")
RUNNING = ("leased", "generating", "scoring")
OPEN = ("queued", *RUNNING)
ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account.

    Attributes:
        scored_per_day: Its own quota of scored submissions; ``None`` for that of the settings.
        attempts_per_day: Its own quota of checked uploads; ``None`` for that of the settings.
    """

    user_id: str
    name: str
    role: str
    created_at: str
    is_disabled: bool
    has_password: bool
    scored_per_day: int | None
    attempts_per_day: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token of an account, without its secret, which is shown once and stored as a hash."""

    token_id: str
    user_id: str
    label: str
    scopes: tuple[str, ...]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """A link by which one account is made."""

    invite_id: str
    role: str
    created_by: str
    created_at: str
    expires_at: str
    used_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubmission:
    """What a submitter hands in.

    Attributes:
        kind: ``predictions``, ``run`` or ``model``.
        upload: Key below the artifacts; empty for a checkpoint of the hub.
        model: Hub id; empty for uploads.
        revision: Full commit hash of the hub id.
        tasks: What will be scored.
        is_public: Whether the result is to be on the board.
        rows: Rows that will be scored.
        content_sha256: Of what was uploaded, in canonical form; of hub id and revision for a checkpoint of the hub.
        is_hidden: Whether the split's labels, texts and per-sample scores never leave the worker.
    """

    user_id: str
    name: str
    kind: str
    upload: str
    model: str
    revision: str
    split: str
    tasks: tuple[str, ...]
    is_public: bool
    description: str
    url: str
    licence: str
    trained_on: str
    contamination: str
    rows: int
    content_sha256: str
    is_hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission(NewSubmission):
    """A submission, with the state of its job.

    Attributes:
        published_at: When its result came onto the board; ``None`` while it is not there.
        withdrawn_at: When its owner withdrew it.
        texts_deleted_at: When the texts of a withdrawn submission were deleted.
        removed_at: When a host removed it, with ``removed_reason``.
        run_id: Its run, as soon as that is whole.
        status: One of ``STATUSES``.
        reason: Why it failed or was cancelled: words with dashes.
        detail: The same for people.
        released_at: When the scores may be seen: at once but for hidden splits; ``None`` before it is done.
        scores: Rounded scores of a run on a hidden split, which is in no index; ``None`` else.
        is_charged: Whether it counts in the quota of scored submissions; given back on our faults.
    """

    submission_id: str
    created_at: str
    published_at: str | None
    withdrawn_at: str | None
    texts_deleted_at: str | None
    removed_at: str | None
    removed_reason: str | None
    run_id: str | None
    status: str
    reason: str | None
    detail: str | None
    job_id: str
    released_at: str | None
    scores: Mapping[str, Json] | None
    is_charged: bool


@dataclass(frozen=True, slots=True)
class SubmissionPage:
    """Some submissions, newest first; ``next_cursor`` asks for older ones and is ``None`` at the end."""

    submissions: tuple[Submission, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a step is.

    Attributes:
        step: ``generating`` or ``scoring``.
        task: The task that is at work.
        rate: Rows a second; ``None`` where unknown.
        seconds_left: Of this step; ``None`` where unknown.
    """

    step: str
    task: str
    rows_done: int
    rows_total: int
    rate: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be done for a submission.

    Attributes:
        attempt: How often a worker has taken it; only the latest attempt may change it.
        worker: Who has it, or had it last.
        lease_until: When it is free for others unless its worker is heard of.
        step_started_at: When the step that is at work began, in this attempt.
        faults: How often it failed by a fault of ours.
        losses: How often its worker was no longer heard of.
    """

    job_id: str
    submission_id: str
    status: str
    attempt: int
    worker: str | None
    lease_until: str | None
    reason: str | None
    detail: str | None
    created_at: str
    queued_at: str
    started_at: str | None
    step_started_at: str | None
    finished_at: str | None
    progress: Progress | None
    faults: int
    losses: int


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a job's log; numbers grow within a job."""

    number: int
    at: str
    attempt: int
    text: str


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker that was heard of in the last hour; ``doing`` is the id of its job."""

    name: str
    last_seen: str
    doing: str | None


@dataclass(frozen=True, slots=True)
class Queued:
    """A job that waits or runs; its place is 0 while it runs, else 1 for the next."""

    job: Job
    submission: Submission
    place: int
    waiting_seconds: float


@dataclass(frozen=True, slots=True)
class Queue:
    """Workers by name, and jobs: running ones first, then those that wait, next first."""

    workers: tuple[WorkerSeen, ...]
    jobs: tuple[Queued, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an account may do in a day (UTC), and how many of its jobs may wait; an account's own quotas win."""

    scored_per_day: int
    attempts_per_day: int
    jobs_waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an account has used today, with the limits that hold for it."""

    scored: int
    attempts: int
    waiting: int
    limits: Limits
    resets_at: str


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Who did what, and when.

    Attributes:
        actor: A user id, or a word: ``worker``, ``command line``.
        action: As ``submission.remove``.
        thing: Id of what it was done to.
    """

    number: int
    at: str
    actor: str
    action: str
    thing: str
    detail: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some lines, newest first; ``next_cursor`` asks for older ones and is ``None`` at the end."""

    lines: tuple[AuditLine, ...]
    next_cursor: str | None


class QuotaError(GrueError):
    """A quota is used up.

    Args:
        cause: Which, and how large it is.
        fix: What to do.
        retry_after: Seconds until it may go through.
        what: ``scored``, ``attempts`` or ``waiting``.
    """

    def __init__(self, cause: str, fix: str = "", *, retry_after: int, what: str, place: str = "") -> None:
        super().__init__(cause, fix, place=place)
        self.retry_after = retry_after
        self.what = what

    def __reduce__(self) -> tuple[object, ...]:
        return (_quota_error, (self.cause, self.fix, self.retry_after, self.what, self.place))


def _quota_error(cause: str, fix: str, retry_after: int, what: str, place: str) -> QuotaError:
    return QuotaError(cause, fix, retry_after=retry_after, what=what, place=place)
