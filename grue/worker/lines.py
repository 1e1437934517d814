"""Lines of a job's log as a submitter may read them: no paths, nothing endless, no control signs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from grue.core.errors import StoreError
from grue.store.database import Store
from grue.store.service import jobs
from grue.store.service.values import Job

MOST_CHARACTERS = 500
_PATH = re.compile(r"(?<![\w:/])(?:~|/)[\w.@+-]*/[\w./@+-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
Log = Callable[[str], None]


def shown(text: str) -> str:
    """A line that may be shown; of a path its last part is left."""
    line = _CONTROL.sub(" ", " ".join(text.split()))
    line = _PATH.sub(lambda found: found[0].rstrip("/").rpartition("/")[2], line)
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def log_of(store: Store, job: Job, tell: Callable[[str], None]) -> Log:
    """A function that adds a line to a job's log, and to what the worker prints.

    A log is no reason to lose a job: where the store cannot take a line, it is printed alone.
    """

    def log(text: str) -> None:
        line = shown(text)
        tell(f"{job.job_id}: {line}")
        add(store, job, [line])

    return log


def add(store: Store, job: Job, lines: Iterable[str]) -> None:
    """Add lines to a job's log, where the store takes them."""
    try:
        jobs.add_log(store, job.job_id, job.attempt, list(lines))
    except StoreError:
        return
