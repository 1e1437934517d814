"""The static board: every page as a file, from run directories alone. No file holds the time of building."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grue import __version__
from grue.comparison.standings import BoardData, rank_board
from grue.comparison.standings_runs import BoardRun
from grue.comparison.standings_settings import Setting, settings
from grue.core.errors import GrueError, UsageError
from grue.runs.validity import Validity, read_validity
from leaderboard_site import documents
from leaderboard_site.cards import Card, card
from leaderboard_site.collect import Collection, Skipped, collect, one_line
from leaderboard_site.costs import Axis
from leaderboard_site.folder import MARKER, check_folder, swapped
from leaderboard_site.links import FileScheme, Page
from leaderboard_site.numbers import plural
from leaderboard_site.pages.about import about_view
from leaderboard_site.pages.board import board_views
from leaderboard_site.pages.cost import cost_views, known_axes
from leaderboard_site.pages.empty import empty_view
from leaderboard_site.pages.frame import Tab
from leaderboard_site.pages.rows import RowNumbers, TaskRows, read_numbers, read_rows
from leaderboard_site.pages.run import run_view
from leaderboard_site.pages.samples import may_show_texts, samples_views
from leaderboard_site.pages.task import task_views
from leaderboard_site.pages.task_example import example_of
from leaderboard_site.pages.tasks import tasks_view
from leaderboard_site.render import STYLESHEET, Renderer, View, stylesheet


@dataclass(frozen=True, slots=True)
class BoardReport:
    """What was built: number of HTML pages and of runs, and what was left out with the reason."""

    pages: int
    runs: int
    skipped: tuple[Skipped, ...]


def build_board(
    results: Sequence[Path] | None, out: Path, base_url: str | None = None, include: Sequence[Path] = ()
) -> BoardReport:
    """Build the static board of all runs in the results folders.

    Args:
        results: Folders of run directories, or run directories; ``None`` for the runs of the store.
        out: Folder of the board; replaced whole if it is an older board.
        base_url: Address under which it will be served, for canonical links.
        include: Task plugins outside the installed packages.

    Raises:
        UsageError: where a results folder is missing, ``base_url`` is no web address, or ``out`` holds something
            else or cannot be written.
    """
    if base_url is not None and not base_url.startswith(("https://", "http://")):
        raise UsageError(f"--base-url {base_url!r} is no web address.", "Begin it with https:// or http://.")
    found = _collected(results)
    check_folder(out, [run.stored.path for run in found.runs] if results is None else results)
    with swapped(out) as folder:
        builder = _Builder(found.runs, folder, base_url, include)
        builder.build()
    return BoardReport(builder.n_pages, len(found.runs), (*found.skipped, *builder.skipped))


def _collected(results: Sequence[Path] | None) -> Collection:
    if results is not None:
        return collect(results)
    from leaderboard_site.from_store import collect_stored

    return collect_stored()


class _Builder:
    """Writes one board into one folder; holds what all pages need."""

    def __init__(self, runs: Sequence[BoardRun], folder: Path, base_url: str | None, include: Sequence[Path]) -> None:
        self.skipped: list[Skipped] = []
        self.n_pages = 0
        self._n_runs = len(runs)
        self._folder = folder
        self._scheme = FileScheme()
        self._renderer = Renderer(self._scheme, base_url)
        self._settings = settings(runs)
        order = max((list(run.tasks) for run in runs), key=len, default=[])
        self._data = {setting.slug: rank_board(setting, order) for setting in self._settings}
        names = list(dict.fromkeys(name for data in self._data.values() for name in data.tasks))
        self._cards: dict[str, Card] = {name: card(name, include) for name in names}
        self._validity = {run.id: self._report(run) for run in runs}
        # A task's page shows the first setting of the menu that has the task.
        self._home = {name: next(data for data in self._data.values() if name in data.tasks) for name in names}

    def build(self) -> None:
        """Write all pages and documents, the marker last."""
        self._write(STYLESHEET, stylesheet())
        self._html(about_view())
        self._html(tasks_view(self._home, self._cards))
        self._json("tasks", documents.task_list(self._home, self._cards))
        if not self._settings:
            self._html(empty_view())
            self._json("leaderboard", documents.empty_leaderboard())
        for data in self._data.values():
            self._board(data)
            for name in data.tasks:
                self._task(name, data)
            for run in data.setting.runs:
                self._run(run, data)
        marker = {"schema_version": 1, "made_by": f"grue {__version__}", "pages": self.n_pages, "runs": self._n_runs}
        (self._folder / MARKER).write_text(json.dumps(marker) + "\n", encoding="utf-8")

    def _board(self, data: BoardData) -> None:
        setting = data.setting
        is_default = setting is self._settings[0]
        name = "leaderboard" if is_default else f"leaderboard/{setting.slug}"
        self._json(name, documents.leaderboard(data, self._settings))
        slug = "" if is_default else setting.slug
        document = Page(kind="json", name=name)
        views = board_views(data, self._settings, slug, self._cards, self._validity, document)
        for view in views:
            self._html(view)
        for cost in cost_views(data, self._cards, slug=slug, settings=self._costs(views[0].menu), json=document):
            self._html(cost)

    def _task(self, name: str, data: BoardData) -> None:
        board, slug = data.tasks[name], self._task_slug(name, data.setting)
        document = f"leaderboard/{data.setting.slug}/{name}"
        self._json(document, documents.task_leaderboard(board, data, self._settings))
        tasks = [Tab(self._cards[other].title, Page(kind="task", task=other), other == name) for other in self._cards]
        places = [
            Tab(
                other.label,
                Page(kind="task", task=name, setting=self._task_slug(name, other)),
                other is data.setting,
                plural(sum(name in run.tasks for run in other.runs), "run"),
            )
            for other in self._settings
            if name in self._data[other.slug].tasks
        ]
        for view in task_views(
            board,
            data,
            self._cards,
            tasks=tasks,
            settings=places,
            slug=slug,
            example=example_of(data, name, self._cards[name]),
            json=Page(kind="json", name=document),
        ):
            self._html(view)
        for cost in cost_views(
            data,
            self._cards,
            slug=slug,
            settings=self._costs(places, name),
            json=Page(kind="json", name=document),
            board=board,
        ):
            self._html(cost)

    def _costs(self, tabs: Sequence[Tab], task: str = "") -> list[tuple[Tab, list[Axis]]]:
        """Links to settings, in the order of the menu, with the costs that each has pages of."""
        shown = [setting for setting in self._settings if not task or task in self._data[setting.slug].tasks]
        return [(tab, known_axes(self._data[one.slug])) for tab, one in zip(tabs, shown, strict=True)]

    def _run(self, run: BoardRun, data: BoardData) -> None:
        rows = {name: self._read(run, name, data) for name in run.tasks}
        is_default = data.setting is self._settings[0]
        board = Page(kind="board", setting="" if is_default else data.setting.slug)
        validity = self._validity[run.id]
        self._json(f"runs/{run.id}", documents.run_document(run, validity))
        self._html(run_view(run, data, board, self._cards, self._numbers(run, data), validity))
        names = [name for name in data.tasks if name in run.tasks]
        for name in names:
            if not may_show_texts(self._cards[name], run.tasks[name]):
                self._json(f"runs/{run.id}/samples/{name}", documents.samples(run, name, rows[name]))
            tabs = [
                Tab(self._cards[other].title, Page(kind="samples", run=run.id, task=other), other == name)
                for other in names
            ]
            for view in samples_views(run, run.tasks[name], rows[name], self._cards[name], tabs):
                self._html(view)

    def _read(self, run: BoardRun, name: str, data: BoardData) -> TaskRows:
        """A task's rows; where they cannot be read the run stays, its samples page is empty, and it is said.

        Published results and imported values may come without generations, which is no fault.
        """
        if not run.stored.has_samples(name) and (run.stored.submission is not None or run.kind == "imported"):
            return TaskRows((), None, None, higher_is_better=True)
        try:
            return read_rows(run, run.tasks[name], data.tasks.get(name))
        except GrueError as error:
            self.skipped.append(Skipped(run.stored.path, one_line(error)))
            return TaskRows((), None, None, higher_is_better=True)

    def _numbers(self, run: BoardRun, data: BoardData) -> dict[str, RowNumbers]:
        """Numbers of each task's rows; of rows that cannot be read, which was said already, none."""
        found = {}
        for name, result in run.tasks.items():
            try:
                found[name] = read_numbers(run, result, data.tasks.get(name))
            except GrueError:
                found[name] = RowNumbers()
        return found

    def _report(self, run: BoardRun) -> Validity | None:
        """The run's validity report; where it cannot be read the run stays without, and it is said."""
        try:
            return read_validity(run.stored.path)
        except GrueError as error:
            self.skipped.append(Skipped(run.stored.path, one_line(error)))
            return None

    def _task_slug(self, name: str, setting: Setting) -> str:
        return "" if self._home[name].setting is setting else setting.slug

    def _html(self, view: View) -> None:
        self._write(view.frame.page, self._renderer.html(view))
        self.n_pages += 1

    def _json(self, name: str, document: Mapping[str, Any]) -> None:
        self._write(Page(kind="json", name=name), documents.dump(document))

    def _write(self, page: Page, text: str) -> None:
        path = self._folder / self._scheme.path(page)
        path.parent.mkdir(parents=True, exist_ok=True)
        # A lone surrogate cannot be written as UTF-8; the reader sees the replacement character.
        path.write_bytes(text.encode("utf-8", "replace"))
