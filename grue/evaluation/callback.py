"""A callback for the Hugging Face ``Trainer`` that evaluates a few rows every so many steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from grue.core.decoding import override
from grue.core.task import STANDARD, Setting
from grue.core.text import Json
from grue.engine.live import live_engine
from grue.engine.protocol import Job, Request
from grue.evaluation.call import GenerationCall, RowsCall
from grue.evaluation.generate import processed
from grue.evaluation.plan import recipe
from grue.evaluation.portions import chunk_of
from grue.evaluation.selection import Selected, TaskRows, names_of, select
from grue.evaluation.task_scoring import score_here


class GrueCallback(TrainerCallback):  # type: ignore[misc]
    """Evaluates the model in training on a subset of tasks.

    Values go to the trainer's log as ``grue/<task>/<metric>``: into ``state.log_history``, and through ``log``
    (the trainer's own method) to its reporters::

        callback = grue.GrueCallback("commongen", data="mini", limit=20, every_steps=100)
        trainer = Trainer(..., callbacks=[callback])
        callback.log = trainer.log

    The model's mode and the states of all random generators are as before when training goes on.

    Args:
        tasks: Tasks or groups.
        every_steps: Evaluate after each so many optimiser steps.
        limit: Rows a task.
        data: ``mini``, ``hub`` or a folder.
        split: ``None`` for ``validation``.
        tokenizer: ``None`` takes the trainer's ``processing_class``.
        generation: Decoding settings over the tasks' own.
        decoding: ``task`` or ``greedy``.
        seed: Seed of sampling.
        profile: ``standard`` or ``grue-paper``.
        metrics: Metric names in the place of the tasks' suites.
        settings: Family -> key -> value.
        batch_rows: Upper bound of rows a batch.
        include: Folders of task plugins.
        log: Takes values by name; ``None`` writes to ``state.log_history`` alone.

    Raises:
        GrueError: for a fault in names, settings or data, when it is made and not hours later.
    """

    def __init__(
        self,
        tasks: str | Sequence[str],
        *,
        every_steps: int,
        limit: int = 32,
        data: str | Path | None = None,
        split: str | None = "validation",
        tokenizer: Any = None,
        generation: Mapping[str, Json] | None = None,
        decoding: str = "task",
        seed: int = 0,
        profile: str = STANDARD,
        metrics: str | Sequence[str] | None = None,
        settings: Mapping[str, Mapping[str, Setting]] | None = None,
        batch_rows: int | None = None,
        include: Sequence[str | Path] = (),
        log: Callable[[dict[str, float]], None] | None = None,
    ) -> None:
        self.every_steps = every_steps
        self.log = log
        self._tokenizer = tokenizer
        self._call = RowsCall(
            tasks=tasks if isinstance(tasks, str) else ",".join(tasks),
            split=split,
            data=str(data) if data is not None else None,
            limit=limit,
            profile=profile,
            settings=settings or {},
            metrics=names_of(metrics),
            include=tuple(map(Path, include)),
        )
        self._how = GenerationCall(seed=seed, overrides=generation or {}, decoding=decoding, batch_rows=batch_rows)
        self._selected: Selected = select(self._call)

    def on_step_end(self, args: Any, state: Any, control: Any, **objects: Any) -> None:  # noqa: ARG002 - the trainer's shape
        """Evaluate where the step is one of those asked for; on one process alone."""
        if state.global_step % self.every_steps or not state.is_world_process_zero:
            return
        values = self.evaluate(objects["model"], self._tokenizer or objects.get("processing_class"))
        if self.log is not None:
            self.log(values)
        else:
            state.log_history.append({**values, "step": state.global_step, "epoch": state.epoch})

    def evaluate(self, model: Any, tokenizer: Any) -> dict[str, float]:
        """Values of a model as it is now, by ``grue/<task>/<metric>``; metrics without a value are left out."""
        with undisturbed(model):
            return {
                f"grue/{name}/{metric}": value
                for name, asked in self._selected.tasks.items()
                for metric, value in self._task(name, asked, model, tokenizer)
            }

    def _task(self, name: str, asked: TaskRows, model: Any, tokenizer: Any) -> Iterator[tuple[str, float]]:
        engine = live_engine(model, tokenizer)
        job = Job(
            decoding=override(asked.suite.decoding, self._how.overrides, greedy=self._how.decoding == "greedy"),
            truncation=asked.suite.truncation,
            seed=self._how.seed,
            rows=asked.rows,
            batch_rows=self._how.batch_rows,
        )
        made = [
            processed(asked, generation)
            for portion in engine.generate([Request(row, 0) for row in asked.rows], job)
            for generation in portion.generations
        ]
        chunk = chunk_of(made, {row.id: row for row in asked.rows})
        scored = score_here(name, recipe(asked, self._call, self._how.seed), [chunk])
        if scored.scores is None:
            raise RuntimeError(f"scoring {name} failed: {scored.error}")
        for metric, value in scored.scores.values.items():
            if value.value is not None:
                yield metric, value.value


@contextmanager
def undisturbed(model: Any) -> Iterator[None]:
    """Put a model into evaluation mode; afterwards its mode and all random states are as they were."""
    import random

    import numpy as np
    import torch

    modes = {module: module.training for module in model.modules()}
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda_states = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    model.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if cuda_states:
            torch.cuda.set_rng_state_all(cuda_states)
