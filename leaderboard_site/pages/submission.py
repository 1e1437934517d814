"""One submission: where it stands, in a sentence, five steps and a log; then its result and what its owner may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from grue.store.service.values import ENDED, Submission
from leaderboard_site.links import Page
from leaderboard_site.numbers import count
from leaderboard_site.pages.frame import MARKS, Fact, Frame
from leaderboard_site.pages.submission_notes import UNDO_DAYS, Note, Policy, Rights, notes_of
from leaderboard_site.pages.submission_result import Result
from leaderboard_site.pages.submission_status import Standing, is_released, status_sentence, time_of
from leaderboard_site.pages.submission_steps import Step, steps_of
from leaderboard_site.pages.submit_place import deleted_after

SCRIPT = "progress.js"
REFRESH_SECONDS = 30
KIND_WORDS = {"predictions": "predictions", "run": "run directory", "model": "checkpoint"}
MARK_OF = {"predictions": "rescored", "run": "rescored", "model": "verified"}


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
        steps=steps_of(submission, standing),
        notes=notes_of(submission, rights, policy),
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


def _facts(submission: Submission, standing: Standing) -> tuple[Fact, ...]:
    facts = []
    if submission.model:
        facts += [Fact("Model", submission.model, is_code=True), Fact("Revision", submission.revision, is_code=True)]
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


def _clock(text: str) -> str:
    return time_of(text).astimezone(UTC).strftime("%H:%M:%S")
