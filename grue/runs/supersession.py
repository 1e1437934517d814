"""Corrections: a run that takes the place of an older one says so in a file of its own, with reason and date.

The old run's folder stays as it is. The file lies beside ``results.json`` of the new run, outside its checksum, so that
the decision is found again wherever the run directory goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from grue.core.run import SCHEMA_VERSION
from grue.core.text import Json
from grue.runs.fields import Fields, read_document
from grue.runs.files import storing, write_json

SUPERSEDES = "supersedes.json"


@dataclass(frozen=True, slots=True)
class Supersession:
    """One decision.

    Attributes:
        old: Run id of the result that no longer counts.
        new: Run id of the one that counts instead.
        reason: In the words of whoever decided.
        decided_at: RFC 3339 in UTC.
    """

    old: str
    new: str
    reason: str
    decided_at: str


def read_supersessions(path: Path, run_id: str) -> tuple[Supersession, ...]:
    """The decisions that a run directory bears; most bear none.

    Args:
        path: The run directory of the new run.
        run_id: Its run id.

    Raises:
        RunDirectoryError: where the file is damaged, newer than this version reads, or speaks of another run.
    """
    file = path / SUPERSEDES
    if not file.exists():
        return ()
    document = read_document(file)
    if document.required("run_id", str) != run_id:
        raise document.fault(f"run_id is {document.values['run_id']!r}, but the run here is {run_id}.")
    entries = document.required("supersedes", list)
    found = []
    for index, entry in enumerate(entries):
        place = f"{document.place}: supersedes[{index}]"
        if not isinstance(entry, dict):
            raise Fields({}, place).fault("should be an object.")
        fields = Fields(entry, place)
        found.append(
            Supersession(
                old=fields.required("old", str),
                new=run_id,
                reason=fields.required("reason", str),
                decided_at=fields.required("decided_at", str),
            )
        )
    return tuple(found)


def write_supersession(path: Path, decision: Supersession) -> None:
    """Add a decision to those of the new run's directory; the file is replaced whole.

    Raises:
        RunDirectoryError: where the file there is damaged or the folder cannot be written.
    """
    known = read_supersessions(path, decision.new)
    with storing(path):
        write_json(path / SUPERSEDES, _document(decision.new, [*known, decision]))


def _document(run_id: str, decisions: Sequence[Supersession]) -> dict[str, Json]:
    listed: list[Json] = [{key: value for key, value in asdict(one).items() if key != "new"} for one in decisions]
    return {"schema_version": SCHEMA_VERSION, "run_id": run_id, "supersedes": listed}
