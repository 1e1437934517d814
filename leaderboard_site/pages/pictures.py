"""Pictures of quality against something else, with the numbers beside them: what the templates draw."""

from __future__ import annotations

from dataclasses import dataclass

from leaderboard_site.links import Page
from leaderboard_site.numbers import count
from leaderboard_site.pages.frame import ScoreCell
from leaderboard_site.scatter import MOST_NUMBERS, Scatter


@dataclass(frozen=True, slots=True)
class PictureRow:
    """A line of the table beside the picture.

    Attributes:
        number: Of the point.
        against: The value on the other axis, as text.
        is_first: Whether it is on the frontier.
        is_alarm: Whether it is drawn as a warning.
    """

    number: str
    name: str
    page: Page
    score: ScoreCell
    against: str
    is_first: bool
    is_alarm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Quality of each entry against one other thing.

    Attributes:
        title: Heading.
        name: What is set against the other: a task, or the score.
        note: How to read it.
        label: What a reader who does not see the picture is told.
        plot: ``None`` where there are too few points; ``reason`` says so.
        rows: Entries in the picture.
        across: Name of the horizontal axis.
        against: What quality is set against, as a column's head.
        unit: Its unit.
        quality: What quality is, as a column's head.
        task: The task's page, where this is one picture of several.
    """

    title: str
    name: str
    note: str
    label: str
    plot: Scatter | None
    reason: str
    rows: tuple[PictureRow, ...]
    across: str
    against: str
    unit: str
    quality: str
    task: Page | None = None


def legend(n_points: int, n_drawn: int, n_named: int) -> str:
    """What the numbers beside points are, and which points are left out."""
    if n_drawn < n_points:
        return f" Drawn: {count(n_drawn)} of {count(n_points)} runs, the frontier and the first by rank."
    return " Numbers are those of the table." if n_named < n_drawn <= MOST_NUMBERS else ""
