"""Whether the process answers, and whether it can work."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from grue.core.errors import GrueError
from leaderboard_site.service import Service
from leaderboard_site.web import models
from leaderboard_site.web.errors import ProblemError
from leaderboard_site.web.problems import problems
from leaderboard_site.web.requests import document, service_of

router = APIRouter(tags=["health"])
_log = structlog.get_logger("grue.web")


@router.get("/healthz", response_model=models.Health)
async def healthz(request: Request) -> Response:
    """The process answers."""
    return document(request, {"status": "ok"})


@router.get("/readyz", response_model=models.Ready, responses=problems(503))
def readyz(request: Request) -> Response:
    """Database, schema and artifacts can be reached."""
    checks = {name: _state(name, check, service_of(request)) for name, check in _CHECKS.items()}
    if any(state != "ok" for state in checks.values()):
        raise ProblemError(503, "", "Something that the service needs cannot be reached.", checks=checks)
    return document(request, {"status": "ready", "checks": checks})


def _state(name: str, check: Callable[[Service], object], service: Service) -> str:
    try:
        check(service)
    except (GrueError, OSError) as error:
        # What exactly is wrong may name addresses; it stands in the log.
        _log.error("not ready", check=name, error=str(error))
        return "failed"
    return "ok"


_CHECKS: dict[str, Callable[[Service], object]] = {
    "database": lambda service: service.boards.version(),
    "schema": lambda service: service.store.check_schema(),
    "artifacts": lambda service: service.artifacts.exists("uploads/ready"),
}
