"""The errors of a route, as its OpenAPI document states them."""

from __future__ import annotations

from typing import Any

from leaderboard_site.web.errors import TITLES


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """A problem document for each status, as ``responses`` of a route."""
    return {status: {"description": TITLES[status]} for status in statuses}
