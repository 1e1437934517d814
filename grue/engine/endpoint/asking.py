"""Asks an endpoint for a task's generations, many at once, until each request is answered or given up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from grue.core.errors import CheckpointError
from grue.core.rows import Generation
from grue.core.text import Json
from grue.engine.endpoint.answer import Answer, MalformedError, read_answer
from grue.engine.endpoint.client import Client
from grue.engine.endpoint.faults import (
    ATTEMPTS,
    LONGEST_REFUSAL_SECONDS,
    RATE_ATTEMPTS,
    TIMEOUT_ATTEMPTS,
    Fault,
    RowRefusedError,
    wait_before,
)
from grue.engine.endpoint.pace import Pace
from grue.engine.endpoint.payload import draw_seed, request_body
from grue.engine.protocol import Failure, Job, Portion, Request, Work
from grue.engine.stops import cut_at_stop

# So many rows given up one after another, none answered between them, and the server is taken for gone.
LEAST_ROWS_OF_A_DEAD_SERVER = 8

Sink = Callable[[Portion], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a model is asked.

    Attributes:
        model: Its name on the server.
        is_chat: Whether through the chat API.
        limit_name: What the server calls the bound of new tokens.
        program: The server's program, where it is a known one.
    """

    model: str
    is_chat: bool
    limit_name: str
    program: str | None

    @property
    def path(self) -> str:
        """The API's path."""
        return "/chat/completions" if self.is_chat else "/completions"

    def body(self, request: Request, job: Job) -> dict[str, Json]:
        """What is sent for one draw."""
        return request_body(
            request.row.prompt,
            job.decoding,
            model=self.model,
            is_chat=self.is_chat,
            limit_name=self.limit_name,
            seed=draw_seed(job.seed, request.row.id, request.sample),
            server=self.program,
        )


class Asking:
    """One task's requests under way.

    Args:
        manner: How the model is asked.
        job: How the task is generated.
        most: Most requests at once.
        hand_out: Takes what is ready, from the thread that asks.
    """

    def __init__(self, manner: Manner, job: Job, most: int, hand_out: Sink) -> None:
        self._manner = manner
        self._job = job
        self._pace = Pace(most)
        self._hand_out = hand_out
        self._lost = 0
        self._answerers: set[tuple[str | None, str | None]] = set()

    async def ask_all(self, client: Client, requests: Sequence[Request]) -> None:
        """Ask for everything and hand each answer or failure out as it comes.

        Raises:
            CheckpointError: where the server answers nothing, or will not answer any more.
        """
        pending = iter(requests)

        async def work() -> None:
            for request in pending:
                self._hand_out(await self._ask(client, request))
                self._stop_if_dead(client)

        workers = [asyncio.create_task(work()) for _ in range(min(self._pace.most, len(requests)))]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _ask(self, client: Client, request: Request) -> Portion:
        """A generation or a failure, after as many attempts as it takes."""
        events: list[Mapping[str, Json]] = []
        faults = timeouts = refusals = 0
        while True:
            try:
                async with self._pace.turn() as began:
                    answer = await self._attempt(client, request)
                    seconds = time.monotonic() - began
            except RowRefusedError as refusal:
                return self._failed(client, request, str(refusal), events)
            except Fault as fault:
                refusals += fault.is_rate_limit
                faults += not fault.is_rate_limit
                timeouts += fault.is_timeout
                if faults == ATTEMPTS or timeouts == TIMEOUT_ATTEMPTS or refusals == RATE_ATTEMPTS:
                    self._lost += 1
                    return self._failed(client, request, f"{fault.reason} ({faults + refusals} attempts)", events)
                if fault.is_rate_limit:
                    events += self._slowed(client, fault, began)
                await asyncio.sleep(wait_before(refusals if fault.is_rate_limit else faults, fault.wait_seconds))
            else:
                self._lost = 0
                self._pace.went_well()
                return self._answered(client, request, answer, seconds, events)

    def _slowed(self, client: Client, fault: Fault, sent_at: float) -> list[Mapping[str, Json]]:
        """Slow all down, and end the task where nothing but refusals came for long; an event where the bound fell."""
        wait = wait_before(self._pace.refusals + 1, fault.wait_seconds)
        fell = self._pace.slow_down(sent_at, wait)
        if self._pace.refused_seconds() > LONGEST_REFUSAL_SECONDS:
            raise CheckpointError(
                f"The endpoint refused all for {LONGEST_REFUSAL_SECONDS:g} s: {client.key.hide(fault.reason)}.",
                "Start the same command later; it goes on where it stopped.",
                place=str(client.address),
            )
        return [{"kind": "slowed_down", "at_once": int(self._pace.limit), "wait_seconds": wait}] if fell else []

    async def _attempt(self, client: Client, request: Request) -> Answer:
        manner = self._manner
        body = await client.post(manner.path, manner.body(request, self._job))
        try:
            answer = read_answer(body, is_chat=manner.is_chat, max_new_tokens=self._job.decoding.max_new_tokens)
        except MalformedError as error:
            raise Fault(str(error)) from None
        if client.key.is_in(answer.text):
            raise RowRefusedError("the answer repeats the key, which must not be stored")
        return answer

    def _answered(
        self, client: Client, request: Request, answer: Answer, seconds: float, events: list[Mapping[str, Json]]
    ) -> Portion:
        before = cut_at_stop(answer.text, self._job.decoding.stop)
        generation = Generation(
            id=request.row.id,
            sample=request.sample,
            prediction=answer.text if before is None else before,
            prompt=request.row.prompt,
            finish_reason=answer.finish_reason if before is None else "stop",
            prompt_tokens=answer.prompt_tokens,
            generated_tokens=answer.generated_tokens,
            prompt_cut=False,
            latency_seconds=seconds,
        )
        if answer.is_filtered:
            events.append({"kind": "filtered", "id": request.row.id, "sample": request.sample})
        answerer = (
            answer.model and client.key.hide(answer.model),
            answer.fingerprint and client.key.hide(answer.fingerprint),
        )
        if answerer not in self._answerers:
            self._answerers.add(answerer)
            events.append({"kind": "answered_by", "model": answerer[0], "system_fingerprint": answerer[1]})
        work = Work(
            worker=client.address.host,
            prefill_tokens=answer.prompt_tokens or 0,
            decode_tokens=answer.generated_tokens or 0,
            rows=self._pace.peak,
        )
        return Portion([generation], work=[work], events=events)

    def _failed(self, client: Client, request: Request, reason: str, events: list[Mapping[str, Json]]) -> Portion:
        return Portion(failures=[Failure(request.row.id, request.sample, client.key.hide(reason))], events=events)

    def _stop_if_dead(self, client: Client) -> None:
        if self._lost >= max(LEAST_ROWS_OF_A_DEAD_SERVER, self._pace.most):
            raise CheckpointError(
                f"The endpoint answered none of the last {self._lost} rows; events.jsonl says what came instead.",
                "Start the same command when it works; it goes on where it stopped.",
                place=str(client.address),
            )
