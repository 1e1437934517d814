"""The page of a run, its samples, and its files."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse, HTMLResponse
from starlette.responses import Response

from grue.comparison.standings import BoardData
from grue.comparison.standings_runs import BoardRun
from leaderboard_site.links import Page
from leaderboard_site.pages.frame import Tab
from leaderboard_site.pages.panels import in_order, yardsticks
from leaderboard_site.pages.run import run_view
from leaderboard_site.pages.run_downloads import download_path, downloads
from leaderboard_site.pages.run_submission import submitted_facts
from leaderboard_site.pages.samples_browse import Browsed, browse_view, comparable_runs
from leaderboard_site.web import run_parts
from leaderboard_site.web.errors import ProblemError
from leaderboard_site.web.found_runs import found_run
from leaderboard_site.web.requests import page

router = APIRouter(prefix="/runs", default_response_class=HTMLResponse)
_MOST_QUERY = 2000
Id = Annotated[str, Path(max_length=100)]
_TYPES = {"json": "application/json", "parquet": "application/vnd.apache.parquet"}


@router.get("/{run_id}", include_in_schema=False)
def run_page(request: Request, run_id: Id) -> Response:
    """Everything about one run."""
    found = found_run(request, run_id)
    run = found.run
    standing, cards = run_parts.standing_of(request, found), run_parts.cards_of(request, run)
    submission = run_parts.submission_of(request, run)
    hidden = run_parts.is_on_hidden_split(request, run, submission)
    numbers = run_parts.numbers_of(request, run, standing.data)
    view = run_view(
        run,
        standing.data,
        standing.board,
        cards,
        numbers,
        run_parts.validity_of(request, found),
        downloads=downloads(run, cards, is_hidden_split=hidden),
        submitted=submitted_facts(submission, is_public=found.is_public) if submission else None,
        compare=Page(kind="compare", runs=(run.id,)),
    )
    return page(request, view, cacheable=found.is_public)


@router.get("/{run_id}/samples/{task}", include_in_schema=False)
def samples_page(request: Request, run_id: Id, task: Id) -> Response:
    """The generations of one task: filtered, sorted, against another run, as the address says."""
    found = found_run(request, run_id)
    run = found.run
    if task not in run.tasks:
        raise ProblemError(404, "", f"The run has no task {task[:60]!r}.")
    if len(request.url.query) > _MOST_QUERY:
        raise ProblemError(422, "", "The filters are longer than 2,000 letters; shorten them.")
    standing, cards = run_parts.standing_of(request, found), run_parts.cards_of(request, run)
    data = standing.data
    board = data.tasks.get(task)
    submission = run_parts.submission_of(request, run)
    names = [name for name in data.tasks if name in run.tasks]
    asked = Browsed(
        run=run,
        result=run.tasks[task],
        card=cards[task],
        metric=board.metric if board else None,
        tabs=[Tab(cards[n].title, Page(kind="samples", run=run.id, task=n), n == task) for n in names],
        others=comparable_runs(run, task, ordered(data)),
        is_hidden_split=run_parts.is_on_hidden_split(request, run, submission),
        params=dict(request.query_params),
    )
    return page(request, browse_view(asked, run_parts.parts_of(request).samples), cacheable=found.is_public)


@router.get("/{run_id}/files/{name:path}", include_in_schema=False)
def run_file(request: Request, run_id: Id, name: str) -> Response:
    """A file of the run directory, where it may be handed out."""
    found = found_run(request, run_id)
    run = found.run
    submission = run_parts.submission_of(request, run)
    hidden = run_parts.is_on_hidden_split(request, run, submission)
    offered = downloads(run, run_parts.cards_of(request, run), is_hidden_split=hidden)
    path = download_path(run, offered, name)
    if path is None:
        kept = next((one for one in offered if one.name == name), None)
        if kept is not None:
            raise ProblemError(403, "Not handed out", f"{kept.name} is {kept.reason}.")
        raise ProblemError(404, "", "The run has no such file to hand out.")
    headers = {"Cache-Control": "no-cache" if found.is_public else "no-store"}
    file_name = f"{run.id}-{name.replace('/', '-')}"
    return FileResponse(path, media_type=_TYPES[path.suffix[1:]], filename=file_name, headers=headers)


def ordered(data: BoardData) -> list[BoardRun]:
    """The runs of a setting by rank, an entry of several as its single ones, yardsticks last."""
    entries = [*in_order(data), *yardsticks(data.setting)]
    return [single for entry in entries for single in entry.singles]
