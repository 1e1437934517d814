"""From what a user asks for to a checked plan with an open engine, and on to a run directory."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from grue.core.errors import UsageError
from grue.core.judging import Judging
from grue.core.settings import Settings
from grue.core.text import Json
from grue.engine.loading import LoadsAhead
from grue.engine.open import EngineOptions, open_engine
from grue.engine.protocol import Engine
from grue.evaluation.call import GenerationCall, OutputCall, RowsCall
from grue.evaluation.plan import Plan, default_path, plan
from grue.evaluation.progress import Progress
from grue.evaluation.run import Outcome, execute
from grue.evaluation.scoring_worker import ScoringWorker
from grue.evaluation.selection import Selected, check_names, select, working_settings
from grue.registry.tasks import expand


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything a run needs, checked: nothing was generated and no folder made."""

    engine: Engine
    plan: Plan
    settings: Settings

    def path(self, out: OutputCall) -> Path:
        """The run directory."""
        info, manifest = self.engine.info, self.plan.manifest
        return out.path or default_path(self.settings["GRUE_RESULTS_DIR"], info, manifest.identity, manifest.shard)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An open model and the rows it is asked about, before anything is said of how it generates."""

    model: str
    engine: Engine
    rows: RowsCall
    selected: Selected

    def planned(self, generation: GenerationCall) -> Prepared:
        """A checked plan for one way of generating.

        Raises:
            GrueError: where the model cannot do what is asked.
        """
        arguments = {"model": self.model, **rows_arguments(self.rows), **generation_arguments(generation)}
        made = plan(self.engine, self.selected, self.rows, generation, arguments)
        return Prepared(engine=self.engine, plan=made, settings=self.selected.settings)


def open_call(model: str, options: EngineOptions, rows: RowsCall, *, load_ahead: bool = False) -> Opened:
    """Open the model and read all rows. Arguments and errors as in ``prepare``."""
    expand(rows.tasks, rows.include)
    check_names(rows)
    engine = open_engine(model, replace(options, home=options.home or working_settings().home))

    def judging() -> Judging:
        # All rows are read: no fault of the data waits for a model that is being loaded.
        if load_ahead and isinstance(engine, LoadsAhead):
            engine.load_ahead()
        return Judging(
            device=options.device,
            evaluated=engine.folder,
            evaluated_sha256=engine.info.weights_sha256 if rows.model_metrics else None,
        )

    return Opened(model=model, engine=engine, rows=rows, selected=select(rows, judging))


def prepare(
    model: str, options: EngineOptions, rows: RowsCall, generation: GenerationCall, *, load_ahead: bool = False
) -> Prepared:
    """Open the model, read all rows and join them.

    Args:
        model: What generates.
        options: How it is opened.
        rows: Which rows are scored and how.
        generation: How generations are drawn.
        load_ahead: Load the weights while they are hashed for the first time; what is known is not loaded.

    Raises:
        GrueError: for any fault of the call, the data, a plugin or the checkpoint.
    """
    return open_call(model, options, rows, load_ahead=load_ahead).planned(generation)


def evaluate_call(
    model: str,
    options: EngineOptions,
    rows: RowsCall,
    generation: GenerationCall,
    out: OutputCall,
    *,
    progress: Progress,
    worker: ScoringWorker | None = None,
) -> Outcome:
    """Prepare a run and execute it.

    Raises:
        GrueError: as ``prepare`` and ``execute``.
    """
    begun = time.perf_counter()
    if out.fresh and generation.shard:
        # A new run takes the old one's place when it is finished, and no part is, by itself.
        raise UsageError("--fresh and --shard do not go together.", "Remove the part's directory, or name another.")
    prepared = prepare(model, options, rows, generation, load_ahead=True)
    for text in (*prepared.engine.notes, *prepared.plan.notes):
        progress.note(text)
    try:
        return execute(
            prepared.plan,
            prepared.engine,
            prepared.path(out),
            fresh=out.fresh,
            progress=progress,
            worker=worker,
            begun=begun,
        )
    finally:
        prepared.engine.close()


def rows_arguments(call: RowsCall) -> dict[str, Json]:
    """The part of a call that says which rows are scored and how, as the manifest records it."""
    return {
        "tasks": call.tasks,
        "split": call.split,
        "data": call.data,
        "limit": call.limit,
        "profile": call.profile,
        "settings": {family: dict(values) for family, values in call.settings.items()},
        "metrics": list(call.metrics) if call.metrics is not None else None,
        "model_metrics": call.model_metrics,
        "include": [str(path) for path in call.include],
        "offline": call.offline,
    }


def generation_arguments(call: GenerationCall) -> dict[str, Json]:
    """The part of a call that says how generations are drawn."""
    return {
        "seed": call.seed,
        "samples": call.samples,
        "generation": dict(call.overrides),
        "decoding": call.decoding,
        "batch_rows": call.batch_rows,
        "batch_tokens": call.batch_tokens,
        "deterministic": call.deterministic,
    }
