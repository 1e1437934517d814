"""Pages and their addresses: which file a page is, and how another page links to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from grue.core.text import sha256_text

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page, or one JSON document of the board, apart from where it is kept.

    Attributes:
        kind: ``board``, ``tasks``, ``task``, ``run``, ``samples``, ``cost``, ``about``, ``stylesheet`` or ``json``.
        setting: Slug of a setting other than the one shown by default; empty for that.
        task: Task name.
        run: Run id.
        axis: Cost that quality is set against; empty for pages that are not about one.
        sort: Slug of the column or order that sorts the page; empty for the first order.
        reverse: Whether that order runs backwards.
        number: 1-based number of a page of samples.
        name: Path of a JSON document below its folder, without suffix.
    """

    kind: str
    setting: str = ""
    task: str = ""
    run: str = ""
    axis: str = ""
    sort: str = ""
    reverse: bool = False
    number: int = 1
    name: str = ""


class Scheme(Protocol):
    """How pages get addresses. Files are one scheme; a server would bring its own."""

    def path(self, page: Page) -> str:
        """Address of a page below the root, without a leading slash."""
        ...

    def href(self, page: Page, origin: Page) -> str:
        """What ``origin`` writes into a link to ``page``."""
        ...


class FileScheme:
    """Relative files that all end in ``index.html``, so that the board opens from a disk without a server."""

    def path(self, page: Page) -> str:
        """File of a page below the root of the board."""
        if page.kind == "stylesheet":
            return "static/board.css"
        if page.kind == "json":
            return f"api/v1/{page.name}.json"
        parts = {
            "board": [],
            "tasks": ["tasks"],
            "task": ["tasks", page.task],
            "run": ["runs", page.run],
            "samples": ["runs", page.run, "samples", page.task],
            "cost": ["tasks", page.task, "cost"] if page.task else ["cost"],
            "about": ["about"],
        }[page.kind]
        if page.setting:
            parts = [*parts, "settings", page.setting]
        if page.axis:
            parts = [*parts, "against", page.axis]
        if page.sort:
            parts = [*parts, "sort", page.sort]
        if page.reverse:
            parts = [*parts, "reverse"]
        if page.number > 1:
            parts = [*parts, "page", str(page.number)]
        return "/".join([*(slug(part) for part in parts), "index.html"])

    def href(self, page: Page, origin: Page) -> str:
        """Relative address: up to the root of the board, then down."""
        return "../" * self.path(origin).count("/") + self.path(page)


def slug(text: str) -> str:
    """A name that is safe as a file name: itself where it is, else readable letters and a short hash."""
    if _SAFE.fullmatch(text) and len(text) <= 80:
        return text
    letters = re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-.")[:40]
    return f"{letters or 'x'}-{sha256_text(text)[:8]}"
