"""What routes share: the service behind a request, and answers that are rendered, compressed, tagged and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request
from starlette.responses import Response

from leaderboard_site import documents
from leaderboard_site.boards import Snapshot
from leaderboard_site.render import View, Viewing
from leaderboard_site.service import Service
from leaderboard_site.web import context
from leaderboard_site.web.caching import Key, PageCache, address_of, headers_of, is_known, kept_headers
from leaderboard_site.web.compression import accepted, encoded
from leaderboard_site.web.errors import ProblemError, problem
from leaderboard_site.web.rendering import renderer

__all__ = [
    "HTML",
    "JSON",
    "ProblemError",
    "answer",
    "document",
    "page",
    "problem",
    "service_of",
    "snapshot_of",
]
HTML = "text/html; charset=utf-8"
JSON = "application/json"


def service_of(request: Request) -> Service:
    """The service that the application was made with."""
    service: Service = request.app.state.service
    return service


def snapshot_of(request: Request) -> Snapshot:
    """The board as this request sees it, the same however often it asks."""
    if not hasattr(request.state, "snapshot"):
        request.state.snapshot = service_of(request).boards.current()
    snapshot: Snapshot = request.state.snapshot
    return snapshot


def page(request: Request, view: View | Callable[[], View], *, cacheable: bool, status: int = 200) -> Response:
    """A page as its reader sees it.

    Args:
        request: What is answered.
        view: The page value, or what makes it.
        cacheable: Whether the page depends on nothing but the version of the board, its address and whether somebody
            is signed in. A page that shows what is somebody's own is not.
        status: Of the answer.
    """
    viewer: Viewing = request.app.state.viewer_of(request)
    shown = view() if callable(view) else view
    content = renderer(service_of(request).settings.base_url).html(shown, viewer, is_service=True)
    is_kept = cacheable and status == 200
    return answer(request, content.encode("utf-8", "replace"), HTML, cacheable=is_kept, status=status)


def document(
    request: Request, value: Mapping[str, Any], *, cacheable: bool = False, status: int = 200, media_type: str = JSON
) -> Response:
    """A JSON document, ``schema_version`` first."""
    content = documents.dump(value).encode("utf-8", "replace")
    return answer(request, content, media_type, cacheable=cacheable, status=status)


def answer(request: Request, content: bytes, content_type: str, *, cacheable: bool, status: int = 200) -> Response:
    """Bytes as they are sent: compressed as the client takes them, with a tag, kept where they may be."""
    encoding = accepted(context.header_of(request.scope, b"accept-encoding"))
    if not cacheable:
        # What somebody is told in answer to a form stays as it is: sizes of compressed secrets can be compared.
        body = encoded(content, encoding if request.method in ("GET", "HEAD") else "")
        return Response(body.content, status, headers_of(body, "no-store"), content_type)
    is_signed_in = request.app.state.viewer_of(request).role != "anonymous"
    key = Key(version_of(request), address_of(request.scope), is_signed_in)
    cache: PageCache = request.app.state.pages
    body = cache.put(key, content, content_type).body(encoding)
    headers = kept_headers(body, is_signed_in=is_signed_in)
    if is_known(context.header_of(request.scope, b"if-none-match"), body.etag):
        return Response(None, 304, headers)
    return Response(body.content, status, headers, content_type)


def version_of(request: Request) -> str:
    """The version of the board when the request came, or one that is newer."""
    state = request.scope.setdefault("state", {})
    if "board_version" not in state:
        state["board_version"] = service_of(request).boards.version()
    return str(state["board_version"])
