"""The errors of a route, as its OpenAPI document states them."""

from __future__ import annotations

from typing import Any

from leaderboard_site.web.errors import PROBLEM, TITLES
from leaderboard_site.web.models import Problem


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """A problem document for each status, as ``responses`` of a route."""
    content = {PROBLEM: {"schema": Problem.model_json_schema()}}
    return {status: {"description": TITLES[status], "content": content} for status in statuses}
