"""An OpenAI-compatible endpoint as an engine: what it says of itself is recorded as self-reported."""

from __future__ import annotations

import asyncio
import os
import queue
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from grue.core.decoding import Decoding
from grue.core.errors import CheckpointError, UsageError
from grue.core.rows import Row
from grue.core.run import EndpointInfo, ModelInfo
from grue.core.task import Truncation
from grue.core.text import Json
from grue.engine.endpoint.address import Address, Key, read_address, read_key
from grue.engine.endpoint.asking import Asking, Manner
from grue.engine.endpoint.client import connected
from grue.engine.endpoint.coroutine_thread import CoroutineThread
from grue.engine.endpoint.faults import Fault, RowRefusedError, wait_before
from grue.engine.endpoint.payload import refuse_what_cannot_be_done
from grue.engine.endpoint.server import OPEN_ATTEMPTS, look_at
from grue.engine.options import EngineOptions
from grue.engine.protocol import Job, Portion, Request, Work

KIND = "endpoint"
PREFIX = "openai:"
AT_ONCE = 16
# English prose; no tokenizer is known.
CHARACTERS_A_TOKEN = 4.2


def open_endpoint(model: str, options: EngineOptions) -> EndpointEngine:
    """Reach an endpoint and ask what it is; nothing is generated.

    Args:
        model: ``openai:NAME``, or ``NAME`` where ``--engine openai`` is given.
        options: ``base_url`` says where.

    Raises:
        UsageError: for a faulty address, key or name, and for options that mean nothing here.
        CheckpointError: where the server cannot be reached, or does not let this key in.
    """
    name = model.removeprefix(PREFIX).strip()
    if not name:
        raise UsageError("-m openai: names no model.", "Write -m openai:NAME, the name the server knows it by.")
    _refuse_local_options(options)
    address, key = read_address(options.base_url), read_key(os.environ)
    server = CoroutineThread(partial(look_at, address, key)).result()
    info = ModelInfo(
        name=options.name or name,
        source=f"{PREFIX}{name}",
        kind=KIND,
        engine="openai",
        meta=options.meta,
        endpoint=EndpointInfo(address=str(address), model=name, server=str(server) or None),
    )
    notes = [
        f"Self-reported: what answers at {address} is what it says it is ({str(server) or 'it says nothing'}).",
        "Prompts are sent whole: no tokenizer is known here, so the tasks' cuts do not apply.",
    ]
    if server.program is None:
        notes.append("Decoding settings that the server sets by itself (top_k, penalties) are not known here.")
    unlisted = server.note_on(name)
    if unlisted:
        notes.append(key.hide(unlisted))
    if key.text and address.scheme == "http" and not address.is_local:
        notes.append(f"The key goes to {address.host} unencrypted: the address is http, not https.")
    manner = Manner(model=name, is_chat=options.chat_template != "off", limit_name="max_tokens", program=server.program)
    return EndpointEngine(info, notes, address, key, manner)


