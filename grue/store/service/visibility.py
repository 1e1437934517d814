"""Which runs public pages show; each change lets the board's version grow."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, or_, select, union

from grue.core.errors import UsageError
from grue.store.database import Store
from grue.store.models import RunModel
from grue.store.service.audit import write_line
from grue.store.service.board import board_changed
from grue.store.service.changing import check_stands, locked_submission, said_reason, set_values
from grue.store.service.clock import moment, stamp
from grue.store.service.models import HiddenRunModel, SubmissionModel


def set_public(store: Store, submission_id: str, is_public: bool, actor: str, *, now: datetime | None = None) -> None:
    """Put a submission's result onto the board, now or as soon as it is there, or keep it private.

    Raises:
        UsageError: for a submission that is none, or that was withdrawn or removed.
    """
    with store.change() as connection:
        row = locked_submission(connection, submission_id)
        if is_public:
            check_stands(row)
        if bool(row["is_public"]) == is_public:
            return
        time = moment(connection, now)
        is_shown = is_public and row["status"] == "done"
        set_values(connection, submission_id, is_public=is_public, published_at=stamp(time) if is_shown else None)
        action = "submission.publish" if is_public else "submission.unpublish"
        write_line(connection, time, actor, action, submission_id)
        board_changed(connection)


def hide_run(store: Store, run_id: str, reason: str, actor: str, *, now: datetime | None = None) -> None:
    """Hide a run from all public pages, whoever brought it; it stays in the index.

    Raises:
        UsageError: for a run that the index does not have, or without a reason.
    """
    said = said_reason(reason)
    with store.write() as connection:
        time = moment(connection, now)
        if connection.execute(select(RunModel.run_id).where(RunModel.run_id == run_id)).first() is None:
            raise UsageError(f"The store has no run {run_id[:40]!r}.", "'grue db list' shows all.")
        # In the place of an earlier decision, where there is one.
        connection.execute(delete(HiddenRunModel).where(HiddenRunModel.run_id == run_id))
        connection.execute(insert(HiddenRunModel).values(run_id=run_id, reason=said, hidden_at=stamp(time)))
        write_line(connection, time, actor, "run.hide", run_id, said)
        board_changed(connection)


def unhide_run(store: Store, run_id: str, actor: str, *, now: datetime | None = None) -> None:
    """Show a run again; one that is not hidden stays as it is."""
    with store.change() as connection:
        done = connection.execute(delete(HiddenRunModel).where(HiddenRunModel.run_id == run_id))
        if done.rowcount:
            write_line(connection, moment(connection, now), actor, "run.unhide", run_id)
            board_changed(connection)


def run_ids(connection: Connection) -> set[str]:
    """Runs that came of submissions, hidden or not."""
    found = connection.execute(select(SubmissionModel.run_id).where(SubmissionModel.run_id.is_not(None))).scalars()
    return {run_id for run_id in found if run_id is not None}


def hidden_runs(store: Store) -> dict[str, str]:
    """Runs that a host has hidden, each with the reason."""
    query = select(HiddenRunModel.run_id, HiddenRunModel.reason).order_by(HiddenRunModel.run_id)
    with store.read() as connection:
        return {row.run_id: row.reason for row in connection.execute(query)}


def hidden_run_ids(store: Store, *, now: datetime | None = None) -> frozenset[str]:
    """Runs that no public page shows: of submissions that are private, withdrawn, removed or not released yet, and
    those that a host has hidden.
    """
    with store.read() as connection:
        at = stamp(moment(connection, now))
        unseen = or_(
            SubmissionModel.is_public.is_(False),
            SubmissionModel.withdrawn_at.is_not(None),
            SubmissionModel.removed_at.is_not(None),
            SubmissionModel.released_at.is_(None),
            SubmissionModel.released_at > at,
        )
        of_submissions = select(SubmissionModel.run_id).where(SubmissionModel.run_id.is_not(None), unseen)
        by_hosts = select(HiddenRunModel.run_id)
        return frozenset(connection.execute(union(of_submissions, by_hosts)).scalars())
