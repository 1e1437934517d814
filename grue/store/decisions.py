"""Decisions about results: a new run takes the place of an older one, with a reason and a date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, insert, select

from grue.core.errors import StoreError, UsageError
from grue.core.text import nearest
from grue.runs.identity import timestamp
from grue.runs.supersession import Supersession, unfit, write_supersession
from grue.store.database import Store
from grue.store.models import RunModel, SupersessionModel
from grue.store.service.board import board_changed


def supersede(store: Store, old: str, new: str, reason: str) -> Supersession:
    """Let a new result take the place of an old one, which stays readable.

    The decision is written into the new run's directory, so that a rebuild finds it, and into the database.

    Args:
        store: An open store.
        old: Id, or the beginning of one, of the run that no longer counts.
        new: Of the one that counts instead.
        reason: Why, in a sentence.

    Raises:
        UsageError: for an id that fits no run or several, or without a reason.
        StoreError: where the old run has a successor already, or the new one is its predecessor.
        RunDirectoryError: where the new run's directory cannot be written.
    """
    if not reason.strip():
        raise UsageError("--reason is empty.", "Say what was wrong with the old result.")
    with store.write() as connection:
        paths = {row.run_id: row.path for row in connection.execute(select(RunModel.run_id, RunModel.path))}
        decision = Supersession(_run_id(old, paths), _run_id(new, paths), reason.strip(), timestamp())
        fault = unfit(decision, {known.old: known.new for known in all_decisions(connection)})
        if fault:
            raise StoreError(fault, "'grue db list' shows which run took the place of which.")
        add_decisions(connection, [decision])
        board_changed(connection)
        # Last: where the file cannot be written, the transaction is undone.
        write_supersession(Path(paths[decision.new]), decision)
    return decision


def all_decisions(connection: Connection) -> list[Supersession]:
    """All decisions of the database, by old run id."""
    table = SupersessionModel
    columns = select(table.old_run_id, table.new_run_id, table.reason, table.decided_at).order_by(table.old_run_id)
    return [Supersession(*row) for row in connection.execute(columns)]


def add_decisions(connection: Connection, decisions: Sequence[Supersession]) -> None:
    """Insert decisions that fit."""
    values = [
        {"old_run_id": one.old, "new_run_id": one.new, "reason": one.reason, "decided_at": one.decided_at}
        for one in decisions
    ]
    if values:
        connection.execute(insert(SupersessionModel), values)


def _run_id(text: str, known: Mapping[str, str]) -> str:
    if text in known:
        return text
    fitting = sorted(run_id for run_id in known if text and run_id.startswith(text.upper()))
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"{text!r} fits {len(fitting)} runs: {', '.join(fitting[:5])}.", "Give more of the run's id.")
    raise UsageError(f"The store has no run {text!r}.{nearest(text, known)}", "'grue db list' shows all.")
