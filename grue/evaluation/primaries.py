"""Whether a task's primary metrics can carry a score: floor and ceiling must be apart on its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grue.core.judging import Judging
from grue.core.task import STANDARD, Task
from grue.data.location import TaskAbsentError, locate
from grue.data.split import load_split
from grue.evaluation.selection import JUDGES, plugin_faults, working_settings
from grue.evaluation.standing import Scales
from grue.evaluation.suite import build_suite
from grue.evaluation.yardsticks import yardsticks
from grue.stats.grue_score import NEAREST_FRACTION, Primary, too_near

EMBEDDED = "mini"


@dataclass(frozen=True, slots=True)
class Unfit:
    """A primary metric that cannot carry a score, and why."""

    metric: str
    problem: str
    fix: str


def unfit_primaries(task: Task, data: Path | None = None) -> list[Unfit]:
    """The primary metrics of ``standard`` whose floor and ceiling are too near each other.

    A metric that is absent here is not judged, and neither is a task without rows.

    Args:
        task: The task.
        data: A data folder; the embedded rows where none is given.

    Raises:
        GrueError: where the rows or the plugin are at fault.
    """
    home = working_settings().home
    suite = task.profile(STANDARD)
    location = locate(str(data) if data else EMBEDDED, EMBEDDED)
    judging = Judging(embedded=data is None, offline=True, cache=home / JUDGES)
    try:
        with plugin_faults(task.name, "reading its rows"):
            rows = load_split(task, suite, None, location, home=home, offline=True).rows
    except TaskAbsentError:
        return []
    built = build_suite(suite, metrics=suite.primary, judging=judging)
    scales = Scales(built, suite.primary)
    with plugin_faults(task.name, "its post-processing"):
        for yardstick in yardsticks(rows, suite.postprocess):
            scales.add(yardstick)
    return list(_judged(scales.primaries(), built.absent))


def _judged(primaries: list[Primary], absent: dict[str, str]) -> Iterator[Unfit]:
    for metric in primaries:
        if metric.name in absent or metric.floor is None:
            continue
        if metric.ceiling is None:
            yield Unfit(
                metric.name,
                f"The primary metric {metric.name} has no maximum and the rows have one reference each: no ceiling.",
                "Take a metric with a maximum as primary.",
            )
        elif too_near(metric.floor, metric.ceiling, metric.scale):
            yield Unfit(
                metric.name,
                f"The primary metric {metric.name} puts null:random-reference at {metric.floor:.4g} and its ceiling at "
                f"{metric.ceiling:.4g}: nearer than {NEAREST_FRACTION} of its scale.",
                "Take another metric as primary: this one cannot tell right from wrong content.",
            )
