"""The hub is asked once a process, and for a short time alone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from grue.core import reach
from grue.core.errors import CheckpointError, TaskDataError
from grue.core.source import HubSource
from grue.data import hub as hub_module
from grue.engine.open import open_engine
from grue.engine.options import EngineOptions

SOURCE = HubSource(id="stand/in", revision="a" * 40, files={"test": ("rows.parquet",)}, columns=("id",))


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[socket.socket]]:
    """A server that takes connections and never answers; the connections it took."""
    from huggingface_hub import constants

    taken: list[socket.socket] = []
    server = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
    monkeypatch.setattr(reach, "PROBE_SECONDS", 0.3)
    monkeypatch.setattr(reach, "_probed", {})
    monkeypatch.setattr(reach, "_offline", [])  # an earlier call in this process may have been made offline
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def take() -> None:
        while True:
            try:
                taken.append(server.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=take)
    thread.start()
    yield taken
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()
    for connection in taken:
        connection.close()


def test_a_hub_that_does_not_answer_is_asked_once(
    connections: list[socket.socket], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    probe, probes = reach._probe, []
    # The client library may open several connections for one question: the questions are counted.
    monkeypatch.setattr(reach, "_probe", lambda endpoint: (probes.append(endpoint), probe(endpoint))[1])
    for _ in range(3):
        with pytest.raises(TaskDataError, match="the hub is not asked: "):
            hub_module.hub_file(SOURCE, "rows.parquet")
    # A model of the same run meets the answer that is known already.
    with pytest.raises(CheckpointError, match="did not answer"):
        open_engine("stand/in", EngineOptions(home=tmp_path))
    assert len(probes) == 1
    assert connections


def test_offline_the_hub_is_never_asked(connections: list[socket.socket]) -> None:
    with pytest.raises(TaskDataError, match="--offline or HF_HUB_OFFLINE=1 is set"):
        hub_module.hub_file(SOURCE, "rows.parquet", offline=True)
    assert connections == []


def test_an_offline_call_asks_nothing_and_the_next_call_asks_again(connections: list[socket.socket]) -> None:
    reach.set_offline(True)
    assert "offline" in reach.unreachable()
    assert reach.is_given_up()
    assert connections == []
    reach.set_offline(False)
    assert "no answer" in reach.unreachable() or "timed out" in reach.unreachable()
    assert connections
