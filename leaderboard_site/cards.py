"""What the board knows of a task beside its numbers: its card, licence, citation and whether texts may be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from grue.core.errors import GrueError
from grue.core.task import Quirk, Task
from grue.registry.tasks import load_task


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A task as its plugin describes it; a task without an installed plugin has only its name."""

    name: str
    title: str
    summary: str = ""
    language: str = ""
    licence: str = ""
    citation: str = ""
    homepage: str = ""
    text: str = ""
    shows_texts: bool = False
    quirks: tuple[Quirk, ...] = ()
    is_installed: bool = True


def card(name: str, include: Sequence[Path] = ()) -> Card:
    """The card of a task; unknown and broken plugins give a card with the name alone."""
    try:
        task = load_task(name, include)
    except GrueError:
        return Card(name=name, title=name, is_installed=False)
    return Card(
        name=name,
        title=task.title,
        summary=task.summary,
        language=task.language,
        licence=task.licence,
        citation=task.citation,
        homepage=task.homepage,
        text=_card_text(task),
        shows_texts=task.shows_texts,
        quirks=task.quirks,
    )


def _card_text(task: Task) -> str:
    try:
        return (files(task.package) / "card.md").read_text(encoding="utf-8")
    except (OSError, ImportError, UnicodeDecodeError):
        return ""
