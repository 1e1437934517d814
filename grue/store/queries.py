"""Questions to the index. Orders are those of time and id, so that two databases of the same runs answer alike."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.engine import Row
from sqlalchemy.orm import aliased

from grue.core.errors import StoreError, UsageError
from grue.core.run import ScoreValue
from grue.runs.supersession import Supersession
from grue.stats.seeds import over_seeds
from grue.store.database import PACKED, Store
from grue.store.models import ResultModel, RunModel, SupersessionModel
from grue.store.records import RunRecord
from grue.store.rows import asked_from, record_from
from grue.store.suites import Suite, unpack
from grue.store.tables import read_asked, read_rows, read_suites
from grue.store.values import (
    Best,
    Block,
    Board,
    Entry,
    Location,
    Number,
    RunPage,
    RunSummary,
    SettingSummary,
    TaskBoard,
    TaskSummary,
)

MOST_ROWS = 1000
_NOT_COLUMNS = ("grue", "naturalness", "superseded")
_PLAIN = tuple(name for name in RunSummary.__slots__ if name not in _NOT_COLUMNS)
_SCORE = tuple(f"{name}{part}" for name in ("grue", "naturalness") for part in ("", "_low", "_high", "_reason"))
_Successor = aliased(RunModel)


def runs(store: Store, *, setting: str | None = None, limit: int = 100, cursor: str | None = None) -> RunPage:
    """Runs by time of creation, superseded ones among them.

    Args:
        store: An open store.
        setting: Slug; all settings where nothing is said.
        limit: Runs a page, 1 to 1,000.
        cursor: ``next_cursor`` of the page before.

    Raises:
        UsageError: for a limit out of range or a cursor that is none.
    """
    if not 1 <= limit <= MOST_ROWS:
        raise UsageError(f"limit is {limit}.", f"Ask for 1 to {MOST_ROWS:,} runs at a time.")
    query = _summaries().order_by(RunModel.created_microseconds, RunModel.run_id).limit(limit + 1)
    if setting is not None:
        query = query.where(RunModel.setting == setting)
    if cursor is not None:
        time, run_id = _read_cursor(cursor)
        same_time = and_(RunModel.created_microseconds == time, RunModel.run_id > run_id)
        query = query.where(or_(RunModel.created_microseconds > time, same_time))
    with store.read() as connection:
        found = [_summary(row) for row in connection.execute(query)]
    page = found[:limit]
    return RunPage(tuple(page), _cursor(page[-1]) if len(found) > limit else None)


def run(store: Store, run_id: str) -> RunRecord:
    """All that the index holds of a run, superseded or not.

    Raises:
        StoreError: where there is none of that id.
    """
    with store.read() as connection:
        found = read_rows(connection, [run_id])
    if run_id not in found:
        raise StoreError(f"The store has no run {run_id!r}.", "'grue db list' shows all.")
    return record_from(found[run_id])


def locations(store: Store) -> tuple[Location, ...]:
    """Where all runs lie, by id."""
    query = select(RunModel.run_id, RunModel.path, RunModel.checksum).order_by(RunModel.run_id)
    with store.read() as connection:
        return tuple(Location(row.run_id, Path(row.path), row.checksum) for row in connection.execute(query))


def settings(store: Store) -> tuple[SettingSummary, ...]:
    """Settings by slug."""
    query = (
        select(RunModel.setting, func.count()).where(_counts()).group_by(RunModel.setting).order_by(RunModel.setting)
    )
    with store.read() as connection:
        return tuple(SettingSummary(slug, n_runs) for slug, n_runs in connection.execute(query))


def tasks(store: Store) -> tuple[TaskSummary, ...]:
    """Tasks by name."""
    query = (
        select(ResultModel.task, RunModel.setting, func.count())
        .join(RunModel, RunModel.run_id == ResultModel.run_id)
        .where(_counts())
        .group_by(ResultModel.task, RunModel.setting)
    )
    n_runs: Counter[str] = Counter()
    found: dict[str, set[str]] = {}
    with store.read() as connection:
        for task, setting, number in connection.execute(query):
            n_runs[task] += number
            found.setdefault(task, set()).add(setting)
    return tuple(TaskSummary(task, n_runs[task], tuple(sorted(found[task]))) for task in sorted(found))


def supersessions(store: Store) -> tuple[Supersession, ...]:
    """Decisions that are in force, as the run that takes the other's place is in the index; by old run id."""
    table = SupersessionModel
    query = (
        select(table.old_run_id, table.new_run_id, table.reason, table.decided_at)
        .join(_Successor, _Successor.run_id == table.new_run_id)
        .order_by(table.old_run_id)
    )
    with store.read() as connection:
        return tuple(Supersession(*row) for row in connection.execute(query))


