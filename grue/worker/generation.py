"""The worker's side of the first step: starts the generating program in its enclosure and watches over it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from grue.store.service.values import Progress
from grue.submissions.expected import Expected
from grue.submissions.settings import ServiceSettings
from grue.worker.generating import REQUEST, RUN
from grue.worker.lease import Lease
from grue.worker.lines import Log
from grue.worker.partials import Partials
from grue.worker.plain_files import MOST_BYTES, ForeignFileError, copy_folder, size_of
from grue.worker.programs import Deadline, Program, clean_environment
from grue.worker.reasons import (
    BAD_CHECKPOINT,
    GENERATE_TIMEOUT,
    MEMORY,
    OUT_OF_MEMORY,
    JobError,
    internal,
    is_memory,
    too_slow,
)
from grue.worker.sandbox import Limits, Sandbox, machine_memory_bytes

GIBIBYTE = 1 << 30
WATCH_SECONDS = 1.0
# Libraries that cannot be loaded say so in words of their own, and one tries again for ever: the system's limit leaves
# them room, and a program that takes more than a smaller one allows is ended by the worker that watches it.
LIBRARIES_BYTES = 2 * GIBIBYTE
# Lines of a job's log that the generating program may write.
MOST_NOTES = 20
# Words that the generating program may give as reasons; any other is one of its own making.
REASONS = ("bad-checkpoint", "out-of-memory", "nan-logits", "internal")


def memory_limit(settings: ServiceSettings) -> int:
    """Memory that a generating program may take, in bytes."""
    if settings.generate_memory_gb:
        return int(settings.generate_memory_gb * GIBIBYTE)
    return machine_memory_bytes() * 3 // 4


class Generation:
    """One attempt to generate for a job.

    Args:
        sandbox: Where it runs.
        settings: Limits of time and memory.
        lease: Of the job.
        log: Takes lines for the submission's page.
        work: The job's folder.
    """

    def __init__(self, sandbox: Sandbox, settings: ServiceSettings, lease: Lease, log: Log, work: Path) -> None:
        self._sandbox, self._settings, self._lease, self._log = sandbox, settings, lease, log
        self._work = work / "generation"
        self._root = work / "root"
        self._deadline = Deadline(settings.generate_hours)
        self._memory_bytes = memory_limit(settings)
        self._watched = 0.0
        self._notes = 0

    @property
    def run(self) -> Path:
        """The part of a run that is made."""
        return self._work / RUN

    def prepare(self, expected: Expected, tasks: tuple[str, ...], name: str) -> None:
        """Write the rows without labels, and what is asked of the program."""
        rows = self._work / "rows"
        rows.mkdir(parents=True)
        self._root.mkdir()
        for task in tasks:
            lines = (json.dumps({"id": row.id, "prompt": row.prompt}) + "\n" for row in expected.tasks[task])
            (rows / f"{task}.jsonl").write_text("".join(lines), encoding="utf-8")
        (self._work / REQUEST).write_text(json.dumps({"rows": "rows", "split": expected.split, "name": name}))

    def make(self, checkpoint: Path, partials: Partials) -> None:
        """Generate what is missing.

        Raises:
            JobError: where not every row got its text.
            LostError: where the job is no longer this worker's.
            StoppedError: where the worker is to stop; what was generated is stored.
        """
        limits = Limits(
            memory_bytes=max(self._memory_bytes, LIBRARIES_BYTES),
            cpu_seconds=int(self._settings.generate_hours * 3600 * max(1, psutil.cpu_count() or 1)) + 60,
        )
        command = self._sandbox.enclosed(
            "grue.worker.generating", work=self._work, root=self._root, checkpoint=checkpoint, limits=limits
        )
        program = Program(command, environment=clean_environment(), folder=self._work)
        try:
            outcome: Mapping[str, Any] = {}
            for message in program.messages(lambda: self._watch(program, partials)):
                outcome = self._heard(message) or outcome
            code = program.ended()
        finally:
            program.close()
            partials.store(now=True)
        self._lease.check()
        if outcome.get("kind") == "failed":
            raise _failure(outcome)
        if outcome.get("kind") != "done" or code != 0:
            raise _crash(code, program.error_tail)

    def hand_out(self, target: Path) -> None:
        """Copy what was made to where the program that made it has never been.

        Raises:
            JobError: where it left there what it never writes.
        """
        try:
            copy_folder(self.run, target)
        except (ForeignFileError, OSError) as error:
            raise internal(f"what was generated cannot be taken: {error}") from error

    def _heard(self, message: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Take a message of a program that is not trusted; the message where it is the last word."""
        kind = message.get("kind")
        if kind == "progress":
            self._lease.tell(_progress(message))
        elif kind == "note" and isinstance(message.get("text"), str) and self._notes < MOST_NOTES:
            self._notes += 1
            self._log(message["text"])
        return message if kind in ("failed", "done") else None

    def _watch(self, program: Program, partials: Partials) -> None:
        self._lease.check()
        if self._deadline.is_over:
            raise too_slow(GENERATE_TIMEOUT, self._settings.generate_hours)
        now = time.monotonic()
        if now - self._watched < WATCH_SECONDS:
            return
        self._watched = now
        partials.store()
        taken, processes = _taken(program.pid)
        if taken > self._memory_bytes:
            raise JobError(OUT_OF_MEMORY, MEMORY, is_ours=False, note=f"{taken} bytes in {processes} processes")
        if size_of(self._work) > MOST_BYTES:
            raise JobError(BAD_CHECKPOINT, "Generating it filled the disk.", is_ours=False, note="too many bytes")


