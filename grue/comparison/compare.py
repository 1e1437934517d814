"""``grue compare``: candidates against a baseline, task by task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grue.comparison.columns import ComparisonKey, comparison_key, result_entries
from grue.comparison.comparable import ROW_FIELDS, common_rows, refuse_other_keys
from grue.comparison.differing import differing
from grue.comparison.families import corrected, with_headline
from grue.comparison.moved import moved
from grue.comparison.overall import grue_difference
from grue.comparison.tested import Asked, tested
from grue.comparison.values import Comparison, MetricComparison, Moved, Pair, Side, Skipped, TaskComparison
from grue.core.errors import NotComparableError, UsageError
from grue.core.text import nearest
from grue.runs.frames import Run
from grue.runs.read import StoredRun, read_run
from grue.runs.rows import IMPORTED, check_rows
from grue.stats.bootstrap import RESAMPLES

FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareCall:
    """What is asked for.

    Attributes:
        tasks: Tasks to compare; all that the runs share where ``None``.
        metrics: Metrics and rewards (``reward:NAME``) to compare; all where ``None``.
        moved_by: Metric by which rows moved, instead of each task's first primary metric.
        common_rows: Whether rows that only one run has are left out instead of refused.
        power: Whether rows needed are computed.
        n_resamples: Resamples of the bootstrap and trials of the randomisation.
        seed: Seed of both.
        checks_rows: Whether rows are checked against the fingerprints of the manifest, which reads all texts.
    """

    tasks: tuple[str, ...] | None = None
    metrics: tuple[str, ...] | None = None
    moved_by: str | None = None
    common_rows: bool = False
    power: bool = False
    n_resamples: int = RESAMPLES
    seed: int = 0
    checks_rows: bool = True


def compare(
    a: str | Path | Run,
    b: str | Path | Run,
    *others: str | Path | Run,
    tasks: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    moved_by: str | None = None,
    common_rows: bool = False,
    power: bool = False,
    n_resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare runs on the same rows: paired tests, effect sizes, wins and losses, rows that moved.

    Args:
        a: The baseline: a run directory, or a run that ``grue.load_run`` read.
        b: The candidate.
        others: Further candidates, each against the baseline.
        tasks: Tasks to compare; all that the runs share where nothing is said.
        metrics: Metrics and rewards (``reward:NAME``) to compare; all where nothing is said.
        moved_by: Metric by which rows moved, instead of each task's first primary metric.
        common_rows: Compare the rows that both have where rows differ.
        power: Say how many rows would tell the runs apart.
        n_resamples: Resamples of the bootstrap and trials of the randomisation.
        seed: Seed of both.

    Raises:
        RunDirectoryError: where a run cannot be read or is not what it says.
        NotComparableError: where the runs have other rows, prompts, task versions or metric signatures.
        UsageError: for an unknown task or metric.
    """
    call = CompareCall(
        tasks=None if tasks is None else tuple(tasks),
        metrics=None if metrics is None else tuple(metrics),
        moved_by=moved_by,
        common_rows=common_rows,
        power=power,
        n_resamples=n_resamples,
        seed=seed,
    )
    return compare_runs([run.stored if isinstance(run, Run) else read_run(run) for run in (a, b, *others)], call)


def compare_runs(runs: Sequence[StoredRun], call: CompareCall) -> Comparison:
    """Compare stored runs with the first of them; see ``compare``."""
    if len(runs) < 2:
        raise UsageError("One run alone cannot be compared.", "Name two runs or more; the first is the baseline.")
    if call.n_resamples < 1 or call.seed < 0:
        raise UsageError("Resamples are at least 1, and a seed is at least 0.", "For example: n_resamples=1000, seed=0")
    _refuse_unknown(runs, call)
    chosen = [_tasks(runs[0], run, call) for run in runs[1:]]
    for run, (names, _) in zip(runs[1:], chosen, strict=True):
        refuse_other_keys(runs[0], run, names, call.metrics, rows_may=call.common_rows)
    for run, tasks in ((runs[0], dict.fromkeys(t for names, _ in chosen for t in names)), *_of(runs[1:], chosen)):
        for task in tasks:
            # An imported run may hold values alone; every other run holds the rows they came from.
            has_rows = run.manifest["model"]["kind"] != IMPORTED or f"samples/{task}.parquet" in run.results["files"]
            if call.checks_rows and has_rows:
                check_rows(run, task)
    sides = _sides(runs)
    return Comparison(
        baseline=sides[0],
        pairs=tuple(
            _pair(runs[0], run, side, names, skipped, call)
            for run, side, (names, skipped) in zip(runs[1:], sides[1:], chosen, strict=True)
        ),
        n_resamples=call.n_resamples,
        seed=call.seed,
        common_rows=call.common_rows,
    )


_Chosen = tuple[tuple[str, ...], tuple[Skipped, ...]]


def _of(runs: Sequence[StoredRun], chosen: Sequence[_Chosen]) -> list[tuple[StoredRun, dict[str, None]]]:
    return [(run, dict.fromkeys(names)) for run, (names, _) in zip(runs, chosen, strict=True)]


def _refuse_unknown(runs: Sequence[StoredRun], call: CompareCall) -> None:
    known = list(dict.fromkeys(task for run in runs for task in run.results["tasks"]))
    for task in call.tasks or ():
        if task not in known:
            raise UsageError(f"No run has a task {task!r}.{nearest(task, known)}", f"There are: {', '.join(known)}.")
    metrics = list(dict.fromkeys(name for run in runs for task in known for name in result_entries(run, task)))
    for flag, names in (("--metrics", call.metrics or ()), ("--metric", (call.moved_by,) if call.moved_by else ())):
        for name in names:
            if name not in metrics:
                raise UsageError(
                    f"{flag}: no run has a metric {name!r}.{nearest(name, metrics)}", "'grue runs show RUN' shows all."
                )


