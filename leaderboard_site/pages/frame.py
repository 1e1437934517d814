"""What every page carries, and the small parts that several pages share: columns, tabs, score cells, marks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from grue.comparison.standings_task import Entry, TaskBoard
from grue.core.run import ScoreValue
from leaderboard_site.charts import Strip, strip
from leaderboard_site.links import Page
from leaderboard_site.numbers import NONE, between, decimals, half_width, number

T = TypeVar("T")
SCORE_PLACES = 1  # decimals of GRUE, quality and naturalness
MARKS = {
    "verified": "we ran the checkpoint",
    "rescored": "we scored its predictions",
    "self-reported": "scores sent by the submitter",
    "imported": "values of another harness, as it reported them",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """Title, place and neighbours of a page.

    Attributes:
        page: The page itself.
        title: Of the browser tab, without the name of the site.
        section: Entry of the main navigation that is current.
        json: The same content for machines.
        scripts: Files of ``static/`` that improve the page; it works without them.
        refresh_seconds: After how long a browser without script asks for the page again; 0 for never.
        is_indexed: Whether search engines may keep it.
    """

    page: Page
    title: str
    section: str
    json: Page | None = None
    scripts: tuple[str, ...] = ()
    refresh_seconds: int = 0
    is_indexed: bool = True


@dataclass(frozen=True, slots=True)
class Tab:
    """A link of a second navigation."""

    label: str
    page: Page
    is_current: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """Head of a table column.

    Attributes:
        notes: Second and further lines: unit, metric.
        page: The page sorted by this column; ``None`` where it does not sort.
        sort: ``ascending`` or ``descending`` on the one column that sorts this page.
    """

    label: str
    notes: tuple[str, ...] = ()
    is_number: bool = True
    page: Page | None = None
    sort: str = ""

    @property
    def arrow(self) -> str:
        """The direction as a sign."""
        return {"ascending": "↑", "descending": "↓"}.get(self.sort, "")


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a fact sheet; ``is_code`` for what a program reads."""

    name: str
    text: str
    is_code: bool = False
    href: str = ""


@dataclass(frozen=True, slots=True)
class ScoreCell:
    """A score as text.

    Attributes:
        text: The value, or an en dash.
        pm: Half-width of its interval.
        reason: Why there is no value; for the eye hidden behind the dash.
        lack: What the value lacks to stand in the ranking.
        interval: Both bounds.
        spread: Standard deviation over seeds, ``sd 0.4``; empty for a single run.
        quality: The task's quality, beside the strip; empty where there is none.
    """

    text: str
    pm: str = ""
    reason: str = ""
    lack: str = ""
    interval: str = ""
    spread: str = ""
    strip: Strip | None = None
    quality: str = ""


def score_cell(entry: Entry | None, board: TaskBoard) -> ScoreCell:
    """The shown metric of one run on one task."""
    if entry is None:
        return ScoreCell(NONE, reason="not run")
    if entry.score is None or entry.score.value is None or board.metric is None:
        reason = (entry.score and entry.score.reason) or entry.result.error or "no value"
        return ScoreCell(NONE, reason=reason)
    score, places = entry.score, decimals(board.metric, board.scale)
    quality = entry.result.standing.quality.value
    shown = "" if quality is None else number(quality, SCORE_PLACES)
    lack = f"other {entry.differs[0]}" if entry.differs else ""
    if score.value is None or score.low is None or score.high is None:
        return ScoreCell(
            number(score.value, places),
            reason="",
            lack=lack or "no interval",
            interval=score.reason or "",
            spread=_spread(score.sd, places),
            quality=shown,
        )
    return ScoreCell(
        text=number(score.value, places),
        pm=half_width(score.value, score.low, score.high, places),
        lack=lack,
        interval=between(score.low, score.high, places),
        spread=_spread(score.sd, places),
        strip=strip(*entry.position) if entry.position else None,
        quality=shown,
    )


def overall_cell(score: ScoreValue, *, lack: str = "", sd: float | None = None) -> ScoreCell:
    """A score between floor and ceiling: GRUE, quality or naturalness.

    Args:
        score: The score.
        lack: What it lacks to be ranked.
        sd: Its standard deviation over seeds.
    """
    if score.value is None:
        return ScoreCell(NONE, reason=score.reason or "not scored")
    text = number(score.value, SCORE_PLACES)
    if score.ci95 is None:
        return ScoreCell(text, lack=lack, spread=_spread(sd, SCORE_PLACES))
    low, high = score.ci95
    return ScoreCell(
        text=text,
        pm=half_width(score.value, low, high, SCORE_PLACES),
        lack=lack,
        interval=between(low, high, SCORE_PLACES),
        spread=_spread(sd, SCORE_PLACES),
        strip=strip(score.value / 100, low / 100, high / 100),
    )


def _spread(sd: float | None, places: int) -> str:
    return "" if sd is None else f"sd {number(sd, places)}"


def scale_note(scale: float | None) -> str:
    """A metric's range in words."""
    return f"0 to {number(scale, 0)}" if scale is not None else "no upper bound"


def sort_rows(rows: Iterable[T], value: Callable[[T], float | str | None], *, descending: bool) -> list[T]:
    """Rows by a value, missing ones last in both directions; equal ones keep their order."""
    listed = list(rows)
    known = [row for row in listed if value(row) is not None]
    return sorted(
        known,
        key=lambda row: value(row) or 0 if _is_number(value(row)) else str(value(row)).casefold(),
        reverse=descending,
    ) + [row for row in listed if value(row) is None]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def marks(found: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Each mark that occurs, with its meaning."""
    return tuple((mark, meaning) for mark, meaning in MARKS.items() if mark in found)
