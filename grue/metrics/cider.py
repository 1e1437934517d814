"""CIDEr and CIDEr-D: cosine of tf-idf vectors of word n-grams with each reference, 0 to 10.

Vedantam, Zitnick and Parikh 2015. ``cider`` is the plain measure of the authors' code; ``cider_d`` adds clipping and
a Gaussian penalty (sigma 6) on the difference in length, and is what pycocoevalcap (1.2) and papers call CIDEr. The
length is the number of word pairs, as in both codes. Document frequencies come from the references of the rows that
are scored (``coco.df=corpus``): a row is one document, whatever its number of references or of predictions, and with
a single row every n-gram occurs in all documents, so that its value is 0. ``coco.df=FILE`` takes them from a file of
``grue.metrics.cider_frequencies``, so that a row's value does not depend on the other rows.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from grue.core.metric import Digests, Explanation, Floats, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.cider_explain import explain
from grue.metrics.cider_frequencies import Frequencies, Item, count_documents, read_frequencies
from grue.metrics.cider_scores import scores
from grue.metrics.coco_bleu import tokenizer_signature
from grue.metrics.coco_words import SEPARATOR, captions

_CORPUS = "corpus"
_UNDEFINED = "no row has a reference"


@dataclass(frozen=True)
class Cider:
    """CIDEr with document frequencies of the scored references.

    Predictions whose inputs have the same ``row`` are samples of one row, and its references count once; without it
    each prediction is a row of its own.
    """

    name: str
    tokenize: str
    scale: float | None = 10.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    undefined: ClassVar[str] = _UNDEFINED
    kind: ClassVar[str] = "pooled"

    @property
    def digest_key(self) -> Hashable:
        """Both measures read the same digests."""
        return ("cider", self.tokenize)

    def signature(self) -> str:
        """Tokeniser, document frequencies and the implementation that it equals."""
        return _signature(self.name, self.tokenize, "df:corpus")

    def digest(self, texts: Texts) -> Sequence[Item]:
        """Row, numbers of the prediction's words and of its references' words."""
        return _items(texts, self.tokenize)

    def pooled(self, digests: Digests) -> Floats:
        """Shape (n,)."""
        frequencies = digests.derived("document frequencies", lambda: count_documents(digests.items))
        return scores(digests.items, frequencies, clipped=self.name == "cider_d")

    def explain(self, texts: Texts) -> list[Explanation]:
        """The heaviest n-grams; document frequencies are those of the rows that are explained together."""
        items = _items(texts, self.tokenize)
        return explain(texts, items, count_documents(items), self.tokenize, clipped=self.name == "cider_d")


@dataclass(frozen=True)
class CiderByFile:
    """CIDEr with document frequencies of a file."""

    name: str
    tokenize: str
    frequencies: Frequencies = field(repr=False)
    scale: float | None = 10.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "mean"

    def signature(self) -> str:
        """Tokeniser, hash of the frequencies and the implementation that it equals."""
        return _signature(self.name, self.tokenize, f"df:file-{self.frequencies.sha256[:12]}")

    def per_sample(self, texts: Texts) -> Floats:
        """Shape (n,)."""
        return scores(_items(texts, self.tokenize), self.frequencies, clipped=self.name == "cider_d")

    def explain(self, texts: Texts) -> list[Explanation]:
        """The heaviest n-grams."""
        items = _items(texts, self.tokenize)
        return explain(texts, items, self.frequencies, self.tokenize, clipped=self.name == "cider_d")


def _signature(name: str, tokenize: str, frequencies: str) -> str:
    penalty = "|sigma:6.0|clip:yes" if name == "cider_d" else ""
    return f"{name}|{tokenizer_signature(tokenize)}|n:4{penalty}|{frequencies}|impl:pycocoevalcap-1.2|v:1"


def _items(texts: Texts, tokenize: str) -> list[Item]:
    return texts.derived(("cider items", tokenize), lambda: _made(texts, tokenize))


def _made(texts: Texts, tokenize: str) -> list[Item]:
    shared = captions(texts, tokenize)
    joined: dict[tuple[str, ...], bytes] = {}
    items: list[Item] = []
    for prediction, references, inputs in zip(texts.predictions, texts.references, texts.inputs, strict=True):
        key = tuple(references)
        known = joined.get(key)
        if known is None and references:
            known = joined[key] = SEPARATOR.join(shared.code(reference) for reference in references)
        row: Any = inputs.get("row")
        items.append((row if isinstance(row, str) else None, shared.code(prediction), known))
    return items


def make(name: str, settings: Mapping[str, Setting | None]) -> Cider | CiderByFile:
    """Build from the settings of the family ``coco``.

    Raises:
        MetricUnavailableError: where the file of document frequencies is not there.
        UsageError: where it is no such file.
    """
    tokenize, frequencies = str(settings["tokenize"]), str(settings["df"])
    if frequencies == _CORPUS:
        return Cider(name, tokenize)
    return CiderByFile(name, tokenize, read_frequencies(Path(frequencies), tokenize))


_FAILINGS = (
    "With document frequencies of the scored references a value depends on all rows: subsets are not comparable, and "
    "a single row gets 0.",
    "N-grams that occur in no reference weigh most, so that rare slips cost more than frequent ones.",
    "Words are compared as they stand, without stems or synonyms.",
)
CARDS: Mapping[str, Card] = {
    "cider": Card(
        "How near a prediction's word n-grams (1 to 4) are to each reference's, rare ones weighing more; mean cosine.",
        0.0,
        10.0,
        "Vedantam, Zitnick and Parikh 2015; the authors' plain CIDEr scorer",
        (*_FAILINGS, "Long predictions that repeat rare words are not punished; cider_d mends that."),
    ),
    "cider_d": Card(
        "CIDEr with clipped counts and a penalty on the difference in length: what captioning papers report as CIDEr.",
        0.0,
        10.0,
        "Vedantam, Zitnick and Parikh 2015 (section 8); the Cider scorer of pycocoevalcap 1.2",
        _FAILINGS,
    ),
}
