"""Files of a checkpoint in pieces: announced by name, size and hash, sent from where they stopped, finished by hash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from grue.core.errors import SubmissionError, UsageError
from grue.core.text import Json
from grue.submissions.chunks import ChunkedFile, OffsetError
from leaderboard_site.accounts.rights import require
from leaderboard_site.submitting.desk import desk_of
from leaderboard_site.submitting.receiving import BodyLimits, receive_body
from leaderboard_site.submitting.refusals import RefusalError
from leaderboard_site.web.requests import document

router = APIRouter(prefix="/uploads")
PIECE_BYTES = 32 << 20
_MOST_FILE = 1 << 44
T = TypeVar("T")


class FileAnnounced(BaseModel):
    """A file of a checkpoint that is about to come."""

    name: str = Field(min_length=1, max_length=200)
    size: int = Field(ge=0, le=_MOST_FILE)
    sha256: str = Field(min_length=64, max_length=64)
    checkpoint: str | None = Field(
        None, max_length=100, description="Of its first file; makes a new one where left out."
    )


@router.post("/files", status_code=201)
def begin(request: Request, announced: FileAnnounced) -> Response:
    """Announce a file; announcing it again tells how far it is."""
    chunks = desk_of(request).chunks
    begun = partial(
        chunks.begin,
        announced.name,
        announced.size,
        announced.sha256,
        owner=_owner(request),
        model=announced.checkpoint,
    )
    return document(request, _document(_asked(begun)), status=201)


@router.get("/files/{file_id}")
def find(request: Request, file_id: str) -> Response:
    """How far a file is."""
    owner = _owner(request)
    return document(request, _document(_asked(partial(desk_of(request).chunks.find, file_id, owner=owner))))


@router.patch(
    "/files/{file_id}",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def append(request: Request, file_id: str, offset: Annotated[int, Query(ge=0, le=_MOST_FILE)]) -> Response:
    """Add the piece that begins at ``offset``; what came before a broken connection is kept."""
    owner = await to_thread.run_sync(_owner, request)
    desk = desk_of(request)
    await to_thread.run_sync(_asked, partial(desk.chunks.find, file_id, owner=owner))
    async with desk.receiving() as work:
        path = work / "piece"
        try:
            await receive_body(request, path, BodyLimits(file_bytes=PIECE_BYTES))
        except RefusalError as refusal:
            if refusal.status_code == 400:
                # The connection broke: what came is kept, although nobody reads this answer.
                await asyncio.shield(
                    to_thread.run_sync(partial(_append, desk.chunks.append, file_id, offset, path, owner))
                )
            raise
        added = await to_thread.run_sync(partial(_append, desk.chunks.append, file_id, offset, path, owner))
    return document(request, _document(added))


@router.post("/files/{file_id}/finish")
def finish(request: Request, file_id: str) -> Response:
    """Check length and hash; the checkpoint has the file from then on."""
    owner = _owner(request)
    return document(request, _document(_asked(partial(desk_of(request).chunks.finish, file_id, owner=owner))))


@router.delete("/{checkpoint}", status_code=204)
def drop(request: Request, checkpoint: str) -> Response:
    """Give a checkpoint up, with all that came of it; nothing happens where there is none."""
    desk_of(request).chunks.drop(checkpoint, owner=_owner(request))
    return Response(status_code=204)


def _append(append: Callable[..., ChunkedFile], file_id: str, offset: int, path: Path, owner: str) -> ChunkedFile:
    with path.open("rb") as piece:
        return _asked(partial(append, file_id, offset, piece, owner=owner))


def _owner(request: Request) -> str:
    viewer = require(request, "submit")
    return viewer.user.user_id if viewer.user else ""


def _asked(call: Callable[[], T]) -> T:
    try:
        return call()
    except OffsetError as error:
        raise RefusalError(
            409, "Another piece is expected", f"{error.cause} {error.fix}", offset=error.offset
        ) from None
    except (UsageError, SubmissionError) as error:
        status = 404 if error.cause.startswith("There is no such upload") else 422
        place = f"{error.place}: " if error.place else ""
        raise RefusalError(status, "The file cannot be taken", f"{place}{error.cause} {error.fix}".strip()) from None


def _document(file: ChunkedFile) -> dict[str, Json]:
    return {
        "id": file.upload_id,
        "checkpoint": file.model,
        "name": file.name,
        "size": file.size,
        "offset": file.offset,
        "finished": file.is_finished,
        "piece_bytes": PIECE_BYTES,
    }
