"""``grue merge``: the parts of a run become the run, scored as if one process had made it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grue.core.errors import RunDirectoryError, UsageError
from grue.core.rows import Generation, Row, prompts_sha256
from grue.core.run import Cost, Manifest, Shard
from grue.evaluation.call import OutputCall
from grue.evaluation.costs import cost_of, joined, timed_of, with_peak
from grue.evaluation.environment import grue_version
from grue.evaluation.from_run import task_to_score, texts_of
from grue.evaluation.plan import default_path
from grue.evaluation.progress import Progress
from grue.evaluation.run import Outcome
from grue.evaluation.score import write_all
from grue.evaluation.selection import working_settings
from grue.evaluation.to_score import ScoreCall, TaskToScore, ToScore
from grue.runs.fields import read_document
from grue.runs.identity import new_run_id, run_identity, timestamp
from grue.runs.partial import read_lines
from grue.runs.read import MANIFEST, RESULTS, StoredRun, read_run
from grue.runs.refusal import differing_fields
from grue.runs.values import manifest_value

SHOWN_FAULTS = 20


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


@dataclass(frozen=True, slots=True)
class _Part:
    """A complete part, its files verified."""

    stored: StoredRun
    manifest: Manifest
    shard: Shard


def merge_call(call: MergeCall, out: OutputCall, *, progress: Progress) -> Outcome:
    """Join the parts of a run into a run directory; the parts are only read.

    Raises:
        UsageError: where the parts are not those of one run, each once; names what is missing and what makes it.
        RunDirectoryError: where a part is damaged, or the directory cannot be written.
    """
    try:
        parts = _parts(call.shards)
        progress.phase(f"reading {len(parts)} parts")
        return write_all(_joined(parts, call, out), fresh=out.fresh, progress=progress)
    finally:
        progress.stop()


def _joined(parts: Sequence[_Part], call: MergeCall, out: OutputCall) -> ToScore:
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
            "Merge where the same metrics can be computed ('grue doctor' shows them), and the same grue is installed.",
        )
    results = working_settings()["GRUE_RESULTS_DIR"]
    path = out.path or default_path(results, manifest.model, manifest.identity)
    return ToScore(tasks=tasks, manifest=manifest, notes=(), path=path)


def _task(name: str, parts: Sequence[_Part], asked: ScoreCall) -> TaskToScore:
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


def _cost(task: str, parts: Sequence[_Part], generations: Sequence[Generation]) -> Cost:
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


def _parts(folders: Sequence[Path]) -> list[_Part]:
    """All parts of one run in order, each once and complete.

    Raises:
        UsageError: names every fault, and the commands that mend them.
    """
    if not folders:
        raise UsageError("No part of a run is named.", "Name the run directories that --shard made.")
    found = {folder: _shard_manifest(folder) for folder in dict.fromkeys(folder.resolve() for folder in folders)}
    (first_folder, (first, sample)), *others = found.items()
    faults: list[str] = []
    by_number: dict[int, Path] = {sample.number: first_folder}
    for folder, (manifest, shard) in others:
        if manifest.identity != first.identity:
            differences = "; ".join(differing_fields(first, manifest)[:3]).replace("stored", str(sample))
            raise UsageError(
                f"{folder} is of another run than {first_folder}. They differ in: {differences or 'identity'}.",
                "Name the parts of one run only.",
            )
        if shard.of != sample.of:
            raise UsageError(
                f"{folder} is {shard}, and {first_folder} is {sample}.", "Name the parts of one division only."
            )
        if shard.number in by_number:
            raise UsageError(f"{folder} and {by_number[shard.number]} are both {shard}.", "Leave out one of them.")
        by_number[shard.number] = folder
    parts: list[_Part] = []
    commands: list[str] = []
    for number in range(1, sample.of + 1):
        if number not in by_number:
            faults.append(f"shard {number} of {sample.of} is missing")
            commands.append(_command(sample, first_folder, number))
            continue
        folder = by_number[number]
        manifest, shard = found[folder]
        if not (folder / RESULTS).is_file():
            faults.append(f"{shard} is not finished ({folder})")
            commands.append(_command(shard, folder, number))
            continue
        part = _Part(read_run(folder, shard=True), manifest, shard)
        lacking = _lacking(part)
        if lacking:
            faults.append(lacking)
            commands.append(_command(shard, folder, number))
        parts.append(part)
    if faults:
        more = f"; and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
        raise UsageError(
            f"The run is not complete: {'; '.join(faults[:SHOWN_FAULTS])}{more}.",
            "\n       ".join(["Run, then merge again:", *commands[:SHOWN_FAULTS]]),
        )
    return parts


def _shard_manifest(folder: Path) -> tuple[Manifest, Shard]:
    if not (folder / MANIFEST).is_file():
        raise UsageError("is no run directory.", "Name the run directories that --shard made.", place=str(folder))
    manifest = manifest_value(read_document(folder / MANIFEST))
    if manifest.shard is None:
        raise UsageError("is a whole run, no part of one.", "There is nothing to join to it.", place=str(folder))
    return manifest, manifest.shard


def _lacking(part: _Part) -> str:
    """What a part lacks, in a sentence; empty where it is complete."""
    for name, result in part.stored.results_value().tasks.items():
        lacking = result.expected * part.manifest.tasks[name].samples - part.stored.samples(name).num_rows
        if lacking > 0:
            return f"{part.shard} lacks {lacking} generations of {name} ({result.error})"
    return ""


def _command(shard: Shard, folder: Path, number: int) -> str:
    """The command that makes or finishes a part.

    Args:
        shard: The part at hand.
        folder: Where it lies.
        number: The part that is wanted.
    """
    if not shard.command:
        return f"the call of {shard}, with shard {number}/{shard.of}"
    words = list(shard.command)
    for place, word in enumerate(words[:-1]):
        if word == "--shard":
            words[place + 1] = f"{number}/{shard.of}"
        elif word == "--output":
            words[place + 1] = _folder(shard, folder, number)
    return shlex.join(["grue", *words])


def _folder(shard: Shard, folder: Path, number: int) -> str:
    """The folder of another part: named as this one where the name has the part's number, else the user's to name."""
    if number == shard.number:
        return str(folder)
    places = [
        *re.finditer(rf"(?<!\d){shard.number}(?=-of-{shard.of}$)", folder.name),
        *reversed(list(re.finditer(rf"(?<!\d){shard.number}(?!\d)", folder.name))),
    ]
    if not places:
        return "DIR"
    begin, end = places[0].span()
    return str(folder.with_name(f"{folder.name[:begin]}{number}{folder.name[end:]}"))
