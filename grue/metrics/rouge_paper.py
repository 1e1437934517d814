"""ROUGE as the paper's code scores it, for comparison with published numbers (``rouge.paper=true``).

RL4LMs hands all references of a row to a metric that reads one text, so the row is scored against the printed list
(quirk Q1: brackets and quotes fall away as punctuation, but the references become one long text), and the corpus
value is the "mid" of `rouge-score`'s bootstrap aggregator, the median of 1,000 resampled means. The aggregator is
unseeded there; the seed here is 0, so values lie within the spread of the reference's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grue.core.metric import Floats
from grue.metrics.rouge import Rouge

_RESAMPLES = 1000
_SEED = 0


@dataclass(frozen=True)
class PaperRouge(Rouge):
    """ROUGE with the paper's references and aggregate; ``references=first`` keeps the first reference."""

    def signature(self) -> str:
        """The plain signature with the printed list, the aggregate and its seed."""
        text = super().signature().replace("refs:max", "refs:printed-list")
        return text.replace("|impl:", f"|agg:bootstrap-mid[{_RESAMPLES},seed:{_SEED}]|impl:")

    def aggregate(self, values: Floats) -> float:
        """Median of resampled means of the rows' values, which are finite; NaN for none."""
        if not len(values):
            return float("nan")
        generator = np.random.default_rng(_SEED)
        means = [values[generator.integers(0, len(values), len(values))].mean() for _ in range(_RESAMPLES)]
        return float(np.percentile(means, 50))

    def wanted(self, references: Sequence[str]) -> Sequence[str]:
        """The first reference, or the printed list as the only one."""
        return references[:1] if self.references == "first" else [str(list(references))]
