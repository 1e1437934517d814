"""Progress as server-sent events: a number every other second, a sentence at most once in ten."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

from anyio import to_thread
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from grue.store.service.values import ENDED
from leaderboard_site.pages.submission import SubmissionView
from leaderboard_site.submitting.acting import readable
from leaderboard_site.submitting.refusals import RefusalError
from leaderboard_site.submitting.showing import view_of

SENTENCE_SECONDS = 10.0
POLL_SECONDS = 2.0
LISTENERS = 200
LONGEST_SECONDS = 3600.0  # then the browser asks again
_RETRY_MS = 3000


async def events_of(request: Request, submission_id: str) -> Response:
    """The stream of a submission; it ends with the event that tells to look at the page again."""
    await to_thread.run_sync(readable, request, submission_id)
    state = request.app.state
    listeners: int = getattr(state, "listeners", 0)
    if listeners >= LISTENERS:
        raise RefusalError(429, "Many pages listen already", "The page refreshes by itself.", retry_after=30)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventSourceResponse(_events(request, submission_id), ping=15, headers=headers)


async def _events(request: Request, submission_id: str) -> AsyncIterator[ServerSentEvent]:
    state = request.app.state
    state.listeners = getattr(state, "listeners", 0) + 1
    try:
        begun, said_at, said, steps, last = time.monotonic(), 0.0, "", "", 0
        yield ServerSentEvent(comment="listening", retry=_RETRY_MS)
        while time.monotonic() - begun < LONGEST_SECONDS:
            try:
                submission = await to_thread.run_sync(readable, request, submission_id)
            except RefusalError:
                yield ServerSentEvent(event="changed", data="{}")
                return
            view = await to_thread.run_sync(view_of, request, submission)
            shape = " ".join(f"{step.name}:{step.state}" for step in view.steps) + view.lead.partition(",")[0]
            if (steps and shape != steps) or submission.status in ENDED:
                yield ServerSentEvent(event="changed", data="{}")
                if submission.status in ENDED:
                    return
            steps = shape
            now = time.monotonic()
            sentence = ""
            if view.lead != said and now - said_at >= SENTENCE_SECONDS:
                sentence, said, said_at = view.lead, view.lead, now
            yield ServerSentEvent(
                event="progress", data=json.dumps(_progress(view, sentence, last), ensure_ascii=False)
            )
            last = view.log[-1].number if view.log else last
            await asyncio.sleep(POLL_SECONDS)
    finally:
        state.listeners -= 1


def _progress(view: SubmissionView, sentence: str, after: int) -> dict[str, object]:
    bar = next((step.bar for step in view.steps if step.bar), None)
    return {
        "schema_version": 1,
        "sentence": sentence,
        "bar": {"label": bar.label, "done": bar.done, "total": bar.total} if bar else None,
        "log": [[line.number, line.time, line.text] for line in view.log if line.number > after],
    }
