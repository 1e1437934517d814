"""Prompts that are tokenised before they are asked for, beside loading or the task before."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from grue.core.task import Truncation
from grue.engine.protocol import Job, Request
from grue.engine.tokenization import EncodedPrompt, PromptReader

# Tasks that are held at once: the one that is generated and the one after it.
MOST_HELD = 2
# Token ids take memory, and beside the generation for more prompts than these their reading takes no time to speak of.
MOST_PROMPTS = 50_000


@runtime_checkable
class ReadsAhead(Protocol):
    """An engine that can tokenise a task's prompts before it generates for them."""

    def read_ahead(self, requests: Sequence[Request], job: Job) -> None:
        """Begin to tokenise what ``generate`` will be asked for; returns at once."""
        ...


class PromptsAhead:
    """Reads prompts once a task: in a thread where that was asked for before, else when they are asked for."""

    def __init__(self, reader: PromptReader) -> None:
        self._reader = reader
        self._held: list[_Held] = []

    def start(self, prompts: Sequence[str], truncation: Truncation, limit: int) -> None:
        """Begin to tokenise; does nothing where that was begun, for very many prompts, or without a fast tokenizer."""
        is_fast = getattr(self._reader.tokenizer, "is_fast", False)
        if not is_fast or len(prompts) > MOST_PROMPTS or self._find(prompts, truncation, limit):
            return
        held = _Held(list(prompts), truncation, limit)
        held.thread = threading.Thread(target=self._read, args=(held,), name="grue-prompts", daemon=True)
        held.thread.start()
        self._held = [*self._held, held][-MOST_HELD:]

    def take(self, prompts: Sequence[str], truncation: Truncation, limit: int) -> list[EncodedPrompt]:
        """Token ids of prompts, in order; what was read ahead is let go of.

        Raises:
            CheckpointError: as ``PromptReader.encode``.
        """
        held = self._find(prompts, truncation, limit)
        if held is None or held.thread is None:
            return self._reader.encode(prompts, truncation, limit)
        self._held.remove(held)
        held.thread.join()
        if held.error is not None:
            raise held.error
        return held.encoded

    def _find(self, prompts: Sequence[str], truncation: Truncation, limit: int) -> _Held | None:
        for held in self._held:
            if (held.truncation, held.limit) == (truncation, limit) and held.prompts == list(prompts):
                return held
        return None

    def _read(self, held: _Held) -> None:
        try:
            held.encoded = self._reader.encode(held.prompts, held.truncation, held.limit)
        except BaseException as error:  # noqa: BLE001 - told to whoever asks for the prompts
            held.error = error


@dataclass(slots=True, eq=False)
class _Held:
    """Prompts that are read, or being read."""

    prompts: list[str]
    truncation: Truncation
    limit: int
    encoded: list[EncodedPrompt] = field(default_factory=list)
    error: BaseException | None = None
    thread: threading.Thread | None = None
