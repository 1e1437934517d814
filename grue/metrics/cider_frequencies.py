"""Document frequencies of CIDEr: in how many rows the references have an n-gram.

A file of them is one JSON object, plain or ``.gz``: ``{"schema_version": 1, "tokenize": "ptb", "documents": N,
"frequencies": {"a dog": 12, …}}``, n-grams of one to four words joined by a blank. ``write_frequencies`` makes one
from references. The pickled files that pycocoevalcap's derivatives pass round are refused: unpickling runs code.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np

from grue.core.errors import MetricUnavailableError, UsageError
from grue.core.metric import Floats
from grue.metrics.coco_words import (
    ORDERS,
    WORD_BYTES,
    Grams,
    Numbers,
    caption,
    code,
    counted,
    grams_of,
)

# Row (None where each prediction is its own), numbers of the prediction's words, of its references' words.
Item: TypeAlias = tuple[str | None, bytes, bytes | None]
_PICKLES = (".p", ".pkl", ".pickle")
_ROWS_AT_ONCE = 8192
_MAKE = "Make one from references with grue.metrics.cider_frequencies.write_frequencies."


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How many documents have each n-gram.

    Attributes:
        documents: Number of documents.
        keys: For each order, numbers of n-grams, ascending.
        counts: For each order, documents that have them.
        sha256: Hash of the file they come from; empty for those of a corpus.
    """

    documents: int
    keys: tuple[Numbers, ...] = field(repr=False)
    counts: tuple[Floats, ...] = field(repr=False)
    sha256: str = ""

    def idf(self, order: int, grams: Numbers) -> Floats:
        """Log of documents by document frequency, shape of ``grams``; an unknown n-gram counts as in one document."""
        keys, counts = self.keys[order - 1], self.counts[order - 1]
        if not self.documents:
            return np.zeros(len(grams))
        if not len(keys):
            return np.full(len(grams), np.log(float(self.documents)))
        place = np.minimum(np.searchsorted(keys, grams), len(keys) - 1)
        found = np.where(keys[place] == grams, counts[place], 1.0)
        return np.asarray(np.log(float(self.documents)) - np.log(np.maximum(found, 1.0)))


def referenced(item: Item) -> list[bytes]:
    """Numbers of each reference's words."""
    joined = item[2]
    if joined is None:
        return []
    words = np.frombuffer(joined, dtype="<u8")
    stops = np.flatnonzero(words == 0).tolist()
    starts = [0, *(stop + 1 for stop in stops)]
    return [
        joined[start * WORD_BYTES : stop * WORD_BYTES] for start, stop in zip(starts, [*stops, len(words)], strict=True)
    ]


def count_documents(items: Sequence[Item]) -> Frequencies:
    """Document frequencies of the items' references, each row once."""
    seen: set[str] = set()
    documents = 0
    keys = [np.empty(0, dtype=np.uint64) for _ in ORDERS]
    counts = [np.empty(0) for _ in ORDERS]
    waiting: list[list[bytes]] = []
    for item in items:
        row = item[0]
        if item[2] is None or (row is not None and row in seen):
            continue
        if row is not None:
            seen.add(row)
        documents += 1
        waiting.append(referenced(item))
        if len(waiting) == _ROWS_AT_ONCE:
            _count(waiting, keys, counts)
            waiting = []
    _count(waiting, keys, counts)
    return Frequencies(documents, tuple(keys), tuple(counts))


def _count(rows: Sequence[Sequence[bytes]], keys: list[Numbers], counts: list[Floats]) -> None:
    """Add the n-grams of rows, each row's own once."""
    owner = np.repeat(np.arange(len(rows), dtype=np.int64), [len(row) for row in rows])
    coded = [one for row in rows for one in row]
    for index, grams in enumerate(grams_of(coded)):
        found = counted(Grams(grams.keys, owner[grams.unit]))
        new = np.bincount(found.gram, minlength=len(found.distinct)).astype(np.float64)
        both = np.concatenate((keys[index], found.distinct))
        keys[index], place = np.unique(both, return_inverse=True)
        known = np.concatenate((counts[index], new))
        added: Floats = np.bincount(place, weights=known, minlength=len(keys[index])).astype(np.float64)
        counts[index] = added


