"""What ``grue tasks`` prints: tables, texts and JSON from tasks as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from typing import TYPE_CHECKING

from grue.core.task import MetricSpec, RewardSpec, Setting, Task
from grue.core.text import Json

if TYPE_CHECKING:
    from rich.table import Table

    from grue.registry.tasks import TaskEntry
    from grue.testing import Problem


def list_json(entries: Sequence[TaskEntry], groups: Sequence[str]) -> dict[str, Json]:
    """The tasks as ``grue tasks list --json`` gives them."""
    return {"tasks": [{**asdict(entry)} for entry in entries], "groups": list(groups)}


def list_table(entries: Sequence[TaskEntry]) -> Table:
    """The tasks with who brings them; problems in a column of their own where there are any."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("Task", "From", "Module"):
        table.add_column(heading, overflow="fold")
    with_problems = any(entry.problem for entry in entries)
    if with_problems:
        table.add_column("Problem", overflow="fold")
    for entry in entries:
        cells = (entry.name, entry.distribution, entry.module)
        table.add_row(*cells, *([entry.problem or ""] if with_problems else []))
    return table


def show_json(task: Task, profile: str) -> dict[str, Json]:
    """All that ``grue tasks show --json`` says of a task."""
    from grue.stats.grue_score import FORMULA

    suite = task.profile(profile)
    source = task.source
    return {
        "name": task.name,
        "version": task.version,
        "title": task.title,
        "summary": task.summary,
        "profile": profile,
        "quirks": [{"key": quirk.key, "summary": quirk.summary} for quirk in task.quirks],
        "truncation": {"side": suite.truncation.side, "max_tokens": suite.truncation.max_tokens},
        "decoding": suite.decoding.to_json(),
        "primary": list(suite.primary),
        "score": FORMULA,
        "metrics": _specs(suite.metrics),
        "rewards": _specs(suite.rewards),
        "source": None if source is None else {"id": source.id, "revision": source.revision},
        "folders": [task.name, *task.folders],
        "language": task.language,
        "licence": task.licence,
        "shows_texts": task.shows_texts,
        "citation": task.citation,
        "homepage": task.homepage,
        "card": card_text(task),
    }


def show_text(task: Task, profile: str) -> str:
    """The same for people, the card below it."""
    return "\n".join((*_facts(task, profile), "", card_text(task).rstrip()))


def card_text(task: Task) -> str:
    """The task's card; empty where its package has none."""
    card = files(task.package) / "card.md"
    return card.read_text(encoding="utf-8") if card.is_file() else ""


def problem_lines(problems: Sequence[Problem]) -> Iterator[str]:
    """Each problem with its place and its fix, and their number."""
    for problem in problems:
        place = f" ({problem.place})" if problem.place else ""
        yield f"{problem.check}{place}: {problem.problem}"
        if problem.fix:
            yield f"  fix: {problem.fix}"
    yield f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found."


def _facts(task: Task, profile: str) -> Iterator[str]:
    from grue.stats.grue_score import FORMULA

    suite = task.profile(profile)
    decoding = ", ".join(f"{key}={value}" for key, value in suite.decoding.to_json().items() if value)
    yield f"{task.title} ({task.name}, version {task.version}, profile {profile})"
    yield task.summary
    yield ""
    yield f"Primary:    {', '.join(suite.primary)}"
    yield f"Score:      {FORMULA}"
    yield f"Metrics:    {', '.join(spec.name for spec in suite.metrics)}"
    yield f"Rewards:    {', '.join(spec.name for spec in suite.rewards) or 'none'}"
    yield f"Decoding:   {decoding}"
    yield f"Prompt cut: {suite.truncation.max_tokens} tokens, {suite.truncation.side} side dropped"
    if task.source is not None:
        yield f"Source:     {task.source.id} at {task.source.revision}"
    yield f"Licence:    {task.licence or 'not stated'}"
    for quirk in task.quirks:
        yield f"Quirk:      {task.name}.{quirk.key} - {quirk.summary}"


def _specs(specs: Sequence[MetricSpec] | Sequence[RewardSpec]) -> list[Json]:
    return [{"name": spec.name, "settings": _settings(spec.settings)} for spec in specs]


def _settings(settings: Mapping[str, Setting]) -> dict[str, Json]:
    return dict(settings)
