"""The gate: two sides, rules, checks, one answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grue.core.errors import RunDirectoryError
from grue.gate.baseline import read_baseline
from grue.gate.baseline_rows import BaselineError
from grue.gate.decision import decide
from grue.gate.measured import Measured, measure
from grue.gate.opening import FINISHED, open_baseline, open_run, require_folder
from grue.gate.planned import EXACT, Planned, plan_checks
from grue.gate.report import Check, Outcome, Report, SideInfo
from grue.gate.rules import LEVEL, Rules, Uncertain
from grue.gate.rules_file import read_rules
from grue.gate.side import Side

WITHOUT_FILE = Rules()
NO_ANSWER = "the candidate gives no answer"
FAILED_TASK = "the task failed in the {role}: {error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCall:
    """What a user asks the gate.

    Attributes:
        baseline: Baseline file or run directory.
        candidate: Run directory.
        rules: What is demanded.
        known_tasks: Tasks that are installed, for a helpful message.
    """

    baseline: Path
    candidate: Path
    rules: Rules = WITHOUT_FILE
    known_tasks: tuple[str, ...] = ()


def run_gate(call: GateCall) -> Report:
    """Compare a candidate with its baseline.

    A run that crashed, is partial or cannot be read is an answer too (``infrastructure``), never an exception.

    Raises:
        GateFileError: where the rules name what the baseline does not have.
        BaselineError: for a faulty baseline file.
        UsageError: where a path does not exist.
    """
    rules = call.rules
    require_folder(call.candidate, "--candidate")
    before = open_baseline(call.baseline, call.candidate)
    plan = plan_checks(rules, before.side, call.known_tasks) if before.side else None
    after = open_run(call.candidate, "candidate")
    planned = plan.checks if plan else ()
    if before.side is None or after.side is None:
        checks = tuple(_unanswered(one) for one in planned)
    else:
        checks = decide(measure_all(planned, before.side, after.side, rules), level=rules.level)
    return Report(
        baseline=before.side.info if before.side else SideInfo(str(call.baseline)),
        candidate=after.side.info if after.side else SideInfo(str(call.candidate)),
        checks=checks,
        problems=(*before.problems, *after.problems),
        level=rules.level,
        uncertain=rules.uncertain,
        notes=(*(plan.notes if plan else ()), *_not_gated(before.side, after.side)),
    )


def changes(baseline: Path, candidate: Path) -> tuple[str, ...]:
    """What a new baseline changes, a line a task; nothing where there is no old one that can be read."""
    after = open_run(candidate, "candidate").side if candidate.is_dir() else None
    if after is None or not baseline.is_file():
        return ()
    try:
        before = read_baseline(baseline)
    except BaselineError:
        return ()
    told = []
    for task in before.results.tasks:
        check = measure(Planned(task, EXACT, None, None, None), before, after, n_tests=1, level=LEVEL).check
        told.append(f"{task}: {check.message}")
    new = [task for task in after.results.tasks if task not in before.results.tasks]
    return (*told, *(f"{task}: is new" for task in new))


def rules_of(config: Path | None, uncertain: Uncertain | None) -> Rules:
    """The rules of a gate file, or those without one; what the call says of "cannot tell" wins."""
    rules = read_rules(config) if config is not None else Rules()
    return replace(rules, uncertain=uncertain) if uncertain is not None else rules


def measure_all(planned: Sequence[Planned], baseline: Side, candidate: Side, rules: Rules) -> list[Measured]:
    """Both values and the test of each check; files of a run that turn out broken make their checks infrastructure.

    Raises:
        BaselineError: where the rows of a baseline file are damaged.
    """
    n_tests = sum(one.kind not in (None, "cost") for one in planned)
    found = []
    for one in planned:
        failed = _failed(one, baseline, candidate)
        if failed is not None:
            found.append(Measured(failed))
            continue
        try:
            found.append(measure(one, baseline, candidate, n_tests=n_tests, level=rules.level))
        except BaselineError:
            raise
        except RunDirectoryError as error:
            found.append(Measured(_unanswered(one, f"{error.place}: {error.cause}")))
    return found


def _failed(planned: Planned, baseline: Side, candidate: Side) -> Check | None:
    """A check of a task that failed on one side."""
    for role, side in (("baseline", baseline), ("candidate", candidate)):
        result = side.results.tasks.get(planned.task)
        if result is not None and result.status != FINISHED:
            return _unanswered(planned, FAILED_TASK.format(role=role, error=result.error or result.status))
    return None


def _unanswered(planned: Planned, reason: str = NO_ANSWER) -> Check:
    return Check(
        task=planned.task,
        name=planned.name,
        outcome=Outcome.INFRASTRUCTURE,
        message=reason,
        tolerance=None if planned.name == EXACT else planned.tolerance,
        higher_is_better=planned.higher_is_better,
        reason=reason,
    )


def _not_gated(baseline: Side | None, candidate: Side | None) -> tuple[str, ...]:
    if baseline is None or candidate is None:
        return ()
    new = [task for task in candidate.results.tasks if task not in baseline.results.tasks]
    if not new:
        return ()
    return (f"Not gated, as the baseline has no such task: {', '.join(new)}. --update-baseline takes them up.",)
