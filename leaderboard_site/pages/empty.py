"""The board without any run: what to do to fill it."""

from __future__ import annotations

from dataclasses import dataclass

from leaderboard_site.links import Page
from leaderboard_site.pages.frame import Frame


@dataclass(frozen=True, slots=True)
class EmptyView:
    """Page value of ``empty.html``."""

    frame: Frame
    can_submit: bool


def empty_view(*, is_service: bool = False) -> EmptyView:
    """The page in the board's place; a server can also be sent a result."""
    frame = Frame(Page(kind="board"), "Leaderboard", "board", Page(kind="json", name="leaderboard"))
    return EmptyView(frame, is_service)
