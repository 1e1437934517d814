"""A stored run for Python: manifest and results as values, scores and samples as pandas frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grue.core.metric import MetricValue
from grue.core.run import Manifest, Results
from grue.runs.fields import Fields
from grue.runs.read import RESULTS, StoredRun, read_run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is stored.

    Attributes:
        path: The run directory.
        manifest: What was run.
        results: What came out.
        stored: The same as JSON objects and Arrow tables.
    """

    path: Path
    manifest: Manifest
    results: Results
    stored: StoredRun

    def samples(self, task: str) -> pd.DataFrame:
        """One row a generation, sorted by id and sample; the columns are those of ``samples/<task>.parquet``.

        Raises:
            RunDirectoryError: where the run has no generations of that task.
        """
        frame: pd.DataFrame = self.stored.samples(task).to_pandas()
        return frame

    def metrics(self) -> pd.DataFrame:
        """One row a task and metric: task, metric, primary, value, ci95_low, ci95_high, n, scale,
        higher_is_better, signature, reason. Absent metrics have no value and a reason.
        """
        return _frame(
            {
                "task": task,
                "metric": name,
                "primary": task in self.manifest.tasks and name in self.manifest.tasks[task].primary,
                **_value_columns(value),
            }
            for task, result in self.results.tasks.items()
            for name, value in result.metrics.items()
        )

    def rewards(self) -> pd.DataFrame:
        """One row a task and reward: task, reward, then the value's columns as in ``metrics``."""
        return _frame(
            {"task": task, "reward": name, **_value_columns(value)}
            for task, result in self.results.tasks.items()
            for name, value in result.rewards.items()
        )

    def scores(self) -> pd.DataFrame:
        """One row a score: task (None for the whole run), score (quality, naturalness, grue), value, ci95_low,
        ci95_high, reason.
        """
        document = Fields(self.stored.results, str(self.path / RESULTS))
        parts = [(name, task.child("scores"), ("quality", "naturalness")) for name, task in document.children("tasks")]
        return _frame(
            {"task": task, "score": name, **_score_columns(scores.child(name))}
            for task, scores, names in [*parts, (None, document.child("scores"), ("grue", "naturalness"))]
            for name in names
        )


def load_run(path: str | Path, *, shard: bool = False) -> Run:
    """Read a run directory and verify it; ``shard`` allows one that holds a part of a run.

    Raises:
        RunDirectoryError: where there is no run, it is unfinished, or something in it is broken.
    """
    stored = read_run(path, shard=shard)
    return Run(stored.path, stored.manifest_value(), stored.results_value(), stored)


def _value_columns(value: MetricValue) -> dict[str, Any]:
    low, high = value.ci95 or (None, None)
    return {
        "value": value.value,
        "ci95_low": low,
        "ci95_high": high,
        "n": value.n,
        "scale": value.scale,
        "higher_is_better": value.higher_is_better,
        "signature": value.signature,
        "reason": value.reason,
    }


def _score_columns(score: Fields) -> dict[str, Any]:
    bounds = score.optional("ci95", list)
    if bounds is not None and len(bounds) != 2:
        raise score.fault("ci95 should be two numbers or null.")
    low, high = bounds or (None, None)
    reason = score.optional("reason", str)
    return {"value": score.optional("value", float), "ci95_low": low, "ci95_high": high, "reason": reason}


def _frame(rows: Iterator[Mapping[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(list(rows))
    for column in ("value", "ci95_low", "ci95_high", "scale"):
        if column in frame:
            frame[column] = frame[column].astype("float64")
    return frame
