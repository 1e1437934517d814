"""The compare page: two to five runs, in the address ``/compare?runs=A,B``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from grue.comparison.standings_runs import BoardRun
from grue.core.errors import GrueError
from leaderboard_site.comparing import MOST_RUNS, Compared, TooManyWaitingError
from leaderboard_site.links import HttpScheme
from leaderboard_site.pages.compare import (
    CompareView,
    choosing_view,
    compare_view,
    page_of,
    tasks_of,
    waiting_view,
)
from leaderboard_site.pages.compare_rows import WAYS, MovedRows, moved_rows
from leaderboard_site.pages.samples import may_show_texts
from leaderboard_site.pages.samples_browse import HIDDEN_SPLIT
from leaderboard_site.web import run_parts
from leaderboard_site.web.errors import ProblemError
from leaderboard_site.web.found_runs import FoundRun, found_run
from leaderboard_site.web.requests import page, snapshot_of
from leaderboard_site.web.run_pages import ordered

router = APIRouter(default_response_class=HTMLResponse)
_PATIENCE_SECONDS = 8.0
_ASK_AGAIN_SECONDS = 5
_MOST_LETTERS = 100


@router.get("/compare", include_in_schema=False)
async def compare(request: Request) -> Response:
    """Runs beside each other; several ``runs`` of a form become one."""
    given = request.query_params.getlist("runs")
    ids = list(dict.fromkeys(part.strip() for text in given for part in text.split(",") if part.strip()))
    state = {name: request.query_params.get(name, "") for name in ("task", "moved", "metrics")}
    number = _number(request.query_params.get("page", ""))
    if given and given != [",".join(ids)]:
        address = HttpScheme().path(page_of(ids[: MOST_RUNS + 1], state, number))
        return RedirectResponse(f"/{address}", 303)
    return await _answer(request, ids, state, number)


async def _answer(request: Request, ids: Sequence[str], state: dict[str, str], number: int) -> Response:
    found, unknown = await run_in_threadpool(_found, request, ids)
    runs = [one.run for one in found]
    offered = await run_in_threadpool(_offered, request, found)
    is_public = all(one.is_public for one in found)
    if unknown:
        names = ", ".join(one[:40] for one in unknown)
        lead = f"There is no run {names} here, or it is not public. Choose among those below."
        return await _page(request, choosing_view(runs[:MOST_RUNS], offered, told=lead, is_wrong=True), status=404)
    if len(ids) > MOST_RUNS:
        lead = f"At most {MOST_RUNS} runs stand beside each other; these are the first {MOST_RUNS}. Leave some out."
        return await _page(request, choosing_view(runs[:MOST_RUNS], offered, told=lead, is_wrong=True), status=422)
    if len(runs) < 2:
        lead = f"Choose the runs to set beside {runs[0].name}: up to four." if runs else ""
        return await _page(request, choosing_view(runs, offered, told=lead), is_public=is_public)
    comparisons = run_parts.parts_of(request).comparisons
    try:
        started = [
            comparisons.start(runs[0].stored, run.stored, all_metrics=state["metrics"] == "all") for run in runs[1:]
        ]
    except TooManyWaitingError:
        raise ProblemError(
            503, "", "Many comparisons are waiting. Ask again in a minute.", headers={"Retry-After": "60"}
        ) from None
    compared = await _awaited(started)
    if compared is None:
        answer = await _page(request, waiting_view(runs, offered, state), status=202)
        answer.headers["Refresh"] = str(_ASK_AGAIN_SECONDS)
        return answer
    view = await run_in_threadpool(_view, request, runs, compared, offered, state, number)
    return await _page(request, view, is_public=is_public)


async def _awaited(started: Sequence[Future[Compared]]) -> list[Compared] | None:
    """All pairs, or ``None`` where they take longer than a reader waits."""
    waited = [asyncio.wrap_future(future) for future in started]
    # The work itself goes on and is there for the next request.
    done, pending = await asyncio.wait(waited, timeout=_PATIENCE_SECONDS)
    return None if pending else [one.result() for one in waited if one in done]


def _found(request: Request, ids: Sequence[str]) -> tuple[list[FoundRun], list[str]]:
    found, unknown = [], []
    for run_id in ids[: MOST_RUNS + 1]:
        try:
            found.append(found_run(request, run_id))
        except HTTPException as error:
            if error.status_code != 404 or len(run_id) > _MOST_LETTERS:
                raise
            unknown.append(run_id)
    return found, unknown


def _offered(request: Request, found: Sequence[FoundRun]) -> list[BoardRun]:
    """Runs to choose from: those of the first one's setting, by rank."""
    snapshot = snapshot_of(request)
    if found:
        return ordered(run_parts.standing_of(request, found[0]).data)
    return ordered(snapshot.data(snapshot.settings[0].slug)) if snapshot.settings else []


def _view(
    request: Request,
    runs: Sequence[BoardRun],
    compared: Sequence[Compared],
    offered: Sequence[BoardRun],
    state: dict[str, str],
    number: int,
) -> CompareView:
    cards = {name: one for run in runs for name, one in run_parts.cards_of(request, run).items()}
    shared = tasks_of(compared)
    state["moved"] = state["moved"] if state["moved"] in WAYS else ""
    state["task"] = state["task"] if state["task"] in shared else ""
    task = state["task"] or next(iter(shared), "")
    moved: MovedRows | None = None
    reason, hidden = "", ""
    if task:
        beside = [runs[place] for place in shared[task].places]
        is_secret = any(
            run_parts.is_on_hidden_split(request, run, run_parts.submission_of(request, run)) for run in beside
        )
        hidden = may_show_texts(cards[task], runs[0].tasks[task])
        if is_secret:
            reason, hidden = HIDDEN_SPLIT, ""
        else:
            try:
                moved = moved_rows(
                    beside, task, shared[task].metric, way=state["moved"], page_number=number, shows_texts=not hidden
                )
            except GrueError:
                reason = "The rows of one of the runs cannot be read."
            if moved is None and not reason:
                reason = "Single rows have no value of a metric that all of the runs have."
    return compare_view(runs, compared, offered, cards, state, task, moved, moved_reason=reason, hidden_reason=hidden)


async def _page(request: Request, view: CompareView, *, status: int = 200, is_public: bool = False) -> Response:
    return await run_in_threadpool(lambda: page(request, view, cacheable=is_public, status=status))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 1
