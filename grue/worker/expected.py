"""Writes the rows that a submission must answer, without labels, for the web process and for generation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from grue.core.rows import Row
from grue.submissions.artifacts import Artifacts
from grue.submissions.expected import write_expected
from grue.submissions.settings import ServiceSettings

if TYPE_CHECKING:
    from grue.submissions.expected import Expected


def publish_expected(settings: ServiceSettings, artifacts: Artifacts) -> Expected | None:
    """Read the split's rows where the labels are, and write their ids and prompts into the artifacts.

    Tasks that the data do not have are left out.

    Args:
        settings: Says which data and split.
        artifacts: Takes ``rows/<split>/<task>.jsonl``.

    Returns:
        What was written, read back.

    Raises:
        GrueError: where no task has rows of that split, or a row is faulty.
    """
    from grue.submissions.expected import read_expected

    write_expected(artifacts, settings.split, labelled_rows(settings, labels=False))
    return read_expected(artifacts, settings.split)


def labelled_rows(settings: ServiceSettings, *, labels: bool = True) -> dict[str, Sequence[Row]]:
    """All rows of the split that submissions are scored on, by task, in id order.

    Args:
        settings: Says which data and split.
        labels: Whether references and inputs stay.
    """
    from grue.core.errors import UsageError
    from grue.core.task import STANDARD
    from grue.data.location import TaskAbsentError, locate
    from grue.data.split import load_split
    from grue.evaluation.selection import suite_of
    from grue.registry.tasks import expand, load_task

    location = locate(settings.data, settings.data)
    found: dict[str, Sequence[Row]] = {}
    for name in expand("all").names:
        task = load_task(name)
        suite, _ = suite_of(task, STANDARD, {})
        try:
            data = load_split(task, suite, settings.split, location, home=settings.home, limit=None, offline=False)
        except TaskAbsentError:
            continue
        found[name] = data.rows if labels else [replace(row, references=(), inputs={}) for row in data.rows]
    if not found:
        raise UsageError(
            f"No task has rows of the split {settings.split!r} in {settings.data!r}.",
            "Set GRUE_DATA and GRUE_SPLIT to data that are there.",
        )
    return found
