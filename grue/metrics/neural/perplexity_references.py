"""The paper's perplexity: of the human references, under the very model that is evaluated.

Ramamurthy et al. 2023 (RL4LMs ``causal_perplexity``): all references joined with a blank line, read in windows of the
model's context; each window goes ``stride`` tokens further, and only these newest tokens are scored. A window counts
with its mean loss times its new tokens, and the sum is divided by all tokens. It says how far training moved the
model from human text, not how fluent its outputs are.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from grue.core.errors import MetricUnavailableError
from grue.core.judging import Judging
from grue.core.metric import Digests, Floats, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.neural.batching import Parts, default_batch_tokens, judged, run_batches
from grue.metrics.neural.causal import token_losses
from grue.metrics.neural.encoding import Encoded, pad, pad_id_of, without_surrogates
from grue.metrics.neural.judge import Judge, open_judge
from grue.metrics.neural.settings import text_or_none, whole_or_none

JOINT = "\n\n"
NO_CHECKPOINT = (
    "no checkpoint is evaluated here: name one with --set perplexity_references.model=FOLDER_OR_HUB_ID, as this is"
    " the evaluated model's own perplexity"
)

CARDS: Mapping[str, Card] = {
    "perplexity_references": Card(
        "How surprised the evaluated model is by the human references: exp of the loss a token in sliding windows.",
        1,
        None,
        "Ramamurthy et al. 2023 (GRUE, RL4LMs causal_perplexity); stride 512 for IMDB and 128 for DailyDialog.",
        (
            "It does not look at the outputs at all: it measures how far training moved the model from human text.",
            "Models with different tokenizers or contexts cannot be compared.",
            "Defined for causal models alone.",
            "Neighbouring references give each other context, so that the order of rows matters.",
        ),
    )
}


@dataclass(frozen=True)
class PerplexityReferences:
    """One number for all references together.

    Attributes:
        judge: The model.
        context_tokens: Tokens that it reads.
        stride: New tokens of a window.
        is_evaluated: Whether the model is the one that wrote the outputs.
        batch_tokens: Tokens a batch; ``None`` chooses by device.
    """

    judge: Judge = field(repr=False, compare=False)
    context_tokens: int
    stride: int
    is_evaluated: bool
    batch_tokens: int | None = field(default=None, compare=False)
    name: str = "perplexity_references"
    scale: float | None = None
    higher_is_better: bool | None = False
    needs_references: bool = True
    kind: ClassVar[str] = "corpus"
    digest_key: ClassVar[Hashable] = ("references in order",)
    no_interval: ClassVar[str] = "all references are read as one text, which no resample of rows keeps"
    undefined: ClassVar[str] = "the references are too short: there is no token after the first"

    def signature(self) -> str:
        """Model, stride and context; the evaluated model is not named, as its hash would keep all runs apart."""
        model = "evaluated" if self.is_evaluated else self.judge.name
        return f"{self.name}|model:{model}|stride:{self.stride}|ctx:{self.context_tokens}|impl:rl4lms|v:1"

    def digest(self, texts: Texts) -> Sequence[Any]:
        """The row's prompt, by hash, and its references."""
        prompts = [given.get("prompt") for given in texts.inputs]
        keys = [
            zlib.crc32(prompt.encode("utf-8", "surrogatepass")) if isinstance(prompt, str) else None
            for prompt in prompts
        ]
        return list(zip(keys, texts.references, strict=True))

    def value(self, digests: Digests) -> float:
        """The perplexity; NaN where there are fewer than two tokens."""
        references: list[str] = []
        previous: Any = None
        for key, row in digests.items:
            # Several samples of a row stand together; its references are read once.
            if key is None or (key, row) != previous:
                references += row
            previous = (key, row)
        judge = self.judge
        settings = f"windows of {self.context_tokens}, stride {self.stride}"
        text = JOINT.join(references)
        return float(judged([(text,)], self._compute, judge=judge.key, settings=settings, judging=judge.judging)[0, 0])

    def _compute(self, items: Sequence[Parts]) -> Floats:
        return np.array([[self._perplexity(parts[0])] for parts in items])

    def _perplexity(self, text: str) -> float:
        tokenizer = self.judge.tokenizer()
        ids = tokenizer(without_surrogates(text), verbose=False)["input_ids"]
        n_tokens = len(ids)
        if n_tokens < 2:
            return math.nan
        model = self.judge.model()
        pad_id = pad_id_of(tokenizer, self.judge.config)
        windows = list(_windows(n_tokens, self.context_tokens, self.stride))

        def forward(indices: list[int]) -> Floats:
            rows = [ids[windows[i].begin : windows[i].end] for i in indices]
            batch = pad([Encoded(row) for row in rows], pad_id, model.device)
            spans = [(len(row), windows[i].scored) for row, i in zip(rows, indices, strict=True)]
            return np.array(token_losses(model, batch, spans))[:, None]

        lengths = [window.end - window.begin if window.scored else 0 for window in windows]
        budget = self.batch_tokens or default_batch_tokens(None, str(model.device)) // 4
        sums = run_batches(lengths, forward, width=1, batch_tokens=budget)[:, 0]
        total = sum(
            float(loss) / window.scored * window.new
            for loss, window in zip(sums, windows, strict=True)
            if window.scored
        )
        try:
            return math.exp(total / n_tokens)
        except OverflowError:
            return math.inf


@dataclass(frozen=True, slots=True)
class _Window:
    """Tokens that are read at once; the first token of the text has nothing before it and is not scored."""

    begin: int
    end: int
    new: int
    scored: int


def _windows(n_tokens: int, context: int, stride: int) -> list[_Window]:
    found = []
    for start in range(0, n_tokens, stride):
        begin, end = max(start + stride - context, 0), min(start + stride, n_tokens)
        new = end - start
        found.append(_Window(begin, end, new, min(new, end - begin - 1)))
    return found


def make(name: str, settings: Mapping[str, Setting | None], judging: Judging) -> PerplexityReferences:
    """Build from the settings of the family ``perplexity_references``.

    Raises:
        MetricUnavailableError: where no checkpoint is evaluated, it is not causal, the folder holds other
            weights than those evaluated, or its context is shorter than the stride.
    """
    named = text_or_none(settings["model"])
    if not named and judging.evaluated is None:
        raise MetricUnavailableError(NO_CHECKPOINT)
    model = named or str(judging.evaluated)
    judge = open_judge(model, "causal", judging)
    if not named and judging.evaluated_sha256 not in (None, judge.weights_sha256):
        raise judge.refuse("it does not hold the weights that wrote the outputs (other weights, or an adapter).")
    stride = int(settings["stride"] or 512)
    context = judge.positions()
    if context is not None and context < max(stride, 2):
        raise judge.refuse(
            f"the language model reads {context} tokens, and each window takes {stride} new ones.",
            f"Give --set perplexity_references.stride={max(1, context // 2)} or less.",
        )
    # A model without bound reads what the paper's model reads.
    return PerplexityReferences(
        judge,
        min(context or 1_024, max(1_024, stride)),
        stride,
        not named,
        whole_or_none(settings["batch_tokens"]),
        name,
    )
