"""What a run came to, for people and for machines."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from grue.cli.output import print_json, stdout
from grue.core.errors import Exit

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from grue.core.metric import MetricValue
    from grue.core.run import Cost, Manifest, Results, ScoreValue, TaskResult
    from grue.core.text import Json
    from grue.runs.read import StoredRun

NOTHING = "–"
FILE_WIDTH = 200
# Maximum of the metric's unit -> decimals that tell two systems apart.
DECIMALS = {1.0: 4, 10.0: 3, 100.0: 2}


def exit_code(results: Results, *, strict: bool) -> int:
    """3 where something failed, or with ``--strict`` where a metric is absent; else 0."""
    absent = any(value.signature is None for task in results.tasks.values() for value in task.metrics.values())
    return int(Exit.PARTLY if results.status != "finished" or (strict and absent) else Exit.YES)


def conclude(path: Path, *, as_json: bool, was_finished: bool, strict: bool) -> int:
    """Print a run that is done, and give the command's exit code."""
    from grue.runs.read import read_run

    stored = read_run(path)
    print_run(stored, as_json=as_json, was_finished=was_finished)
    return exit_code(stored.results_value(), strict=strict)


def print_run(stored: StoredRun, *, as_json: bool, was_finished: bool) -> None:
    """Print one run: a table, where it is, and what to do next."""
    from grue.cli.validity import warning_lines
    from grue.runs.validity import read_validity

    manifest, results = stored.manifest_value(), stored.results_value()
    if as_json:
        print_json(run_document(stored))
        return
    console = stdout()
    print_table(manifest, results)
    path = str(stored.path)
    report = read_validity(stored.path)
    for line in warning_lines(report, path) if report else ():
        console.print(line, soft_wrap=True)
    if was_finished:
        console.print(f"This run was finished already; --fresh starts it anew. {manifest.run_id}", soft_wrap=True)
    console.print(f"Run {manifest.run_id}, {results.status}: {path}", soft_wrap=True)
    first = next(iter(results.tasks), "TASK")
    console.print(f"Next: grue samples {shlex.quote(path)} -t {first}", soft_wrap=True)
    console.print(f"      grue leaderboard build --results {shlex.quote(path)} --out board", soft_wrap=True)


def run_document(stored: StoredRun) -> dict[str, Json]:
    """The document of ``--json``."""
    return {
        "run_id": stored.manifest["run_id"],
        "path": str(stored.path),
        "status": stored.results["status"],
        "results": dict(stored.results),
    }


def print_table(manifest: Manifest, results: Results) -> None:
    """One line a primary metric of each task; reasons and errors below."""
    table = _table(("task", "metric"), ("value", "95 % interval", "n", "quality", "cut %", "tokens/s"))
    reasons: dict[str, list[str]] = {}
    for task, result in results.tasks.items():
        for line in _lines(task, manifest.tasks[task].primary, result, reasons):
            table.add_row(*line)
    console = _wide()
    console.print(table)
    console.print(
        f"GRUE {_scored(results.scores.grue)}; naturalness {_scored(results.scores.naturalness)}", soft_wrap=True
    )
    for reason, where in reasons.items():
        console.print(f"{NOTHING} {', '.join(dict.fromkeys(where))}: {reason}", soft_wrap=True)
    for task, result in results.tasks.items():
        if result.error:
            console.print(f"! {task}: {result.error}", soft_wrap=True)
    print_efficiency({task: result.cost for task, result in results.tasks.items()})


def print_efficiency(costs: Mapping[str, Cost]) -> None:
    """One line a task that a model wrote: speed by phase, latency, first row, and what was measured besides."""
    costs = {task: cost for task, cost in costs.items() if cost.generated_tokens is not None}
    if not costs:
        return
    columns: dict[str, Callable[[Cost], str]] = {
        "read tok/s": lambda cost: _plain(cost.prefill_tokens_per_second),
        "write tok/s": lambda cost: _plain(cost.decode_tokens_per_second),
        "p50 ms": lambda cost: _plain(cost.latency_ms_p50),
        "p95 ms": lambda cost: _plain(cost.latency_ms_p95),
        "first row s": lambda cost: _plain(cost.first_row_seconds, 1),
        "memory MB": lambda cost: _plain(cost.peak_memory_bytes and cost.peak_memory_bytes / 1e6),
        "J/1000 rows": lambda cost: _plain(cost.joules_per_1000),
        "of peak %": lambda cost: _percent(cost.flops_utilization),
    }
    known = [name for name, cell in columns.items() if any(cell(cost) != NOTHING for cost in costs.values())]
    if not known:
        return
    table = _table(("efficiency",), known)
    for task, cost in costs.items():
        table.add_row(task, *(columns[name](cost) for name in known))
    console = _wide()
    console.print()
    console.print(table)
    for note in _efficiency_notes(list(costs.values())):
        console.print(note, soft_wrap=True)


