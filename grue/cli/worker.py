"""``grue worker``: evaluates queued submissions."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Annotated

import typer

from grue.cli.options import AsJson
from grue.cli.output import note, print_json, stdout

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def worker(
    name: Annotated[
        str | None, typer.Option("--name", help="As the queue shows it. [default: host and process id]")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Stop when no job waits.")] = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate queued submissions: generate without labels, score, put the result onto the board.

    It reaches the database ($GRUE_DATABASE_URL) and the artifacts ($GRUE_ARTIFACTS); labels are read from $GRUE_DATA.
    Any number of workers may run, on any host. SIGTERM and Ctrl-C give a running job back to the queue.
    """
    from grue.store.database import open_store
    from grue.submissions.settings import service_settings
    from grue.worker.loop import own_name, run_worker

    settings = service_settings()
    stop = threading.Event()
    _stop_by_signal(stop)
    own = name or own_name()
    note(f"Worker {own}: split {settings.split}, data {settings.data}. Ctrl-C stops it.")
    with open_store(settings.database_url or None) as store:
        taken = run_worker(settings, store, name=own, stop=stop, once=once, tell=note)
    if as_json:
        print_json({"worker": own, "jobs": taken})
    else:
        stdout().print(f"Worker {own}: {taken} jobs.", soft_wrap=True)


def _stop_by_signal(stop: threading.Event) -> None:
    """Let a signal end the work in good order, and a second one at once."""

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the shape of a handler
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, handle)
