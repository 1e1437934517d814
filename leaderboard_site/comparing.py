"""Comparisons for the compare page: one pair at a time, computed in a thread of their own and kept by content."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from grue.comparison.columns import REWARD, comparison_key, result_entries
from grue.comparison.comparable import refuse_other_keys
from grue.comparison.compare import FINISHED, CompareCall, compare_runs
from grue.comparison.values import Pair
from grue.core.errors import GrueError, NotComparableError
from grue.runs.read import StoredRun

MOST_RUNS = 5
_MOST_KEPT = 200
_MOST_WAITING = 24
FIELDS = {
    "task_version": "task version",
    "split": "split",
    "data_sha256": "rows (data.sha256)",
    "prompts_sha256": "prompts (prompts_sha256)",
    "signature": "metric signature",
}


@dataclass(frozen=True, slots=True)
class Unlike:
    """A field of the comparison key that differs, so that a task, or one metric of it, cannot be compared."""

    task: str
    metric: str
    field: str
    baseline: str
    candidate: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A candidate against the baseline.

    Attributes:
        pair: ``None`` where no task can be compared.
        unlike: What differs of the tasks, and of the metrics, that are left out.
        lacking: Tasks that only one of them has, or has finished, with the reason.
        reason: Why there is nothing; empty where there is something.
    """

    pair: Pair | None
    unlike: tuple[Unlike, ...]
    lacking: tuple[tuple[str, str], ...]
    reason: str = ""


class TooManyWaitingError(Exception):
    """More comparisons wait than are worth waiting for."""


class Comparisons:
    """Computes pairs one after the other and keeps the last ones; safe to share between threads."""

    def __init__(self) -> None:
        # One thread: paired tests take a whole core, and readers of other pages need the other one.
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="compare")
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str, bool], Future[Compared]] = OrderedDict()

    def start(self, baseline: StoredRun, candidate: StoredRun, *, all_metrics: bool) -> Future[Compared]:
        """The comparison of two runs, known or begun; equal content is compared once.

        Args:
            baseline: The first run.
            candidate: The other.
            all_metrics: Whether every metric and reward is tested, not the primary ones alone.

        Raises:
            TooManyWaitingError: where the queue is full.
        """
        key = (str(baseline.results["checksum"]), str(candidate.results["checksum"]), all_metrics)
        with self._lock:
            known = self._known.get(key)
            if known is not None and not known.cancelled() and not (known.done() and known.exception() is not None):
                self._known.move_to_end(key)
                return known
            if sum(not future.done() for future in self._known.values()) >= _MOST_WAITING:
                raise TooManyWaitingError
            future = self._pool.submit(compared, baseline, candidate, all_metrics=all_metrics)
            self._known[key] = future
            while len(self._known) > _MOST_KEPT:
                self._known.popitem(last=False)
            return future

    def close(self) -> None:
        """Begin no further comparison."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def compared(baseline: StoredRun, candidate: StoredRun, *, all_metrics: bool) -> Compared:
    """Compare two runs on the tasks and metrics that can be; what cannot is named.

    Args:
        baseline: The first run.
        candidate: The other.
        all_metrics: Whether every metric and reward is tested, not the primary ones alone.
    """
    tasks, lacking = _shared(baseline, candidate)
    unlike = [one for task in tasks for one in _unlike_task(baseline, candidate, task)]
    tasks = [task for task in tasks if task not in {one.task for one in unlike}]
    other_metrics = [one for task in tasks for one in _unlike_metrics(baseline, candidate, task)]
    unlike += other_metrics
    metrics = _metrics(baseline, candidate, tasks, {one.metric for one in other_metrics}, all_metrics=all_metrics)
    if not tasks or not metrics:
        why = "no task in common" if not unlike else "other rows, prompts, task versions or metrics on every task"
        return Compared(None, tuple(unlike), tuple(lacking), f"They have {why}.")
    # A board ranks its runs by these rows already; to check their texts anew would take most of the time and memory.
    call = CompareCall(tasks=tuple(tasks), metrics=tuple(metrics), checks_rows=False)
    try:
        refuse_other_keys(baseline, candidate, tasks, metrics, rows_may=False)
        pair = compare_runs([baseline, candidate], call).pairs[0]
    except NotComparableError as error:
        return Compared(None, tuple(unlike), tuple(lacking), error.cause)
    except GrueError:
        # What it says may name places of the host.
        return Compared(None, tuple(unlike), tuple(lacking), "The rows of one of the runs cannot be read.")
    return Compared(pair, tuple(unlike), tuple(lacking))


def primary_metrics(run: StoredRun, task: str) -> tuple[str, ...]:
    """Names of a task's primary metrics."""
    return run.manifest_value().tasks[task].primary


def _shared(baseline: StoredRun, candidate: StoredRun) -> tuple[list[str], list[tuple[str, str]]]:
    ours, theirs = baseline.results["tasks"], candidate.results["tasks"]
    shared, lacking = [], []
    for task in dict.fromkeys((*ours, *theirs)):
        held = [(run, run.results["tasks"].get(task)) for run in (baseline, candidate)]
        absent = [run for run, result in held if result is None]
        unfinished = [run for run, result in held if result is not None and result.get("status") != FINISHED]
        if absent:
            lacking.append((task, f"{_name(absent[0])} was not run on it"))
        elif unfinished:
            lacking.append((task, f"{_name(unfinished[0])} has not finished it"))
        elif not all(run.has_samples(task) for run, _ in held):
            lacking.append((task, "the generations of one of the runs are not published"))
        else:
            shared.append(task)
    return shared, lacking


def _unlike_task(baseline: StoredRun, candidate: StoredRun, task: str) -> list[Unlike]:
    ours, theirs = comparison_key(baseline, task, ""), comparison_key(candidate, task, "")
    return [
        Unlike(task, "", field, str(getattr(ours, field)), str(getattr(theirs, field)))
        for field in ours.differences(theirs)
    ]


def _unlike_metrics(baseline: StoredRun, candidate: StoredRun, task: str) -> list[Unlike]:
    """Metrics with a value in both whose settings differ; rewards are no results of the task."""
    ours, theirs = result_entries(baseline, task), result_entries(candidate, task)
    found = []
    for metric, entry in ours.items():
        other = theirs.get(metric)
        if metric.startswith(REWARD) or other is None or entry.get("value") is None or other.get("value") is None:
            continue
        left, right = (comparison_key(run, task, metric).signature for run in (baseline, candidate))
        if left != right:
            found.append(Unlike(task, metric, "signature", str(left), str(right)))
    return found


def _metrics(
    baseline: StoredRun, candidate: StoredRun, tasks: Sequence[str], unlike: set[str], *, all_metrics: bool
) -> list[str]:
    """Metrics to test: of each task the primary ones that have a value in both, or one in their place; or all."""
    found: dict[str, None] = {}
    for task in tasks:
        ours, theirs = result_entries(baseline, task), result_entries(candidate, task)
        known = [
            name
            for name, entry in ours.items()
            if name not in unlike and entry.get("value") is not None and theirs.get(name, {}).get("value") is not None
        ]
        primary = [name for name in primary_metrics(baseline, task) if name in known]
        directed = [
            name for name in known if not name.startswith(REWARD) and ours[name].get("higher_is_better") is not None
        ]
        found |= dict.fromkeys(known if all_metrics else primary or directed[:1])
    return list(found)


def _name(run: StoredRun) -> str:
    return str(run.manifest["model"]["name"])
