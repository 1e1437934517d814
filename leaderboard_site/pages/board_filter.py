"""Which runs a view of the board shows: what its address asks for, as far as this board has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from grue.runs.published import MARKS
from leaderboard_site.board_state import SCORED_HERE, BoardState
from leaderboard_site.links import Page
from leaderboard_site.pages.board_columns import PRIMARY, BoardColumn, columns_of
from leaderboard_site.pages.board_entries import BoardEntries, BoardEntry, folded
from leaderboard_site.pages.frame import sort_rows

_SCORED_HERE = ("verified", "rescored")
MARK_WORDS = {SCORED_HERE: "verified or rescored", **{mark: mark for mark in MARKS}}


@dataclass(frozen=True, slots=True)
class Fitted:
    """A state that asks only for what the board has.

    Attributes:
        ignored: What it asked for beside that, in words.
    """

    state: BoardState
    columns: tuple[BoardColumn, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter, and the page without it."""

    label: str
    page: Page


def fitted(entries: BoardEntries, state: BoardState) -> Fitted:
    """Leave out of a state what this board does not have, and say so."""
    ignored: list[str] = []
    tasks = entries.data.tasks
    metrics = {PRIMARY, *(name for names in entries.metrics.values() for name in names)} if state.metrics else set()

    def check(what: str, value: str, *, is_known: bool) -> bool:
        if value and not is_known:
            ignored.append(f"{what} ‘{value}’")
        return bool(value) and is_known

    if state.task and not check("task", state.task, is_known=state.task in tasks):
        state = replace(state, task="")
    licences = {key for key, _ in entries.licences}
    if state.licence and not check("licence", state.licence, is_known=state.licence in licences):
        state = replace(state, licence="")
    if state.kind and not check("kind", state.kind, is_known=state.kind in entries.kinds):
        state = replace(state, kind="")
    if state.view == "reward" and not check("view", "reward", is_known=bool(entries.rewards)):
        state = replace(state, view="quality")
    if state.view == "naturalness" and not check("view", "naturalness", is_known=entries.data.has_scores):
        state = replace(state, view="quality")
    state = replace(
        state,
        metrics=tuple(name for name in state.metrics if check("metric", name, is_known=name in metrics)),
        pins=tuple(run_id for run_id in state.pins if check("pin", run_id, is_known=run_id in entries.by_id)),
    )
    columns = columns_of(entries, state)
    known = {column.key: column.key for column in columns}
    # A task's only column is also known by its metric, and the first of several by the task alone.
    for column in columns:
        task, _, _ = column.key.partition(":")
        known.setdefault(task, column.key)
        if task in tasks and task == column.key:
            known.setdefault(f"{task}:{column.notes[0]}", column.key)
    if state.sort and not check("sort", state.sort, is_known=state.sort in known):
        state = replace(state, sort="")
    key = known[state.sort or own_order(state)]
    if key == own_order(state):
        key = ""
    return Fitted(replace(state, sort=key), columns, tuple(ignored))


def own_order(state: BoardState) -> str:
    """The column that sorts a view where its address names none."""
    return "naturalness" if state.view == "naturalness" else "rank"


def matching(entries: BoardEntries, state: BoardState) -> list[BoardEntry]:
    """The entries that the filters leave, in the order of the board; yardsticks are none of them."""
    words = folded(state.text)
    return [
        entry
        for entry in entries.ranked
        if words in entry.name
        and (not state.task or state.task in entry.tasks)
        and (state.size is None or state.size.holds(entry.run.parameters))
        and (not state.licence or entry.licence == state.licence)
        and (not state.mark or entry.mark == state.mark or (state.mark == SCORED_HERE and entry.mark in _SCORED_HERE))
        and (not state.kind or entry.run.kind == state.kind)
    ]


def in_asked_order(
    found: Sequence[BoardEntry], state: BoardState, columns: Sequence[BoardColumn]
) -> tuple[list[BoardEntry], BoardColumn]:
    """Entries by the column asked for, missing values last in both directions, and that column."""
    key = state.sort or own_order(state)
    column = next(one for one in columns if one.key == key)
    if key == "rank" and not state.is_reversed:
        return list(found), column
    return sort_rows(found, column.value, descending=column.is_descending != state.is_reversed), column


def chips(entries: BoardEntries, state: BoardState) -> tuple[Chip, ...]:
    """Each active filter, removable."""
    licences = dict(entries.licences)
    active = (
        (f"name contains “{state.text}”", {"text": ""}, state.text),
        (f"has {entries.cards[state.task].title}" if state.task else "", {"task": ""}, state.task),
        (state.size.words if state.size else "", {"size": None}, state.size),
        (f"licence {licences.get(state.licence, '')}", {"licence": ""}, state.licence),
        (MARK_WORDS.get(state.mark, ""), {"mark": ""}, state.mark),
        (f"kind {state.kind}", {"kind": ""}, state.kind),
    )
    return tuple(Chip(label, service_page(state.from_start(**change))) for label, change, is_on in active if is_on)


def service_page(state: BoardState) -> Page:
    """The page of a state on a server."""
    return Page(kind="board", query=state.to_query())
