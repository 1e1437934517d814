"""``grue serve``: the board as a service, with a worker inside."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from grue.cli.options import included
from grue.cli.output import note, stdout

if TYPE_CHECKING:
    from grue.store.database import Store
    from grue.submissions.settings import ServiceSettings

app = typer.Typer(rich_markup_mode=None)
_AGAIN_SECONDS = 5.0
# Threads that check files take turns with the one that answers; at the usual 5 ms each answer would wait so long.
_TURN_SECONDS = 0.0005
_FIRST_HOST = "grue admin user add NAME --role host --password-stdin"


@app.command()
def serve(
    ctx: typer.Context,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. [default: $GRUE_HOST, else 127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0 takes a free one. [default: $GRUE_PORT, else 8000]")
    ] = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Run no worker inside; 'grue worker' does it elsewhere.")
    ] = False,
    results: Annotated[
        list[Path] | None,
        typer.Option("--results", metavar="DIR", help="Folder of run directories to add to the board; repeatable."),
    ] = None,
) -> None:
    """Serve the board with submissions; it stops in good order on Ctrl-C or SIGTERM.

    Settings are variables GRUE_..., also in grue.toml; 'grue doctor' prints them. What is public in the store is on
    the board.
    """
    from grue.store.service.users import users
    from grue.submissions.settings import service_settings
    from leaderboard_site.app import create_app
    from leaderboard_site.service import open_service
    from leaderboard_site.submitting.desk import close_desk
    from leaderboard_site.web import logs
    from leaderboard_site.web.serving import listen, server_of

    settings = service_settings()
    listener = listen(settings.host if host is None else host, settings.port if port is None else port)
    with listener, open_service(settings, included(ctx)) as service, _stopping() as stop:
        logs.configure(settings.log_format)
        sys.setswitchinterval(_TURN_SECONDS)
        _add_runs(service.store, results or [])
        if not users(service.store):
            note(f"There is no account yet. Make the first host: {_FIRST_HOST}")
        name, number = listener.getsockname()[:2]
        address = f"http://{f'[{name}]' if ':' in name else name}:{number}"

        def started() -> None:
            stdout().print(f"Serving on {address}", soft_wrap=True)
            # A signal that came before the server listened.
            server.should_exit = server.should_exit or stop.is_set()

        app_served = create_app(service)
        server = server_of(app_served, started)
        threading.Thread(target=service.boards.renew, name="grue-warm", daemon=True).start()
        worker = None if no_worker else _worker(settings, service.store, stop)
        try:
            server.run(sockets=[listener])
        finally:
            stop.set()
            close_desk(app_served)
            if worker is not None:
                note("Waiting for the worker to put down its job; Ctrl-C leaves at once.")
                worker.join()


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """The first signal stops in good order: the server hands it on to here at its end; the second leaves at once."""
    stop = threading.Event()

    def stopping(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the shape of a handler
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, stopping) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _add_runs(store: Store, results: list[Path]) -> None:
    """Add what is not in the index yet; what cannot be read is named and left out."""
    from grue.core.errors import GrueError
    from grue.store.reading import folders_of
    from grue.store.rebuild import add_run

    for folder in folders_of(results):
        try:
            add_run(store, folder)
        except GrueError as error:
            note(f"skipped: {folder}: {error.cause}")


def _worker(settings: ServiceSettings, store: Store, stop: threading.Event) -> threading.Thread:
    """A worker in a thread of this process, begun again where it fails."""
    import structlog

    from grue.worker.loop import run_worker

    log = structlog.get_logger("grue.worker")

    def work() -> None:
        run_worker(settings, store, stop=stop, tell=log.info)

    thread = threading.Thread(target=_kept_up, args=(work, stop), name="grue-worker", daemon=True)
    thread.start()
    return thread


def _kept_up(work: Callable[[], None], stop: threading.Event) -> None:
    import structlog

    while not stop.is_set():
        try:
            work()
        except Exception:  # noqa: BLE001 - a fault of the worker must not end the board
            structlog.get_logger("grue.worker").exception("the worker failed and begins again")
            stop.wait(_AGAIN_SECONDS)
