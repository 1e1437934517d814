"""What SacreBLEU's metrics share: distinct texts of a portion numbered, and the library's signature."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from grue.core.metric import Texts
from grue.metrics.text.shared_grams import Ints, Symbols


class Distinct:
    """A portion's distinct texts, in the order met, and rows as their numbers."""

    def __init__(self, texts: Texts) -> None:
        self._numbers: dict[str, int] = {}
        number = self._number
        self.rows = [
            [number(prediction), *map(number, references)]
            for prediction, references in zip(texts.predictions, texts.references, strict=True)
        ]
        self.texts = list(self._numbers)

    def _number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    def alike(self) -> Iterator[tuple[Ints, Ints]]:
        """Rows with one number of references, and what they are: shapes (n,) and (n, 1 + references).

        Rows without references are left out.
        """
        by_size: dict[int, list[int]] = {}
        for index, row in enumerate(self.rows):
            by_size.setdefault(len(row), []).append(index)
        for size, indices in by_size.items():
            if size > 1:
                yield np.array(indices), np.array([self.rows[index] for index in indices])


def distinct(texts: Texts) -> Distinct:
    """The distinct texts of a portion, for all metrics that ask."""
    return texts.derived("distinct texts", lambda: Distinct(texts))


def numbered_words(texts: Iterable[str], cut: Callable[[str], Iterable[str]]) -> Symbols:
    """Words of each text, equal ones with equal numbers."""
    numbers: dict[str, int] = {}
    return Symbols.of_numbers([numbers.setdefault(word, len(numbers)) for word in cut(text)] for text in texts)


def library_signature(library: Any) -> str:
    """SacreBLEU's own signature; ``nrefs:var`` says that a row has as many references as its data give."""
    library.num_refs = -1
    return str(library.get_signature().format())
