"""The board without any run: what to do to fill it."""

from __future__ import annotations

from dataclasses import dataclass

from leaderboard_site.links import Page
from leaderboard_site.pages.frame import Frame


@dataclass(frozen=True, slots=True)
class EmptyView:
    """Page value of ``empty.html``."""

    frame: Frame


def empty_view() -> EmptyView:
    """The page in the board's place."""
    frame = Frame(Page(kind="board"), "Leaderboard", "board", Page(kind="json", name="leaderboard"))
    return EmptyView(frame)
