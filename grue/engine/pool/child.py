"""The program of a worker on this machine: orders come as pickles on standard input, answers leave on standard output.

It ends at once when its input does, so that it never outlives the process that started it.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
from typing import BinaryIO

from grue.engine.pool.messages import Answer, Cancel, Chunk, Lost, Opening, Refused


class Orders:
    """Orders as they arrive, read in a thread so that the next chunk is here before the last one ends."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._chunks: queue.SimpleQueue[Chunk] = queue.SimpleQueue()
        self._cancelled = -1
        self.opening: Opening = pickle.load(source)  # noqa: S301 - written by the process that started this one
        threading.Thread(target=self._read, name="grue-orders", daemon=True).start()

    def next(self) -> Chunk:
        """The next chunk that was not cancelled; waits for it."""
        while self.is_cancelled(chunk := self._chunks.get()):
            continue
        return chunk

    def is_cancelled(self, chunk: Chunk) -> bool:
        """Whether a chunk is not wanted any more."""
        return chunk.number <= self._cancelled

    def _read(self) -> None:
        try:
            while True:
                order = pickle.load(self._source)  # noqa: S301 - written by the process that started this one
                if isinstance(order, Cancel):
                    self._cancelled = order.number
                else:
                    self._chunks.put(order)
        except Exception:  # noqa: BLE001 - an order cut short by the end of the parent can raise anything
            os._exit(0)


def main() -> None:
    """Entry point of the process."""
    # Ctrl-C reaches the whole process group; the parent ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not mix with the answers
    orders = Orders(sys.stdin.buffer)

    from grue.engine.pool.worker import answers, begin

    def tell(answer: Answer) -> bool:
        """Send; whether that was not the last."""
        try:
            pickle.dump(answer, sink)
            sink.flush()
        except OSError:  # the parent is gone
            os._exit(0)
        return not isinstance(answer, (Lost, Refused))

    engine, first = begin(orders.opening)
    goes_on = tell(first)
    while engine is not None and goes_on:
        chunk = orders.next()
        for answer in answers(engine, chunk, lambda chunk=chunk: orders.is_cancelled(chunk)):  # type: ignore[misc]
            goes_on = tell(answer)
    sink.flush()
    # The libraries' own clean-up can hang on a device that is gone.
    os._exit(0)
