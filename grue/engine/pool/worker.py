"""A worker's side, wherever it runs: open and load a checkpoint, answer chunks, tell a lost device from a fault."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import grue
from grue.core.errors import CheckpointError, GrueError
from grue.engine.pool.messages import Answer, Came, Chunk, Done, Lost, Opening, Raised, Ready, Refused
from grue.engine.protocol import Engine, Portion, Work
from grue.engine.resident import peak_resident_bytes

# Rows that end within so long are told together: messages, not rows, cost the coordinator time.
GATHER_SECONDS = 0.05
# What was done is told so often where no row ends.
SILENT_SECONDS = 5.0
# Words of the libraries' errors after which a process cannot use its device any more.
DEVICE_GONE = (
    "cuda error",
    "cuda driver",
    "cublas_status",
    "cudnn_status",
    "hip error",
    "device-side assert",
    "device lost",
)


def begin(opening: Opening) -> tuple[Engine | None, Answer]:
    """Open and load; the engine, and what to tell. ``None`` where it cannot be had."""
    from grue.engine.open import open_engine

    start = time.perf_counter()
    try:
        if opening.version != grue.__version__:
            raise CheckpointError(
                f"The worker on {platform.node()} has grue {grue.__version__}, this command {opening.version}.",
                "Install the same version on all nodes.",
            )
        engine = open_engine(opening.model, opening.options)
        engine.load()
        found = engine.info.weights_sha256 if opening.weights_sha256 is not None else None
        if found != opening.weights_sha256:
            raise CheckpointError(
                f"The checkpoint on {platform.node()} is another one: its weights are {str(found)[:12]}…,"
                f" those of this command {str(opening.weights_sha256)[:12]}….",
                "Give all nodes the same files, or a hub id.",
                place=opening.model,
            )
    except GrueError as error:
        return None, Refused(error)
    except Exception as error:  # noqa: BLE001 - the coordinator starts another process, and tells if that fails too
        return None, Lost(f"it could not load the model: {said(error)}")
    environment = engine.environment()
    device, threads = str(environment.get("device")), environment.get("threads")
    return engine, Ready(
        device=device,
        node=platform.node(),
        pid=os.getpid(),
        threads=threads if isinstance(threads, int) and device == "cpu" else None,
        seconds=time.perf_counter() - start,
    )


def answers(engine: Engine, chunk: Chunk, is_cancelled: Callable[[], bool]) -> Iterator[Answer]:
    """Generate a chunk.

    Args:
        engine: Loaded.
        chunk: What is asked for.
        is_cancelled: Asked between portions; true ends the chunk.

    Yields:
        ``Came`` as rows end, then ``Done``; or at last ``Raised``, or ``Lost`` where the device is gone.
    """
    held: list[Portion] = []
    since = time.monotonic()
    portions = engine.generate(chunk.requests, chunk.job)
    try:
        for portion in portions:
            if is_cancelled():
                break
            held.append(portion)
            silent = time.monotonic() - since
            if silent >= SILENT_SECONDS or (silent >= GATHER_SECONDS and any(map(_tells, held))):
                yield _came(engine, chunk, held)
                held, since = [], time.monotonic()
    except GrueError as error:
        yield _came(engine, chunk, held)
        yield Raised(chunk.number, error)
        return
    except Exception as error:  # noqa: BLE001 - what a library raises is told, not lost with the process
        yield _came(engine, chunk, held)
        yield Lost(f"its device is gone: {said(error)}") if is_device_gone(error) else Raised(chunk.number, said(error))
        return
    finally:
        close = getattr(portions, "close", None)
        if close is not None:
            close()
    yield _came(engine, chunk, held)
    yield Done(chunk.number)


def is_device_gone(error: BaseException) -> bool:
    """Whether a process can do nothing more with its device after this error."""
    words = str(error).lower()
    return (
        isinstance(error, RuntimeError) and "out of memory" not in words and any(part in words for part in DEVICE_GONE)
    )


def said(error: BaseException) -> str:
    """Kind and first line of an error."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _tells(portion: Portion) -> bool:
    return bool(portion.generations or portion.failures or portion.events)


def _came(engine: Engine, chunk: Chunk, held: Sequence[Portion]) -> Came:
    portion = Portion(
        [one for part in held for one in part.generations],
        [one for part in held for one in part.failures],
        _summed([work for part in held for work in part.work]),
        [event for part in held for event in part.events],
    )
    return Came(chunk.number, portion, engine.peak_memory_bytes() or peak_resident_bytes())


def _summed(works: Sequence[Work]) -> list[Work]:
    if not works:
        return []
    return [
        replace(
            works[0],
            prefill_tokens=sum(work.prefill_tokens for work in works),
            prefill_seconds=sum(work.prefill_seconds for work in works),
            decode_tokens=sum(work.decode_tokens for work in works),
            decode_seconds=sum(work.decode_seconds for work in works),
            rows=max(work.rows for work in works),
        )
    ]