def board(store: Store, setting: str, *, only: Sequence[str] | None = None, with_superseded: bool = False) -> Board:
    """All results of a setting.

    Args:
        store: An open store.
        setting: Slug of the setting.
        only: Tasks to read; all where nothing is said.
        with_superseded: Whether runs that another took the place of are there too.
    """
    of_runs = _summaries().where(RunModel.setting == setting).order_by(RunModel.run_id)
    results = (
        select(ResultModel.task, ResultModel.asked_id, ResultModel.suite_id, ResultModel.run_id, ResultModel.numbers)
        .join(RunModel, RunModel.run_id == ResultModel.run_id)
        .where(RunModel.setting == setting)
        .execution_options(**{PACKED: True})
    )
    if only is not None:
        results = results.where(ResultModel.task.in_(list(only)))
    with store.read() as connection:
        summaries = {row.run_id: _summary(row) for row in connection.execute(of_runs).all()}
        shown = {key: one for key, one in summaries.items() if with_superseded or one.superseded is None}
        blocks: dict[tuple[str, str, str], list[tuple[str, bytes]]] = {}
        for task, asked_id, suite_id, run_id, numbers in connection.execute(results).all():
            if run_id in shown:
                blocks.setdefault((task, asked_id, suite_id), []).append((run_id, numbers))
        asked = read_asked(connection, {key[1] for key in blocks})
        suites = read_suites(connection, {key[2] for key in blocks})
    found: dict[str, list[Block]] = {}
    for (task, asked_id, suite_id), rows in sorted(blocks.items()):
        # Sorting here is faster than in the database, which would move the numbers too.
        run_ids, packed = zip(*sorted(rows), strict=True)
        suite = Suite.from_text(suites[suite_id])
        found.setdefault(task, []).append(Block(asked_from(asked[asked_id]), suite, run_ids, unpack(packed)))
    return Board(setting, shown, {task: TaskBoard(task, tuple(group)) for task, group in found.items()})


def entries(store: Store, setting: str, task: str, metric: str) -> tuple[Entry, ...]:
    """Runs of a setting by entry, with the mean over seeds, in the order of their keys.

    Runs without a value of the metric, and superseded ones, are left out.
    """
    found = board(store, setting, only=[task])
    groups: dict[str, list[Number]] = {}
    for number in found.tasks[task].of(metric) if task in found.tasks else ():
        groups.setdefault(found.runs[number.run_id].entry_key, []).append(number)
    return tuple(_entry(key, groups[key], found) for key in sorted(groups))


def history(store: Store, setting: str, task: str, metric: str) -> tuple[Best, ...]:
    """When the best value of a task rose, oldest first: of runs with the most common comparison key.

    Yardsticks, superseded runs and metrics without direction give nothing.
    """
    found = board(store, setting, only=[task])
    numbers = found.tasks[task].usual(metric) if task in found.tasks else []
    ranked = [number for number in numbers if not found.runs[number.run_id].is_yardstick]
    steps: list[Best] = []
    in_time = sorted(
        ranked,
        key=lambda one: (found.runs[one.run_id].created_microseconds, one.run_id),
    )
    for number in in_time:
        if number.scored.higher_is_better is None:
            continue
        towards = 1 if number.scored.higher_is_better else -1
        if not steps or towards * number.value > towards * steps[-1].value:
            summary = found.runs[number.run_id]
            steps.append(Best(number.run_id, summary.name, summary.created_at, number.value))
    return tuple(steps)


def _summaries() -> Select[Any]:
    decision = SupersessionModel
    columns = [getattr(RunModel, name) for name in (*_PLAIN, *_SCORE)]
    return select(*columns, decision.new_run_id, decision.reason, decision.decided_at).outerjoin(
        decision,
        and_(
            decision.old_run_id == RunModel.run_id,
            select(_Successor.run_id).where(_Successor.run_id == decision.new_run_id).exists(),
        ),
    )


def _counts() -> ColumnElement[bool]:
    """Whether a run counts: no other took its place."""
    decision = SupersessionModel
    gone = select(decision.old_run_id).join(_Successor, _Successor.run_id == decision.new_run_id)
    return RunModel.run_id.not_in(gone)


def _summary(row: Row[Any]) -> RunSummary:
    # By position: a board makes thousands of these.
    values = tuple(row)
    plain: dict[str, Any] = dict(zip(_PLAIN, values, strict=False))
    scores = values[len(_PLAIN) : len(_PLAIN) + len(_SCORE)]
    decided = values[len(_PLAIN) + len(_SCORE) :]
    superseded = None if decided[0] is None else Supersession(plain["run_id"], *decided)
    grue, naturalness = _score(*scores[:4]), _score(*scores[4:])
    return RunSummary(**plain, grue=grue, naturalness=naturalness, superseded=superseded)


def _score(value: float | None, low: float | None, high: float | None, reason: str | None) -> ScoreValue:
    return ScoreValue(value, None if low is None or high is None else (low, high), reason)


def _entry(key: str, numbers: Sequence[Number], found: Board) -> Entry:
    in_time = sorted(numbers, key=lambda one: (found.runs[one.run_id].created_microseconds, one.run_id))
    by_seed: dict[str, Number] = {}
    for number in in_time:
        by_seed.setdefault(found.runs[number.run_id].identity, number)
    mean = over_seeds([one.value for one in by_seed.values()], [one.ci95 for one in by_seed.values()])
    first = in_time[0]
    return Entry(
        key=key,
        name=found.runs[first.run_id].name,
        runs=tuple(number.run_id for number in in_time),
        seeds=mean.seeds,
        mean=mean.mean,
        spread=mean.sd,
        ci95=mean.ci95,
        scored=first.scored,
    )


def _cursor(last: RunSummary) -> str:
    return base64.urlsafe_b64encode(f"{last.created_microseconds}:{last.run_id}".encode()).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[int, str]:
    try:
        padded = text + "=" * (-len(text) % 4)
        time, _, run_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(":")
        return int(time), run_id
    except (binascii.Error, ValueError) as error:
        raise UsageError(f"{text[:40]!r} is no cursor.", "Take 'next_cursor' of the page before.") from error
