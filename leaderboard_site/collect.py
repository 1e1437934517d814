"""Finds the runs of a board: every readable run directory once, the others with the reason they are left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grue.comparison.standings_runs import BoardRun, board_run
from grue.core.errors import GrueError, UsageError
from grue.runs.read import Broken, find_runs
from grue.runs.supersession import Supersession, read_supersessions


@dataclass(frozen=True, slots=True)
class Skipped:
    """A run directory, or a part of one, that is not on the board."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Collection:
    """What the results folders hold, runs by id."""

    runs: tuple[BoardRun, ...]
    skipped: tuple[Skipped, ...]


def collect(results: Sequence[Path]) -> Collection:
    """Read all run directories below the given folders; each may also be a run directory itself.

    Raises:
        UsageError: where a folder does not exist.
    """
    for folder in results:
        if not folder.is_dir():
            raise UsageError(f"--results {folder}: no such folder.", "Name a folder of run directories.")
    runs: dict[str, BoardRun] = {}
    skipped: list[Skipped] = []
    for found in find_runs(*results):
        if isinstance(found, Broken):
            skipped.append(Skipped(found.path, found.reason))
            continue
        try:
            run = board_run(found.stored)
        except GrueError as error:
            skipped.append(Skipped(found.path, one_line(error)))
            continue
        other = runs.setdefault(run.id, run)
        # A copy of a run is no second run; two runs under one id are a fault.
        if other is not run and other.stored.results != run.stored.results:
            skipped.append(Skipped(found.path, f"run id {run.id} is also that of {other.stored.path}."))
    decisions, faults = _decisions(runs.values())
    current = (replace(runs[run_id], superseded=decisions.get(run_id)) for run_id in sorted(runs))
    return Collection(tuple(current), (*skipped, *faults))


def _decisions(runs: Iterable[BoardRun]) -> tuple[dict[str, Supersession], list[Skipped]]:
    """Run id of a result that was corrected -> the decision; and corrections that cannot be read."""
    found: dict[str, Supersession] = {}
    faults = []
    for run in runs:
        try:
            made = list(read_supersessions(run.stored.path, run.id))
        except GrueError as error:
            faults.append(Skipped(run.stored.path, one_line(error)))
            continue
        if run.stored.submission is not None and (earlier := run.stored.submission.supersedes):
            made.append(Supersession(earlier.run_id, run.id, earlier.reason, earlier.date.isoformat()))
        found.update({decision.old: decision for decision in made if decision.old != run.id})
    return found, faults


def one_line(error: GrueError) -> str:
    """Place and cause."""
    return f"{error.place}: {error.cause}" if error.place else error.cause
