"""Null systems, which bound a task from below, and the oracle, which bounds it from above; no model runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from grue.core.errors import UsageError
from grue.core.rows import Generation, Row
from grue.core.run import ModelInfo
from grue.core.text import Json, nearest
from grue.engine.options import EngineOptions
from grue.engine.protocol import Job, Request

# One sentence for every row of every task, independent of the data.
CONSTANT_TEXT = "This is a sentence."
GROUP_ROWS = 256
ORACLE = "oracle:reference"

_Writer = Callable[[Request, Job], str]


@dataclass(slots=True)
class NullEngine:
    """Writes by a fixed rule: nothing, a constant, the input, or a reference of another row."""

    info: ModelInfo
    write: _Writer
    notes: Sequence[str] = ()

    def covered(self, rows: Sequence[Row]) -> list[Row]:
        """All rows, unchanged."""
        return list(rows)

    def settings(self, job: Job) -> Mapping[str, Json]:  # noqa: ARG002 - part of the protocol
        """Nothing: no model runs."""
        return {}

    def environment(self) -> Mapping[str, Json]:
        """Nothing: no device is used."""
        return {}

    def load(self) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing to give back."""

    def peak_memory_bytes(self) -> int | None:
        """``None``: no device is used."""
        return None

    def generate(self, requests: Sequence[Request], job: Job) -> Iterator[list[Generation]]:
        """Yield groups of generations in the order asked."""
        for start in range(0, len(requests), GROUP_ROWS):
            group = requests[start : start + GROUP_ROWS]
            yield [Generation(id=r.row.id, sample=r.sample, prediction=self.write(r, job)) for r in group]


@dataclass(slots=True)
class OracleEngine:
    """Writes a row's last reference, to be scored against the others."""

    info: ModelInfo
    notes: Sequence[str] = ()
    _held_back: dict[tuple[str, str, tuple[str, ...]], str] = field(default_factory=dict)

    def covered(self, rows: Sequence[Row]) -> list[Row]:
        """Rows with at least two references, each without its last."""
        kept = []
        for row in rows:
            if len(row.references) < 2:
                continue
            rest = replace(row, references=row.references[:-1])
            self._held_back[_key(rest)] = row.references[-1]
            kept.append(rest)
        return kept

    def settings(self, job: Job) -> Mapping[str, Json]:  # noqa: ARG002 - part of the protocol
        """Nothing: no model runs."""
        return {}

    def environment(self) -> Mapping[str, Json]:
        """Nothing: no device is used."""
        return {}

    def load(self) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing to give back."""

    def peak_memory_bytes(self) -> int | None:
        """``None``: no device is used."""
        return None

    def generate(self, requests: Sequence[Request], job: Job) -> Iterator[list[Generation]]:  # noqa: ARG002
        """Yield the references held back by ``covered``, in the order asked.

        Raises:
            UsageError: for a row that ``covered`` did not hand out.
        """
        for start in range(0, len(requests), GROUP_ROWS):
            group = []
            for request in requests[start : start + GROUP_ROWS]:
                text = self._held_back.get(_key(request.row))
                if text is None:
                    raise UsageError(f"{ORACLE} holds no reference back for row {request.row.id!r}.")
                group.append(Generation(id=request.row.id, sample=request.sample, prediction=text))
            yield group


def row_seed(seed: int, row_id: str, sample: int) -> int:
    """A 128-bit seed that depends on the run's seed, the row and the draw alone."""
    digest = hashlib.sha256(f"{seed}\t{row_id}\t{sample}".encode()).digest()
    return int.from_bytes(digest[:16], "big")


def open_null(source: str, options: EngineOptions) -> NullEngine | OracleEngine:
    """A null system or the oracle by its name.

    Raises:
        UsageError: for an unknown name.
    """
    name = options.name or source
    if source == ORACLE:
        return OracleEngine(ModelInfo(name=name, source=source, kind="oracle", meta=options.meta))
    if source not in _WRITERS:
        known = [*_WRITERS, ORACLE]
        raise UsageError(
            f"-m: unknown system {source!r}.{nearest(source, known)}", f"Systems without a model: {', '.join(known)}."
        )
    return NullEngine(ModelInfo(name=name, source=source, kind="null", meta=options.meta), _WRITERS[source])


def _key(row: Row) -> tuple[str, str, tuple[str, ...]]:
    return row.id, row.prompt, row.references


def _empty(request: Request, job: Job) -> str:  # noqa: ARG001 - all writers share one shape
    return ""


def _constant(request: Request, job: Job) -> str:  # noqa: ARG001
    return CONSTANT_TEXT


def _copy_input(request: Request, job: Job) -> str:  # noqa: ARG001
    source = request.row.inputs.get("source")
    return source if isinstance(source, str) else request.row.prompt


def _random_reference(request: Request, job: Job) -> str:
    """A reference of another row of the run, drawn by seed, row and sample; empty where no other row has one."""
    others = [row for row in job.rows if row.references and row.id != request.row.id]
    if not others:
        return ""
    random = np.random.Generator(np.random.Philox(key=row_seed(job.seed, request.row.id, request.sample)))
    row = others[int(random.integers(len(others)))]
    return row.references[int(random.integers(len(row.references)))]


_WRITERS: Mapping[str, _Writer] = {
    "null:empty": _empty,
    "null:constant": _constant,
    "null:copy-input": _copy_input,
    "null:random-reference": _random_reference,
}
