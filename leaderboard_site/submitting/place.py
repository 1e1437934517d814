"""What pages of submissions say of the board: its tasks, rows, limits and terms."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from grue.core.errors import GrueError
from grue.core.task import STANDARD
from grue.registry.tasks import expand, load_task
from grue.store.service import jobs
from grue.store.service.values import Queue
from leaderboard_site.accounts.rights import can
from leaderboard_site.accounts.viewer import Viewer
from leaderboard_site.pages.submit_place import Place, TaskFacts
from leaderboard_site.submitting.desk import Desk

_OWN_TEXTS = "mini"
_GROUP = "grue"


@cache
def task_facts(name: str, include: tuple[Path, ...] = ()) -> TaskFacts:
    """Title, metrics and whether texts may be shown; of a task without a plugin its name alone."""
    try:
        task = load_task(name, include)
    except GrueError:
        return TaskFacts(name)
    suite = task.profile(STANDARD)
    rest = [spec.name for spec in suite.metrics if not spec.absent and spec.name not in suite.primary]
    return TaskFacts(task.title, (*suite.primary, *rest), task.shows_texts)


@cache
def _benchmark() -> tuple[str, ...]:
    """Tasks of the benchmark's group; none where its package is not installed."""
    try:
        return expand(_GROUP).names
    except GrueError:
        return ()


def place_of(desk: Desk, viewer: Viewer) -> Place:
    """The board as the form shows it to a viewer."""
    service, settings = desk.service, desk.service.settings
    expected = desk.rows()
    tasks = {name: task_facts(name, service.include) for name in (expected.tasks if expected else ())}
    if settings.is_hidden or settings.data == _OWN_TEXTS:
        # The embedded rows are ours to show; those of a hidden split nobody's.
        shown = not settings.is_hidden
        tasks = {name: TaskFacts(one.title, one.metrics, shown) for name, one in tasks.items()}
    return Place(
        split=settings.split,
        rows=expected.rows if expected else 0,
        tasks=tasks,
        benchmark=_benchmark(),
        file_bytes=desk.limits.file_bytes,
        model_bytes=desk.limits.model_bytes,
        withdrawn_days=settings.withdrawn_days,
        is_hidden=settings.is_hidden,
        terms=settings.terms,
        hub=settings.hub,
        may_upload_files=can(viewer, "submit"),
    )


def wait_seconds(desk: Desk, queue: Queue, kind: str, ahead: int) -> float | None:
    """How long one more job takes from now, by the median of those that were done; ``None`` where none was."""
    typical = jobs.typical_seconds(desk.service.store, kind)
    if typical is None:
        return None
    return typical * (1 + ahead / max(1, len(queue.workers)))
