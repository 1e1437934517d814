"""``grue gate --sequential``: generates rows in nested portions and stops as soon as the answer is certain.

Rows come in the order of ``-L``, which is the same for every model and has nothing to do with what is in them. The
level is divided by the number of tests, so that all tests together raise a false alarm as often as the gate on whole
runs does. What is generated stays in a run directory that ``grue eval`` goes on with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grue.core.errors import UsageError
from grue.core.run import Manifest
from grue.core.text import Json
from grue.engine.open import EngineOptions
from grue.evaluation.call import GenerationCall, OutputCall, RowsCall
from grue.evaluation.prepare import Prepared, prepare
from grue.evaluation.progress import Progress
from grue.gate.gate import WITHOUT_FILE
from grue.gate.measured import refused
from grue.gate.opening import open_baseline
from grue.gate.planned import EXACT, Planned, plan_checks
from grue.gate.report import Check, Problem, Report, SideInfo
from grue.gate.rules import Rules
from grue.gate.sequence import Looks, not_judged
from grue.gate.side import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialCall:
    """What a user asks the sequential gate.

    Attributes:
        baseline: Baseline file or run directory: it says which tasks, rows and decoding.
        model: What generates.
        options: How it is opened.
        rules: What is demanded.
        data: Where the rows are, where not as the baseline has it.
        output: Run directory; ``None`` for the one that ``grue eval`` would take.
        batch_rows: Upper bound of rows a batch.
        known_tasks: Tasks that are installed, for a helpful message.
        include: Folders of task plugins outside the installed packages.
    """

    baseline: Path
    model: str
    options: EngineOptions
    rules: Rules = WITHOUT_FILE
    data: str | None = None
    output: Path | None = None
    batch_rows: int | None = None
    known_tasks: tuple[str, ...] = ()
    include: tuple[Path, ...] = ()


def run_sequential(call: SequentialCall, *, progress: Progress) -> Report:
    """Generate as few rows as the answer needs.

    Raises:
        GateFileError: where the rules name what the baseline does not have.
        BaselineError: for a faulty baseline file.
        UsageError: where the gate file asks for what needs all rows.
        CheckpointError: where the model cannot be used; nothing was generated.
    """
    try:
        return _run(call, progress)
    finally:
        progress.stop()


def _run(call: SequentialCall, progress: Progress) -> Report:
    rules = call.rules
    opened = open_baseline(call.baseline, None)
    if opened.side is None or opened.problems:
        nobody = SideInfo(call.model)
        return _report(rules, SideInfo(str(call.baseline)), nobody, (), problems=opened.problems)
    baseline = opened.side
    planned = plan_checks(rules, baseline, call.known_tasks)
    _refuse_whole(planned.checks, rules)
    tests = tuple(one for one in planned.checks if one.kind != "cost")
    notes = list(planned.notes)
    if len(tests) < len(planned.checks):
        notes.append("Costs are not judged with --sequential: they are those of a whole run.")
    if not tests:
        return _report(rules, baseline.info, SideInfo(call.model), (), notes=notes)
    tasks = tuple(dict.fromkeys(one.task for one in tests))
    rows, generation = _calls(baseline.manifest, tasks, call)
    prepared = prepare(call.model, call.options, rows, generation)
    try:
        for text in (*prepared.engine.notes, *prepared.plan.notes):
            progress.note(text)
        refusals = _refusals(tests, baseline, prepared)
        if refusals:
            checks = tuple(refusals.get(one) or not_judged(one) for one in tests)
            return _report(rules, baseline.info, _info(prepared, call.model), checks, notes=notes)
        path = prepared.path(OutputCall(path=call.output))
        sequence = Looks(tests, baseline, prepared, rules.level, progress)
        checks = sequence.run(path)
        notes.append(sequence.told(path))
        side = replace(_info(prepared, str(path)), run_id=sequence.run_id)
        return _report(rules, baseline.info, side, checks, notes=notes, sequential=sequence.summary())
    finally:
        prepared.engine.close()


def _report(
    rules: Rules,
    baseline: SideInfo,
    candidate: SideInfo,
    checks: tuple[Check, ...],
    *,
    problems: tuple[Problem, ...] = (),
    notes: Sequence[str] = (),
    sequential: dict[str, Json] | None = None,
) -> Report:
    return Report(
        baseline=baseline,
        candidate=candidate,
        checks=checks,
        problems=problems,
        level=rules.level,
        uncertain=rules.uncertain,
        notes=tuple(notes),
        sequential=sequential,
    )


def _refuse_whole(checks: Sequence[Planned], rules: Rules) -> None:
    for one in checks:
        if one.name == EXACT:
            raise UsageError(
                "exact = true asks for all rows.",
                "Leave out --sequential, or take 'exact' out of the gate file.",
                place=f"{rules.place}: gate.tasks.{one.task}.exact",
            )


def _calls(baseline: Manifest, tasks: Sequence[str], call: SequentialCall) -> tuple[RowsCall, GenerationCall]:
    """The baseline's call for these tasks, with the place of the rows as this call has it."""
    given = baseline.arguments
    samples = {baseline.tasks[task].samples for task in tasks}
    if len(samples) > 1:
        raise UsageError("The baseline's tasks have different numbers of samples.", "Gate them one by one.")
    metrics, data = given.get("metrics"), call.data or given.get("data")
    settings, overrides = given.get("settings"), given.get("generation")
    limit, split = given.get("limit"), given.get("split")
    rows = RowsCall(
        tasks=",".join(tasks),
        split=str(split) if split is not None else None,
        data=str(data) if data is not None else None,
        limit=limit if isinstance(limit, int) else None,
        profile=baseline.tasks[tasks[0]].profile,
        settings=settings if isinstance(settings, dict) else {},
        metrics=tuple(str(name) for name in metrics) if isinstance(metrics, list) else None,
        model_metrics=bool(given.get("model_metrics", True)),
        include=call.include,
        offline=call.options.offline,
    )
    generation = GenerationCall(
        seed=baseline.seed,
        samples=samples.pop(),
        overrides=overrides if isinstance(overrides, dict) else {},
        decoding=str(given.get("decoding") or "task"),
        batch_rows=call.batch_rows,
    )
    return rows, generation


def _refusals(tests: Sequence[Planned], baseline: Side, prepared: Prepared) -> dict[Planned, Check]:
    """Checks that cannot be made, found before anything is generated."""
    found = {}
    for one in tests:
        task = next((task for task in prepared.plan.tasks if task.name == one.task), None)
        built = task.asked.built if task else None
        absent = (
            (built.absent.get(one.name) or built.rewards_absent.get(one.name.rpartition(":")[2])) if built else None
        )
        refusal = refused(one, baseline.manifest, prepared.plan.manifest, absent)
        if refusal is not None:
            found[one] = refusal
    return found


def _info(prepared: Prepared, place: str) -> SideInfo:
    manifest = prepared.plan.manifest
    return SideInfo(place, None, manifest.model.name, manifest.created_at)
