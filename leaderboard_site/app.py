"""The application: routers, and what stands around all of them."""

from __future__ import annotations

from fastapi import FastAPI

from grue import __version__
from grue.submissions.values import UploadLimits
from leaderboard_site.accounts import host_routes, routes
from leaderboard_site.accounts.security import secure
from leaderboard_site.accounts.viewer import viewer_of
from leaderboard_site.service import Service
from leaderboard_site.submitting import api as submitting_api
from leaderboard_site.submitting import routes as submitting_routes
from leaderboard_site.web import board, reading, runs
from leaderboard_site.web.bodies import BodyBounds, Bounds
from leaderboard_site.web.caching import PageCache
from leaderboard_site.web.errors import add_handlers
from leaderboard_site.web.heads import Heads, Net
from leaderboard_site.web.kept_pages import KeptPages
from leaderboard_site.web.logs import AccessLog
from leaderboard_site.web.openapi import describe
from leaderboard_site.web.prometheus import Meters

OPENAPI = "/api/v1/openapi.json"
_ROUTERS = (reading, board, runs, routes, host_routes, submitting_routes, submitting_api)
# A form around a file: its other fields and the lines between them.
_FORM_BYTES = 4 << 20
_UPLOADS = ("/submit", "/api/v1/validate", "/api/v1/submissions", "/api/v1/uploads")


def create_app(service: Service) -> FastAPI:
    """The application around an open service."""
    # No documentation pages: theirs load scripts from another host.
    app = FastAPI(
        title="grue",
        version=__version__,
        description="The leaderboard: results, submissions and the queue. Errors are RFC 9457 problem documents.",
        openapi_url=OPENAPI,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    app.state.viewer_of = viewer_of
    app.state.pages = PageCache()
    app.state.meters = Meters()
    for part in _ROUTERS:
        app.include_router(part.router)
    add_handlers(app)
    describe(app)
    upload_bytes = UploadLimits.of(service.settings).file_bytes + _FORM_BYTES
    # From the innermost to the outermost.
    app.add_middleware(BodyBounds, bounds=Bounds(most_bytes=dict.fromkeys(_UPLOADS, upload_bytes)))
    app.add_middleware(KeptPages, pages=app.state.pages, boards=service.boards, viewer_of=viewer_of)
    app.add_middleware(Net)
    app.add_middleware(Heads)
    secure(app, service.settings)
    app.add_middleware(AccessLog, meters=app.state.meters)
    return app
