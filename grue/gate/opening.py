"""Opens both sides of a gate; a run that crashed, is partial or cannot be read is a finding, not an exception."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import Exit, GrueError, RunDirectoryError, UsageError
from grue.gate.baseline import Written, read_baseline, write_baseline
from grue.gate.report import Outcome, Problem
from grue.gate.side import Side, side_of_run
from grue.runs.read import RESULTS, StoredRun, read_run

FINISHED = "finished"
GO_ON = "Run the command that made it again: it goes on where it stopped."


class CrashedRunError(GrueError):
    """A run that crashed, is partial or cannot be read, where a whole one is needed."""

    exit_code = Exit.PARTLY


@dataclass(frozen=True, slots=True)
class Opened:
    """A side as far as it could be opened.

    Attributes:
        side: ``None`` where nothing of it can be read.
        problems: Why it gives no full answer.
    """

    side: Side | None
    problems: tuple[Problem, ...] = ()


def open_run(path: Path, role: str) -> Opened:
    """A run directory as a side.

    Args:
        path: A folder.
        role: ``baseline`` or ``candidate``, for the message.
    """
    run, problem = _read(path, role)
    return Opened(side_of_run(run) if run else None, (problem,) if problem else ())


def open_baseline(path: Path, candidate: Path | None) -> Opened:
    """A baseline file or a run as the baseline.

    Raises:
        UsageError: where there is nothing yet; says how to make a baseline.
        BaselineError: for a faulty file.
    """
    if not path.exists():
        run = candidate or "RUN"
        raise UsageError(
            "there is no baseline yet.",
            f"Make one from a run you trust: grue gate --baseline {path} --candidate {run} --update-baseline",
            place=str(path),
        )
    if path.is_dir():
        return open_run(path, "baseline")
    return Opened(read_baseline(path))


def update_baseline(path: Path, candidate: Path) -> Written:
    """Make a run the baseline.

    Raises:
        CrashedRunError: where the run crashed, is partial or cannot be read; nothing is written.
        BaselineError: where the file cannot be written.
    """
    require_folder(candidate, "--candidate")
    run, problem = _read(candidate, "candidate")
    if run is None or problem is not None:
        cause, fix = (problem.message, problem.fix) if problem else ("cannot be read.", GO_ON)
        raise CrashedRunError(f"{cause} No baseline is made of it.", fix, place=str(candidate))
    return write_baseline(path, run)


def require_folder(path: Path, flag: str) -> None:
    """Refuse a run that is not there.

    Raises:
        UsageError: names flag and path.
    """
    if not path.is_dir():
        cause = "is no run directory but a file." if path.exists() else "no such folder."
        raise UsageError(f"{flag}: {cause}", "'grue runs list' shows the runs there are.", place=str(path))


def _read(path: Path, role: str) -> tuple[StoredRun | None, Problem | None]:
    if not (path / RESULTS).is_file():
        message = f"the {role} crashed or is not finished: it has no {RESULTS}."
        return None, Problem(Outcome.INFRASTRUCTURE, str(path), message, GO_ON)
    try:
        run = read_run(path)
        tasks = run.results_value().tasks
        asked = run.manifest_value().tasks
    except RunDirectoryError as error:
        message = f"the {role} cannot be read: {error.cause}"
        return None, Problem(Outcome.INFRASTRUCTURE, error.place or str(path), message, error.fix)
    missing = [name for name in tasks if name not in asked]
    if missing:
        message = (
            f"the {role} cannot be read: {RESULTS} has tasks that its manifest does not name: {', '.join(missing)}."
        )
        return None, Problem(Outcome.INFRASTRUCTURE, str(path), message, GO_ON)
    if run.results["status"] != FINISHED:
        failed = [f"{name} ({task.error or task.status})" for name, task in tasks.items() if task.status != FINISHED]
        message = f"the {role} is partial: {'; '.join(failed) or 'not all of it was done'}."
        return run, Problem(Outcome.INFRASTRUCTURE, str(path), message, GO_ON)
    return run, None
