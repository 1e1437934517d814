"""What a run's page says of its entry: the other seeds and repeats, or the run that counts instead."""

from __future__ import annotations

from dataclasses import dataclass

from grue.comparison.standings import BoardData
from grue.comparison.standings_runs import BoardRun
from leaderboard_site.links import Page
from leaderboard_site.numbers import plural
from leaderboard_site.pages.frame import overall_cell
from leaderboard_site.pages.standing import in_several, singles_of


@dataclass(frozen=True, slots=True)
class EntryNote:
    """That this run is one of several behind an entry, whose rank it has."""

    text: str
    runs: tuple[tuple[str, Page], ...]


def entry_note(run: BoardRun, data: BoardData) -> EntryNote | None:
    """The other runs of its entry, where there are any; ranks are those of the entry, scores its own."""
    key = data.entry_of.get(run.id)
    entry = next((one for one in data.setting.entries if one.id == key and one.members), None)
    if entry is None:
        return None
    score = overall_cell(data.overall[entry.id].grue, sd=data.overall[entry.id].sd)
    spread = f", {score.spread}" if score.spread else ""
    mean = "" if score.reason else f" Its GRUE score is {score.text} {score.pm}{spread}."
    what = f"One of {plural(len(entry.members), 'run')} that stand as one entry, {in_several(entry)}."
    return EntryNote(f"{what}{mean} Ranks and bands here are the entry's, scores are this run's.", singles_of(entry))


def successor(run: BoardRun, data: BoardData) -> Page | None:
    """The run that counts instead of a superseded one, where it is on the board."""
    if run.superseded is None or all(other.id != run.superseded.new for other in data.setting.runs):
        return None
    return Page(kind="run", run=run.superseded.new)


def corrected_by(run: BoardRun, data: BoardData) -> tuple[tuple[str, Page, str], ...]:
    """Name, page and reason of each run of the setting that this one counts instead of."""
    return tuple(
        (other.name, Page(kind="run", run=other.id), other.superseded.reason)
        for other in data.setting.runs
        if other.superseded is not None and other.superseded.new == run.id
    )
