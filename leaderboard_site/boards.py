"""The board in memory: the public runs of the store, ranked when asked for, read again only where they changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from grue.comparison.standings import BoardData, rank_board
from grue.comparison.standings_runs import BoardRun, board_run
from grue.comparison.standings_settings import Setting, settings
from grue.core.errors import GrueError, RunDirectoryError
from grue.runs.read import read_run
from grue.runs.row_counts import check_row_counts
from grue.runs.supersession import Supersession
from grue.runs.validity import Validity, read_validity
from grue.store import queries
from grue.store.database import Store
from grue.store.service.submissions import board_version, hidden_run_ids
from grue.store.values import Location
from grue.submissions.artifacts import Artifacts
from leaderboard_site.cards import Card, card

_log = structlog.get_logger("grue.board")


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
        self._cards: dict[str, Card] = {}
        self._snapshot: Snapshot | None = None

    def version(self) -> str:
        """What public pages show has changed where this has; one cheap query."""
        return str(board_version(self._store))

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
        return Snapshot(version, runs, self._card, before)

    def _run(self, location: Location) -> _Read:
        known = self._read.get(location.run_id)
        if known is not None and known.location == location and known.run is not None:
            return known
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


class Snapshot:
    """What public pages show at one version of the store.

    Attributes:
        version: Of the store.
        runs: Run id -> run, superseded ones among them.
        settings: In the order of the menu; the first is shown by default.
        cards: Task name -> card, of all tasks of the runs.
        reused: Settings whose ranking is that of the snapshot before.
    """

    def __init__(
        self,
        version: str,
        runs: Mapping[str, BoardRun],
        card_of: Callable[[str], Card],
        before: Snapshot | None = None,
    ) -> None:
        self.version = version
        self.runs = runs
        self.settings: tuple[Setting, ...] = settings(list(runs.values()))
        self._order = max((list(run.tasks) for run in runs.values()), key=len, default=[])
        names = dict.fromkeys(name for run in runs.values() for name in run.tasks)
        self.cards: Mapping[str, Card] = {name: card_of(name) for name in names}
        self._by_slug = {setting.slug: setting for setting in self.settings}
        self._lock = threading.Lock()
        self._data: dict[str, BoardData] = {}
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
                self._data[slug] = rank_board(setting, self._order)
            return self._data[slug]

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
            if setting is not None and [run.id for run in setting.runs] == [run.id for run in data.setting.runs]:
                if all(run.id in same for run in setting.runs):
                    self._data[slug] = data


def _with_decision(run: BoardRun, decision: Supersession | None) -> BoardRun:
    return run if run.superseded == decision else replace(run, superseded=decision)
