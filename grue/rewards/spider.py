"""SPIDEr: a weighted sum of SPICE and CIDEr-D (Liu et al. 2017), as the paper rewards CommonGen.

CIDEr weighs n-grams by how many rows' references hold them, so that a row's value depends on the rows beside it. By
default these are all rows of a run or call; ``df`` names a file that fixes them, which a trainer should use. The
paper's code took the few episodes that ended together, and lost all but the last of those with equal prompts.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grue.core.metric import Digests, Floats, Texts
from grue.core.reward import Reward
from grue.rewards.backing import Backing
from grue.rewards.combine import checked, is_pooled, weighted_sum

_CIDER_HIGH = 10.0


@dataclass(frozen=True)
class Batches:
    """A pooled reward that sees consecutive rows in batches, as the paper's rollouts did.

    Attributes:
        part: What is batched.
        size: Rows a batch; 0 for all.
        keyed_by_prompt: Whether rows of a batch with one prompt all get the value of the last of them.
    """

    part: Reward
    size: int
    keyed_by_prompt: bool

    @property
    def name(self) -> str:
        """The part's."""
        return self.part.name

    @property
    def low(self) -> float | None:
        """The part's."""
        return self.part.low

    @property
    def high(self) -> float | None:
        """The part's."""
        return self.part.high

    @property
    def needs_references(self) -> bool:
        """As the part."""
        return self.part.needs_references

    def signature(self) -> str:
        """The part's, the size of a batch, and the key."""
        size = f"|batch:{self.size}" if self.size else ""
        return f"{self.part.signature()}{size}{'|key:prompt' if self.keyed_by_prompt else ''}"

    @property
    def digest_key(self) -> Hashable:
        """Shared with nothing but its like."""
        return ("batches", self.part.signature())

    def digest(self, texts: Texts) -> Sequence[Any]:
        """A row's prompt (``None`` where there is none or it does not matter) and the part's digest."""
        part = self.part
        items = part.digest(texts) if is_pooled(part) else checked(part, texts).tolist()
        prompts = [row.get("prompt") for row in texts.inputs]
        return [
            (prompt if self.keyed_by_prompt and isinstance(prompt, str) else None, item)
            for prompt, item in zip(prompts, items, strict=True)
        ]

    def pooled(self, digests: Digests) -> Floats:
        """Shape (n,)."""
        size = self.size or max(len(digests), 1)
        batches = [digests.items[start : start + size] for start in range(0, len(digests), size)]
        return np.concatenate([self._batch(batch) for batch in batches]) if batches else np.empty(0)

    def rewards(self, texts: Texts) -> Floats:
        """The texts as if they were all there is."""
        return self.pooled(Digests(self.digest(texts)))

    def _batch(self, items: Sequence[tuple[str | None, Any]]) -> Floats:
        keys = [index if prompt is None else prompt for index, (prompt, _) in enumerate(items)]
        last = {key: item for key, (_, item) in zip(keys, items, strict=True)}
        part = self.part
        kept = list(last.values())
        values = part.pooled(Digests(kept)) if is_pooled(part) else np.array(kept, dtype=np.float64)
        by_key = dict(zip(last, values, strict=True))
        return np.array([by_key[key] for key in keys], dtype=np.float64)


def spider(backing: Backing) -> Reward:
    """Sum of a x SPICE and b x CIDEr-D, with shaping where asked for; a part of no weight is not computed.

    Raises:
        MetricUnavailableError: where SPICE or CIDEr-D cannot be computed here.
    """
    a, b = backing.number("a"), backing.number("b")
    terms = []
    if a or not b:
        terms.append((a, backing.metric("spice", 0.0, 1.0)))
    if b:
        terms.append((b, backing.metric("cider_d", 0.0, _CIDER_HIGH)))
    whole: Reward = weighted_sum(terms)
    size, keyed = int(backing.number("batch")), backing.flag("keyed_by_prompt")
    return backing.shaped(Batches(whole, size, keyed) if size or keyed else whole)
