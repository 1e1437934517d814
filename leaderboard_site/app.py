"""The application: routers, and what stands around all of them."""

from __future__ import annotations

from importlib import import_module

from fastapi import FastAPI

from grue import __version__
from leaderboard_site.service import Service
from leaderboard_site.web.caching import PageCache
from leaderboard_site.web.errors import add_handlers

_ROUTERS = (
    "leaderboard_site.web.reading",
    "leaderboard_site.web.board",
    "leaderboard_site.web.runs",
    "leaderboard_site.accounts.routes",
    "leaderboard_site.accounts.host_routes",
    "leaderboard_site.submitting.routes",
    "leaderboard_site.submitting.api",
    "leaderboard_site.web.static",
)


class _Nobody:
    is_signed_in = False
    role = "anonymous"


def create_app(service: Service) -> FastAPI:
    """The application around an open service."""
    app = FastAPI(
        title="grue",
        version=__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    app.state.pages = PageCache()
    try:
        app.state.viewer_of = import_module("leaderboard_site.accounts.viewer").viewer_of
    except ModuleNotFoundError:
        app.state.viewer_of = lambda _: _Nobody()
    for name in _ROUTERS:
        try:
            app.include_router(import_module(name).router)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
    add_handlers(app)
    return app