class EndpointEngine:
    """Generates by asking a server, many requests at once.

    Attributes:
        info: Who generates, as the server says.
        notes: What a user should know.
    """

    folder: Path | None = None

    def __init__(self, info: ModelInfo, notes: Sequence[str], address: Address, key: Key, manner: Manner) -> None:
        self.info = info
        self.notes = notes
        self._address = address
        self._key = key
        self._manner = manner
        # What the probe asks with, once a task has said how it decodes.
        self._decoding = Decoding(max_new_tokens=1)

    def covered(self, rows: Sequence[Row]) -> list[Row]:
        """All rows, unchanged."""
        return list(rows)

    def settings(self, job: Job) -> Mapping[str, Json]:
        """Decoding and which API; ``truncation`` is ``None``, as prompts are sent whole.

        Raises:
            UsageError: for a setting that the API does not know.
        """
        refuse_what_cannot_be_done(job.decoding, self._manner.program)
        self._decoding = job.decoding
        return {
            **job.decoding.to_json(),
            "truncation": None,
            "api": self._manner.path.removeprefix("/"),
        }

    def environment(self) -> Mapping[str, Json]:
        """What the server did not say; no device of this machine is used."""
        return {"notes": list(self.notes)}

    def peak_memory_bytes(self) -> int | None:
        """``None``: the model's memory is elsewhere."""
        return None

    def close(self) -> None:
        """Nothing to give back: connections end with each call."""

    def prompt_lengths(self, rows: Sequence[Row], job: Job) -> list[int]:  # noqa: ARG002 - part of a protocol
        """A guess by length."""
        return [round(len(row.prompt) / CHARACTERS_A_TOKEN) for row in rows]

    def load(self) -> None:
        """Ask for a single token, so that a wrong key, name or API shows before anything is made.

        Raises:
            CheckpointError: where the server does not answer it.
        """
        CoroutineThread(self._probe).result()

    async def _probe(self) -> None:
        short = replace(self._decoding, max_new_tokens=1, min_new_tokens=0)
        row = Row(id="probe", prompt="Hello")
        job = Job(decoding=short, truncation=Truncation("right", 1), seed=0, rows=(row,))
        async with connected(self._address, self._key, 1) as client:
            for attempt in range(1, OPEN_ATTEMPTS + 1):
                try:
                    await client.post(self._manner.path, self._manner.body(Request(row, 0), job))
                    return
                except RowRefusedError as refusal:
                    if "max_completion_tokens" in str(refusal) and self._manner.limit_name == "max_tokens":
                        # Newer models of OpenAI know the bound by this name alone.
                        self._manner = replace(self._manner, limit_name="max_completion_tokens")
                        continue
                    raise self._unanswered(str(refusal)) from None
                except Fault as fault:
                    if attempt == OPEN_ATTEMPTS:
                        raise self._unanswered(fault.reason) from None
                    await asyncio.sleep(wait_before(attempt, fault.wait_seconds))

    def generate(self, requests: Sequence[Request], job: Job) -> Iterator[Portion]:
        """Yield what was answered since the last time, as soon as there is anything.

        Raises:
            CheckpointError: where the server will answer no request any more.
        """
        ready: queue.SimpleQueue[Portion | None] = queue.SimpleQueue()
        thread = CoroutineThread(partial(self._ask_all, requests, job, ready))
        try:
            is_done = False
            while not is_done:
                came = [ready.get()]
                while not ready.empty():
                    came.append(ready.get())
                is_done = came[-1] is None
                portions = [portion for portion in came if portion is not None]
                if portions:
                    yield joined(portions)
            thread.result()
        finally:
            thread.stop()

    async def _ask_all(self, requests: Sequence[Request], job: Job, ready: queue.SimpleQueue[Portion | None]) -> None:
        most = job.batch_rows or AT_ONCE
        try:
            async with connected(self._address, self._key, most) as client:
                await Asking(self._manner, job, most, ready.put).ask_all(client, requests)
        finally:
            ready.put(None)

    def _unanswered(self, reason: str) -> CheckpointError:
        chat = "chat template" in reason.lower() or "chat_template" in reason.lower()
        return CheckpointError(
            f"The endpoint does not answer a request of one token: {self._key.hide(reason)}.",
            "The model has no chat template there: add --chat-template off."
            if chat
            else "Check the model's name and --base-url; --chat-template off asks the API for plain completions.",
            place=str(self._address),
        )


def joined(portions: Sequence[Portion]) -> Portion:
    """Several portions as one, with one account of the work."""
    works = [work for portion in portions for work in portion.work]
    total = (
        [
            Work(
                worker=works[0].worker,
                prefill_tokens=sum(work.prefill_tokens for work in works),
                decode_tokens=sum(work.decode_tokens for work in works),
                rows=max(work.rows for work in works),
            )
        ]
        if works
        else []
    )
    return Portion(
        [generation for portion in portions for generation in portion.generations],
        [failure for portion in portions for failure in portion.failures],
        total,
        [event for portion in portions for event in portion.events],
    )


def _refuse_local_options(options: EngineOptions) -> None:
    """Options of models that run here would be dropped without a word."""
    if options.engine not in ("auto", "openai"):
        raise UsageError(f"-m openai:… and --engine {options.engine} contradict each other.", "Leave --engine out.")
    given = {
        "--adapter": options.adapter is not None,
        "--dtype": options.dtype != "auto",
        "--devices": bool(options.devices),
        "--cluster": options.cluster is not None,
        "--trust-remote-code": options.trust_remote_code,
        "--allow-pickle": options.allow_pickle,
    }
    wrong = [flag for flag, is_given in given.items() if is_given]
    if wrong:
        raise UsageError(
            f"{', '.join(wrong)} means nothing for a model behind an endpoint.",
            "Leave it out; -b N sets how many requests are under way at once.",
        )
