"""A run from a plan to ``results.json``: generate, score meanwhile, write; what fails leaves the rest standing."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grue.core.collection import settle
from grue.core.errors import CheckpointError, GrueError, PartialRunError, RunDirectoryError
from grue.core.rows import Generation
from grue.core.run import Cost, TaskResult
from grue.engine.ahead import ReadsAhead
from grue.engine.loading import LoadsAhead
from grue.engine.protocol import Engine
from grue.engine.resident import peak_resident_bytes
from grue.evaluation.costs import cost_of, timed_of
from grue.evaluation.gauge import Gauge
from grue.evaluation.generate import Generated, generate_task, message_of, missing
from grue.evaluation.plan import Plan, PlannedTask
from grue.evaluation.progress import Progress
from grue.evaluation.results import FINISHED, PARTIAL, run_scores, task_result, validity_of, write_scored
from grue.evaluation.scoring_worker import ScoringWorker
from grue.evaluation.selection import working_settings
from grue.evaluation.shard import Unscored
from grue.evaluation.stalls import watched
from grue.evaluation.standing import Standing
from grue.evaluation.task_scoring import Scored
from grue.evaluation.yardsticks import yardsticks
from grue.runs.directory import RunDirectory
from grue.runs.validity import TaskValidity, Validity

NO_MODEL = ("null", "oracle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Where a run is and how it came about.

    Attributes:
        path: The run directory.
        was_finished: Nothing was done: the same run was finished already.
        notes: Things a user should know.
    """

    path: Path
    was_finished: bool
    notes: tuple[str, ...] = ()


def execute(
    plan: Plan,
    engine: Engine,
    path: Path,
    *,
    fresh: bool,
    progress: Progress,
    worker: ScoringWorker | None = None,
    begun: float | None = None,
) -> Outcome:
    """Do what a plan says, or go on with it.

    Args:
        plan: The plan.
        engine: The engine it was made for; its weights are loaded here, and only where something is missing.
        path: The run directory.
        fresh: Start anew beside a run that is there.
        progress: Watches; it is stopped whatever happens.
        worker: A scoring process to use; ``None`` starts one for this run.
        begun: When the call began, by ``time.perf_counter``; ``None`` for now.

    Raises:
        RunDirectoryError: where the directory is of another run, in use or not to be written.
        PartialRunError: where generations or results could not be stored any more; what was stored before is kept.
    """
    was_there = path.exists()
    begun = time.perf_counter() if begun is None else begun
    try:
        with RunDirectory.open(path, plan.manifest, fresh=fresh) as run:
            if run.status == FINISHED:
                return Outcome(path=run.path, was_finished=True, notes=plan.notes)
            shard = plan.manifest.shard
            scorer = Unscored(shard) if shard else worker or ScoringWorker()
            try:
                _Execution(plan, engine, run, scorer, progress, begun).execute()
            finally:
                if scorer is not worker:
                    scorer.stop()
            return Outcome(path=run.path, was_finished=False, notes=plan.notes)
    except CheckpointError:
        # Nothing was generated: a wrong call leaves no folder behind.
        if not was_there:
            shutil.rmtree(path, ignore_errors=True)
        raise
    finally:
        progress.stop()


@dataclass(slots=True)
class _Waiting:
    """A task whose generations are stored and whose values are awaited."""

    planned: PlannedTask
    generated: Generated
    peak_memory_bytes: int | None
    earlier_cost: Cost | None


