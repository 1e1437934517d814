"""Pages and their addresses: which file a page is, and how another page links to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlencode

from grue.core.text import sha256_text

_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page, or one JSON document of the board, apart from where it is kept.

    Attributes:
        kind: ``board``, ``tasks``, ``task``, ``run``, ``samples``, ``cost``, ``about``, ``stylesheet``, ``static`` or
            ``json``; of the service alone ``compare``, ``file``, ``submit``, ``queue``, ``submission``, ``account``,
            ``host``, ``signin``, ``signout``, ``invite`` and ``feed``.
        setting: Slug of a setting other than the one shown by default; empty for that.
        view: What the board's task columns hold, where that is not quality.
        task: Task name.
        run: Run id.
        axis: Cost that quality is set against; empty for pages that are not about one.
        sort: Slug of the column or order that sorts the page; empty for the first order.
        reverse: Whether that order runs backwards.
        number: 1-based number of a page of samples.
        name: Path of a JSON document below its folder, without suffix; file of a ``static`` page, or of a run
            (``file``); what follows the root of an ``account``, ``host`` or ``signin`` page; secret of an ``invite``.
        submission: Submission id.
        runs: Run ids of a comparison.
        query: Further state of the view, as name and value; a name may stand several times. Files have none.
    """

    kind: str
    setting: str = ""
    view: str = ""
    task: str = ""
    run: str = ""
    axis: str = ""
    sort: str = ""
    reverse: bool = False
    number: int = 1
    name: str = ""
    submission: str = ""
    runs: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()


class Scheme(Protocol):
    """How pages get addresses: as files, or below a server."""

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
        if page.kind == "static":
            return f"static/{page.name}"
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
        if page.view:
            parts = [*parts, "view", page.view]
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


class HttpScheme:
    """Addresses below the root of a server; the state of a view stands in the query.

    Args:
        versions: Static file -> what tells its content apart, so that browsers may keep it for good.
    """

    def __init__(self, versions: Mapping[str, str] | None = None) -> None:
        self._versions = dict(versions or {})

    def path(self, page: Page) -> str:
        """Address of a page below the root, with its query."""
        place, query = self._place(page)
        pairs = [(name, value) for name, value in query if value]
        return f"{place}?{urlencode([*pairs, *page.query], safe=',')}" if pairs or page.query else place

    def href(self, page: Page, origin: Page) -> str:  # noqa: ARG002 - the same from everywhere
        """The address from the root, so that it holds on every page."""
        return f"/{self.path(page)}"

    def _place(self, page: Page) -> tuple[str, list[tuple[str, str]]]:
        if page.kind == "stylesheet":
            return self._static("board.css")
        if page.kind == "static":
            return self._static(page.name)
        if page.kind == "json":
            return _document(page.name)
        task, run = quote(page.task, safe=""), quote(page.run, safe="")
        place = {
            "board": "",
            "tasks": "tasks",
            "task": f"tasks/{task}",
            "run": f"runs/{run}",
            "samples": f"runs/{run}/samples/{task}",
            "cost": f"tasks/{task}/cost" if task else "cost",
            "about": "about",
            "file": f"runs/{run}/files/{quote(page.name)}",
            "compare": "compare",
            "submit": "submit",
            "queue": "queue",
            "submission": f"submissions/{quote(page.submission, safe='')}",
            "account": f"account/{page.name}".rstrip("/"),
            "host": f"host/{page.name}".rstrip("/"),
            "signin": f"signin/{page.name}".rstrip("/"),
            "signout": "signout",
            "invite": f"invites/{quote(page.name, safe='')}",
            "feed": "feed.xml",
            "error": "",
        }[page.kind]
        return place, [
            ("setting", page.setting),
            ("view", page.view),
            ("runs", ",".join(page.runs)),
            ("against", page.axis),
            ("sort", page.sort),
            ("reverse", "yes" if page.reverse else ""),
            ("page", str(page.number) if page.number > 1 else ""),
        ]

    def _static(self, name: str) -> tuple[str, list[tuple[str, str]]]:
        return f"static/{name}", [("v", self._versions.get(name, ""))]


def _document(name: str) -> tuple[str, list[tuple[str, str]]]:
    """A document of the API: a leaderboard's setting and task are its query, the others are paths."""
    kind, *parts = name.split("/")
    if kind != "leaderboard":
        return f"api/v1/{quote(name)}", []
    setting, task, *_ = [*parts, "", ""]
    return "api/v1/leaderboard", [("setting", setting), ("task", task)]


def slug(text: str) -> str:
    """A name that is safe as a file name: itself where it is, else readable letters and a short hash."""
    if _SAFE.fullmatch(text) and len(text) <= 80:
        return text
    letters = re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-.")[:40]
    return f"{letters or 'x'}-{sha256_text(text)[:8]}"
