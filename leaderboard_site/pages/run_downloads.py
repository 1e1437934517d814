"""What of a run directory may be handed out: documents always, generations where their texts may be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grue.comparison.standings_runs import BoardRun
from grue.runs.read import MANIFEST, RESULTS
from leaderboard_site.cards import Card
from leaderboard_site.links import Page
from leaderboard_site.numbers import bytes_
from leaderboard_site.pages.samples import may_show_texts

VALIDITY = "validity.json"


@dataclass(frozen=True, slots=True)
class Download:
    """A file of a run directory.

    Attributes:
        name: Path below the run directory.
        page: Its address; ``None`` where it is not handed out, which ``reason`` explains.
        sha256: As ``results.json`` states it; empty for ``results.json`` itself.
    """

    name: str
    meaning: str
    size: str
    sha256: str
    page: Page | None
    reason: str = ""


def downloads(run: BoardRun, cards: Mapping[str, Card], *, is_hidden_split: bool) -> tuple[Download, ...]:
    """The files of a run that a reader may ask for, and those kept back with the reason.

    Args:
        run: The run.
        cards: Task name -> card.
        is_hidden_split: Whether nothing of single rows may leave the host.
    """
    found = [_download(run, MANIFEST, "what was run"), _download(run, RESULTS, "scores, intervals, cost")]
    if VALIDITY in run.results.files:
        found.append(_download(run, VALIDITY, "validity report"))
    for task, result in run.tasks.items():
        title = cards[task].title if task in cards else task
        name = f"samples/{task}.parquet"
        if not run.stored.has_samples(task):
            continue
        if is_hidden_split:
            reason = "kept: the split is hidden"
        elif task not in cards or may_show_texts(cards[task], result):
            reason = "kept: the task's card does not let its texts be shown"
        else:
            reason = ""
        found.append(_download(run, name, f"generations of {title} with their scores", reason))
    return tuple(one for one in found if one is not None)


def download_path(run: BoardRun, offered: tuple[Download, ...], name: str) -> Path | None:
    """The file of an offered download; ``None`` for any other name."""
    chosen = next((one for one in offered if one.name == name and one.page is not None), None)
    return run.stored.path / chosen.name if chosen is not None else None


def _download(run: BoardRun, name: str, meaning: str, reason: str = "") -> Download | None:
    try:
        size = (run.stored.path / name).stat().st_size
    except OSError:
        return None
    page = None if reason else Page(kind="file", run=run.id, name=name)
    return Download(name, meaning, bytes_(size), run.results.files.get(name, ""), page, reason)
