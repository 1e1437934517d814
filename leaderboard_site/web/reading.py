"""Routes that only read and are no pages: the JSON API of the board, the feed, health, metrics, static files."""

from __future__ import annotations

from fastapi import APIRouter

from leaderboard_site.web import api_board, api_runs, feed, health, prometheus, static

router = APIRouter()
for _part in (api_board, api_runs, feed, health, prometheus, static):
    router.include_router(_part.router)
