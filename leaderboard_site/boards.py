"""The board in memory: the public runs of the store, ranked when asked for, read again only where they changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import structlog

from grue.comparison.row_cache import RowCache
from grue.comparison.standings import BoardData, rank_board, rank_task_of
from grue.comparison.standings_runs import BoardRun, board_run
from grue.comparison.standings_settings import Setting, settings
from grue.comparison.standings_task import TaskBoard
from grue.core.errors import GrueError, RunDirectoryError
from grue.runs.read import read_run
from grue.runs.row_counts import check_row_counts
from grue.runs.supersession import Supersession
from grue.runs.validity import Validity, read_validity
from grue.store import queries
from grue.store.database import Store
from grue.store.service.board import board_version
from grue.store.service.submissions import hidden_run_ids
from grue.store.values import Location
from grue.submissions.artifacts import Artifacts
from leaderboard_site.cards import Card, card

_log = structlog.get_logger("grue.board")
_PRIVATE_RUNS = 200
_TASK_BOARDS = 64


class Boards:
    """Keeps the newest snapshot; several threads may ask, one builds.

    Args:
        store: The open store.
        artifacts: Where runs of the service lie.
        include: Task plugins outside the installed packages.
    """

    def __init__(self, store: Store, artifacts: Artifacts, include: Sequence[Path] = ()) -> None:
        self._store = store
        self._artifacts = artifacts
        self._include = tuple(include)
        self._lock = threading.Lock()
        self._read: dict[str, _Read] = {}
        self._private: OrderedDict[str, _Read] = OrderedDict()
        self._cards: dict[str, Card] = {}
        self._ranking = _Ranking()
        self._snapshot: Snapshot | None = None

    def version(self) -> str:
        """What public pages show has changed where this has; one cheap query."""
        return str(board_version(self._store))

    def is_at(self, version: str) -> bool:
        """Whether the snapshot of that version is ready."""
        return self._snapshot is not None and self._snapshot.version == version

    def renew(self) -> None:
        """Make ready what most visitors ask for first."""
        snapshot = self.current()
        if snapshot.settings:
            snapshot.data(snapshot.settings[0].slug)

    def current(self) -> Snapshot:
        """The snapshot of what is public now.

        Raises:
            StoreError: where the database fails.
        """
        version = self.version()
        known = self._snapshot
        if known is not None and known.version == version:
            return known
        with self._lock:
            # Another thread may have built it meanwhile, or what came after it.
            version = self.version()
            known = self._snapshot
            if known is None or known.version != version:
                known = self._snapshot = self._built(version, known)
            return known

    def run(self, run_id: str) -> BoardRun | None:
        """A run of the index, public or not; ``None`` where there is none that can be read.

        Whether somebody may see it is asked of ``hidden_run_ids`` and the viewer's rights, not here.
        """
        snapshot = self._snapshot
        if snapshot is not None and run_id in snapshot.runs:
            return snapshot.runs[run_id]
        location = next((one for one in queries.locations(self._store) if one.run_id == run_id), None)
        if location is None:
            return None
        with self._lock:
            found = self._private.get(run_id)
            if found is None or found.location != location:
                found = self._private[run_id] = self._read_anew(location)
            while len(self._private) > _PRIVATE_RUNS:
                self._private.popitem(last=False)
            return found.run

    def _built(self, version: str, before: Snapshot | None) -> Snapshot:
        # The version is older than what is read after it, never newer: a change in between is seen next time.
        hidden = hidden_run_ids(self._store)
        locations = {one.run_id: one for one in queries.locations(self._store) if one.run_id not in hidden}
        decisions = {one.old: one for one in queries.supersessions(self._store) if one.new in locations}
        self._read = {run_id: self._run(location) for run_id, location in locations.items()}
        runs = {}
        for run_id, found in self._read.items():
            if found.run is not None:
                found.run = _with_decision(found.run, decisions.get(run_id))
                runs[run_id] = found.run
        self._ranking.forget_all_but(runs.values())
        return Snapshot(version, runs, self._card, self._ranking, before)

    def _run(self, location: Location) -> _Read:
        known = self._read.get(location.run_id)
        if known is not None and known.location == location and known.run is not None:
            return known
        return self._read_anew(location)

    def _read_anew(self, location: Location) -> _Read:
        try:
            return _Read(location, self._from_directory(location))
        except GrueError as error:
            _log.warning("run left out", run_id=location.run_id, reason=str(error))
            return _Read(location, None)

    def _from_directory(self, location: Location) -> BoardRun:
        path = location.path
        if not path.is_dir():
            path = self._artifacts.local_folder(f"runs/{location.run_id}")
        stored = read_run(path)
        run = board_run(stored)
        check_row_counts(stored)
        if run.id != location.run_id or stored.results["checksum"] != location.checksum:
            raise RunDirectoryError("it is not the run that the index has.", "Run 'grue db check'.", place=str(path))
        return run

    def _card(self, name: str) -> Card:
        if name not in self._cards:
            self._cards[name] = card(name, self._include)
        return self._cards[name]


@dataclass(slots=True)
class _Read:
    """A run as its directory says, or ``None`` where it cannot be read."""

    location: Location
    run: BoardRun | None


class _Ranking:
    """Ranks one setting at a time, with the rows that were drawn for earlier snapshots."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cache = RowCache()

    def board(self, setting: Setting, order: Sequence[str]) -> BoardData:
        """A setting, ranked."""
        with self._lock:
            return rank_board(setting, order, self._cache)

    def task(self, setting: Setting, task: str, metric: str) -> TaskBoard:
        """A task by another metric than its first, of which nothing is kept: there are many."""
        with self._lock:
            return rank_task_of(setting, task, metric)

    def forget_all_but(self, runs: Iterable[BoardRun]) -> None:
        """Drop what belongs to other runs."""
        with self._lock:
            self._cache.forget_all_but({str(run.stored.results["checksum"]) for run in runs})


