"""A run by its id, for whoever may see it."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from grue.comparison.standings_runs import BoardRun
from grue.store.service.submissions import submission_of_run
from leaderboard_site.accounts.rights import RunThing, require
from leaderboard_site.web.errors import ProblemError
from leaderboard_site.web.requests import service_of, snapshot_of


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run that the viewer may see; ``is_public`` where everybody may."""

    run: BoardRun
    is_public: bool


def found_run(request: Request, run_id: str, action: str = "read run") -> FoundRun:
    """The run, public or the viewer's own.

    Args:
        request: Who asks.
        run_id: Which.
        action: ``read run`` or ``read samples``.

    Raises:
        ProblemError: 404 where there is none, or none that the viewer may know of.
    """
    service = service_of(request)
    run = snapshot_of(request).runs.get(run_id)
    is_public = run is not None
    thing = RunThing(run_id=run_id, submission=submission_of_run(service.store, run_id), is_hidden=not is_public)
    require(request, action, thing)
    run = run or service.boards.run(run_id)
    if run is None:
        raise ProblemError(404, "", "There is nothing here, or it is not public.")
    return FoundRun(run, is_public)
