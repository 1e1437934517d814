"""TER as SacreBLEU computes it: edits and shifts by mean reference length, in percent; lower is better.

Snover et al. 2006 (`sacrebleu` package). Above 100 where more edits are needed than the reference has words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from grue.core.metric import Floats, Texts
from grue.core.task import Setting
from grue.metrics.sacre import library_signature, row_statistics


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
        """Shape (n, 2)."""
        return row_statistics(self.library, texts, f"ter {self.signature()}", 2)

    def corpus_value(self, total: Floats) -> Floats:
        """Edits by reference length, shape (..., 2) -> (...); 100 for edits without any reference word."""
        stats = np.asarray(total, dtype=np.float64)
        edits, length = stats[..., 0], stats[..., 1]
        rate = np.where(length > 0, edits / np.where(length > 0, length, 1.0), np.where(edits > 0, 1.0, 0.0))
        return np.where(np.isnan(stats).any(axis=-1), np.nan, 100 * rate)

    def sample_values(self, statistics: Floats) -> Floats:
        """Sentence TER: the same formula on one row."""
        return self.corpus_value(statistics)


def make(name: str, settings: Mapping[str, Setting | None]) -> Ter:
    """Build from the settings of the family ``ter``, named as the library's."""
    from sacrebleu.metrics import TER

    chosen: dict[str, Any] = dict(settings)
    return Ter(library=TER(**chosen), name=name)
