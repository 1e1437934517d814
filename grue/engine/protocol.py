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


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """How a task's requests are generated.

    Attributes:
        decoding: Generation settings, the user's overrides applied.
        truncation: How prompts are cut.
        seed: Seed of the run; a row's draw depends on it, the row's id and the sample number alone.
        rows: All rows of the task that the run covers, in id order (null systems borrow from them).
        batch_rows: Upper bound of rows a batch; ``None`` lets the engine choose.
        batch_tokens: Upper bound of padded prompt and new tokens a batch; ``None`` lets the engine choose.
    """

    decoding: Decoding
    truncation: Truncation
    seed: int
    rows: Sequence[Row]
    batch_rows: int | None = None
    batch_tokens: int | None = None


class Engine(Protocol):
    """Something that generates.

    Opening an engine reads and checks the checkpoint without loading weights, so that every fault of a call is
    found before anything runs. ``info`` is complete from then on.
    """

    info: ModelInfo
    notes: Sequence[str]  # what a user should know of the checkpoint, a sentence each

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

    def generate(self, requests: Sequence[Request], job: Job) -> Iterator[list[Generation]]:
        """Yield finished generations in groups as they come, each request exactly once, in any order.

        ``prediction`` is the decoded text; the evaluator applies the task's post-processing.
        """
        ...

    def peak_memory_bytes(self) -> int | None:
        """Most memory held on the device so far; ``None`` where that is the process's own or no model runs."""
        ...

    def close(self) -> None:
        """Give back what ``load`` took."""
        ...
