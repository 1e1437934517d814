"""Run directories that a worker stored and never told of: they are whole, and no result of their submission."""

from __future__ import annotations

from sqlalchemy import Connection, select

from grue.store.reading import RunReader
from grue.store.service.models import SubmissionModel


def never_counted(connection: Connection, named: dict[str, str]) -> dict[str, str]:
    """Runs of attempts that were lost, or of jobs that were cancelled, before they counted.

    Args:
        connection: An open connection.
        named: Run id -> name in the run's ``submission.yaml``, which is the id of the submission that it came of.

    Returns:
        Run id -> why it is left out.
    """
    if not named:
        return {}
    counts = {
        row[0]: row[1] for row in connection.execute(select(SubmissionModel.submission_id, SubmissionModel.run_id))
    }
    return {
        run_id: f"an attempt at submission {name} that does not count"
        for run_id, name in named.items()
        if name in counts and counts[name] != run_id
    }


def leave_out_attempts(connection: Connection, reader: RunReader) -> set[str]:
    """Leave those out of what was read; their ids."""
    found = never_counted(connection, reader.submissions)
    for run_id, reason in found.items():
        reader.leave_out(run_id, f"{reason}.")
    return set(found)