def _tasks(baseline: StoredRun, candidate: StoredRun, call: CompareCall) -> _Chosen:
    """Tasks to compare, and those that are not, with the reason."""
    ours, theirs = baseline.results["tasks"], candidate.results["tasks"]
    names: list[str] = []
    skipped: list[Skipped] = []
    for task in dict.fromkeys((*ours, *theirs)):
        if call.tasks is not None and task not in call.tasks:
            continue
        lacking = [run for run, held in ((baseline, ours), (candidate, theirs)) if task not in held]
        unfinished = [
            run for run, held in ((baseline, ours), (candidate, theirs)) if task in held and not _is_finished(run, task)
        ]
        if lacking:
            skipped.append(Skipped(task, f"{lacking[0].manifest['model']['name']} was not run on it"))
        elif unfinished:
            error = unfinished[0].results["tasks"][task].get("error") or "it is not finished"
            skipped.append(Skipped(task, f"partial in {unfinished[0].path}: {error}"))
        else:
            names.append(task)
    if not names and not any("partial" in one.reason for one in skipped):
        raise NotComparableError(
            f"{baseline.path} and {candidate.path} have no task in common: "
            f"{', '.join(ours) or 'none'} and {', '.join(theirs) or 'none'}.",
            "Compare runs of the same tasks.",
        )
    return tuple(names), tuple(skipped)


def _is_finished(run: StoredRun, task: str) -> bool:
    return bool(run.results["tasks"][task].get("status") == FINISHED)


def _sides(runs: Sequence[StoredRun]) -> list[Side]:
    names = [run.manifest_value().model.name for run in runs]
    sides = []
    for at, (run, name) in enumerate(zip(runs, names, strict=True)):
        manifest, results = run.manifest_value(), run.results_value()
        label = name if names.count(name) == 1 else f"{name} #{names[: at + 1].count(name)}"
        sides.append(
            Side(
                label=label,
                run_id=manifest.run_id,
                name=name,
                source=manifest.model.source,
                identity=manifest.identity,
                created_at=manifest.created_at,
                status=results.status,
                path=run.path,
                scores=results.scores,
            )
        )
    return sides


def _pair(
    baseline: StoredRun,
    candidate: StoredRun,
    side: Side,
    names: tuple[str, ...],
    skipped: tuple[Skipped, ...],
    call: CompareCall,
) -> Pair:
    asked = Asked(call.metrics, call.n_resamples, call.seed, call.power)
    manifests = baseline.manifest_value().tasks
    found: list[TaskComparison] = []
    by_task = {}
    for task in names:
        rows = _rows(baseline, candidate, task, call)
        metrics, by_row = tested(baseline, candidate, task, rows, asked)
        by_task[task] = by_row
        primary = manifests[task].primary
        metrics = with_headline(metrics, primary)
        by = _moved_by(metrics, set(by_row), primary, call.moved_by)
        shift: Moved | None = None
        if by is not None:
            shift = moved(baseline, candidate, task, by_row, by.name, by.higher_is_better)
        found.append(_task(baseline, candidate, task, metrics, shift, None if rows is None else len(rows)))
    verdicts = corrected([task.metrics for task in found])
    return Pair(
        candidate=side,
        tasks=tuple(replace(task, metrics=tuple(metrics)) for task, metrics in zip(found, verdicts, strict=True)),
        differing=differing(baseline, candidate, names),
        skipped=skipped,
        is_same_run=baseline.manifest["run_id"] == candidate.manifest["run_id"],
        grue=grue_difference(
            baseline,
            candidate,
            by_task,
            is_subset=any(task.n_common is not None for task in found),
            n_resamples=call.n_resamples,
            seed=call.seed,
        ),
    )


def _rows(baseline: StoredRun, candidate: StoredRun, task: str, call: CompareCall) -> tuple[str, ...] | None:
    """The common rows where rows differ and that is allowed; ``None`` for all rows."""
    if not call.common_rows:
        return None
    differ = comparison_key(baseline, task, "").differences(comparison_key(candidate, task, ""))
    return common_rows(baseline, candidate, task) if ROW_FIELDS & set(differ) else None


def _moved_by(
    metrics: Sequence[MetricComparison], with_rows: set[str], primary: Sequence[str], wanted: str | None
) -> MetricComparison | None:
    """The metric named, else the first primary one, else the first of all that has values by row."""
    known = {
        metric.name: metric for metric in metrics if metric.name in with_rows and metric.row_differences is not None
    }
    for name in (wanted, *primary, *known):
        if name in known:
            return known[name]
    return None


def _task(
    baseline: StoredRun,
    candidate: StoredRun,
    task: str,
    metrics: Sequence[MetricComparison],
    shift: Moved | None,
    n_common: int | None,
) -> TaskComparison:
    ours, theirs = baseline.results_value().tasks[task], candidate.results_value().tasks[task]
    key: ComparisonKey = comparison_key(baseline, task, "")
    return TaskComparison(
        name=task,
        key=key,
        n_baseline=ours.scored,
        n_candidate=theirs.scored,
        n_common=n_common,
        metrics=tuple(metrics),
        moved=shift,
        baseline_cost=ours.cost,
        candidate_cost=theirs.cost,
        baseline_rates=ours.rates,
        candidate_rates=theirs.rates,
        yardsticks={
            name: (floor, ceiling)
            for name, floor in ours.score.floor.items()
            if floor is not None and (ceiling := ours.score.ceiling.get(name)) is not None
        },
    )
