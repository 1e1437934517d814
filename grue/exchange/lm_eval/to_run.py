"""Results of lm-evaluation-harness as a run directory, marked as imported.

Values keep their names and units; ``ci95`` is the value ± 1.96 times the harness's standard error, null where it has
none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grue.core.metric import Floats, MetricValue
from grue.core.rows import Generation, Row
from grue.core.run import Cost, Rates, TaskManifest, TaskResult
from grue.exchange.lm_eval.foreign import ForeignValue, find_results, read_results
from grue.exchange.lm_eval.foreign_samples import ForeignRow, read_samples
from grue.exchange.lm_eval.names import Z95
from grue.exchange.lm_eval.to_manifest import IMPORTED, Part, column_name, imported_manifest, named_tasks
from grue.runs.directory import RunDirectory
from grue.runs.identity import folder_name

INTERVAL = f"ci95 is the value ± {Z95} × the standard error of lm-evaluation-harness"
NO_INTERVAL = "no interval: lm-evaluation-harness gives no standard error"
# Units of its metrics where the name settles them.
_SCALES = {
    **dict.fromkeys(("acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match", "em", "mcc"), 1.0),
    **dict.fromkeys(("bleu", "chrf", "chrf++", "ter"), 100.0),
}
# Columns of a samples table that no metric may take.
_COLUMNS = frozenset({*(field for field in Generation.__slots__), "references", "inputs"})


@dataclass(frozen=True, slots=True)
class Imported:
    """What was imported: the run directory, its tasks, and those of them that have samples."""

    path: Path
    run_id: str
    model: str
    tasks: tuple[str, ...]
    with_samples: tuple[str, ...]
    was_finished: bool


def import_lm_eval(source: Path, out: Path | None, results: Path, *, name: str | None = None) -> Imported:
    """Read a results file with its samples and write a run directory; importing it twice gives one run.

    Args:
        source: The results file, or a folder that holds one.
        out: The run directory; ``None`` for one named by model and identity in the results folder.
        results: The results folder.
        name: Display name; ``None`` for the model's.

    Raises:
        ForeignResultsError: where a file is not what the harness writes. Nothing is written then.
        RunDirectoryError: where ``out`` holds something else or cannot be written.
    """
    run = read_results(find_results(source))
    parts = [Part(named, task, read_samples(run, task)) for named, task in named_tasks(run.tasks)]
    manifest = imported_manifest(run, parts, name or run.model)
    path = out or results / folder_name(manifest.model.name, manifest.identity)
    with RunDirectory.open(path, manifest) as folder:
        was_finished = folder.status == "finished"
        if not was_finished:
            for part in parts:
                if part.rows is not None:
                    _write_samples(folder, part, part.rows)
            folder.event(IMPORTED, source=run.path.name, tasks=[part.name for part in parts])
            folder.finish("finished", {part.name: _result(part, manifest.tasks[part.name]) for part in parts})
        return Imported(
            path=folder.path,
            run_id=folder.manifest.run_id,
            model=folder.manifest.model.name,
            tasks=tuple(part.name for part in parts),
            with_samples=tuple(part.name for part in parts if part.rows is not None),
            was_finished=was_finished,
        )


def _result(part: Part, asked: TaskManifest) -> TaskResult:
    task = part.task
    texts = [text for row in part.rows or () for text in row.predictions]
    named = {column_name(value.metric, value.filter): value for value in task.values}
    return TaskResult(
        status="finished",
        expected=task.effective,
        scored=task.effective,
        failed=0,
        metrics={
            name: _value(value, task.effective, task.directions.get(value.metric), asked.metrics[name])
            for name, value in named.items()
        },
        rewards={},
        rates=Rates(empty=sum(not text.strip() for text in texts) / len(texts) if texts else None),
        cost=Cost(wall_seconds=0.0),
    )


def _value(value: ForeignValue, n: int, higher_is_better: bool | None, signature: str | None) -> MetricValue:
    if value.value is None:
        return MetricValue.absent(f"lm-evaluation-harness gives no number: {value.found}")
    interval = None
    if value.stderr is not None:
        interval = (value.value - Z95 * value.stderr, value.value + Z95 * value.stderr)
    return MetricValue(
        value=value.value,
        ci95=interval,
        n=n if value.n is None else value.n,
        scale=_scale(value.metric, value.value),
        higher_is_better=higher_is_better,
        signature=signature,
        reason=INTERVAL if interval else NO_INTERVAL,
    )


def _scale(metric: str, value: float) -> float | None:
    """The unit's maximum; a share above 1 is one in percent, or something else of that name."""
    scale = _SCALES.get(metric)
    return None if scale == 1.0 and abs(value) > 1.0 else scale


def _write_samples(folder: RunDirectory, part: Part, rows: Sequence[ForeignRow]) -> None:
    """A generation a repeat; a document's value stands beside each of its repeats."""
    drawn = [(row, at) for row in rows for at in range(len(row.predictions))]
    asked = {
        row.id: Row(row.id, row.prompt, row.references, {"doc": dict(row.document), "target": row.target})
        for row in rows
    }
    generations = [
        Generation(id=row.id, sample=at, prediction=row.predictions[at], raw=row.raws[at], prompt=row.prompt or None)
        for row, at in drawn
    ]
    columns: dict[str, Floats] = {}
    for value in part.task.values:
        name, key = column_name(value.metric, value.filter), (value.metric, value.filter)
        if name not in _COLUMNS and any(key in row.values for row in rows):
            columns[name] = np.array([row.values.get(key, math.nan) for row, _ in drawn])
    folder.write_task(part.name, asked, generations, columns, {}, {})