class _Execution:
    """One start of a run."""

    def __init__(
        self,
        plan: Plan,
        engine: Engine,
        run: RunDirectory,
        worker: ScoringWorker | Unscored,
        progress: Progress,
        begun: float,
    ) -> None:
        self._plan = plan
        self._engine = engine
        self._run = run
        self._worker = worker
        self._progress = progress
        self._load_seconds: float | None = None
        self._waiting: list[_Waiting] = []
        self._results: dict[str, TaskResult] = {}
        self._previous: Mapping[str, TaskResult] = run.previous.tasks if run.previous else {}
        self._has_model = engine.info.kind not in NO_MODEL
        self._begun: set[str] = set()
        self._standings: dict[str, Standing | None] = {}
        self._validity: dict[str, TaskValidity] = {}
        self._gauge = Gauge(run, engine, begun=begun, home=working_settings().home)

    def execute(self) -> None:
        """Generate, score and write everything, ``results.json`` last."""
        stored = {task.name: self._run.stored(task.name) for task in self._plan.tasks}
        n_stored = sum(map(len, stored.values()))
        self._begun = {name for name, generations in stored.items() if generations}
        self._run.event("started", status=self._run.status, stored=n_stored)
        if n_stored:
            self._progress.note(f"Going on with {self._run.path}: {n_stored} generations are stored.")
        self._progress.start([task.workload(len(stored[task.name])) for task in self._plan.tasks])
        settle()
        if any(missing(task, list(stored[task.name])) for task in self._plan.tasks):
            self._read_ahead(self._plan.tasks[0])
            self._load()
            self._gauge.open()
        try:
            self._generate_and_write()
        except RunDirectoryError as error:
            raise PartialRunError(
                error.cause,
                f"{error.fix} What was stored is kept: the same command then goes on.".strip(),
                place=error.place,
            ) from error
        finally:
            self._gauge.close()

    def _generate_and_write(self) -> None:
        # On an accelerator judges would take memory from the model: they wait until it is gone.
        # Behind an endpoint it takes none here.
        shares_device = self._has_model and self._engine.environment().get("device") not in (None, "cpu")
        for planned, following in zip(self._plan.tasks, (*self._plan.tasks[1:], None), strict=True):
            if following is not None:
                self._read_ahead(following)
            self._generate(planned)
            if not shares_device:
                self._worker.end(self._ticket(planned))
                self._write_ready(wait=False)
        if shares_device:
            self._engine.close()
            for planned in self._plan.tasks:
                self._worker.end(self._ticket(planned))
        if self._waiting:
            self._progress.phase("scoring")
        self._write_ready(wait=True)
        results = self._gauge.with_peaks({task.name: self._results[task.name] for task in self._plan.tasks})
        status = FINISHED if all(result.status == FINISHED for result in results.values()) else PARTIAL
        self._run.event("ended", status=status)
        self._run.write_validity(Validity(self._validity))
        self._run.finish(status, results, run_scores(self._standings))

    def _load(self) -> None:
        if not self._has_model:
            return
        self._progress.phase(f"loading {self._engine.info.name}")
        begin = time.perf_counter()
        try:
            with watched(self._run, self._progress) as watchdog, watchdog.step("loading"):
                self._engine.load()
        except GrueError:
            raise
        except Exception as error:
            raise CheckpointError(
                f"The weights cannot be loaded: {message_of(error)}",
                "Try another --device or --dtype; 'grue doctor -m MODEL' says what this machine can hold.",
                place=self._engine.info.source,
            ) from error
        ahead = self._engine.loading.seconds if isinstance(self._engine, LoadsAhead) else None
        self._load_seconds = max(time.perf_counter() - begin, ahead or 0.0)
        self._run.event("loaded", seconds=self._load_seconds)

    def _read_ahead(self, planned: PlannedTask) -> None:
        """Have a task's prompts tokenised beside what comes before it."""
        if isinstance(self._engine, ReadsAhead):
            stored = list(self._run.stored(planned.name)) if planned.name in self._begun else []
            requests = missing(planned, stored)
            if requests:
                self._engine.read_ahead(requests, planned.job)

    def _generate(self, planned: PlannedTask) -> None:
        ticket = self._ticket(planned)
        earlier_cost = self._earlier_cost(planned)
        rows = {row.id: row for row in planned.rows}
        self._worker.begin(ticket, planned.recipe)
        self._measure(ticket, planned)

        gauge = self._gauge.task(planned.name)

        def hand_over(generations: Sequence[Generation]) -> None:
            self._worker.add(ticket, generations, rows)
            gauge.came(generations)

        generated = generate_task(planned, self._engine, self._run, hand_over, self._progress)
        gauge.end()
        if generated.error:
            self._progress.note(f"{planned.name} failed: {generated.error}. The other tasks go on.")
        self._waiting.append(_Waiting(planned, generated, self._peak_memory(), earlier_cost))

    def _measure(self, ticket: str, planned: PlannedTask) -> None:
        """Have null systems and the oracle scored on the same rows, where a primary metric is computed."""
        has_scale = any(name in planned.asked.built.metrics for name in planned.asked.suite.primary)
        if has_scale and self._plan.manifest.shard is None:
            covered = {row.id for row in planned.rows}
            # As the data give them: the oracle's own run has a reference less.
            rows = [row for row in planned.asked.rows if row.id in covered]
            try:
                self._worker.measure(ticket, yardsticks(rows, planned.asked.suite.postprocess))
            except Exception as error:  # noqa: BLE001 - a plugin that raises here leaves its values without a scale
                self._run.event("yardsticks_failed", task=planned.name, error=message_of(error))

    def _write_ready(self, *, wait: bool) -> None:
        left = []
        for waiting in self._waiting:
            scored = self._worker.answer(self._ticket(waiting.planned), wait=wait)
            if scored is None:
                left.append(waiting)
            else:
                self._write(waiting, scored)
        self._waiting = left

    def _write(self, waiting: _Waiting, scored: Scored) -> None:
        planned, generated = waiting.planned, waiting.generated
        if generated.error:
            # Values of some rows under the name of all would mislead: the task has none.
            scored = Scored(scored.ticket, error=generated.error)
        failed = f"scoring failed: {scored.error}; 'grue score {self._run.path}' repeats it" if scored.error else None
        error = generated.error or (scored.error if self._plan.manifest.shard else failed)
        write_scored(self._run, planned.name, planned.rows, generated.generations, scored)
        self._standings[planned.name] = scored.standing
        result = task_result(
            planned.manifest,
            generated.generations,
            expected=len(planned.rows),
            scored=scored,
            error=error,
            cost=waiting.earlier_cost
            or cost_of(
                generated.generations,
                timed=timed_of(self._run.path, planned.name),
                load_seconds=self._load_seconds,
                peak_memory_bytes=waiting.peak_memory_bytes,
                peak_memory_of=self._gauge.memory_of,
                flops=self._gauge.flops(generated.generations, planned.manifest),
            ),
        )
        if self._plan.manifest.shard:
            made = {generation.id for generation in generated.generations}
            result = replace(result, failed=len(planned.rows) - len(made))
        self._results[planned.name] = result
        report = validity_of(
            self._run,
            planned.name,
            planned.rows,
            generated.generations,
            result,
            scored,
            language=planned.asked.task.language,
            primary=planned.manifest.primary,
        )
        if report is not None:
            self._validity[planned.name] = report

    def _earlier_cost(self, planned: PlannedTask) -> Cost | None:
        """What an earlier end of this run measured, where nothing of the task is left to generate."""
        previous = self._previous.get(planned.name)
        if previous is None or missing(planned, list(self._run.stored(planned.name))):
            return None
        return previous.cost

    def _ticket(self, planned: PlannedTask) -> str:
        return f"{self._plan.manifest.run_id}/{planned.name}"

    def _peak_memory(self) -> int | None:
        if not self._has_model or self._engine.info.endpoint is not None:
            return None
        return self._engine.peak_memory_bytes() or peak_resident_bytes()
