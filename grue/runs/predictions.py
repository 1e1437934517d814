"""Prediction files: texts of a system that generated elsewhere, read whole or refused with every fault."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grue.core.errors import SubmissionError
from grue.core.rows import Generation, Row
from grue.core.text import canonical_json, nearest
from grue.runs.prediction_lines import Entry, Problem, entries, shown

__all__ = [
    "Checked",
    "Predictions",
    "Problem",
    "TaskCount",
    "check",
    "check_predictions",
    "read_predictions",
    "scan",
    "tasks_in",
]

MAX_PROBLEMS = 100
# A file of nothing but faults is not read to its end for the sake of their exact number.
_MAX_COUNTED = 1_000_000
_NEIGHBOURS = 25
# Similarity takes time that grows with the square of the length.
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Predictions:
    """All texts of a sound prediction file.

    Attributes:
        tasks: Task -> generations by id, then sample; tasks in the order asked for.
        samples: Task -> predictions a row.
        sha256: Hash of the canonical content of these tasks: the same whatever the order of lines, the form of
            the JSON, the file's name or compression.
    """

    tasks: dict[str, list[Generation]]
    samples: dict[str, int]
    sha256: str


@dataclass(frozen=True, slots=True)
class TaskCount:
    """What the file holds of a task: rows, predictions a row, and how many predictions are empty."""

    rows: int
    samples: int
    empty: int


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of reading a prediction file.

    Attributes:
        predictions: The texts, or ``None`` where anything is wrong.
        problems: The first 100 faults, by line; those without a line last.
        error_count: All faults.
        counts: Task -> what the file holds of it.
    """

    predictions: Predictions | None
    problems: list[Problem]
    error_count: int
    counts: dict[str, TaskCount]


def read_predictions(
    path: str | Path, wanted: Mapping[str, Sequence[Row]], known_tasks: Collection[str]
) -> Predictions:
    """Read a prediction file that has to be sound.

    Args:
        path: JSON lines, plain or gzip.
        wanted: Task -> the rows asked for.
        known_tasks: All task names; lines of a known task that is not asked for are passed over.

    Raises:
        SubmissionError: names every fault, up to 100 and then a count.
        UsageError: where the file cannot be read at all.
    """
    checked = check(path, wanted, known_tasks)
    if checked.predictions is None:
        lines = [_described(problem) for problem in checked.problems]
        more = checked.error_count - len(checked.problems)
        if more:
            lines.append(f"and {more:,} more")
        count = f"{checked.error_count:,} fault{'s' * (checked.error_count != 1)}"
        raise SubmissionError(
            f"the prediction file has {count}:\n  " + "\n  ".join(lines),
            "Mend the file; 'grue validate' checks it again.",
            place=str(path),
        )
    return checked.predictions


def check_predictions(
    path: str | Path, wanted: Mapping[str, Sequence[Row]], known_tasks: Collection[str]
) -> list[Problem]:
    """The first 100 faults of a prediction file; none for a sound one. Arguments as in ``read_predictions``."""
    return check(path, wanted, known_tasks).problems


def check(path: str | Path, wanted: Mapping[str, Sequence[Row]], known_tasks: Collection[str]) -> Checked:
    """Read a prediction file and say all that is wrong with it. Arguments as in ``read_predictions``.

    Raises:
        UsageError: where the file cannot be read at all.
    """
    texts: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in wanted}

    def keep(entry: Entry) -> None:
        texts[entry.task][entry.id] = entry.predictions

    checked = scan(path, wanted, known_tasks, keep)
    return checked if checked.error_count else replace(checked, predictions=_predictions(texts, checked.counts))


def scan(
    path: str | Path,
    wanted: Mapping[str, Sequence[Row]],
    known_tasks: Collection[str],
    visit: Callable[[Entry], None],
    *,
    max_bytes: int | None = None,
    every_task: bool = True,
    tasks_fix: str = "'grue tasks list' shows all.",
) -> Checked:
    """Check a prediction file without keeping its texts.

    Args:
        path: JSON lines, plain or gzip.
        wanted: Task -> the rows asked for.
        known_tasks: All task names; lines of a known task that is not asked for are passed over.
        visit: Called with each line that is sound and asked for, in file order.
        max_bytes: How much is read, after decompression.
        every_task: Whether a task without a line is a fault; else the file has to hold one of them.
        tasks_fix: What to do about an unknown task.

    Returns:
        The outcome, ``predictions`` always ``None``.

    Raises:
        UsageError: where the file cannot be read at all.
    """
    faults = _Faults()
    tasks = {name: _TaskLines({row.id: None for row in rows}) for name, rows in wanted.items()}
    for entry in entries(Path(path), max_bytes=max_bytes):
        if isinstance(entry, list):
            faults.extend(entry)
        elif entry.task in tasks:
            wrong = tasks[entry.task].add(entry)
            faults.extend(wrong)
            if not wrong:
                visit(entry)
        elif entry.task not in known_tasks:
            near = nearest(entry.task[:_LONGEST_NAME], known_tasks) if faults.count < MAX_PROBLEMS else ""
            faults.extend(
                [Problem(entry.line, shown(entry.id), f"Unknown task {shown(entry.task)!r}.{near}", tasks_fix)]
            )
        if faults.count >= _MAX_COUNTED:
            break
    else:
        for name, lines in tasks.items():
            if every_task or lines.found:
                faults.extend(lines.whole(name, faults.ids))
        if not every_task and not faults.count and not any(lines.found for lines in tasks.values()):
            faults.extend([Problem(None, None, "The file holds no prediction.", tasks_fix)])
    counts = {name: lines.counted() for name, lines in tasks.items() if lines.found}
    problems = sorted(faults.first, key=lambda problem: (problem.line is None, problem.line or 0))
    return Checked(None, problems, faults.count, counts)


