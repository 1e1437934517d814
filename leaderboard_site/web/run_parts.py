"""What the pages of single runs share: caches of their numbers, and where a run stands for its reader."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import Request as StarletteRequest

from grue.comparison.standings import BoardData
from grue.comparison.standings_runs import BoardRun
from grue.core.errors import GrueError
from grue.runs.validity import Validity, read_validity
from grue.store.service.submissions import submission_of_run
from grue.store.service.values import Submission
from leaderboard_site.cards import Card, card
from leaderboard_site.comparing import Comparisons
from leaderboard_site.links import Page
from leaderboard_site.pages.rows import RowNumbers, read_numbers
from leaderboard_site.sample_store import SampleStore
from leaderboard_site.web.found_runs import FoundRun
from leaderboard_site.web.requests import service_of, snapshot_of

_RANKED_PRIVATELY = 8
_NUMBERS_KEPT = 64
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunParts:
    """What is kept between requests, one of it an application."""

    samples: SampleStore = field(default_factory=SampleStore)
    comparisons: Comparisons = field(default_factory=Comparisons)
    numbers: Recent = field(default_factory=lambda: Recent(_NUMBERS_KEPT))
    standings: Recent = field(default_factory=lambda: Recent(_RANKED_PRIVATELY))


class Recent:
    """The values asked for last, made one at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[tuple[str, ...], Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, ...], make: Callable[[], T]) -> T:
        """The value of a key, made where it is not held."""
        with self._lock:
            if key not in self._held:
                self._held[key] = make()
                if len(self._held) > self._most:
                    self._held.popitem(last=False)
            self._held.move_to_end(key)
            found: T = self._held[key]
            return found


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands: the setting it belongs to, ranked, and the board of that setting."""

    data: BoardData
    board: Page


_lock = threading.Lock()


def parts_of(request: StarletteRequest) -> RunParts:
    """What is kept between requests."""
    state = request.app.state
    with _lock:
        if not hasattr(state, "run_parts"):
            state.run_parts = RunParts()
        parts: RunParts = state.run_parts
        return parts


def standing_of(request: Request, found: FoundRun) -> Standing:
    """Where a run stands; one that is not public is ranked among the public ones, for its reader alone."""
    snapshot, run = snapshot_of(request), found.run
    if found.is_public:
        setting = next(one for one in snapshot.settings if any(other.id == run.id for other in one.runs))
        data = snapshot.data(setting.slug)
    else:
        data = parts_of(request).standings.get((snapshot.version, run.id), lambda: snapshot.data_with(run))
    is_default = bool(snapshot.settings) and data.setting.slug == snapshot.settings[0].slug
    return Standing(data, Page(kind="board", setting="" if is_default else data.setting.slug))


def cards_of(request: Request, run: BoardRun) -> Mapping[str, Card]:
    """The cards of the board's tasks, and of the run's."""
    known = snapshot_of(request).cards
    include = service_of(request).include
    return {**known, **{name: card(name, include) for name in run.tasks if name not in known}}


def validity_of(request: Request, found: FoundRun) -> Validity | None:
    """A run's validity report, where it has one that can be read."""
    if found.is_public:
        return snapshot_of(request).validity(found.run.id)
    try:
        return read_validity(found.run.stored.path)
    except GrueError:
        return None


def numbers_of(request: Request, run: BoardRun, data: BoardData) -> dict[str, RowNumbers]:
    """Task -> numbers of its rows; none of rows that cannot be read."""
    numbers = parts_of(request).numbers
    found = {}
    for name in run.tasks:
        board = data.tasks.get(name)
        key = (str(run.stored.results["checksum"]), name, (board.metric if board else None) or "")
        found[name] = numbers.get(key, lambda name=name, board=board: _numbers(run, name, board))  # type: ignore[misc]
    return found


def _numbers(run: BoardRun, name: str, board: Any) -> RowNumbers:
    try:
        return read_numbers(run, run.tasks[name], board)
    except GrueError:
        return RowNumbers()


def submission_of(request: Request, run: BoardRun) -> Submission | None:
    """The submission that a run came from; ``None`` for a run that a host put there."""
    return submission_of_run(service_of(request).store, run.id)


def is_on_hidden_split(request: Request, run: BoardRun, submission: Submission | None) -> bool:
    """Whether nothing of a run's single rows may be shown, to anybody."""
    hidden = service_of(request).settings.hidden_splits
    return (submission is not None and submission.is_hidden) or any(one.split in hidden for one in run.tasks.values())
