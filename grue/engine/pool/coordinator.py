"""Hands requests to workers and their answers to the caller: one queue, every request answered exactly once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from grue.core.rows import Row
from grue.engine import watchdog
from grue.engine.pool.crew import Crew, Member
from grue.engine.pool.ledger import LEAST_ROWS, Ledger
from grue.engine.pool.messages import Answer, Came, Chunk, Done, Lost, Raised, Ready, Refused
from grue.engine.protocol import Failure, Job, Portion, Request, Work


class Coordinator:
    """Generates one job after the other with a crew.

    Args:
        crew: Workers that were started.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._number = 0

    def generate(self, requests: Sequence[Request], job: Job, batches: Sequence[Sequence[str]]) -> Iterator[Portion]:
        """Yield what workers answer, as it comes; see ``Engine.generate``.

        Args:
            requests: What is asked for.
            job: How it is generated.
            batches: Row ids that are decoded together; empty where workers may choose.
        """
        self._crew.start()
        task = _Task(job, Ledger(requests, job, batches), {row_id: ids for ids in batches for row_id in ids})
        try:
            while task.ledger.n_open:
                if not self._crew.alive:
                    reason = f"no worker is left: {self._crew.told()}"
                    yield Portion((), task.ledger.abandon(reason), task.work, self._crew.events())
                    return
                self._feed(task)
                watchdog.beat(self._waiting_for(task))
                heard = self._crew.hear()
                portion = self._take(*heard, task) if heard is not None else None
                if portion is not None:
                    yield portion
            if task.work:
                yield Portion(work=task.work)
        finally:
            self._crew.cancel(self._number)

    def _feed(self, task: _Task) -> None:
        """Give every worker that has or will soon have nothing its next chunk."""
        for member in sorted(self._crew.ready, key=lambda one: len(one.chunks)):
            together = max(LEAST_ROWS, member.rows_together // max(task.job.decoding.num_beams, 1))
            if task.job.batch_rows is not None:
                together = min(together, task.job.batch_rows)
            while self._wants_more(member, task.ledger, together):
                held = [chunk.number for chunk in member.chunks]
                taken = task.ledger.take(self._number + 1, held, self._crew.n_sharing, together)
                if not taken:
                    break
                self._number += 1
                chunk = Chunk(self._number, [_lean(request) for request in taken], task.job_of(taken))
                member.chunks.append(chunk)
                if member.handle is not None:
                    member.handle.send(chunk)

    def _wants_more(self, member: Member, ledger: Ledger, together: int) -> bool:
        """Whether nothing waits behind what a worker decodes: its batch would run empty."""
        if not member.chunks:
            return True
        return len(member.chunks) == 1 and ledger.open_in(member.chunks[0].number) <= together

    def _take(self, member: Member, answer: Answer, task: _Task) -> Portion | None:
        """What the caller should know of an answer, if anything."""
        if isinstance(answer, Came):
            return self._came(member, answer, task)
        if isinstance(answer, Done):
            ended = [chunk for chunk in member.chunks if chunk.number == answer.chunk]
            member.chunks = [chunk for chunk in member.chunks if chunk.number != answer.chunk]
            failures = [failure for chunk in ended for failure in task.ledger.end(chunk.number, chunk.requests)]
            return Portion((), failures) if failures else None
        if isinstance(answer, Ready):
            self._crew.welcome(member, answer)
            return Portion(events=self._crew.events())
        if isinstance(answer, Raised):
            if not any(chunk.number == answer.chunk for chunk in member.chunks):
                return None
            if isinstance(answer.error, str):
                raise RuntimeError(f"worker {member.name}: {answer.error}")
            raise answer.error
        return Portion((), self._lost(member, answer, task.ledger), (), self._crew.events())

    def _came(self, member: Member, came: Came, task: _Task) -> Portion | None:
        portion = came.portion
        if not any(chunk.number == came.chunk for chunk in member.chunks):
            return None  # of a job before, whose rows may have the same ids
        task.work += [replace(one, worker=member.name) for one in portion.work]
        member.rows_together = max([member.rows_together, *(one.rows for one in portion.work)])
        if came.peak_memory_bytes is not None:
            member.peak_memory_bytes = max(member.peak_memory_bytes or 0, came.peak_memory_bytes)
        generations, failures = task.ledger.accept(portion)
        events = [*self._crew.events(), *({**event, "worker": member.name} for event in portion.events)]
        if not (generations or failures or events):
            return None
        member.strikes = 0
        work, task.work = task.work, []
        return Portion(generations, failures, work, events)

    def _lost(self, member: Member, answer: Lost | Refused, ledger: Ledger) -> list[Failure]:
        """Give back what a worker held; the rows that fail with it."""
        held = member.chunks
        rows = ledger.open_in(*(chunk.number for chunk in held))
        failures: list[Failure] = []
        is_row = False
        for chunk in held[1:]:
            ledger.give_back(chunk.number, chunk.requests)
        if held:
            reason = answer.reason if isinstance(answer, Lost) else answer.error.cause
            failures, is_row = ledger.suspect(held[0].number, held[0].requests, reason)
        self._crew.lose(member, answer, rows, is_to_blame=not is_row)
        return failures

    def _waiting_for(self, task: _Task) -> str:
        """What hangs if nothing comes."""
        names = [
            f"{member.name} with {task.ledger.open_in(*(chunk.number for chunk in member.chunks))} rows"
            if member.is_ready
            else f"{member.name} loading"
            for member in self._crew.alive
        ]
        return f"waiting for workers: {', '.join(names)}"


@dataclass(slots=True)
class _Task:
    """A job while it is generated.

    Attributes:
        batch_of: Row id -> ids of all rows that are decoded with it, where that is fixed.
        work: What workers did and the caller was not told yet.
    """

    job: Job
    ledger: Ledger
    batch_of: dict[str, Sequence[str]]
    work: list[Work] = field(default_factory=list)

    def job_of(self, requests: Sequence[Request]) -> Job:
        """The job as a worker needs it for some requests: of its rows those alone that are decoded with them."""
        wanted = {row_id for request in requests for row_id in self.batch_of.get(request.row.id, ())}
        return replace(self.job, rows=[_lean_row(row) for row in self.job.rows if row.id in wanted] if wanted else ())


def _lean_row(row: Row) -> Row:
    """A row without what only metrics read."""
    return Row(id=row.id, prompt=row.prompt)


def _lean(request: Request) -> Request:
    return Request(_lean_row(request.row), request.sample)
