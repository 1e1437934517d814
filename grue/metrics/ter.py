"""TER as SacreBLEU computes it: edits and shifts by mean reference length, in percent; lower is better.

Snover et al. 2006. Statistics and values equal those of the `sacrebleu` package, version 2.6.0, whose words are taken
and whose search of shifts is done on bits (``text.edits``). Above 100 where more edits are needed than the reference
has words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from grue.core.metric import Explanation, Floats, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.mt_explain import edit_parts
from grue.metrics.sacre import distinct, library_signature
from grue.metrics.text.edits import MOST_WORDS, Edited, Reference
from grue.metrics.text.mt_tokens import uncached

CARDS: Mapping[str, Card] = {
    "ter": Card(
        "Edits (insertions, deletions, replacements, shifts of words) by the length of the reference; lower is better.",
        0.0,
        None,
        "Snover et al. 2006, 'A Study of Translation Edit Rate with Targeted Human Annotation'; as sacrebleu 2.6.0",
        (
            "Long texts go above 100: an empty text scores 100 and can beat one that says too much.",
            "Case is ignored unless case_sensitive=true; a word with a full stop is not the same word without it.",
            "With normalized=true references are cut twice, as by sacrebleu: a few texts differ from themselves.",
            "The search of shifts stops after 1,000 tries and keeps to a beam, so that long texts get too many edits.",
            f"Texts of more than {MOST_WORDS:,} words are refused unless they are equal or share no word.",
        ),
    )
}


@dataclass(frozen=True)
class Ter:
    """A row's statistics: edits to the nearest reference, mean length of its references."""

    library: Any = field(repr=False)
    name: str = "ter"
    scale: float | None = 100.0
    higher_is_better: bool | None = False
    needs_references: bool = True
    kind: ClassVar[str] = "segment"

    def signature(self) -> str:
        """SacreBLEU's signature."""
        return library_signature(self.library)

    def statistics(self, texts: Texts) -> Floats:
        """Shape (n, 2); NaN for a row without references.

        Raises:
            ValueError: where a text is too long for the search of shifts.
        """
        held = self._held(texts)
        out = np.full((len(texts), 2), np.nan)
        for index, (text, *references) in enumerate(distinct(texts).rows):
            if references:
                edits = min(held.edited(text, reference).edits for reference in references)
                length = sum(len(held.reference(reference).words) for reference in references)
                out[index] = edits, length / len(references)
        return out

    def corpus_value(self, total: Floats) -> Floats:
        """Edits by reference length, shape (..., 2) -> (...); 100 for edits without any reference word."""
        stats = np.asarray(total, dtype=np.float64)
        edits, length = stats[..., 0], stats[..., 1]
        rate = np.where(length > 0, edits / np.where(length > 0, length, 1.0), np.where(edits > 0, 1.0, 0.0))
        return np.where(np.isnan(stats).any(axis=-1), np.nan, 100 * rate)

    def sample_values(self, statistics: Floats) -> Floats:
        """Sentence TER: the same formula on one row."""
        return self.corpus_value(statistics)

    def explain(self, texts: Texts) -> list[Explanation]:
        """Edits to the reference that needs fewest."""
        held = self._held(texts)
        return [self._explained(held, text, references) for text, *references in distinct(texts).rows]

    def _explained(self, held: _Held, text: int, references: list[int]) -> Explanation:
        if not references:
            return Explanation(None, "there is no reference")
        try:
            found = [held.edited(text, reference) for reference in references]
        except ValueError as error:
            return Explanation(None, str(error))
        edits = [one.edits for one in found]
        best = edits.index(min(edits))
        length = sum(len(held.reference(reference).words) for reference in references) / len(references)
        return Explanation(
            float(self.corpus_value(np.array([edits[best], length]))),
            f"{edits[best]} edits ({len(found[best].moved)} of them shifts) by {length:g} reference words",
            best,
            edit_parts(held.reference(references[best]), found[best]),
        )

    def _held(self, texts: Texts) -> _Held:
        chosen = self.library
        key = ("ter", chosen.normalized, chosen.no_punct, chosen.asian_support, chosen.case_sensitive)
        return texts.derived(
            key, lambda: _Held([self.words(text) for text in distinct(texts).texts], self.reference_words)
        )

    def words(self, text: str) -> list[str]:
        """The words of a text as they are compared."""
        text = text.rstrip()
        if not (self.library.normalized or self.library.no_punct):
            return (text if self.library.case_sensitive else text.lower()).split()
        return uncached(self.library.tokenizer, text).split()

    def reference_words(self, words: list[str]) -> list[str]:
        """The words of a reference, from what ``words`` made of it: the library cuts references twice.

        The second time changes something under ``normalized`` alone: entities written with ``&amp;`` are read once
        more, and what stood before another blank than a space, as in ``it's``, is cut.
        """
        return self.words(" ".join(words)) if self.library.normalized else words


class _Held:
    """Words of a portion's distinct texts, those of references prepared, pairs searched once."""

    def __init__(self, words: list[list[str]], of_reference: Callable[[list[str]], list[str]]) -> None:
        self.words = words
        self._of_reference = of_reference
        self._references: dict[int, Reference] = {}
        self._edited: dict[tuple[int, int], Edited] = {}

    def reference(self, number: int) -> Reference:
        if number not in self._references:
            self._references[number] = Reference(self._of_reference(self.words[number]))
        return self._references[number]

    def edited(self, text: int, reference: int) -> Edited:
        key = (text, reference)
        if key not in self._edited:
            self._edited[key] = self.reference(reference).edited(self.words[text])
        return self._edited[key]


def make(name: str, settings: Mapping[str, Setting | None]) -> Ter:
    """Build from the settings of the family ``ter``, named as the library's."""
    from sacrebleu.metrics import TER

    chosen: dict[str, Any] = dict(settings)
    return Ter(library=TER(**chosen), name=name)
