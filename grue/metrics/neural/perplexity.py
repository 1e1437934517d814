"""Perplexity of the outputs under a fixed language model: low where they read like the texts it was trained on.

Per text it equals the metric ``perplexity`` of Hugging Face evaluate (0.4) with ``add_start_token=True``: a start
token, then the text without other special tokens. The value of a corpus is exp(sum of negative log-likelihoods /
tokens), where evaluate takes the mean of the texts' perplexities.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from grue.core.judging import Judging
from grue.core.metric import Digests, Floats, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.neural.causal import CausalJudge
from grue.metrics.neural.settings import text_or_none, whole_or_none

CARDS: Mapping[str, Card] = {
    "perplexity": Card(
        "How surprised a fixed language model is by the outputs: exp of the mean negative log-likelihood of a token.",
        1,
        None,
        "Per text Hugging Face evaluate's perplexity (0.4, add_start_token=True); over texts tokens are pooled.",
        (
            "Repetition and copied text have low perplexity: read it beside msttr and repetition_rate.",
            "Numbers of models with different tokenizers cannot be compared.",
            "Of a text longer than the context (at most 1,024 tokens) the beginning alone is scored.",
            "Empty outputs have no value and are left out.",
        ),
    )
}


@dataclass(frozen=True)
class Perplexity:
    """exp of summed negative log-likelihoods by tokens; a row's statistics are these two.

    Attributes:
        judge: The language model.
        with_prompt: Condition on the row's prompt, which is not scored itself.
    """

    judge: CausalJudge = field(repr=False, compare=False)
    with_prompt: bool
    name: str = "perplexity"
    scale: float | None = None
    higher_is_better: bool | None = False
    needs_references: bool = False
    kind: ClassVar[str] = "pooled"
    undefined: ClassVar[str] = "no output has a token that can be scored (with prompt=true, rows need a prompt)"

    @property
    def digest_key(self) -> Hashable:
        """The texts that are read."""
        return ("prompt, prediction" if self.with_prompt else "predictions",)

    def signature(self) -> str:
        """Weights, context and what is conditioned on."""
        given = "prompt" if self.with_prompt else "nothing"
        return f"{self.name}|model:{self.judge.name}|given:{given}|start:yes|ctx:{self.judge.context_tokens}|v:1"

    def digest(self, texts: Texts) -> Sequence[Any]:
        """The prediction, or prompt and prediction; ``None`` for a row without the prompt that it needs."""
        if not self.with_prompt:
            return list(texts.predictions)
        prompts = [given.get("prompt") for given in texts.inputs]
        return [(p, t) if isinstance(p, str) else None for p, t in zip(prompts, texts.predictions, strict=True)]

    def pooled(self, digests: Digests) -> Floats:
        """Shape (n, 2): sum of negative log-likelihoods, tokens; NaN for rows without prompt or tokens."""
        known = [index for index, item in enumerate(digests.items) if item is not None]
        items = [digests.items[index] for index in known]
        out = np.full((len(digests), 2), np.nan)
        out[known] = self.judge.likelihoods_after(items) if self.with_prompt else self.judge.likelihoods(items)
        out[out[:, 1] == 0] = np.nan
        return out

    def corpus_value(self, total: Floats) -> Floats:
        """Perplexity of summed statistics, shape (..., 2) -> (...); NaN where there is no token."""
        stats = np.asarray(total, dtype=np.float64)
        mean = np.divide(stats[..., 0], stats[..., 1], out=np.full(stats.shape[:-1], np.nan), where=stats[..., 1] > 0)
        with np.errstate(over="ignore"):
            value: Floats = np.exp(mean)
        return value

    def sample_values(self, statistics: Floats) -> Floats:
        """Perplexity of each text, shape (n, 2) -> (n,)."""
        return self.corpus_value(statistics)


def make(name: str, settings: Mapping[str, Setting | None], judging: Judging) -> Perplexity:
    """Build from the settings of the family ``perplexity``.

    Raises:
        MetricUnavailableError: where no language model is named or it cannot be had.
    """
    judge = CausalJudge(
        text_or_none(settings["model"]),
        judging,
        batch_tokens=whole_or_none(settings["batch_tokens"]),
        setting="perplexity.model",
    )
    return Perplexity(judge, bool(settings["prompt"]), name)
