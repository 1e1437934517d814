"""Files of our own: stylesheet and scripts, told apart by a hash in their address, so that browsers keep them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from leaderboard_site.web import context
from leaderboard_site.web.caching import is_known
from leaderboard_site.web.compression import accepted, encoded
from leaderboard_site.web.errors import ProblemError
from leaderboard_site.web.static_files import static_files

router = APIRouter(include_in_schema=False)
_FOR_GOOD = "public, max-age=31536000, immutable"


@router.get("/static/{name}")
async def static(request: Request, name: str, v: str = "") -> Response:
    """One file; kept for good by its hash, else asked for again each time."""
    file = static_files().get(name)
    if file is None:
        raise ProblemError(404, "", "There is no such file.")
    body = encoded(file.content, accepted(context.header_of(request.scope, b"accept-encoding")))
    headers = {
        "Cache-Control": _FOR_GOOD if v == file.version else "no-cache",
        "ETag": body.etag,
        "Vary": "Accept-Encoding",
    }
    if is_known(context.header_of(request.scope, b"if-none-match"), body.etag):
        return Response(None, 304, headers)
    if body.encoding:
        headers["Content-Encoding"] = body.encoding
    return Response(body.content, 200, headers, file.content_type)