def tasks_in(path: str | Path) -> tuple[str, ...]:
    """Names of the tasks in a prediction file, in order of appearance; faulty lines are passed over.

    Raises:
        UsageError: where the file cannot be read at all.
    """
    return tuple(dict.fromkeys(entry.task for entry in entries(Path(path)) if isinstance(entry, Entry)))


@dataclass(slots=True)
class _Faults:
    first: list[Problem] = field(default_factory=list)
    count: int = 0
    ids: set[str] = field(default_factory=set)

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.count += 1
            if problem.line is not None and problem.id is not None:
                self.ids.add(problem.id)
            if len(self.first) < MAX_PROBLEMS:
                self.first.append(problem)


@dataclass(slots=True)
class _TaskLines:
    """What the file says of one task; ``samples`` holds ``None`` for rows that have not come."""

    samples: dict[str, int | None]
    lines: dict[str, int] = field(default_factory=dict)
    found: bool = False
    empty: int = 0
    _sorted_ids: list[str] = field(default_factory=list)
    _suggestions: int = 0

    def add(self, entry: Entry) -> list[Problem]:
        self.found = True
        if entry.id not in self.samples:
            problem = f"Unknown id for {entry.task}.{self._nearest(entry.id)}"
            fix = "Remove the line: only rows of the split and limit that are scored may be there."
            return [Problem(entry.line, shown(entry.id), problem, fix)]
        if entry.id in self.lines:
            problem = f"Repeated id: {entry.task} has it on line {self.lines[entry.id]} already."
            return [Problem(entry.line, shown(entry.id), problem, "Keep one of the lines.")]
        self.lines[entry.id] = entry.line
        self.samples[entry.id] = len(entry.predictions)
        self.empty += sum(not text or text.isspace() for text in entry.predictions)
        return []

    def whole(self, task: str, faulty: Collection[str]) -> Iterable[Problem]:
        """Faults of the task as a whole: differing sample counts, missing rows.

        A row on one of the ``faulty`` lines is there, though wrong, and not called missing as well.
        """
        if not self.found and self.samples.keys().isdisjoint(faulty):
            yield Problem(
                None,
                None,
                f"Task {task} has no line.",
                "Add its rows, or leave it out of -t. 'grue prompts' lists them.",
            )
            return
        usual = self._usual_samples()
        for row, line in self.lines.items():
            count = self.samples[row]
            if count != usual:
                problem = f"Differing sample counts: {count} predictions, other rows of {task} have {usual}."
                yield Problem(line, shown(row), problem, f"Give {usual} for every row of the task.")
        for row, held in self.samples.items():
            if held is None and shown(row) not in faulty:
                yield Problem(None, shown(row), f"Missing id: {task} has no line for it.", "Add its prediction.")

    def counted(self) -> TaskCount:
        return TaskCount(len(self.lines), self._usual_samples(), self.empty)

    def _usual_samples(self) -> int:
        counts = Counter(self.samples[row] or 0 for row in self.lines)
        return counts.most_common(1)[0][0] if counts else 0

    def _nearest(self, wrong: str) -> str:
        """The nearest id; among many ids only the neighbours in sorted order are compared, and not for ever."""
        self._suggestions += 1
        if self._suggestions > MAX_PROBLEMS:
            return ""
        if not self._sorted_ids:
            self._sorted_ids = sorted(self.samples)
        place = bisect_left(self._sorted_ids, wrong)
        near = self._sorted_ids[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS]
        plain = wrong.strip()
        return nearest(wrong[:_LONGEST_NAME], [plain] if plain in self.samples else near)


def _predictions(texts: Mapping[str, Mapping[str, tuple[str, ...]]], counts: Mapping[str, TaskCount]) -> Predictions:
    digest = hashlib.sha256()
    generations: dict[str, list[Generation]] = {}
    for name in sorted(texts):
        rows = sorted(texts[name].items())
        for row, values in rows:
            digest.update(f"{canonical_json([name, row, list(values)])}\n".encode())
        generations[name] = [
            Generation(row, sample, text) for row, values in rows for sample, text in enumerate(values)
        ]
    samples = {name: counts[name].samples if name in counts else 0 for name in texts}
    return Predictions({name: generations[name] for name in texts}, samples, digest.hexdigest())


def _described(problem: Problem) -> str:
    line = "" if problem.line is None else f"line {problem.line}"
    row = "" if problem.id is None else f"id {problem.id!r}"
    place = ", ".join(filter(None, (line, row)))
    return f"{place}: {problem.problem} {problem.fix}" if place else f"{problem.problem} {problem.fix}"
