"""The validity report of a run directory: as it was stored, or made from its samples for runs of earlier versions."""

from __future__ import annotations

import numpy as np

from grue.core.errors import GrueError
from grue.core.metric import Floats
from grue.evaluation.from_run import texts_of
from grue.evaluation.validity import TaskSamples, task_validity
from grue.registry.tasks import load_task
from grue.runs.read import StoredRun
from grue.runs.validity import TaskValidity, Validity, read_validity

UNKNOWN_LANGUAGE = "und"


def report_of_run(stored: StoredRun) -> Validity:
    """The stored report, else one made now.

    Raises:
        RunDirectoryError: where something in the run is damaged.
    """
    known = read_validity(stored.path)
    if known is not None:
        return known
    names = [name for name in stored.results["tasks"] if f"samples/{name}.parquet" in stored.results["files"]]
    return Validity({name: validity_of_task(stored, name) for name in names})


def validity_of_task(stored: StoredRun, name: str) -> TaskValidity:
    """The report of one task, made from its samples.

    Raises:
        RunDirectoryError: where something in the run is damaged.
    """
    result, asked = stored.results_value().tasks[name], stored.manifest_value().tasks[name]
    rows, generations = texts_of(stored, name)
    table = stored.samples(name)

    def column(key: str) -> Floats:
        return np.array([np.nan if v is None else v for v in table.column(key).to_pylist()], dtype=np.float64)

    held = set(table.column_names)
    return task_validity(
        TaskSamples.of(
            rows,
            generations,
            language=_language(name),
            values=result.metrics,
            rewards=result.rewards,
            columns={metric: column(metric) for metric in result.metrics if metric in held},
            reward_columns={
                reward: column(f"reward_{reward}") for reward in result.rewards if f"reward_{reward}" in held
            },
            primary=asked.primary,
            score=result.score,
        )
    )


def _language(task: str) -> str:
    try:
        return load_task(task).language
    except GrueError:  # a plugin that is not installed here: no language is looked for
        return UNKNOWN_LANGUAGE
