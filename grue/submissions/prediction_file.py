"""Checks a prediction file of a stranger without holding its texts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from grue.core.rows import Row
from grue.core.text import canonical_json
from grue.runs.prediction_lines import Entry
from grue.runs.predictions import scan
from grue.submissions.expected import Expected
from grue.submissions.values import CheckedUpload, Kind, TaskCount, UploadLimits, UploadProblem, refused


def check_predictions(path: Path, expected: Expected, limits: UploadLimits) -> CheckedUpload:
    """Check a prediction file against the rows of the board's split.

    Args:
        path: JSON lines, plain or gzip; its name means nothing.
        expected: The rows. Tasks without a line in the file are left out.
        limits: Bounds of the file as it lies there, and of what it unpacks to.

    Raises:
        UsageError: where the file cannot be read at all.
    """
    if path.is_file() and path.stat().st_size > limits.file_bytes:
        problem = f"The file has more than {limits.file_bytes:,} bytes."
        return refused("predictions", UploadProblem(None, None, problem, "Compress it with gzip, or split it by task."))
    return scanned(path, expected, limits, "predictions")


def scanned(path: Path, expected: Expected, limits: UploadLimits, kind: Kind) -> CheckedUpload:
    """Read the lines of a prediction file that is small enough."""
    seen = {task: _Seen() for task in expected.tasks}
    first: list[Entry] = []

    def visit(entry: Entry) -> None:
        seen[entry.task].add(entry)
        if not first:
            first.append(entry)

    checked = scan(
        path,
        expected.tasks,
        (),
        visit,
        max_bytes=limits.unpacked_bytes,
        every_task=False,
        tasks_fix=f"This board scores: {', '.join(expected.tasks)}.",
    )
    tasks = {
        task: TaskCount(
            rows=count.rows,
            expected=len(expected.tasks[task]),
            empty=count.empty,
            samples=count.samples,
            mean_words=seen[task].words / max(1, seen[task].texts),
        )
        for task, count in checked.counts.items()
    }
    return CheckedUpload(
        kind=kind,
        tasks=tasks,
        first=_shown(first[0], expected) if first else None,
        rows=sum(count.rows for count in tasks.values()),
        content_sha256="" if checked.error_count else _content_sha256({task: seen[task] for task in tasks}),
        problems=tuple(checked.problems),
        problem_count=checked.error_count,
    )


@dataclass(slots=True)
class _Seen:
    """What is kept of a task's texts: a hash of each row's, and how many words there were."""

    rows: dict[str, bytes] = field(default_factory=dict)
    texts: int = 0
    words: int = 0

    def add(self, entry: Entry) -> None:
        content = canonical_json([entry.task, entry.id, list(entry.predictions)])
        self.rows[entry.id] = hashlib.sha256(content.encode()).digest()
        self.texts += len(entry.predictions)
        self.words += sum(len(text.split()) for text in entry.predictions)


def _content_sha256(seen: dict[str, _Seen]) -> str:
    """Hash over the hashes of the rows by task and id: the same whatever the order of lines or the form."""
    digest = hashlib.sha256()
    for task in sorted(seen):
        for _, row in sorted(seen[task].rows.items()):
            digest.update(row)
    return digest.hexdigest()


def _shown(entry: Entry, expected: Expected) -> tuple[str, Row, str]:
    row = next(row for row in expected.tasks[entry.task] if row.id == entry.id)
    return entry.task, row, entry.predictions[0]
