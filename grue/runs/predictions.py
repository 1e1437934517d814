"""Prediction files: texts of a system that generated elsewhere, read whole or refused with every fault."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
    "tasks_in",
]

MAX_PROBLEMS = 100
# A file of nothing but faults is not read to its end for the sake of their exact number.
_MAX_COUNTED = 1_000_000
_NEIGHBOURS = 25


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
    faults = _Faults()
    tasks = {name: _TaskLines({row.id: None for row in rows}) for name, rows in wanted.items()}
    for entry in entries(Path(path)):
        if isinstance(entry, list):
            faults.extend(entry)
        elif entry.task in tasks:
            faults.extend(tasks[entry.task].add(entry))
        elif entry.task not in known_tasks:
            problem = f"Unknown task {shown(entry.task)!r}.{nearest(entry.task, known_tasks)}"
            faults.extend([Problem(entry.line, shown(entry.id), problem, "'grue tasks list' shows all.")])
        if faults.count >= _MAX_COUNTED:
            break
    else:
        for name, lines in tasks.items():
            faults.extend(lines.whole(name, faults.ids))
    counts = {name: lines.counted() for name, lines in tasks.items() if lines.found}
    problems = sorted(faults.first, key=lambda problem: (problem.line is None, problem.line or 0))
    predictions = None if faults.count else _predictions(tasks)
    return Checked(predictions, problems, faults.count, counts)


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
    """What the file says of one task; ``texts`` holds ``None`` for rows that have not come."""

    texts: dict[str, tuple[str, ...] | None]
    lines: dict[str, int] = field(default_factory=dict)
    found: bool = False
    _sorted_ids: list[str] = field(default_factory=list)
    _suggestions: int = 0

    def add(self, entry: Entry) -> list[Problem]:
        self.found = True
        if entry.id not in self.texts:
            problem = f"Unknown id for {entry.task}.{self._nearest(entry.id)}"
            fix = "Remove the line; only the rows asked for (--split, -L) may be there."
            return [Problem(entry.line, shown(entry.id), problem, fix)]
        if entry.id in self.lines:
            problem = f"Repeated id: {entry.task} has it on line {self.lines[entry.id]} already."
            return [Problem(entry.line, shown(entry.id), problem, "Keep one of the lines.")]
        self.lines[entry.id] = entry.line
        self.texts[entry.id] = entry.predictions
        return []

    def whole(self, task: str, faulty: Collection[str]) -> Iterable[Problem]:
        """Faults of the task as a whole: differing sample counts, missing rows.

        A row on one of the ``faulty`` lines is there, though wrong, and not called missing as well.
        """
        if not self.found and self.texts.keys().isdisjoint(faulty):
            yield Problem(
                None,
                None,
                f"Task {task} has no line.",
                "Add its rows, or leave it out of -t. 'grue prompts' lists them.",
            )
            return
        usual = self._usual_samples()
        for row, line in self.lines.items():
            count = len(self.texts[row] or ())
            if count != usual:
                problem = f"Differing sample counts: {count} predictions, other rows of {task} have {usual}."
                yield Problem(line, shown(row), problem, f"Give {usual} for every row of the task.")
        for row, texts in self.texts.items():
            if texts is None and shown(row) not in faulty:
                yield Problem(None, shown(row), f"Missing id: {task} has no line for it.", "Add its prediction.")

    def counted(self) -> TaskCount:
        texts = [text for row in self.lines for text in self.texts[row] or ()]
        return TaskCount(len(self.lines), self._usual_samples(), sum(not text.strip() for text in texts))

    def _usual_samples(self) -> int:
        counts = Counter(len(self.texts[row] or ()) for row in self.lines)
        return counts.most_common(1)[0][0] if counts else 0

    def _nearest(self, wrong: str) -> str:
        """The nearest id; among many ids only the neighbours in sorted order are compared, and not for ever."""
        self._suggestions += 1
        if self._suggestions > MAX_PROBLEMS:
            return ""
        if not self._sorted_ids:
            self._sorted_ids = sorted(self.texts)
        place = bisect_left(self._sorted_ids, wrong)
        near = self._sorted_ids[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS]
        plain = wrong.strip()
        return nearest(wrong[:200], [plain] if plain in self.texts else near)


def _predictions(tasks: Mapping[str, _TaskLines]) -> Predictions:
    digest = hashlib.sha256()
    generations: dict[str, list[Generation]] = {}
    for name in sorted(tasks):
        texts = {row: values for row, values in sorted(tasks[name].texts.items()) if values is not None}
        for row, values in texts.items():
            digest.update(f"{canonical_json([name, row, list(values)])}\n".encode())
        generations[name] = [
            Generation(row, sample, text) for row, values in texts.items() for sample, text in enumerate(values)
        ]
    samples = {name: lines.counted().samples for name, lines in tasks.items()}
    return Predictions({name: generations[name] for name in tasks}, samples, digest.hexdigest())


def _described(problem: Problem) -> str:
    line = "" if problem.line is None else f"line {problem.line}"
    row = "" if problem.id is None else f"id {problem.id!r}"
    place = ", ".join(filter(None, (line, row)))
    return f"{place}: {problem.problem} {problem.fix}" if place else f"{problem.problem} {problem.fix}"