class Snapshot:
    """What public pages show at one version of the store.

    Attributes:
        version: Of the store.
        runs: Run id -> run, superseded ones among them.
        settings: In the order of the menu; the first is shown by default.
        cards: Task name -> card, of all tasks of the runs.
    """

    def __init__(
        self,
        version: str,
        runs: Mapping[str, BoardRun],
        card_of: Callable[[str], Card],
        ranking: _Ranking,
        before: Snapshot | None = None,
    ) -> None:
        self._ranking = ranking
        self.version = version
        self.runs = runs
        self.settings: tuple[Setting, ...] = settings(list(runs.values()))
        self._order = max((list(run.tasks) for run in runs.values()), key=len, default=[])
        names = dict.fromkeys(name for run in runs.values() for name in run.tasks)
        self.cards: Mapping[str, Card] = {name: card_of(name) for name in names}
        self._by_slug = {setting.slug: setting for setting in self.settings}
        self._lock = threading.Lock()
        self._data: dict[str, BoardData] = {}
        self._boards: OrderedDict[tuple[str, str, str], TaskBoard] = OrderedDict()
        self._validity: dict[str, Validity | None] = {}
        if before is not None:
            self._take_over(before)

    def setting(self, slug: str | None) -> Setting | None:
        """The setting of that slug; the one shown by default for none; ``None`` where there is none such."""
        if not slug:
            return self.settings[0] if self.settings else None
        return self._by_slug.get(slug)

    def data(self, slug: str) -> BoardData:
        """A setting, ranked; made when it is first asked for.

        Raises:
            KeyError: for a slug that no setting has.
        """
        setting = self._by_slug[slug]
        with self._lock:
            if slug not in self._data:
                self._data[slug] = self._ranking.board(setting, self._order)
            return self._data[slug]

    def data_with(self, run: BoardRun) -> BoardData:
        """The setting of a run that is not public, ranked with it among the public ones; kept nowhere."""
        runs = [*(one for one in self.runs.values() if one.id != run.id), run]
        setting = next(one for one in settings(runs) if any(other is run for other in one.runs))
        return self._ranking.board(setting, self._order or list(run.tasks))

    def task_by(self, slug: str, task: str, metric: str) -> TaskBoard:
        """A task of a setting, ranked by a metric that its page does not show first.

        Raises:
            KeyError: for a slug that no setting has.
        """
        data = self.data(slug)
        with self._lock:
            key = (slug, task, metric)
            if key not in self._boards:
                self._boards[key] = self._ranking.task(data.setting, task, metric)
            self._boards.move_to_end(key)
            while len(self._boards) > _TASK_BOARDS:
                self._boards.popitem(last=False)
            return self._boards[key]

    @cached_property
    def home(self) -> Mapping[str, BoardData]:
        """Task -> the first setting of the menu that has it, which the task's page shows."""
        found: dict[str, BoardData] = {}
        for setting in self.settings:
            names = {name for run in setting.runs for name in run.tasks}
            if names - found.keys():
                data = self.data(setting.slug)
                found |= {name: data for name in data.tasks if name not in found}
        return {name: found[name] for name in sorted(found, key=self._place)}

    def _place(self, task: str) -> tuple[int, str]:
        return (self._order.index(task) if task in self._order else len(self._order), task)

    def validity(self, run_id: str) -> Validity | None:
        """A run's validity report; ``None`` where it has none that can be read."""
        if run_id not in self._validity:
            try:
                self._validity[run_id] = read_validity(self.runs[run_id].stored.path)
            except GrueError as error:
                _log.warning("validity report left out", run_id=run_id, reason=str(error))
                self._validity[run_id] = None
        return self._validity[run_id]

    def _take_over(self, before: Snapshot) -> None:
        """Rankings and reports that have not changed."""
        same = {run_id for run_id, run in self.runs.items() if before.runs.get(run_id) is run}
        self._validity = {run_id: found for run_id, found in before._validity.items() if run_id in same}
        if self._order != before._order:
            return
        for slug, data in list(before._data.items()):
            setting = self._by_slug.get(slug)
            if setting is None:
                continue
            # A run that is gone must not stay in a ranking, nor one that came be missing from it.
            ids = {run.id for run in setting.runs}
            if ids <= same and ids == {run.id for run in data.setting.runs}:
                self._data[slug] = data


def _with_decision(run: BoardRun, decision: Supersession | None) -> BoardRun:
    return run if run.superseded == decision else replace(run, superseded=decision)
