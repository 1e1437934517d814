"""The scoring side of a run: a loop that takes texts as they are generated, in a process of its own.

Messages come as pickles on standard input and answers leave on standard output; both ends are grue itself. The
process ends when its input does, so that it never outlives the run that started it.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

from grue.evaluation.chunks import Chunk
from grue.evaluation.task_scoring import Recipe, Scored, TaskScoring
from grue.evaluation.yardsticks import Yardstick


@dataclass(frozen=True, slots=True)
class Begin:
    """A task's scoring begins; ``ticket`` names it from now on."""

    ticket: str
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Measure:
    """What a null system or the oracle writes for a task's rows."""

    ticket: str
    yardstick: Yardstick


@dataclass(frozen=True, slots=True)
class Portion:
    """Generations of a task to score, with their rows' references and inputs."""

    ticket: str
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class End:
    """All portions of a task were sent; asks for its values."""

    ticket: str


Message = Begin | Measure | Portion | End


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer messages until the input ends."""
    running: dict[str, TaskScoring] = {}
    failed: dict[str, str] = {}
    for message in _messages(source):
        ticket = message.ticket
        if ticket in failed and not isinstance(message, End):
            continue
        try:
            if isinstance(message, Begin):
                running[ticket] = TaskScoring(message.recipe)
            elif isinstance(message, Portion):
                running[ticket].add(message.chunk)
            elif isinstance(message, Measure):
                running[ticket].measure(message.yardstick)
            elif ticket in failed:
                _send(sink, Scored(ticket, error=failed.pop(ticket)))
            else:
                with closing(running.pop(ticket)) as scoring:
                    answer = scoring.finish(ticket)
                _send(sink, answer)
        except BrokenPipeError:
            return
        except Exception as error:  # noqa: BLE001 - no generation may be lost to whatever a metric raises
            if broken := running.pop(ticket, None):
                broken.close()
            failed[ticket] = f"{type(error).__name__}: {error}"
            if isinstance(message, End):
                _send(sink, Scored(ticket, error=failed.pop(ticket)))


def main() -> None:
    """Entry point of the process."""
    # Ctrl-C reaches the whole process group; the run stores what it has and then ends this process's input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a metric prints must not mix with the answers
    serve(sys.stdin.buffer, answers)


def _messages(source: BinaryIO) -> Iterator[Message]:
    while True:
        try:
            yield pickle.load(source)  # noqa: S301 - written by the process that started this one
        except EOFError:
            return


def _send(sink: BinaryIO, answer: Scored) -> None:
    pickle.dump(answer, sink)
    sink.flush()
