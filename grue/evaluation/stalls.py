"""What hangs in a run is told to its user and written to its events, while it hangs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from grue.core.text import Json
from grue.engine.watchdog import Stall, Watchdog
from grue.evaluation.progress import Progress
from grue.runs.directory import RunDirectory

STALL_SECONDS = 120.0


@contextmanager
def watched(run: RunDirectory, progress: Progress, **fields: Json) -> Iterator[Watchdog]:
    """Watch what is done inside; a stall becomes an event ``stalled`` and a note.

    Args:
        run: The open run directory.
        progress: Takes the note.
        fields: Fields of the event beside the stall's own.
    """

    def tell(stall: Stall) -> None:
        progress.note(f"No news for {stall.seconds:.0f} s: {stall.what}. It may go on; events.jsonl says where it is.")
        run.event("stalled", **fields, **stall.to_json())

    with Watchdog(STALL_SECONDS, tell) as watchdog:
        yield watchdog
