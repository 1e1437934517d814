"""How to read the board."""

from __future__ import annotations

from dataclasses import dataclass

from leaderboard_site.links import Page
from leaderboard_site.pages.frame import MARKS, Frame
from leaderboard_site.pages.task_formula import formulas


@dataclass(frozen=True, slots=True)
class AboutView:
    """Page value of ``about.html``."""

    frame: Frame
    marks: tuple[tuple[str, str], ...]
    formulas: tuple[str, ...]


def about_view() -> AboutView:
    """The page says the same on every board."""
    return AboutView(Frame(Page(kind="about"), "About", "about"), tuple(MARKS.items()), formulas())
