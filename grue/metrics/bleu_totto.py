"""BLEU as the ToTTo evaluation computes it, 0 to 1: lower-cased, Moses-detokenised, against three references.

Parikh et al. 2020 (EMNLP). Blank predictions become the null text, references are padded to three with it, and
everything is joined again by Moses' English rules (``text.detokenize``) before SacreBLEU splits it by 13a. The
evaluation's command line rounds to three digits; this does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grue.core.metric import Explanation, Floats, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.parent_inputs import SUBSETS, in_subset, one_line, padded, plain
from grue.metrics.sacre_bleu import SacreBleu
from grue.metrics.sacre_bleu import make as make_sacrebleu
from grue.metrics.settings import resolve

PERCENT = 100.0


@dataclass(frozen=True)
class TottoBleu:
    """Corpus BLEU over all rows or one subset; statistics are SacreBLEU's.

    Attributes:
        subset: ``""``, ``"_overlap"`` or ``"_nonoverlap"``; rows outside it have no statistics.
    """

    name: str
    subset: str
    bleu: SacreBleu
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "segment"

    @property
    def undefined(self) -> str:
        """Why there is no value."""
        return f"no row of the subset {self.subset[1:]!r} (input 'overlap_subset')" if self.subset else "no rows"

    def signature(self) -> str:
        """SacreBLEU's, and what is done before it."""
        return f"{self.name}|pre:lc+moses-en|refs:padded-3|{self.bleu.signature()}|scale:1|v:1"

    def statistics(self, texts: Texts) -> Floats:
        """Shape (n, 10): hypothesis and reference length, matches and totals; NaN for rows outside the subset."""
        whole: Floats = texts.derived("totto bleu", lambda: self.bleu.statistics(_prepared(texts)))
        if not self.subset:
            return whole
        inside = np.array([in_subset(inputs, self.subset) for inputs in texts.inputs], dtype=bool)
        return np.where(inside[:, None], whole, np.nan)

    def corpus_value(self, total: Floats) -> Floats:
        """BLEU of summed statistics, shape (..., 10) -> (...); NaN for no rows at all."""
        value: Floats = self.bleu.corpus_value(total) / PERCENT
        return np.where(np.asarray(total)[..., 1] > 0, value, np.nan)

    def sample_values(self, statistics: Floats) -> Floats:
        """Sentence BLEU with effective order."""
        value: Floats = self.bleu.sample_values(statistics) / PERCENT
        return value

    def explain(self, texts: Texts) -> list[Explanation]:
        """SacreBLEU's explanation of the prepared texts."""
        explain = getattr(self.bleu, "explain", None)
        found: list[Explanation] = explain(_prepared(texts)) if explain else []
        return found


def _prepared(texts: Texts) -> Texts:
    predictions = [plain(one_line(text)) for text in texts.predictions]
    references: Sequence[Sequence[str]] = [[plain(text) for text in padded(row)] for row in texts.references]
    return Texts(predictions, references, texts.inputs)


def make(name: str, settings: Mapping[str, Setting | None]) -> TottoBleu:  # noqa: ARG001 - those of PARENT
    """Build the metric; it takes none of its family's settings."""
    subset = next(s for s in reversed(SUBSETS) if name.endswith(s))
    return TottoBleu(name=name, subset=subset, bleu=make_sacrebleu("sacrebleu", resolve("sacrebleu", {})))


CARDS: Mapping[str, Card] = {
    f"bleu_totto{subset}": Card(
        measures="Share of word n-grams that a description has in common with its references, with a brevity penalty."
        + {"": "", "_overlap": " On overlapping tables.", "_nonoverlap": " On non-overlapping tables."}[subset],
        low=0.0,
        high=1.0,
        source="Papineni et al. 2002; Parikh et al. 2020 (EMNLP): the ToTTo evaluation scripts.",
        failings=(
            "The padding counts: where a row has fewer than three references the null text is one of them.",
            "Corpus level: values of single rows are sentence BLEU with effective order and do not average to it.",
        ),
    )
    for subset in SUBSETS
}
