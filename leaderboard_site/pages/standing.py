"""How sure a rank is, as a page shows it: the rank with its range, a small ruler, and the letter of its band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Generic, Protocol, TypeVar

from grue.comparison.bands_of import band_letter
from grue.comparison.standings_places import Place
from grue.comparison.standings_runs import BoardRun
from grue.comparison.standings_task import Entry
from leaderboard_site.links import Page
from leaderboard_site.numbers import NONE, count

_MARK = 1.5  # percent: half of the mark's width on the smallest ruler


@dataclass(frozen=True, slots=True)
class Ruler:
    """The ranks from the first to the last, in percent: the range that is possible, and the rank itself."""

    start: str
    width: str
    at: str


@dataclass(frozen=True, slots=True)
class RankCell:
    """A rank.

    Attributes:
        rank: The rank, or an en dash.
        interval: Lowest and highest possible rank, ``1–4``; empty where there is none.
        note: What the order is by, where that is no column.
        band: Its letter; empty where there is none.
        reason: Why rank, range or band is missing.
    """

    rank: str
    interval: str = ""
    note: str = ""
    band: str = ""
    reason: str = ""
    ruler: Ruler | None = None


class HasRank(Protocol):
    """A row of a ranking."""

    @property
    def rank(self) -> RankCell:
        """Where it stands."""
        ...


Row = TypeVar("Row", bound=HasRank)


@dataclass(frozen=True, slots=True)
class Band(Generic[Row]):
    """Rows next to each other that share a band; ``letter`` is empty for rows without one."""

    letter: str
    rows: tuple[Row, ...]


def rank_cell(standing: Place | Entry | None, n_ranked: int, note: str = "", reason: str = "") -> RankCell:
    """Where an entry stands.

    Args:
        standing: Over tasks or on one; ``None`` where it stands nowhere.
        n_ranked: How many have a rank.
        note: What the order is by, where that is no column.
        reason: Why it has no rank, where the standing does not say.
    """
    rank = None if standing is None else standing.place if isinstance(standing, Place) else standing.rank
    why = reason or (standing.reason if standing else "") or "not ranked"
    if standing is None or rank is None:
        return RankCell(NONE, note=note, reason=why)
    band = band_letter(standing.band) if standing.band else ""
    if standing.rank_ci95 is None:
        return RankCell(count(rank), note=note, band=band, reason=why)
    low, high = standing.rank_ci95
    ruler = None
    if n_ranked > 1:
        share = 100 / n_ranked
        at = min(100 - _MARK, max(0.0, (rank - 0.5) * share - _MARK))
        ruler = Ruler(f"{(low - 1) * share:.1f}%", f"{(high - low + 1) * share:.1f}%", f"{at:.1f}%")
    return RankCell(count(rank), f"{count(low)}–{count(high)}", note, band, "" if band else why, ruler)


def in_bands(rows: Sequence[Row]) -> tuple[Band[Row], ...]:
    """Rows in the order of their rank, those of a band together."""
    return tuple(Band(letter, tuple(members)) for letter, members in groupby(rows, key=lambda row: row.rank.band))


def range_in_words(place: Place, n_ranked: int) -> str:
    """``Rank 2 of 5, between 1 and 4, band A``; what is missing is left out."""
    parts = [f"Rank {count(place.place)} of {count(n_ranked)}"]
    if place.rank_ci95 and place.rank_ci95[0] < place.rank_ci95[1]:
        parts.append("between {} and {}".format(*map(count, place.rank_ci95)))
    if place.band:
        parts.append(f"band {band_letter(place.band)}")
    return ", ".join(parts)


def singles_of(run: BoardRun) -> tuple[tuple[str, Page], ...]:
    """Links to the runs behind an entry of several: ``seed 1``, a repeat as ``seed 1, run 2``."""
    found = []
    for repeats in run.seeds if run.members else ():
        for number, single in enumerate(repeats, 1):
            label = f"seed {single.manifest.seed}" + (f", run {number}" if number > 1 else "")
            found.append((label, Page(kind="run", run=single.id)))
    return tuple(found)


def in_several(run: BoardRun) -> str:
    """``mean of 3 seeds``, ``2 runs``; empty for a single run."""
    if not run.members:
        return ""
    n = len(run.seeds)
    return f"mean of {count(n)} seeds" if n > 1 else f"{count(len(run.members))} runs"
