"""A row of a task, its id, and the fingerprints of a set of rows."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from grue.core.text import Json, canonical_json

_SPLIT_ALIASES = {"val": "validation", "dev": "validation"}
_SUBSET_SALT = "grue-subset-1:"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to generate for.

    Attributes:
        id: Unique in its split and stable between versions of the data.
        prompt: What a model is asked, before chat template, tokenisation and cut.
        references: Texts that people wrote for it; empty where the data set withholds them.
        inputs: What metrics and rewards ask for by name (``concepts``, ``table``, ``source`` …), JSON values.
            ``source`` is the row's input text without the instruction, where the task has one.
    """

    id: str
    prompt: str
    references: tuple[str, ...] = ()
    inputs: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation for a row: what is stored a line, and what is scored.

    Attributes:
        id: Id of the row.
        sample: 0-based number of the draw.
        prediction: The text after the task's post-processing: what is scored.
        raw: The decoded text before it; ``None`` where it is equal.
        prompt: The prompt as the model saw it; ``None`` where no model ran.
        finish_reason: ``"stop"``, ``"length"`` or ``None`` where no model ran.
        prompt_tokens: Tokens the model read, special tokens included; ``None`` where no model ran.
        generated_tokens: New tokens, the end token included; ``None`` where no model ran.
        prompt_cut: Whether the prompt was cut; ``None`` where no model ran.
        latency_seconds: From the start of the row's batch to its last token; ``None`` where no model ran.
    """

    id: str
    sample: int
    prediction: str
    raw: str | None = None
    prompt: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    generated_tokens: int | None = None
    prompt_cut: bool | None = None
    latency_seconds: float | None = None


def split_name(name: str) -> str:
    """The split's full name: ``val`` and ``dev`` are read as ``validation``."""
    return _SPLIT_ALIASES.get(name, name)


def number_repeats(rows: Iterable[Row]) -> list[Row]:
    """Append ``-2``, ``-3`` … to the second, third … row of one id, in file order."""
    seen: Counter[str] = Counter()
    numbered = []
    for row in rows:
        seen[row.id] += 1
        count = seen[row.id]
        numbered.append(row if count == 1 else replace(row, id=f"{row.id}-{count}"))
    return numbered


def subset(rows: Sequence[Row], limit: int | None) -> list[Row]:
    """The ``limit`` rows with the smallest salted hash of their id, in id order.

    Subsets are nested and the same for every model, whatever the seed.
    """
    if limit is None or limit >= len(rows):
        return sorted(rows, key=lambda row: row.id)

    def rank(row: Row) -> str:
        return hashlib.sha256((_SUBSET_SALT + row.id).encode()).hexdigest()

    return sorted(sorted(rows, key=rank)[:limit], key=lambda row: row.id)


def prompts_sha256(rows: Iterable[Row]) -> str:
    """Hash over the rows in id order of ``id``, tab, prompt, newline."""
    digest = hashlib.sha256()
    for row in sorted(rows, key=lambda row: row.id):
        digest.update(f"{row.id}\t{row.prompt}\n".encode())
    return digest.hexdigest()


def data_sha256(rows: Iterable[Row]) -> str:
    """Hash over the rows in id order of id, prompt, references and inputs, tab-separated, newline.

    References and inputs stand as canonical JSON.
    """
    digest = hashlib.sha256()
    for row in sorted(rows, key=lambda row: row.id):
        fields = (row.id, row.prompt, canonical_json(list(row.references)), canonical_json(dict(row.inputs)))
        digest.update(("\t".join(fields) + "\n").encode())
    return digest.hexdigest()