def _efficiency_notes(costs: Sequence[Cost]) -> Iterator[str]:
    """What the numbers hold, where that is not plain."""
    peak = next((cost.device_peak_flops for cost in costs if cost.flops_utilization is not None), None)
    if peak:
        yield f"Of peak: an estimate, the texts' operations over the {peak / 1e9:,.0f} GFLOP/s that were measured here."
    if any(cost.peak_memory_of == "process" for cost in costs):
        yield "Memory: the most that the process held resident."
    names = dict.fromkeys(name for cost in costs for name in cost.energy_of)
    if names:
        yield f"Energy: all that {', '.join(names)} took meanwhile, other programs' share too."


def print_matrix(runs: Sequence[tuple[Manifest, Results]]) -> None:
    """One line a task with the first metric that has a value, one column a system."""
    table = _table(("task", "metric"), [manifest.model.name for manifest, _ in runs])
    asked = {task: asked.primary for manifest, _ in runs for task, asked in manifest.tasks.items()}
    for task, primary in asked.items():
        found = [results.tasks.get(task) for _, results in runs]
        with_value = (
            name
            for result in found
            if result
            for name in shown(primary, result)
            if result.metrics[name].value is not None
        )
        metric = next(with_value, "")
        cells = [number(result.metrics[metric]) if result and metric in result.metrics else NOTHING for result in found]
        table.add_row(task, metric, *cells)
    _wide().print(table)


def shown(primary: Sequence[str], result: TaskResult) -> list[str]:
    """The primary metrics; where none of them has a value, also the first metric that has one."""
    names = [name for name in primary if name in result.metrics]
    if all(result.metrics[name].value is None for name in names):
        names += [name for name, value in result.metrics.items() if value.value is not None][:1]
    return names


def _table(texts: Sequence[str], numbers: Sequence[str]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in texts:
        table.add_column(heading, no_wrap=True)
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _wide() -> Console:
    """Standard output; a file or pipe has no edge to wrap at."""
    console = stdout()
    if not console.is_terminal:
        console.width = FILE_WIDTH
    return console


def _lines(
    task: str, primary: Sequence[str], result: TaskResult, reasons: dict[str, list[str]]
) -> Iterator[tuple[str, ...]]:
    cut = result.rates.cut_prompt
    speed = result.cost.tokens_per_second
    rest = (_score(result.score.quality), _percent(cut), f"{speed:,.0f}" if speed is not None else NOTHING)
    for index, name in enumerate(shown(primary, result)):
        value = result.metrics[name]
        if value.value is None and value.reason:
            reasons.setdefault(value.reason, []).append(f"{task} {name}" if value.failed else name)
        yield (
            task if index == 0 else "",
            name,
            number(value),
            interval(value),
            str(value.n) if value.value is not None else NOTHING,
            *(rest if index == 0 else ("", "", "")),
        )


def number(value: MetricValue) -> str:
    """The value with as many decimals as its unit asks for."""
    return NOTHING if value.value is None else _decimal(value.value, value.scale)


def interval(value: MetricValue) -> str:
    """The bounds, or nothing."""
    if value.ci95 is None:
        return NOTHING
    low, high = value.ci95
    return f"{_decimal(low, value.scale)} – {_decimal(high, value.scale)}"


def _score(score: ScoreValue) -> str:
    return NOTHING if score.value is None else f"{score.value:.1f}"


def _scored(score: ScoreValue) -> str:
    """A score with its interval, or why there is none."""
    if score.value is None:
        return f"{NOTHING} ({score.reason})"
    bounds = f" [{score.ci95[0]:.1f}, {score.ci95[1]:.1f}]" if score.ci95 else ""
    return f"{score.value:.1f}{bounds}"


def _decimal(number: float, scale: float | None) -> str:
    return f"{number:.{DECIMALS.get(scale or 0.0, 3)}f}"


def _plain(number: float | None, places: int = 0) -> str:
    return NOTHING if number is None else f"{number:,.{places}f}"


def _percent(fraction: float | None) -> str:
    return NOTHING if fraction is None else f"{100 * fraction:.1f}"
