"""One Jinja environment: strict about names, escaping by default, links by the scheme in use."""

from __future__ import annotations

from functools import partial
from importlib.resources import files
from typing import Any, Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined

from grue import __version__
from leaderboard_site.links import Page, Scheme
from leaderboard_site.pages.frame import Frame

STYLESHEET = Page(kind="stylesheet")


class View(Protocol):
    """A page value: whatever its template shows, and its frame."""

    @property
    def frame(self) -> Frame:
        """Title and place of the page."""
        ...


class Viewing(Protocol):
    """Who looks at a page, as far as every page shows it."""

    @property
    def role(self) -> str:
        """``anonymous``, or that of the account."""
        ...

    @property
    def has_bad_token(self) -> bool:
        """Whether the request brought a token that is none."""
        ...


class Renderer:
    """Turns page values into HTML.

    Args:
        scheme: How pages link to each other.
        base_url: Address under which the board will be served, for its canonical links; ``None`` for a disk.
    """

    def __init__(self, scheme: Scheme, base_url: str | None = None) -> None:
        self._scheme = scheme
        self._base_url = base_url.rstrip("/") if base_url else None
        self._environment = Environment(
            loader=PackageLoader("leaderboard_site"),
            undefined=StrictUndefined,
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {"version": __version__, "stylesheet": STYLESHEET, "Page": Page}

    def html(self, view: View, viewer: Viewing | None = None, *, is_service: bool = False) -> str:
        """The page, by the template that carries its value's name: ``BoardView`` -> ``board.html``.

        Args:
            view: The page value.
            viewer: Who looks at it; ``None`` for nobody known.
            is_service: Whether the pages that only a server has may be linked.
        """
        name = type(view).__name__.removesuffix("View").lower()
        page = view.frame.page
        values: dict[str, Any] = {
            "view": view,
            "frame": view.frame,
            "href": partial(self._scheme.href, origin=page),
            "canonical": self._canonical(page),
            "viewer": viewer,
            "is_service": is_service,
        }
        return self._environment.get_template(f"{name}.html").render(values) + "\n"

    def _canonical(self, page: Page) -> str:
        if self._base_url is None or page.kind == "error":
            return ""
        return f"{self._base_url}/{self._scheme.path(page).removesuffix('index.html')}"


def stylesheet() -> str:
    """The only stylesheet."""
    return (files("leaderboard_site") / "static" / "board.css").read_text(encoding="utf-8")