def write_frequencies(references: Iterable[Sequence[str]], path: Path, tokenize: str = "ptb") -> int:
    """Write the document frequencies of rows of references; the number of rows.

    Args:
        references: The references of each row.
        path: A file ``.json`` or ``.json.gz``.
        tokenize: ``ptb`` or ``whitespace``, as in the setting ``coco.tokenize``.
    """
    counts: Counter[str] = Counter()
    documents = 0
    for row in references:
        documents += 1
        words = [caption(reference, tokenize).split() for reference in row]
        counts.update({gram for one in words for order in ORDERS for gram in _joined(one, order)})
    document = {"schema_version": 1, "tokenize": tokenize, "documents": documents, "frequencies": dict(counts)}
    data = json.dumps(document, ensure_ascii=True, sort_keys=True).encode("ascii")
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return documents


def _joined(words: Sequence[str], order: int) -> Iterable[str]:
    return (" ".join(gram) for gram in zip(*(words[start:] for start in range(order)), strict=False))


def read_frequencies(path: Path, tokenize: str) -> Frequencies:
    """Read a file of document frequencies.

    Raises:
        MetricUnavailableError: where there is no such file.
        UsageError: for a pickle, or a file of another form or tokenisation.
    """
    if path.suffix.lower() in _PICKLES:
        raise UsageError(
            f"coco.df: {path} is a pickle, which runs code when it is read, so it is not loaded.", f"{_MAKE}"
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MetricUnavailableError(
            f"the file of document frequencies {path} cannot be read ({error.strerror}): --set coco.df=FILE or corpus"
        ) from error
    try:
        document = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    except (ValueError, OSError, EOFError) as error:
        raise UsageError(f"coco.df: {path} is not JSON: {error}", _MAKE) from error
    return _checked(document, path, tokenize, hashlib.sha256(data).hexdigest())


def _checked(document: object, path: Path, tokenize: str, sha256: str) -> Frequencies:
    def wrong(what: str) -> UsageError:
        return UsageError(f"coco.df: {path}: {what}.", _MAKE)

    if not isinstance(document, dict) or not isinstance(document.get("frequencies"), dict):
        raise wrong("no object with 'documents' and 'frequencies'")
    if document.get("schema_version", 1) != 1:
        raise wrong(f"schema_version {document['schema_version']!r} is not known to this version of grue")
    documents = document.get("documents")
    if isinstance(documents, bool) or not isinstance(documents, int) or documents < 1:
        raise wrong("'documents' must be a whole number above 0")
    if (made := document.get("tokenize", tokenize)) != tokenize:
        raise wrong(f"made with coco.tokenize={made}, but {tokenize} is asked for")
    by_order: list[dict[bytes, int]] = [{} for _ in ORDERS]
    for gram, count in document["frequencies"].items():
        words = gram.split()
        if not 1 <= len(words) <= len(ORDERS):
            raise wrong(f"{gram!r} has {len(words)} words, not 1 to {len(ORDERS)}")
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= documents:
            raise wrong(f"the frequency of {gram!r} is {count!r}, not a whole number up to {documents}")
        by_order[len(words) - 1][code(words)] = count
    keys, counts = [], []
    for order, table in zip(ORDERS, by_order, strict=True):
        *_, grams = grams_of(list(table), ORDERS[:order])
        sorting = np.argsort(grams.keys)
        keys.append(grams.keys[sorting])
        counts.append(np.fromiter(table.values(), dtype=np.float64, count=len(table))[sorting])
    return Frequencies(documents, tuple(keys), tuple(counts), sha256)
