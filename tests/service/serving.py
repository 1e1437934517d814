"""A real server on a free port, in a thread, around a store and runs of its own."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from grue.store.rebuild import rebuild
from grue.submissions.settings import ServiceSettings, service_settings
from leaderboard_site.app import create_app
from leaderboard_site.service import Service, open_service
from leaderboard_site.submitting.desk import close_desk
from leaderboard_site.web.serving import listen, server_of


@dataclass(frozen=True)
class Served:
    """A server that runs.

    Attributes:
        address: ``http://127.0.0.1:PORT``.
        service: What its routes work with.
        client: Follows no redirects.
    """

    address: str
    service: Service
    client: httpx.Client

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Ask for an address."""
        return self.client.get(path, **more)


def settings_in(home: Path, **changes: str) -> ServiceSettings:
    """Settings of a service that lies in a folder; ``changes`` are fields in lower case."""
    environ = {"GRUE_HOME": str(home), "GRUE_DATA": "mini", "GRUE_HUB": "no"}
    return service_settings(environ | {f"GRUE_{key.upper()}": value for key, value in changes.items()}, home)


@contextlib.contextmanager
def served(
    home: Path,
    runs: Path | None = None,
    prepare: Callable[[Service], None] | None = None,
    settings: ServiceSettings | None = None,
    **changes: str,
) -> Iterator[Served]:
    """Serve a board.

    Args:
        home: Folder of its state.
        runs: Folder of run directories that are public from the start.
        prepare: Called with the service before the server starts.
        settings: Those of the service, where they are made already.
        changes: Fields of the settings in lower case.
    """
    home.mkdir(parents=True, exist_ok=True)
    with open_service(settings or settings_in(home, **changes)) as service:
        if runs is not None:
            rebuild(service.store, [runs])
        if prepare is not None:
            prepare(service)
        with running(service) as address, httpx.Client(base_url=address, timeout=30) as client:
            yield Served(address, service, client)


@contextlib.contextmanager
def running(service: Service) -> Iterator[str]:
    """A server in a thread; its address."""
    listener = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = create_app(service)
    server = server_of(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the server does not start")
            time.sleep(0.01)
        yield address
    finally:
        server.should_exit = True
        thread.join(30)
        close_desk(app)
        listener.close()
