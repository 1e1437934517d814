"""A page for what went wrong: what, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from leaderboard_site.links import Page
from leaderboard_site.pages.frame import Frame


@dataclass(frozen=True, slots=True)
class ErrorView:
    """Page value of ``error.html``.

    Attributes:
        number: Of the request, to report it by.
        is_ours: Whether the fault is the server's.
    """

    frame: Frame
    status: int
    title: str
    detail: str
    number: str
    is_ours: bool


def error_view(status: int, title: str, detail: str, number: str) -> ErrorView:
    """The page of one error."""
    frame = Frame(Page(kind="error"), title, "", is_indexed=False)
    return ErrorView(frame, status, title, detail, number, status >= 500)