def _taken(process_id: int) -> tuple[int, int]:
    """Memory that a program and all that it started hold, and how many processes these are."""
    total = count = 0
    try:
        program = psutil.Process(process_id)
        for process in (program, *program.children(recursive=True)):
            try:
                memory = process.memory_info()
            except psutil.Error:
                continue
            total += memory.rss - getattr(memory, "shared", 0)
            count += 1
    except psutil.Error:
        pass
    return total, count


def _progress(message: Mapping[str, Any]) -> Progress:
    def number(key: str) -> float | None:
        value = message.get(key)
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
        return float(value) if is_number else None  # type: ignore[arg-type]

    return Progress(
        step="generating",
        task=str(message.get("task", ""))[:100],
        rows_done=int(number("rows_done") or 0),
        rows_total=int(number("rows_total") or 0),
        rate=number("rate"),
        seconds_left=number("seconds_left"),
    )


def _failure(message: Mapping[str, Any]) -> JobError:
    reason, detail = str(message.get("reason")), str(message.get("detail"))
    if reason not in REASONS or not isinstance(message.get("is_ours"), bool):
        return internal("the generating program gave no reason")
    return JobError(reason, detail[:1000], is_ours=message["is_ours"], note=str(message.get("note"))[:2000])


def _crash(code: int, errors: str) -> JobError:
    """What the end of a program that said nothing means."""
    note = f"the generating program ended with {code}: {errors}"
    if code == 128 + signal.SIGKILL:
        # The system ends the largest process where memory is short; who took it is not known, so it costs no quota.
        return JobError(OUT_OF_MEMORY, MEMORY, is_ours=True, note=note)
    if is_memory(errors):
        return JobError(OUT_OF_MEMORY, MEMORY, is_ours=False, note=note)
    if code == 128 + signal.SIGXCPU:
        detail = "Generating took more time of processors than this service gives: submit a smaller checkpoint."
        return JobError(GENERATE_TIMEOUT, detail, is_ours=False, note=note)
    if code in (128 + signal.SIGSEGV, 128 + signal.SIGBUS, 128 + signal.SIGFPE, 128 + signal.SIGILL):
        detail = "The checkpoint brought the library down that runs it: see 'grue doctor -m FOLDER'."
        return JobError(BAD_CHECKPOINT, detail, is_ours=False, note=note)
    return internal(note)
