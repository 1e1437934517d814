"""What the form of a submission says of the board: its tasks, limits, and what is kept for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leaderboard_site.numbers import duration, plural


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What the preview says of a task beside the counts.

    Attributes:
        metrics: Those that will be computed, primary ones first.
        shows_texts: Whether its prompts may be shown publicly.
    """

    title: str
    metrics: tuple[str, ...] = ()
    shows_texts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What every state of the form says: of the board, not of the upload.

    Attributes:
        split: Split that is scored.
        rows: Rows of it; 0 where they are not published.
        tasks: Task -> what is known of it.
        benchmark: Tasks that a GRUE score takes.
        model_bytes: Largest checkpoint.
        withdrawn_days: After how many days the texts of a withdrawn submission are deleted.
        hub: Whether checkpoints may be named by their hub id.
        may_upload_files: Whether the viewer may send the files of a checkpoint.
    """

    split: str
    rows: int
    tasks: Mapping[str, TaskFacts]
    benchmark: tuple[str, ...]
    file_bytes: int
    model_bytes: int
    withdrawn_days: float
    is_hidden: bool
    terms: str
    hub: bool
    may_upload_files: bool


def retention(withdrawn_days: float, *, is_hidden: bool) -> str:
    """What is kept of a submission, and for how long, as text."""
    shown = (
        "no text and no score of a single row is shown to anybody"
        if is_hidden
        else "its texts are shown with a public result, where the licence of the task's data lets them be"
    )
    return (
        f"The upload and its result are kept until you withdraw them; {shown}. "
        f"Withdrawing takes a result off the board at once and deletes its texts {deleted_after(withdrawn_days)}."
    )


def deleted_after(days: float) -> str:
    """``after 30 days``: when the texts of a withdrawn submission go."""
    if not days:
        return "at once"
    return f"after {plural(round(days), 'day')}" if days >= 1 else f"after {duration(days * 86400)}"
