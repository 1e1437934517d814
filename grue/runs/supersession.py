"""Corrections: a run that takes the place of an older one says so in a file of its own, with reason and date.

The old run's folder stays as it is. The file lies beside ``results.json`` of the new run, outside its checksum, so that
the decision is found again wherever the run directory goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from grue.core.run import SCHEMA_VERSION
from grue.core.text import Json
from grue.runs.fields import Fields, read_document
from grue.runs.files import storing, write_json
from grue.runs.read import StoredRun

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


@dataclass(frozen=True, slots=True)
class Refused:
    """A decision in a run directory that does not fit those before it, and why."""

    decision: Supersession
    reason: str


def decisions_of(stored: StoredRun) -> tuple[Supersession, ...]:
    """The decisions that a run directory bears, those of a published result among them; most bear none.

    Raises:
        RunDirectoryError: where the file is damaged.
    """
    run_id = stored.manifest_value().run_id
    found = read_supersessions(stored.path, run_id)
    earlier = stored.submission.supersedes if stored.submission is not None else None
    if earlier is None:
        return found
    decided_at = f"{earlier.date.isoformat()}T00:00:00Z"
    return (*found, Supersession(earlier.run_id, run_id, earlier.reason, decided_at))


def unfit(decision: Supersession, successors: Mapping[str, str]) -> str:
    """Why a decision does not fit others; empty where it does.

    Args:
        decision: The one in question.
        successors: Old run id -> new run id of those that stand.
    """
    if decision.old == decision.new:
        return f"run {decision.old} cannot take its own place."
    if decision.old in successors:
        return f"run {decision.old} has a successor already: {successors[decision.old]}."
    later: str | None = decision.new
    while later is not None:
        later = successors.get(later)
        if later == decision.old:
            return f"run {decision.new} was itself superseded by {decision.old}."
    return ""


def sorted_out(
    found: Iterable[Supersession], standing: Sequence[Supersession]
) -> tuple[list[Supersession], list[Refused]]:
    """Those of the found decisions that can be added, and the others with the reason.

    The result does not depend on the order in which they were found: earlier decisions stand before later ones.

    Args:
        found: Decisions of run directories.
        standing: Decisions that stand already.
    """
    successors = {known.old: known.new for known in standing}
    kept: list[Supersession] = []
    refused: list[Refused] = []
    for decision in sorted(set(found) - set(standing), key=lambda one: (one.decided_at, one.old, one.new, one.reason)):
        fault = unfit(decision, successors)
        if fault:
            refused.append(Refused(decision, fault))
        else:
            kept.append(decision)
            successors[decision.old] = decision.new
    return kept, refused


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
