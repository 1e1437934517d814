"""The JSON API of one run: its results, and its generations where they may be shown."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from grue.core.errors import GrueError
from grue.runs.validity import Validity, read_validity
from leaderboard_site import documents
from leaderboard_site.cards import card
from leaderboard_site.pages.rows import TaskRows
from leaderboard_site.pages.samples import may_show_texts
from leaderboard_site.pages.samples_browse import HIDDEN_SPLIT
from leaderboard_site.sample_store import SampleQuery
from leaderboard_site.web import models, run_parts
from leaderboard_site.web.api_board import Cursor, Limit
from leaderboard_site.web.errors import ProblemError
from leaderboard_site.web.found_runs import FoundRun, found_run
from leaderboard_site.web.paging import read_cursor, write_cursor
from leaderboard_site.web.problems import problems
from leaderboard_site.web.requests import document, service_of, snapshot_of

router = APIRouter(prefix="/api/v1/runs", tags=["runs"])
_FIRST_ROWS = 100
Id = Annotated[str, Path(max_length=100)]


@router.get("/{run_id}", response_model=models.Run, responses=problems(401, 404, 422, 429))
def run(request: Request, run_id: Id) -> Response:
    """The object of `results.json` with name, mark, manifest and validity report."""
    found = found_run(request, run_id)
    return document(request, documents.run_document(found.run, _validity(request, found)), cacheable=found.is_public)


@router.get("/{run_id}/samples/{task}", response_model=models.Samples, responses=problems(401, 403, 404, 422, 429))
def samples(request: Request, run_id: Id, task: Id, limit: Limit = _FIRST_ROWS, cursor: Cursor = None) -> Response:
    """Generations of a task in id order, where the task's card lets its texts be shown."""
    found = found_run(request, run_id, "read samples")
    result = found.run.tasks.get(task)
    if result is None:
        raise ProblemError(404, "", f"The run has no task {task[:60]!r}.")
    shown = snapshot_of(request).cards.get(task) or card(task, service_of(request).include)
    if reason := may_show_texts(shown, result):
        raise ProblemError(403, "Not shown", reason)
    if run_parts.is_on_hidden_split(request, found.run, run_parts.submission_of(request, found.run)):
        raise ProblemError(403, "Not shown", HIDDEN_SPLIT)
    if not found.run.stored.has_samples(task):
        raise ProblemError(404, "", "The run was published without its generations.")
    # A page keeps the size that the first one was asked for with, so that no row is passed over.
    number, size = _place(cursor, limit)
    query = SampleQuery(number=number)
    page = run_parts.parts_of(request).samples.page(found.run.stored, task, query, shows_texts=True, rows_a_page=size)
    if number > page.n_pages:
        raise ProblemError(422, "", "cursor: take 'next_cursor' of the page before.")
    rows = TaskRows(page.rows, None, None, higher_is_better=True)
    after = write_cursor(number + 1, str(size)) if number < page.n_pages else None
    shape = {**documents.samples(found.run, task, rows), "next_cursor": after}
    return document(request, shape, cacheable=found.is_public)


def _place(cursor: str | None, limit: int) -> tuple[int, int]:
    if cursor is None:
        return 1, limit
    number, size = read_cursor(cursor)
    if number < 1 or not (size.isascii() and size.isdigit() and 1 <= int(size[:5]) <= 1000):
        raise ProblemError(422, "", "cursor: take 'next_cursor' of the page before.")
    return number, int(size)


def _validity(request: Request, found: FoundRun) -> Validity | None:
    if found.is_public:
        return snapshot_of(request).validity(found.run.id)
    try:
        return read_validity(found.run.stored.path)
    except GrueError:
        return None
