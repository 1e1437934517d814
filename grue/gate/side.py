"""A side of the gate: a stored run, or a baseline file made from one, both read the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grue.comparison.columns import REWARD, metric_rows
from grue.core.metric import MetricValue
from grue.core.run import Manifest, Results, TaskResult
from grue.gate.report import SideInfo
from grue.gate.row_data import RATE, RowData, rate_rows
from grue.gate.rules import Kind
from grue.runs.read import StoredRun

COST = "cost."
# (task, name as in a check) -> its rows, or None where the number has none.
RowsOf = Callable[[str, str], RowData | None]


@dataclass(frozen=True, slots=True)
class Side:
    """What is known of one side.

    Attributes:
        place: Run directory or baseline file.
        rows_of: Rows of a number.
    """

    place: Path
    manifest: Manifest
    results: Results
    rows_of: RowsOf

    @property
    def info(self) -> SideInfo:
        """For the report."""
        return SideInfo(str(self.place), self.manifest.run_id, self.manifest.model.name, self.manifest.created_at)

    def metric(self, task: str, name: str) -> MetricValue | None:
        """A metric of a task, or ``reward:NAME``; ``None`` where the run has no such metric."""
        return value_of(self.results.tasks[task], name)


def value_of(result: TaskResult, name: str) -> MetricValue | None:
    """A metric of a result, or a reward as ``reward:NAME``."""
    if name.startswith(REWARD):
        return result.rewards.get(name.removeprefix(REWARD))
    return result.metrics.get(name)


def number_of(result: TaskResult, name: str) -> float | None:
    """A rate or cost, named as in a check."""
    if name.startswith(RATE):
        rate: float | None = getattr(result.rates, name.removeprefix(RATE))
        return rate
    cost: float | None = getattr(result.cost, name.removeprefix(COST))
    return cost


def check_name(kind: Kind, name: str) -> str:
    """The name of a check: plain for a metric, with a mark of its kind for all others."""
    return {"metrics": "", "rewards": REWARD, "rates": RATE, "cost": COST}[kind] + name


def side_of_run(run: StoredRun) -> Side:
    """A stored run as a side."""

    def rows_of(task: str, name: str) -> RowData | None:
        if name.startswith(RATE):
            return rate_rows(run, task, name.removeprefix(RATE))
        found = metric_rows(run, task, name)
        return RowData(found.ids, found.column) if found else None

    return Side(run.path, run.manifest_value(), run.results_value(), rows_of)
