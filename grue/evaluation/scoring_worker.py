"""The run's side of the scoring process: it is handed texts without waiting and asked for values at the end."""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from grue.core import reach
from grue.core.rows import Generation, Row
from grue.evaluation.portions import chunks_of
from grue.evaluation.scoring_process import Begin, End, Measure, Message, Portion
from grue.evaluation.task_scoring import Recipe, Scored
from grue.evaluation.yardsticks import Yardstick

PROGRAM = "import sys; sys.path[:] = {path!r}; from grue.evaluation.scoring_process import main; main()"
STOP_SECONDS = 5.0


class ScoringWorker:
    """A process that scores while generation goes on; one serves any number of tasks and runs.

    It is started as a fresh interpreter, not by ``multiprocessing``, so that a caller's script is never run again
    in the child; and not before there is a text to score, so that its imports do not take the processor from the
    first one. Should it die, the tasks it had not answered get a ``Scored`` with an error, and nothing is lost.
    """

    def __init__(self, program: str = PROGRAM) -> None:
        self._program = program
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long-lived as the process
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self._outbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._answers: dict[str, Scored] = {}
        self._death: str | None = None
        self._threads: list[threading.Thread] = []

    @property
    def pid(self) -> int:
        """Process id; the process is started if it was not."""
        return self._start().pid

    def _start(self) -> subprocess.Popen[bytes]:
        with self._starting:
            if self._process is not None:
                return self._process
            process = self._process = subprocess.Popen(
                [sys.executable, "-c", self._program.format(path=sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={
                    **os.environ,
                    "TOKENIZERS_PARALLELISM": "false",
                    # What this process found out about the hub, the other need not find out again.
                    **({"HF_HUB_OFFLINE": "1"} if reach.is_given_up() else {}),
                },
            )
            # Writing blocks while the process is busy and its pipe is full: generation must not wait for that.
            self._threads = [
                threading.Thread(target=target, args=(process,), name="grue-scoring", daemon=True)
                for target in (self._write, self._read)
            ]
            for thread in self._threads:
                thread.start()
            return process

    def begin(self, ticket: str, recipe: Recipe) -> None:
        """A task's scoring begins; ``ticket`` is unique among all tasks of this worker."""
        self._outbox.put(Begin(ticket, recipe))

    def measure(self, ticket: str, yardsticks: Iterable[Yardstick]) -> None:
        """Hand over what null systems and the oracle write; returns when all is written, not when it is scored."""
        for yardstick in yardsticks:
            self._outbox.put(Measure(ticket, yardstick))

    def add(self, ticket: str, generations: Sequence[Generation], rows: Mapping[str, Row]) -> None:
        """Hand over generations; returns at once."""
        for chunk in chunks_of(generations, rows):
            self._outbox.put(Portion(ticket, chunk))
            self._start()

    def end(self, ticket: str) -> None:
        """All generations of the task were handed over."""
        self._outbox.put(End(ticket))
        self._start()

    def answer(self, ticket: str, *, wait: bool) -> Scored | None:
        """The task's values; ``None`` where they are not ready and ``wait`` is false."""
        with self._changed:
            while wait and ticket not in self._answers and self._death is None:
                self._changed.wait(0.5)
            if ticket in self._answers:
                return self._answers.pop(ticket)
            return Scored(ticket, error=self._death) if self._death is not None else None

    def stop(self) -> None:
        """End the process; what it had not answered is dropped."""
        self._outbox.put(None)
        if (process := self._process) is not None:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for thread in self._threads:
            # An interrupt may come while a thread is being started: one that is not alive cannot be joined.
            if thread.is_alive():
                thread.join(STOP_SECONDS)
        for stream in (process.stdin, process.stdout, self._errors) if process else (self._errors,):
            if stream is not None:
                with suppress(OSError):  # what was not sent is dropped
                    stream.close()

    def __enter__(self) -> ScoringWorker:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _write(self, process: subprocess.Popen[bytes]) -> None:
        sink = process.stdin
        if sink is None:
            return
        try:
            while (message := self._outbox.get()) is not None:
                pickle.dump(message, sink)
                sink.flush()
            sink.close()
        except (OSError, ValueError):
            return  # the process is gone; the reader notes it
        except Exception as error:  # noqa: BLE001 - a value that cannot be sent fails its task, not the run
            process.kill()
            self._die(f"a value cannot be sent to the scoring process: {type(error).__name__}: {error}")

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        source = process.stdout
        try:
            while source is not None:
                answer: Scored = pickle.load(source)  # noqa: S301 - our own child process
                with self._changed:
                    self._answers[answer.ticket] = answer
                    self._changed.notify_all()
        except Exception:  # noqa: BLE001 - an answer cut short by the end of the process can raise anything
            code = process.wait()
            self._die(f"the scoring process ended with code {code}{self._last_words()}")
        finally:
            if source is not None:
                source.close()

    def _die(self, message: str) -> None:
        with self._changed:
            self._death = self._death or message
            self._changed.notify_all()

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return f": {lines[-1]}" if lines else ""
