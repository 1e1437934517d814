"""One task of a run beside the same task scored again: values, intervals, rows, statistics, rates and scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grue.core.errors import RunDirectoryError
from grue.core.metric import Floats, MetricValue
from grue.core.run import TaskResult
from grue.core.text import Json
from grue.metrics.build import entry
from grue.runs.read import RESULTS, StoredRun
from grue.verification.equality import close, differences, differing_rows, shown
from grue.verification.findings import FAILED, NOT_CHECKED, PASSED, Finding, capped

EXACT = 1e-9
REWARD = "reward_"


@dataclass(slots=True)
class TaskFindings:
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
        """Note what could not be compared, and why."""
        self.open.setdefault(reason, []).append(name)

    def findings(self) -> list[Finding]:
        """Failures first, then what was left open, then what came out the same."""
        found = capped(self.failures)
        for reason, names in self.open.items():
            message = f"{', '.join(dict.fromkeys(names))}: {reason}"
            found.append(Finding(check="scores", status=NOT_CHECKED, task=self.name, message=message))
        if not self.failures and self.compared:
            rest = "" if self.open else ", their intervals, columns and statistics"
            message = f"{self.compared} values{rest} come out the same"
            found.append(Finding(check="scores", status=PASSED, task=self.name, message=message))
        return found


class TaskValues:
    """One task of a run beside the same task scored again."""

    def __init__(self, stored: StoredRun, again: StoredRun, name: str, *, is_same: bool, judged: float) -> None:
        self._stored, self._again, self._name = stored, again, name
        self._is_same, self._judged = is_same, judged
        self._found = TaskFindings(name)
        made = stored.manifest_value().grue
        self._other = f"differs, and another version of grue made the run ({made.get('version')}, {made.get('commit')})"

    def compare(self, before: TaskResult, after: TaskResult) -> TaskFindings:
        """Everything of the task."""
        if after.error and all(value.value is None for value in after.metrics.values()):
            if before.error and all(value.value is None for value in before.metrics.values()):
                self._found.leave("has no values, in the run and here", "scores")
            else:
                claims = sum(value.value is not None for value in before.metrics.values())
                self._found.leave(f"cannot be scored here: {after.error}", f"{claims} values")
            return self._found
        # Rows first: they say which texts do not have the scores of the run.
        self._columns("samples")
        self._columns("statistics")
        for kind, was, now in (("metrics", before.metrics, after.metrics), ("rewards", before.rewards, after.rewards)):
            for name in [*was, *(name for name in now if name not in was)]:
                self._value(kind, name, was.get(name), now.get(name))
        self._documents(before, after)
        return self._found

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
            first = ", ".join(
                f"{name} is {shown(was[name][row])}, its text gives {shown(now[name][row])}" for name in names[:2]
            )
            more = f", and {len(names) - 2} columns more" if len(names) > 2 else ""
            self._fail(f"{file}: id {ids[row]}", f"{first}{more}", whole=True)

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
