"""Workers in a Ray cluster: actors that hold the model and stream rows back to the one process that writes.

``RAY_ADDRESS`` names the cluster; without it one is started on this machine for the time of the run. Every node needs
the same version of grue (``pip install 'grue[ray]'`` in its image or environment) and finds the checkpoint by itself:
a hub id, or a folder under the same path, as a shared file system gives it. An actor whose files differ is refused by
the hash of their weights. Actors may come and go: those that the cluster has room for begin, the others join when it
grows, and the rows of one that dies are done by the others.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from grue.checkpoints.device import available_cores, choose_dtype
from grue.core.errors import MissingExtraError, UsageError
from grue.core.text import Json
from grue.engine.hf import HFEngine
from grue.engine.options import EngineOptions
from grue.engine.pool.engine import PoolEngine, open_single, opening_of
from grue.engine.pool.messages import Answer, Cancel, Chunk, Lost, Opening, Order, Ready, Tell
from grue.engine.protocol import Engine

# How long the first worker may take: a cluster that grows starts a machine first.
WAIT_SECONDS = 1800.0
STOP_SECONDS = 5.0
KNOCK_SECONDS = 5.0
# Messages are small; by default the library sets a third of the memory aside for objects.
LOCAL_STORE_BYTES = 1 << 27
# Nothing is sent to anybody, and what became of an actor is told by the run, not by the library.
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def open_cluster(model: str, options: EngineOptions) -> PoolEngine:
    """Open a checkpoint for workers of a Ray cluster; each loads it where it runs.

    Args:
        model: A hub id, a checkpoint folder that all nodes see under the same path, or a demo checkpoint.
        options: With ``cluster`` and ``workers``. ``device`` ``auto`` gives every worker a GPU where the cluster has
            any; ``dtype`` ``auto`` is bfloat16 there.

    Raises:
        CheckpointError: where the checkpoint cannot be used as it is.
        MissingExtraError: where Ray is not installed.
        UsageError: for devices that a cluster cannot give, or where the cluster cannot be reached.
    """
    if options.device not in ("auto", "cpu", "cuda") or options.devices:
        asked = f"--devices {','.join(options.devices)}" if options.devices else f"--device {options.device}"
        raise UsageError(f"{asked}: a cluster gives out its devices by itself.", "Give --device auto, cuda or cpu.")
    cluster = connect(options.workers)
    try:
        has_gpus = cluster.ray.cluster_resources().get("GPU", 0) >= 1
        device = ("cuda" if has_gpus else "cpu") if options.device == "auto" else options.device
        dtype = "bfloat16" if device == "cuda" and options.dtype == "auto" else choose_dtype(options.dtype, "cpu")
        # The weights are never loaded here, and this machine need not have a GPU.
        opened = open_single(model, replace(options, device="cpu", dtype=dtype), "--cluster")
    except BaseException:
        cluster.leave()
        raise
    opening = partial(_opening, opened, replace(options, device=device, home=None))
    environment: dict[str, Json] = {"cluster": "ray", "workers": options.workers, "worker_device": device}
    return PoolEngine(opened, Actors(cluster, opening, options.workers, device), environment, wait_seconds=WAIT_SECONDS)


def _opening(opened: HFEngine, options: EngineOptions) -> Opening:
    """What actors load: on other machines the files may be others, or not be there yet."""
    return opening_of(opened, options, offline=False, weights_sha256=opened.info.weights_sha256)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A connection: the library, and whether it was made here."""

    ray: Any
    is_own: bool

    def leave(self) -> None:
        """Close the connection, and the cluster where it was started for this run."""
        if self.is_own:
            self.ray.shutdown()


