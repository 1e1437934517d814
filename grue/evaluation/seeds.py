"""One run a seed, with the model loaded and the rows read once, and how far their values spread.

Seeds change what sampling draws; the spread over them says how much of a difference between two checkpoints luck
alone could make. It is no interval over rows: each run has its own.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grue.core.errors import UsageError
from grue.core.run import Manifest, Results
from grue.core.text import Json
from grue.engine.open import EngineOptions
from grue.evaluation.call import GenerationCall, OutputCall, RowsCall
from grue.evaluation.plan import Plan
from grue.evaluation.prepare import open_call
from grue.evaluation.progress import Progress
from grue.evaluation.run import Outcome, execute
from grue.evaluation.scoring_worker import ScoringWorker
from grue.runs.read import MANIFEST

RANDOM_SYSTEM = "null:random-reference"


@dataclass(frozen=True, slots=True)
class Spread:
    """Values of one metric over runs of several seeds.

    Attributes:
        values: One a run, in the order of the seeds; ``None`` where a run has none.
        mean: Mean of those that are there; ``None`` without any.
        sd: Standard deviation (n - 1); ``None`` for fewer than two.
        low: Smallest value.
        high: Largest value.
    """

    values: tuple[float | None, ...]
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None

    @property
    def n(self) -> int:
        """Runs that have a value."""
        return sum(value is not None for value in self.values)

    def to_json(self) -> dict[str, Json]:
        """The object of ``--json``; ``reason`` where there is no standard deviation."""
        out: dict[str, Json] = {
            "mean": self.mean,
            "sd": self.sd,
            "min": self.low,
            "max": self.high,
            "n": self.n,
            "values": list(self.values),
        }
        return out if self.sd is not None else {**out, "reason": f"{self.n} of {len(self.values)} runs have a value"}


def spread(values: Sequence[float | None]) -> Spread:
    """Mean, standard deviation and range of the values that are there."""
    known = [value for value in values if value is not None]
    return Spread(
        values=tuple(values),
        mean=statistics.fmean(known) if known else None,
        sd=statistics.stdev(known) if len(known) > 1 else None,
        low=min(known, default=None),
        high=max(known, default=None),
    )


def spreads(runs: Sequence[tuple[Manifest, Results]]) -> dict[str, dict[str, Spread]]:
    """Task -> primary metric -> its values over the runs, in the order of the tasks."""
    asked = runs[0][0].tasks
    return {
        task: {metric: spread([_value(results, task, metric) for _, results in runs]) for metric in asked[task].primary}
        for task in asked
    }


def parse_seeds(text: str) -> tuple[int, ...]:
    """The seeds of ``--seeds 1,2,3``.

    Raises:
        UsageError: where one is no whole number from 0 on, or there twice.
    """
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if not (part.isascii() and part.isdigit()):
            raise UsageError(f"--seeds: {part!r} is no seed.", "Write whole numbers from 0 on: --seeds 1,2,3.")
    seeds = tuple(map(int, parts))
    twice = next((seed for seed in seeds if seeds.count(seed) > 1), None)
    if twice is not None:
        raise UsageError(f"--seeds: {twice} is there twice.", "Name each seed once.")
    return seeds


def evaluate_seeds(
    model: str,
    options: EngineOptions,
    rows: RowsCall,
    generation: GenerationCall,
    seeds: Sequence[int],
    out: OutputCall,
    *,
    watch: Callable[[], Progress],
) -> list[Outcome]:
    """Make one run a seed, one after the other; the same call goes on where it stopped.

    Args:
        model: What generates.
        options: How it is opened.
        rows: Which rows are scored and how.
        generation: How generations are drawn; its own seed is not used.
        seeds: The seeds.
        out: ``path`` is the folder above the run directories, ``<path>/seed-<seed>``; without it each has its place
            in the results folder.
        watch: Makes a watcher for each run.

    Raises:
        GrueError: as ``prepare`` and ``execute``; runs of earlier seeds stand.
    """
    if generation.shard is not None:
        raise UsageError("--seeds and --shard do not go together.", "Give --seed, and run each seed's parts by itself.")
    if out.path is not None and (out.path / MANIFEST).exists():
        raise UsageError(
            "-o is a run directory; with --seeds it is the folder above them.", "Name another.", place=str(out.path)
        )
    opened = open_call(model, options, rows, load_ahead=True)
    notes = watch()
    try:
        prepared = {seed: opened.planned(replace(generation, seed=seed)) for seed in seeds}
        plans = [one.plan for one in prepared.values()]
        for text in (*opened.engine.notes, *plans[0].notes, *_equal_texts(plans[0], len(seeds))):
            notes.note(text)
        outcomes = []
        with ScoringWorker() as worker:
            for seed, one in prepared.items():
                path = one.path(OutputCall()) if out.path is None else seed_path(out.path, seed)
                progress = watch()
                progress.note(f"Seed {seed}: {path}")
                outcomes.append(execute(one.plan, one.engine, path, fresh=out.fresh, progress=progress, worker=worker))
        return outcomes
    finally:
        notes.stop()
        opened.engine.close()


def seed_path(parent: Path, seed: int) -> Path:
    """The run directory of a seed below the folder that ``-o`` names."""
    return parent / f"seed-{seed}"


def _equal_texts(plan: Plan, n_seeds: int) -> list[str]:
    """A warning where seeds change no text."""
    if n_seeds < 2 or plan.manifest.model.kind == "endpoint" or plan.manifest.model.source == RANDOM_SYSTEM:
        return []
    has_model = plan.manifest.model.kind not in ("null", "oracle")
    fixed = [task.name for task in plan.tasks if not (has_model and task.job.decoding.do_sample)]
    if not fixed:
        return []
    names = ", ".join(fixed)
    return [f"{names}: nothing is sampled, so that all seeds will give the same texts (-g do_sample=true samples)."]


def _value(results: Results, task: str, metric: str) -> float | None:
    found: Mapping[str, object] = results.tasks[task].metrics if task in results.tasks else {}
    return results.tasks[task].metrics[metric].value if metric in found else None
