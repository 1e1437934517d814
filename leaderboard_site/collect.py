"""Finds the runs of a board: every readable run directory once, the others with the reason they are left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grue.comparison.standings_runs import BoardRun, board_run
from grue.core.errors import GrueError, UsageError
from grue.runs.read import Broken, find_runs
from grue.runs.row_counts import check_row_counts
from grue.runs.supersession import Supersession, decisions_of, sorted_out


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
    # Of copies the first by path counts, in whatever order the folders are named.
    for found in sorted(find_runs(*results), key=lambda run: run.path.resolve()):
        if isinstance(found, Broken):
            skipped.append(Skipped(found.path, found.reason))
            continue
        try:
            run = board_run(found.stored)
            check_row_counts(found.stored)
        except GrueError as error:
            skipped.append(Skipped(found.path, one_line(error)))
            continue
        other = runs.setdefault(run.id, run)
        # A copy of a run is no second run; two runs under one id are a fault.
        if other is not run and other.stored.results != run.stored.results:
            skipped.append(Skipped(found.path, f"run id {run.id} is also that of {other.stored.path}."))
    decisions, faults = _decisions(runs.values())
    return Collection(with_decisions(runs, decisions), (*skipped, *faults))


def with_decisions(runs: Mapping[str, BoardRun], decisions: Iterable[Supersession]) -> tuple[BoardRun, ...]:
    """The runs by id, each with the decision that another run counts instead of it."""
    of_old = {decision.old: decision for decision in decisions if decision.new in runs}
    return tuple(replace(runs[run_id], superseded=of_old.get(run_id)) for run_id in sorted(runs))


def _decisions(runs: Iterable[BoardRun]) -> tuple[list[Supersession], list[Skipped]]:
    """The corrections that run directories bear, and those that cannot be read or contradict earlier ones."""
    made: list[Supersession] = []
    faults = []
    paths: dict[str, Path] = {}
    for run in runs:
        paths[run.id] = run.stored.path
        try:
            made += decisions_of(run.stored)
        except GrueError as error:
            faults.append(Skipped(run.stored.path, one_line(error)))
    kept, refused = sorted_out(made, ())
    return kept, [*faults, *(Skipped(paths[one.decision.new], one.reason) for one in refused)]


def one_line(error: GrueError) -> str:
    """Place and cause."""
    return f"{error.place}: {error.cause}" if error.place else error.cause
