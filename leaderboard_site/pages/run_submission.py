"""What a submitter says of a run, and who sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from leaderboard_site.links import Page
from leaderboard_site.numbers import moment
from leaderboard_site.pages.frame import Fact

if TYPE_CHECKING:
    from grue.store.service.values import Submission

KINDS = {"predictions": "a prediction file", "run": "a run directory", "model": "a checkpoint"}


@dataclass(frozen=True, slots=True)
class SubmittedFacts:
    """The submission that a run came from.

    Attributes:
        description: In the submitter's own words.
        facts: Licence, training data, contamination and the like, as declared.
        private: Who sees the run, where not everybody does.
        page: The submission's own page.
    """

    description: str
    facts: tuple[Fact, ...]
    private: str
    page: Page


def submitted_facts(submission: Submission, *, is_public: bool) -> SubmittedFacts:
    """What is said of a submission; nothing of who sent it beyond its name.

    Args:
        submission: As the store has it.
        is_public: Whether everybody may see the run.
    """
    found = [Fact("Sent in as", KINDS.get(submission.kind, submission.kind))]
    if submission.url:
        is_web = submission.url.startswith(("https://", "http://"))
        found.append(Fact("Link", submission.url, href=submission.url if is_web else ""))
    for name, text in (
        ("Licence", submission.licence),
        ("Trained on", submission.trained_on),
        ("Contamination", submission.contamination),
    ):
        found.append(Fact(name, text or "not stated"))
    found.append(Fact("Sent", moment(datetime.fromisoformat(submission.created_at))))
    if submission.published_at:
        found.append(Fact("Published", moment(datetime.fromisoformat(submission.published_at))))
    private = "" if is_public else "This run is not public: its submitter and the hosts see it, nobody else."
    return SubmittedFacts(
        submission.description, tuple(found), private, Page(kind="submission", submission=submission.submission_id)
    )
