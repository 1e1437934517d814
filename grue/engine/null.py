"""Null systems, which bound a task from below, and the oracle, which bounds it from above; no model runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from grue.core.errors import UsageError
from grue.core.rows import Generation, Row
from grue.core.run import ModelInfo
from grue.core.text import Json, nearest
from grue.engine.options import EngineOptions
from grue.engine.protocol import Job, Portion, Request

# One sentence for every row of every task, independent of the data.
CONSTANT_TEXT = "This is a sentence."
GROUP_ROWS = 256
ORACLE = "oracle:reference"

# What is prepared once for a job -> the text of a request.
_Writer = Callable[[Request], str]
_Rule = Callable[[Job], _Writer]
_Cover = Callable[[Sequence[Row]], list[Row]]


@dataclass(slots=True)
class NullEngine:
    """Writes by a fixed rule: nothing, a constant, the input, a reference of another row, or a row's own last one.

    Attributes:
        info: Who writes.
        rule: Job -> how a request is answered.
        cover: Rows -> those it writes for, as they are to be scored.
        notes: None.
    """

    info: ModelInfo
    rule: _Rule
    cover: _Cover = list
    notes: Sequence[str] = ()
    folder: Path | None = None

    def covered(self, rows: Sequence[Row]) -> list[Row]:
        """The rows it writes for: all of them unchanged, but for the oracle."""
        return self.cover(rows)

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

    def generate(self, requests: Sequence[Request], job: Job) -> Iterator[Portion]:
        """Yield groups of generations in the order asked.

        Raises:
            UsageError: from the oracle, for a row that ``covered`` did not hand out.
        """
        write = self.rule(job)
        for start in range(0, len(requests), GROUP_ROWS):
            group = requests[start : start + GROUP_ROWS]
            yield Portion([Generation(id=r.row.id, sample=r.sample, prediction=write(r)) for r in group])


class _Oracle:
    """Holds back each row's last reference, to be scored against the others."""

    def __init__(self) -> None:
        self._held_back: dict[tuple[str, str, tuple[str, ...]], str] = {}

    def cover(self, rows: Sequence[Row]) -> list[Row]:
        """Rows with at least two references, each without its last."""
        kept = []
        for row in rows:
            if len(row.references) < 2:
                continue
            rest = replace(row, references=row.references[:-1])
            self._held_back[_key(rest)] = row.references[-1]
            kept.append(rest)
        return kept

    def rule(self, job: Job) -> _Writer:  # noqa: ARG002 - has the shape of a rule
        return self._write

    def _write(self, request: Request) -> str:
        text = self._held_back.get(_key(request.row))
        if text is None:
            raise UsageError(f"{ORACLE} holds no reference back for row {request.row.id!r}.")
        return text


def row_seed(seed: int, row_id: str, sample: int) -> int:
    """A 128-bit seed that depends on the run's seed, the row and the draw alone."""
    digest = hashlib.sha256(f"{seed}\t{row_id}\t{sample}".encode()).digest()
    return int.from_bytes(digest[:16], "big")


def open_null(source: str, options: EngineOptions) -> NullEngine:
    """A null system or the oracle by its name.

    Raises:
        UsageError: for an unknown name.
    """
    name = options.name or source
    if source == ORACLE:
        oracle = _Oracle()
        info = ModelInfo(name=name, source=source, kind="oracle", meta=options.meta)
        return NullEngine(info, oracle.rule, oracle.cover)
    if source not in _RULES:
        known = [*_RULES, ORACLE]
        raise UsageError(
            f"-m: unknown system {source!r}.{nearest(source, known)}", f"Systems without a model: {', '.join(known)}."
        )
    return NullEngine(ModelInfo(name=name, source=source, kind="null", meta=options.meta), _RULES[source])


def _key(row: Row) -> tuple[str, str, tuple[str, ...]]:
    return row.id, row.prompt, row.references


def _empty(job: Job) -> _Writer:  # noqa: ARG001 - all rules share one shape
    return lambda request: ""  # noqa: ARG005


def _constant(job: Job) -> _Writer:  # noqa: ARG001
    return lambda request: CONSTANT_TEXT  # noqa: ARG005


def _copy_input(job: Job) -> _Writer:  # noqa: ARG001
    def write(request: Request) -> str:
        source = request.row.inputs.get("source")
        return source if isinstance(source, str) else request.row.prompt

    return write


def _random_reference(job: Job) -> _Writer:
    """A reference of another row of the run, drawn by seed, row and sample; empty where no other row has one."""
    candidates = [row for row in job.rows if row.references]
    place_of = {row.id: place for place, row in enumerate(candidates)}

    def write(request: Request) -> str:
        own = place_of.get(request.row.id)
        n_others = len(candidates) - (own is not None)
        if not n_others:
            return ""
        random = np.random.Generator(np.random.Philox(key=row_seed(job.seed, request.row.id, request.sample)))
        place = int(random.integers(n_others))
        # The row itself is no candidate: places from its own on move up by one.
        row = candidates[place + (own is not None and place >= own)]
        return row.references[int(random.integers(len(row.references)))]

    return write


_RULES: Mapping[str, _Rule] = {
    "null:empty": _empty,
    "null:constant": _constant,
    "null:copy-input": _copy_input,
    "null:random-reference": _random_reference,
}
