"""The renderer of a server's pages."""

from __future__ import annotations

from functools import cache

from leaderboard_site.links import HttpScheme
from leaderboard_site.render import Renderer
from leaderboard_site.web.static_files import versions


@cache
def renderer(base_url: str = "") -> Renderer:
    """One for each address that people reach the board by; without it pages bear no canonical links."""
    return Renderer(HttpScheme(versions()), base_url or None)
