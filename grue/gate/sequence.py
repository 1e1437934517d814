"""The sequential gate's loop: look after look over all tasks, until the answer is certain."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

from grue.core.errors import CheckpointError, GrueError
from grue.core.rows import subset
from grue.core.text import Json
from grue.engine.protocol import Engine
from grue.evaluation.generate import generate_task, message_of, missing
from grue.evaluation.plan import PlannedTask
from grue.evaluation.prepare import Prepared
from grue.evaluation.progress import Progress
from grue.gate.looks import Watch
from grue.gate.measured import draft_of
from grue.gate.opening import FINISHED
from grue.gate.partial_rows import PartialRows
from grue.gate.planned import Planned
from grue.gate.report import Check, Outcome
from grue.gate.side import Side, number_of, value_of
from grue.runs.directory import RunDirectory

NOT_JUDGED = "not judged: the gate had its answer before"


def not_judged(planned: Planned, reason: str = NOT_JUDGED) -> Check:
    """A check without an answer, and why."""
    return replace(draft_of(planned), outcome=Outcome.UNCERTAIN, message=reason, reason=reason)


@dataclass(slots=True)
class _Task:
    """A task whose checks wait.

    Attributes:
        rows_at: Rows at each look.
        checks: The checks, in order, by plan.
        n_used: Rows looked at.
    """

    planned: PlannedTask
    rows_at: tuple[int, ...]
    checks: dict[Planned, Watch | Check]
    partial: PartialRows
    n_used: int = 0

    @property
    def waiting(self) -> list[Watch]:
        return [one for one in self.checks.values() if isinstance(one, Watch) and one.answer is None]

    def answers(self) -> dict[Planned, Check]:
        return {
            planned: one if isinstance(one, Check) else one.answer or not_judged(planned)
            for planned, one in self.checks.items()
        }


@dataclass(slots=True)
class Looks:
    """Generates portion after portion of all tasks and looks at each.

    Attributes:
        tests: The checks.
        baseline: The baseline.
        prepared: The candidate's plan and engine.
        level: Chance of a false alarm over all tests together.
        progress: Watches.
        run_id: Of the run directory, once it is open.
        n_generated: Texts that were generated now.
        n_looks: Looks that were taken.
    """

    tests: tuple[Planned, ...]
    baseline: Side
    prepared: Prepared
    level: float
    progress: Progress
    run_id: str = ""
    n_generated: int = 0
    n_looks: int = 0
    _tasks: list[_Task] = field(default_factory=list)
    _is_loaded: bool = False

    def run(self, path: Path) -> tuple[Check, ...]:
        """All checks, in the order of the tests."""
        was_there = path.exists()
        self._tasks = [self._task(task) for task in self.prepared.plan.tasks]
        try:
            with RunDirectory.open(path, self.prepared.plan.manifest) as run:
                self.run_id = run.manifest.run_id
                if run.status != FINISHED:
                    run.event("started", status=run.status, sequential_gate=True)
                self.progress.start([one.planned.workload(len(run.stored(one.planned.name))) for one in self._tasks])
                self._look_on(run)
        except CheckpointError:
            # Nothing was generated: a wrong call leaves no folder behind.
            if not was_there:
                shutil.rmtree(path, ignore_errors=True)
            raise
        answers = {planned: check for task in self._tasks for planned, check in task.answers().items()}
        return tuple(answers[one] for one in self.tests)

    def summary(self) -> dict[str, Json]:
        """What was spared."""
        return {
            "looks": self.n_looks,
            "generated": self.n_generated,
            "level_of_each_test": self._level(),
            "tasks": {
                one.planned.name: {"rows": len(one.planned.rows), "rows_used": one.n_used} for one in self._tasks
            },
        }

    def told(self, path: Path) -> str:
        """The same in a sentence."""
        used = sum(one.n_used for one in self._tasks)
        total = sum(len(one.planned.rows) for one in self._tasks)
        return (
            f"Sequential: {used:,} of {total:,} rows were looked at, {self.n_generated:,} texts generated; they are in "
            f"{path}, where 'grue eval' goes on with them."
        )

    def _level(self) -> float:
        return self.level / len(self.tests)

    def _task(self, planned: PlannedTask) -> _Task:
        checks: dict[Planned, Watch | Check] = {}
        for one in self.tests:
            if one.task == planned.name:
                checks[one] = self._watch(one, len(planned.rows))
        watches = [one for one in checks.values() if isinstance(one, Watch)]
        rows_at = watches[0].bounds.rows if watches else ()
        return _Task(planned, rows_at, checks, PartialRows(planned, [one.name for one in checks]))

    def _watch(self, planned: Planned, n_rows: int) -> Watch | Check:
        result = self.baseline.results.tasks[planned.task]
        stored = value_of(result, planned.name) if planned.kind in ("metrics", "rewards") else None
        value = stored.value if stored else number_of(result, planned.name) if planned.kind == "rates" else None
        if value is None:
            return not_judged(planned, "the baseline has no value")
        rows = self.baseline.rows_of(planned.task, planned.name)
        if rows is None or n_rows < 2:
            return not_judged(planned, "it has no rows to test with: leave out --sequential")
        scale = stored.scale if stored else None
        return Watch.of(planned, rows, value, scale, n_rows=n_rows, level=self._level())

    def _look_on(self, run: RunDirectory) -> None:
        most = max((len(one.rows_at) for one in self._tasks), default=0)
        for index in range(most):
            for task in self._tasks:
                if not task.waiting or index >= len(task.rows_at):
                    continue
                self.n_looks = index + 1
                self._look(run, task, index)
                if any(check.outcome is Outcome.FAIL for check in task.answers().values()):
                    return

    def _look(self, run: RunDirectory, task: _Task, index: int) -> None:
        planned = task.planned
        chosen = tuple(subset(planned.rows, task.rows_at[index]))
        part = replace(planned, rows=chosen)
        self._load_for(part, run)
        came: list[int] = []
        made = generate_task(part, self.prepared.engine, run, lambda new: came.append(len(new)), self.progress)
        # What comes first was stored before.
        self.n_generated += sum(came[1:])
        task.n_used = len(chosen)
        ids = {row.id for row in chosen}
        wanted = [one for one in made.generations if one.id in ids]
        if made.error is not None:
            self._give_up(task, f"the model failed: {made.error}")
            return
        task.partial.add(wanted)
        for watch in task.waiting:
            failure = task.partial.failure(watch.planned.name)
            if failure is not None:
                message = f"scoring failed: {failure}"
                watch.answer = replace(
                    draft_of(watch.planned), outcome=Outcome.INFRASTRUCTURE, message=message, reason=failure
                )
                continue
            watch.see(index, task.partial.rows_of(watch.planned.name, watch.baseline))

    def _give_up(self, task: _Task, reason: str) -> None:
        for watch in task.waiting:
            watch.answer = replace(
                draft_of(watch.planned), outcome=Outcome.INFRASTRUCTURE, message=reason, reason=reason
            )

    def _load_for(self, part: PlannedTask, run: RunDirectory) -> None:
        if self._is_loaded or not missing(part, list(run.stored(part.name))):
            return
        engine: Engine = self.prepared.engine
        self.progress.phase(f"loading {engine.info.name}")
        try:
            engine.load()
        except GrueError:
            raise
        except Exception as error:
            raise CheckpointError(
                f"The weights cannot be loaded: {message_of(error)}",
                "Try another --device or --dtype; 'grue doctor -m MODEL' says what this machine can hold.",
                place=engine.info.source,
            ) from error
        self._is_loaded = True
