"""Routes of single runs and tasks: run, samples, files, comparison, task."""

from __future__ import annotations

from fastapi import APIRouter

from leaderboard_site.web import compare_pages, run_pages, task_pages

router = APIRouter()
for _part in (run_pages, compare_pages, task_pages):
    router.include_router(_part.router)
