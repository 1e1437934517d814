"""``grue merge``: the parts of a run become the run, scored as if one process had made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grue.core.errors import RunDirectoryError, UsageError
from grue.core.rows import Generation, Row, prompts_sha256
from grue.core.run import Cost
from grue.evaluation.call import OutputCall
from grue.evaluation.costs import cost_of, joined, timed_of, with_peak
from grue.evaluation.environment import grue_version
from grue.evaluation.from_run import task_to_score, texts_of
from grue.evaluation.parts import SHOWN_FAULTS, Part, read_parts
from grue.evaluation.plan import default_path
from grue.evaluation.progress import Progress
from grue.evaluation.run import Outcome
from grue.evaluation.score import write_all
from grue.evaluation.selection import working_settings
from grue.evaluation.to_score import ScoreCall, TaskToScore, ToScore
from grue.runs.identity import new_run_id, run_identity, timestamp
from grue.runs.partial import read_lines
from grue.runs.refusal import differing_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeCall:
    """What a user asks ``merge`` for.

    Attributes:
        shards: Run directories of the parts, in any order.
        include: Folders of task plugins outside the installed packages.
        offline: Look at local files only.
    """

    shards: tuple[Path, ...]
    include: tuple[Path, ...] = ()
    offline: bool = False


def merge_call(call: MergeCall, out: OutputCall, *, progress: Progress) -> Outcome:
    """Join the parts of a run into a run directory; the parts are only read.

    Raises:
        UsageError: where the parts are not those of one run, each once; names what is missing and what makes it.
        RunDirectoryError: where a part is damaged, or the directory cannot be written.
    """
    try:
        parts = read_parts(call.shards)
        progress.phase(f"reading {len(parts)} parts")
        return write_all(_joined(parts, call, out), fresh=out.fresh, progress=progress)
    finally:
        progress.stop()


def _joined(parts: Sequence[Part], call: MergeCall, out: OutputCall) -> ToScore:
    first = parts[0]
    asked = ScoreCall(source=first.stored.path, include=call.include, offline=call.offline)
    tasks = tuple(_task(name, parts, asked) for name in first.manifest.tasks)
    manifest = replace(
        first.manifest,
        run_id=new_run_id(),
        identity=run_identity(first.manifest.model, {task.name: task.manifest for task in tasks}, first.manifest.seed),
        created_at=timestamp(),
        grue=grue_version(),
        arguments={**first.manifest.arguments, "merged_from": [part.manifest.run_id for part in parts]},
        tasks={task.name: task.manifest for task in tasks},
        shard=None,
    )
    if manifest.identity != first.manifest.identity:
        shown = "; ".join(differing_fields(first.manifest, manifest)[:SHOWN_FAULTS])
        raise UsageError(
            f"The metrics here are not those of the parts: {shown}.",
            "Merge where the same metrics can be computed ('grue doctor' shows them), by the same grue, where the "
            "checkpoint is found as it was.",
        )
    results = working_settings()["GRUE_RESULTS_DIR"]
    path = out.path or default_path(results, manifest.model, manifest.identity)
    return ToScore(tasks=tasks, manifest=manifest, notes=(), path=path)


def _task(name: str, parts: Sequence[Part], asked: ScoreCall) -> TaskToScore:
    """A task with the rows and generations of all parts."""
    rows: dict[str, Row] = {}
    generations: list[Generation] = []
    for part in parts:
        found, made = texts_of(part.stored, name)
        twice = rows.keys() & found.keys()
        if twice:
            raise RunDirectoryError(
                f"holds rows of {name} that another part holds too: {', '.join(sorted(twice)[:3])}.",
                "Generate the parts again with one version of grue.",
                place=str(part.stored.path),
            )
        rows |= found
        generations += _with_latencies(part.stored.path, name, made)
    manifest = parts[0].manifest.tasks[name]
    if prompts_sha256(rows.values()) != manifest.prompts_sha256:
        raise UsageError(
            f"The rows of {name} in all parts together are not those of the run.",
            "Generate the parts again with one version of grue.",
        )
    one = task_to_score(name, manifest, parts[0].stored, asked)
    return replace(
        one,
        rows=tuple(rows[row_id] for row_id in sorted(rows)),
        generations=generations,
        expected=len(rows),
        cost=_cost(name, parts, generations),
        error=None,
    )


def _with_latencies(folder: Path, task: str, generations: Sequence[Generation]) -> list[Generation]:
    """What took how long stands only in the lines that were appended while the part was made."""
    lines = read_lines(folder / "samples" / f"{task}.partial.jsonl")
    times = {key: line.latency_seconds for key, line in lines.items()}
    return [replace(made, latency_seconds=times.get((made.id, made.sample))) for made in generations]


def _cost(task: str, parts: Sequence[Part], generations: Sequence[Generation]) -> Cost:
    """Seconds of all parts together, as if one had followed the other; the most memory of any."""
    costs = [part.stored.results_value().tasks[task].cost for part in parts]
    loading = [cost.load_seconds for cost in costs if cost.load_seconds is not None]
    largest = max((cost for cost in costs if cost.peak_memory_bytes), key=_peak_memory, default=None)
    counted = [cost.flops for cost in costs if cost.flops is not None]
    cost = cost_of(
        generations,
        timed=joined([timed_of(part.stored.path, task) for part in parts]),
        load_seconds=sum(loading) if loading else None,
        peak_memory_bytes=largest.peak_memory_bytes if largest else None,
        peak_memory_of=largest.peak_memory_of if largest else None,
    )
    if len(counted) < len(costs):
        return cost
    cost = replace(cost, flops=sum(counted))
    peaks = [cost.device_peak_flops for cost in costs if cost.device_peak_flops]
    # What the devices could have done in the seconds of their parts, as one device over all seconds.
    could = sum(peak * part.wall_seconds for peak, part in zip(peaks, costs, strict=False))
    return with_peak(cost, could / cost.wall_seconds) if len(peaks) == len(costs) and cost.wall_seconds else cost


def _peak_memory(cost: Cost) -> int:
    return cost.peak_memory_bytes or 0
