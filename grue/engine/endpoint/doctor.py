"""What can be found out of an endpoint before hours and money are spent: one request of one token is made."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from grue.core.errors import CheckpointError, UsageError
from grue.engine.doctor import Finding
from grue.engine.endpoint.engine import EndpointEngine
from grue.engine.protocol import Job


def endpoint(engine: EndpointEngine, jobs: Mapping[str, Job]) -> Iterator[Finding]:
    """Who is asked, whether the server decodes as the tasks want it, and whether it answers.

    Args:
        engine: An endpoint that was reached.
        jobs: How each task decodes.
    """
    asked = engine.info.endpoint
    if asked is not None:
        message = f"{asked.model} at {asked.address}; the server says it is {asked.server or 'nothing'}"
        yield Finding("endpoint", "ok", message)
    for note in engine.notes:
        yield Finding("endpoint", "ok", note)
    for task, job in jobs.items():
        try:
            engine.settings(job)
        except UsageError as error:
            yield Finding(task, "fail", error.cause, error.fix)
    started = time.perf_counter()
    try:
        engine.load()
    except CheckpointError as error:
        yield Finding("answer", "fail", f"{error.place}: {error.cause}", error.fix)
    else:
        yield Finding(
            "answer", "ok", f"a request of one token was answered after {time.perf_counter() - started:.2f} s"
        )
