"""The seam between the evaluator and whatever generates: requests in, generations out as they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from grue.core.decoding import Decoding
from grue.core.rows import Generation, Row
from grue.core.run import ModelInfo
from grue.core.task import Truncation
from grue.core.text import Json


@dataclass(frozen=True, slots=True)
class Request:
    """One generation to make: the ``sample``-th draw for a row."""

    row: Row
    sample: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that could not be answered, and why, in a sentence."""

    id: str
    sample: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a device did since the portion before.

    Attributes:
        worker: Who worked, such as ``cpu``, ``cuda:1`` or a cluster's worker.
        prefill_tokens: Prompt tokens read.
        prefill_seconds: Time spent reading them.
        decode_tokens: New tokens written in that time, those of rows that are not finished included; a text's first
            token comes with the prompt's reading and is in none.
        decode_seconds: Time spent writing new tokens.
        rows: Most rows that were decoded together.
    """

    worker: str = ""
    prefill_tokens: int = 0
    prefill_seconds: float = 0.0
    decode_tokens: int = 0
    decode_seconds: float = 0.0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Portion:
    """What an engine hands out at a time.

    Attributes:
        generations: Finished ones.
        failures: Requests that will not be answered in this call.
        work: What it took; several where several workers reported, none where no model runs.
        events: What a reader of ``events.jsonl`` should know, each an object with a ``kind``: a batch that did not
            fit, a worker that died.
    """

    generations: Sequence[Generation] = ()
    failures: Sequence[Failure] = ()
    work: Sequence[Work] = ()
    events: Sequence[Mapping[str, Json]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """How a task's requests are generated.

    Attributes:
        decoding: Generation settings, the user's overrides applied.
        truncation: How prompts are cut.
        seed: Seed of the run; a row's draw depends on it, the row's id and the sample number alone.
        rows: All rows of the task that the run covers, in id order (null systems borrow from them).
        samples: Draws a row that the run asks for.
        batch_rows: Upper bound of rows a batch; ``None`` lets the engine choose.
        batch_tokens: Upper bound of prompt and new tokens held at once; ``None`` lets the engine choose.
        deterministic: Whether which rows are decoded together is fixed by the job alone, and not by time or memory.
    """

    decoding: Decoding
    truncation: Truncation
    seed: int
    rows: Sequence[Row]
    samples: int = 1
    batch_rows: int | None = None
    batch_tokens: int | None = None
    deterministic: bool = False


class Engine(Protocol):
    """Something that generates.

    Opening an engine reads and checks the checkpoint without loading weights, so that every fault of a call is
    found before anything runs.
    """

    notes: Sequence[str]  # what a user should know of the checkpoint, a sentence each

    @property
    def info(self) -> ModelInfo:
        """Who generates; asking may wait until the weights are hashed."""
        ...

    @property
    def folder(self) -> Path | None:
        """Folder of the checkpoint; ``None`` where no model runs or it lives in memory alone."""
        ...

    def covered(self, rows: Sequence[Row]) -> list[Row]:
        """The rows this engine generates for, as they are to be scored; most engines return them unchanged.

        ``oracle:reference`` leaves out rows with one reference and takes the last from the others.
        """
        ...

    def settings(self, job: Job) -> Mapping[str, Json]:
        """What the manifest says of generation: decoding, cut, chat template; empty where no model runs.

        Raises:
            CheckpointError: where no prompt of the job can fit the model's context.
        """
        ...

    def environment(self) -> Mapping[str, Json]:
        """What the manifest says of devices; empty where no model runs."""
        ...

    def load(self) -> None:
        """Load the weights; called once, before the first ``generate``. Takes no time where no model runs."""
        ...

    def generate(self, requests: Sequence[Request], job: Job) -> Iterator[Portion]:
        """Yield what is finished as it comes: each request once, as a generation or as a failure, in any order.

        ``prediction`` is the decoded text; the evaluator applies the task's post-processing. What the engine raises
        ends the task; what was yielded before stands.
        """
        ...

    def peak_memory_bytes(self) -> int | None:
        """Most memory held on the device so far; ``None`` where that is the process's own or no model runs."""
        ...

    def close(self) -> None:
        """Give back what ``load`` took."""
        ...