def connect(workers: int) -> Cluster:
    """Connect to the cluster that ``RAY_ADDRESS`` names, else start one on this machine.

    Args:
        workers: Room that a cluster of this machine's own has to have.

    Raises:
        MissingExtraError: where Ray is not installed.
        UsageError: where the cluster does not answer.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("--cluster ray needs the 'ray' extra.", "pip install 'grue[ray]'") from error
    if ray.is_initialized():
        return Cluster(ray, is_own=False)
    address = os.environ.get("RAY_ADDRESS", "").strip()
    _knock(address)
    own: dict[str, Any] = {
        "include_dashboard": False,
        "num_cpus": max(available_cores(), workers),
        "object_store_memory": LOCAL_STORE_BYTES,
    }
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address=address or "local", logging_level=logging.ERROR, log_to_driver=False, **({} if address else own)
        )
    except (ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise _unreachable(address, said) from error
    finally:
        if threading.current_thread() is threading.main_thread():
            # The library takes this signal for itself; how a command ends is the command line's to say.
            signal.signal(signal.SIGTERM, before)
    return Cluster(ray, is_own=True)


def _knock(address: str) -> None:
    """Look whether anything listens: the library itself goes on trying for ten minutes.

    Raises:
        UsageError: where nothing does, or the address is one for which rows cannot be streamed.
    """
    if address.startswith("ray://"):
        raise UsageError(
            f"RAY_ADDRESS={address}: rows cannot be streamed through the Ray client.",
            "Run the command on a node of the cluster (ray job submit), with RAY_ADDRESS=auto.",
        )
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, str(error)) from error


def _unreachable(address: str, said: str) -> UsageError:
    return UsageError(
        f"The Ray cluster cannot be reached: {said}",
        "Check RAY_ADDRESS, or unset it for a cluster on this machine alone.",
        place=address,
    )


class Actors:
    """One actor a worker, with a GPU where the cluster has any, else with a core.

    Args:
        cluster: Where they run.
        opening: Tells what each loads.
        workers: How many are asked for; those that there is no room for wait until there is.
        device: ``cuda`` or ``cpu``.

    Attributes:
        names: ``ray/0``, ``ray/1`` …
    """

    def __init__(self, cluster: Cluster, opening: Callable[[], Opening], workers: int, device: str) -> None:
        self._cluster, self._opening = cluster, opening
        self.names: Sequence[str] = [f"ray/{index}" for index in range(workers)]
        self._kind = cluster.ray.remote(
            num_cpus=1,
            num_gpus=1 if device == "cuda" else 0,
            max_restarts=0,  # the coordinator starts another one, and knows what the first one held
            max_task_retries=0,
            concurrency_groups={"control": 1},
        )(Holder)

    def start(self, index: int, tell: Tell) -> Actor:  # noqa: ARG002 - all actors are alike
        """Ask for an actor; see ``Transport``."""
        return Actor(self._cluster.ray, self._kind.remote(self._opening()), tell)

    def close(self) -> None:
        """Leave the cluster."""
        self._cluster.leave()


class Actor:
    """One life of a worker in the cluster: a thread here listens to what it streams."""

    def __init__(self, ray: Any, actor: Any, tell: Tell) -> None:
        self._ray, self._actor, self._tell = ray, actor, tell
        self._streams: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._listen, name="grue-actor", daemon=True)
        self._thread.start()

    def send(self, order: Order) -> None:
        """Pass an order on; see ``Handle``. Chunks wait at the actor, which takes one after the other."""
        try:
            if isinstance(order, Cancel):
                self._actor.cancel.options(concurrency_group="control").remote(order.number)
            else:
                self._streams.put(self._actor.run.options(num_returns="streaming").remote(order))
        except Exception as error:  # noqa: BLE001 - the connection is gone
            self._tell(Lost(f"its actor cannot be reached: {_cause(error)}"))

    def stop(self) -> None:
        """Kill the actor, or take back the wish for it."""
        if self._is_stopped:
            return
        self._is_stopped = True
        with suppress(Exception):  # it may be gone, and the cluster with it
            self._ray.kill(self._actor, no_restart=True)
        self._streams.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join(STOP_SECONDS)

    def _listen(self) -> None:
        try:
            first: Answer = self._ray.get(self._actor.begin.remote())
            self._tell(first)
            if not isinstance(first, Ready):
                return
            while (stream := self._streams.get()) is not None:
                for reference in stream:
                    self._tell(self._ray.get(reference))
        except Exception as error:  # noqa: BLE001 - whatever ends the stream, the worker is of no use any more
            if not self._is_stopped:
                self._tell(Lost(f"its actor is gone: {_cause(error)}"))


class Holder:
    """The actor: holds the model."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._engine: Engine | None = None
        self._cancelled = -1

    def begin(self) -> Answer:
        """Open and load."""
        from grue.engine.pool.worker import begin

        self._engine, answer = begin(self._opening)
        return answer

    def run(self, chunk: Chunk) -> Iterator[Answer]:
        """Generate a chunk."""
        from grue.engine.pool.worker import answers

        if self._engine is not None and chunk.number > self._cancelled:
            yield from answers(self._engine, chunk, lambda: chunk.number <= self._cancelled)

    def cancel(self, number: int) -> None:
        """Drop every chunk up to a number; runs beside ``run``."""
        self._cancelled = number


def _cause(error: Exception) -> str:
    """The sentence of the library's message that tells what happened, on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("The actor")]
    return (" ".join(dict.fromkeys(told)) or " ".join(lines) or type(error).__name__)[:400]
