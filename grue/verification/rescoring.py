"""Do the texts of a run have the scores it says? Everything is scored again and compared.

The run is scored into a folder that is thrown away, by the very code of ``grue score RUN``, and what results from it
stands beside what is stored: values, intervals, columns of rows, statistics, rates, scores of tasks and run, the
validity report and the explanations. A signature says all that changes a value, so a value is compared wherever the
signatures are equal; intervals and reports carry none, and where another version of grue made the run a difference in
them alone is left open.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from grue.core.errors import GrueError, RunDirectoryError
from grue.core.metric import Floats, MetricValue
from grue.core.run import Results, TaskResult
from grue.core.text import Json
from grue.evaluation.environment import grue_version
from grue.evaluation.from_run import task_to_score
from grue.evaluation.plan import manifest
from grue.evaluation.progress import Progress
from grue.evaluation.score import write_all
from grue.evaluation.to_score import ScoreCall, TaskToScore, ToScore
from grue.metrics.build import entry
from grue.runs.directory import EXPLAIN
from grue.runs.read import RESULTS, StoredRun, read_run
from grue.runs.validity import VALIDITY
from grue.verification.equality import close, differences, differing_rows
from grue.verification.findings import FAILED, NOT_CHECKED, PASSED, Finding, capped

EXACT = 1e-9
REWARD = "reward_"
# Judges add in another order when their batches are composed otherwise, and on another device by other kernels.
JUDGED, JUDGED_ELSEWHERE = 1e-6, 1e-3


@dataclass(slots=True)
class _Task:
    """What was found about one task.

    Attributes:
        failures: What is not as the run says.
        open: Why something could not be compared -> the names it holds for.
        compared: Values that were compared.
    """

    name: str
    failures: list[Finding] = field(default_factory=list)
    open: dict[str, list[str]] = field(default_factory=dict)
    compared: int = 0

    def leave(self, reason: str, name: str) -> None:
        self.open.setdefault(reason, []).append(name)

    def findings(self) -> list[Finding]:
        found = capped(self.failures)
        for reason, names in self.open.items():
            message = f"{', '.join(dict.fromkeys(names))}: {reason}"
            found.append(Finding(check="scores", status=NOT_CHECKED, task=self.name, message=message))
        if not self.failures and self.compared:
            message = f"{self.compared} values, their intervals, columns and statistics come out the same"
            found.append(Finding(check="scores", status=PASSED, task=self.name, message=message))
        return found


def rescored(
    stored: StoredRun,
    tasks: Sequence[str],
    include: Sequence[Path],
    progress: Progress,
    *,
    offline: bool,
    evaluated: Path | None = None,
) -> list[Finding]:
    """Score the texts of a run again and compare all that comes out.

    Args:
        stored: The run; its files may be damaged.
        tasks: Tasks whose samples can be read.
        include: Task plugins outside the installed packages.
        progress: Watches.
        offline: Look at local files only.
        evaluated: Folder of the run's checkpoint, for metrics that ask it; ``None`` looks where the manifest says.
    """
    findings = []
    ready = []
    call = ScoreCall(source=stored.path, include=tuple(include), offline=offline)
    before = stored.manifest_value()
    for name in tasks:
        try:
            task = task_to_score(name, before.tasks[name], stored, call)
        except RunDirectoryError as error:
            findings.append(Finding(check="scores", status=FAILED, task=name, place=error.place, message=error.cause))
        except GrueError as error:
            message = f"cannot be scored here: {error.cause}"
            findings.append(Finding(check="scores", status=NOT_CHECKED, task=name, message=message))
        else:
            ready.append(_asking(task, evaluated) if evaluated else task)
    if not ready:
        return findings
    again = manifest(before.model, {task.name: task.manifest for task in ready}, before.seed, before.arguments, {})
    with TemporaryDirectory(prefix="grue-verify-") as folder:
        outcome = write_all(
            ToScore(tasks=tuple(ready), manifest=again, notes=(), path=Path(folder) / "run"),
            fresh=False,
            progress=progress,
        )
        return findings + list(_compared(stored, read_run(outcome.path), [task.name for task in ready]))


def _asking(task: TaskToScore, evaluated: Path) -> TaskToScore:
    judging = replace(task.recipe.judging, evaluated=evaluated)
    return replace(task, recipe=replace(task.recipe, judging=judging))


def _compared(stored: StoredRun, again: StoredRun, tasks: Sequence[str]) -> Iterator[Finding]:
    before, after = stored.results_value(), again.results_value()
    is_same = stored.manifest_value().grue == grue_version()
    device = stored.manifest_value().environment.get("device")
    judged = JUDGED if device in (None, "cpu") else JUDGED_ELSEWHERE
    found = {}
    for name in tasks:
        found[name] = _Comparison(stored, again, name, is_same=is_same, judged=judged).compare(
            before.tasks[name], after.tasks[name]
        )
    for task in found.values():
        yield from task.findings()
    whole = len(tasks) == len(before.tasks) and not any(task.open for task in found.values())
    yield from _run_scores(stored, before, after, is_same=is_same, whole=whole, tolerance=judged)
    yield from _reports(stored, again, tasks, is_same=is_same, whole=whole, tolerance=judged)


class _Comparison:
    """One task of a run beside the same task scored again."""

    def __init__(self, stored: StoredRun, again: StoredRun, name: str, *, is_same: bool, judged: float) -> None:
        self._stored, self._again, self._name = stored, again, name
        self._is_same, self._judged = is_same, judged
        self._found = _Task(name)
        made = stored.manifest_value().grue
        self._other = f"differs, and another version of grue made the run ({made.get('version')}, {made.get('commit')})"

    def compare(self, before: TaskResult, after: TaskResult) -> _Task:
        """Everything of the task."""
        if after.error and all(value.value is None for value in after.metrics.values()):
            if before.error and all(value.value is None for value in before.metrics.values()):
                self._found.leave("has no values, in the run and here", "scores")
            else:
                self._found.leave(f"cannot be scored here: {after.error}", "scores")
                self._claims_without_scoring(before)
            return self._found
        # Rows first: they say which texts do not have the scores of the run.
        self._columns("samples")
        self._columns("statistics")
        for kind, was, now in (("metrics", before.metrics, after.metrics), ("rewards", before.rewards, after.rewards)):
            for name in [*was, *(name for name in now if name not in was)]:
                self._value(kind, name, was.get(name), now.get(name))
        self._documents(before, after)
        return self._found

    def _claims_without_scoring(self, before: TaskResult) -> None:
        self._found.compared = 0
        self._found.leave("was not compared", f"{sum(v.value is not None for v in before.metrics.values())} values")

    def _value(self, kind: str, name: str, was: MetricValue | None, now: MetricValue | None) -> None:
        key = f"{kind}.{name}"
        if was is None:
            if now is not None and now.value is not None:
                if self._is_same:
                    self._fail(key, f"is missing, here it is {now.value!r}")
                else:
                    self._found.leave("is not in the run, which another version of grue made", name)
            return
        if was.value is None:
            self._absent(kind, key, was, now)
            return
        if now is None or now.value is None:
            reason = now.reason if now is not None and now.reason else "is not known here"
            self._found.leave(f"has a value in the run and cannot be computed here: {reason}", name)
            return
        if was.signature != now.signature:
            self._found.leave(f"has another signature here: {now.signature}", name)
            return
        tolerance = self._tolerance(kind, name)
        self._found.compared += 1
        if not close(was.value, now.value, tolerance):
            self._fail(f"{key}.value", f"is {was.value!r}, the texts give {now.value!r}")
        for part in ("n", "scale", "higher_is_better"):
            if getattr(was, part) != getattr(now, part):
                self._fail(f"{key}.{part}", f"is {getattr(was, part)!r}, should be {getattr(now, part)!r}")
        if list(differences(_bounds(was), _bounds(now), tolerance)):
            self._unsigned(f"{key}.ci95", f"is {_bounds(was)}, the texts give {_bounds(now)}", f"{name}'s interval")

    def _absent(self, kind: str, key: str, was: MetricValue, now: MetricValue | None) -> None:
        """A metric that could be computed when the run was made and is said to have no value."""
        planned = self._stored.manifest["tasks"][self._name][kind].get(key.partition(".")[2])
        if now is not None and now.value is not None and planned is not None and not was.failed:
            if now.signature == planned:
                self._fail(f"{key}.value", f"is null ({was.reason}), the texts give {now.value!r}")
            else:
                self._found.leave("is null in the run and has another signature here", key.partition(".")[2])

    def _documents(self, before: TaskResult, after: TaskResult) -> None:
        was, now = before.to_json(), after.to_json()
        for key in ("n", "rates"):
            for one in differences(was[key], now[key], EXACT):
                self._fail(f"{key}.{one.key}", f"is {one.stored!r}, the samples give {one.again!r}")
        tokens = self._stored.samples(self._name, ("prompt_tokens", "generated_tokens")).to_pydict()
        for key, values in tokens.items():
            known = [value for value in values if value is not None]
            said, total = getattr(before.cost, key), sum(known) if known else None
            if said != total:
                self._fail(f"cost.{key}", f"is {said}, the samples give {total}")
        if self._found.open:
            # Scores of the task may be made of what could not be compared.
            self._found.leave("may rest on values that were not compared", "scores of the task")
            return
        for one in differences(was["scores"], now["scores"], self._judged):
            self._unsigned(f"scores.{one.key}", f"is {one.stored!r}, the texts give {one.again!r}", f"scores.{one.key}")

    def _columns(self, folder: str) -> None:
        """Columns of numbers, differences by row."""
        file = f"{folder}/{self._name}.parquet"
        try:
            was = _numbers(self._stored, folder, self._name)
        except RunDirectoryError as error:
            self._fail(file, error.cause, whole=True)
            return
        now = _numbers(self._again, folder, self._name)
        by_row: dict[int, list[str]] = {}
        for name in now:
            kind, metric = ("rewards", name[len(REWARD) :]) if name.startswith(REWARD) else ("metrics", name)
            if not self._claims(kind, metric):
                continue
            if name not in was:
                self._fail(f"{file}: {name}", "the column is missing", whole=True)
            elif was[name].shape != now[name].shape:
                self._fail(f"{file}: {name}", f"has shape {was[name].shape}, should be {now[name].shape}", whole=True)
            else:
                for row in differing_rows(was[name], now[name], self._tolerance(kind, metric)):
                    by_row.setdefault(row, []).append(name)
        ids = self._stored.samples(self._name, ("id",)).column("id").to_pylist()
        for row, names in sorted(by_row.items()):
            shown = ", ".join(
                f"{name} is {_shown(was[name][row])}, its text gives {_shown(now[name][row])}" for name in names[:2]
            )
            more = f", and {len(names) - 2} columns more" if len(names) > 2 else ""
            self._fail(f"{file}: id {ids[row]}", f"{shown}{more}", whole=True)

    def _claims(self, kind: str, metric: str) -> bool:
        """Whether the run has a value of it that can be compared here."""
        was = self._stored.results["tasks"][self._name][kind].get(metric)
        now = self._again.results["tasks"][self._name][kind].get(metric)
        return bool(was and now and was["value"] is not None and was["signature"] == now["signature"])

    def _tolerance(self, kind: str, name: str) -> float:
        return self._judged if kind == "rewards" or entry(name).needs_model else EXACT

    def _unsigned(self, key: str, message: str, name: str) -> None:
        if self._is_same:
            self._fail(key, message)
        else:
            self._found.leave(self._other, name)

    def _fail(self, key: str, message: str, *, whole: bool = False) -> None:
        place = key if whole else f"{RESULTS}: tasks.{self._name}.{key}"
        self._found.failures.append(
            Finding(
                check="scores", status=FAILED, task=self._name, place=str(self._stored.path / place), message=message
            )
        )


def _run_scores(
    stored: StoredRun, before: Results, after: Results, *, is_same: bool, whole: bool, tolerance: float
) -> Iterator[Finding]:
    """The scores over all tasks."""
    was, now = before.scores.to_json(), after.scores.to_json()
    if not whole:
        if before.scores.grue.value is not None or before.scores.naturalness.value is not None:
            message = "the GRUE score and naturalness of the run may rest on values that were not compared"
            yield Finding(check="scores", status=NOT_CHECKED, message=message)
        return
    found = list(differences(was, now, tolerance))
    for one in found:
        yield Finding(
            check="scores",
            status=FAILED if is_same else NOT_CHECKED,
            place=f"{stored.path / RESULTS}: scores.{one.key}",
            message=f"is {one.stored!r}, the tasks give {one.again!r}",
        )


def _reports(
    stored: StoredRun, again: StoredRun, tasks: Sequence[str], *, is_same: bool, whole: bool, tolerance: float
) -> Iterator[Finding]:
    """The validity report and the explanations, where the run has them."""
    names = [VALIDITY, *(f"samples/{task}{EXPLAIN}" for task in tasks)]
    held = [name for name in names if name in stored.results["files"]]
    if not held:
        return
    if not whole:
        message = f"{', '.join(held)}: may rest on values that were not compared"
        yield Finding(check="reports", status=NOT_CHECKED, message=message)
        return
    differing = []
    for name in held:
        was, now = _lines(stored.path / name), _lines(again.path / name)
        found = next(differences(was, now, tolerance), None)
        if found is not None:
            differing.append(name)
            yield Finding(
                check="reports",
                status=FAILED if is_same else NOT_CHECKED,
                place=f"{stored.path / name}: {found.key}",
                message=f"is {_shown(found.stored)}, the texts give {_shown(found.again)}",
            )
    if not differing:
        yield Finding(check="reports", status=PASSED, message=f"{', '.join(held)} come out the same")


def _lines(path: Path) -> Json:
    """A JSON document or JSON lines; ``None`` where there is none that can be read."""
    try:
        text = path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()] if path.name.endswith("l") else json.loads(text)
    except (OSError, ValueError):
        return None


def _numbers(run: StoredRun, folder: str, task: str) -> dict[str, Floats]:
    """Columns of floats, shape (n,), and of lists of floats, shape (n, k); NaN for null."""
    import pyarrow as pa

    table = run.samples(task) if folder == "samples" else run.statistics(task)
    out: dict[str, Floats] = {}
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_floating(column.type):
            out[name] = column.to_numpy(zero_copy_only=False).astype(np.float64)
        elif pa.types.is_list(column.type) and pa.types.is_floating(column.type.value_type):
            rows: list[Any] = column.to_pylist()
            widths = {len(row) for row in rows if row is not None}
            if len(widths) == 1 and None not in rows:
                out[name] = np.array(rows, dtype=np.float64).reshape(len(rows), widths.pop())
    return out


def _bounds(value: MetricValue) -> Json:
    return list(value.ci95) if value.ci95 else None


def _shown(value: Any) -> str:
    text = repr(value.tolist() if isinstance(value, np.ndarray | np.generic) else value)
    return text if len(text) <= 100 else f"{text[:99]}…"
