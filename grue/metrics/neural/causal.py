"""Causal language models as judges: negative log-likelihoods of texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from grue.core.judging import Judging
from grue.core.metric import Floats
from grue.metrics.neural.batching import Parts, judged, run_batches
from grue.metrics.neural.encoding import Encoded, encode, pad, pad_id_of
from grue.metrics.neural.judge import Judge, open_judge

MAX_CONTEXT_TOKENS = 1_024
# Logits are the largest thing in memory: tokens of a batch times rows of the vocabulary.
CPU_LOGITS = 50_000_000
GPU_LOGITS = 1_000_000_000


class CausalJudge:
    """A language model; its weights are loaded when a text is read that the cache does not have.

    Args:
        model: Toy, folder or hub id.
        judging: Where it runs.
        batch_tokens: Padded tokens a batch; ``None`` chooses by device and vocabulary.
        setting: ``FAMILY.model``, for messages.

    Attributes:
        judge: The checkpoint.
        context_tokens: Tokens that it reads at once, at most 1,024.

    Raises:
        MetricUnavailableError: where the checkpoint is no causal language model, or reads less than two tokens.
    """

    def __init__(
        self, model: str | Path | None, judging: Judging, *, batch_tokens: int | None = None, setting: str = ""
    ) -> None:
        self.judge: Judge = open_judge(model, "causal", judging, setting=setting)
        self.context_tokens = min(self.judge.positions() or MAX_CONTEXT_TOKENS, MAX_CONTEXT_TOKENS)
        self._batch_tokens = batch_tokens
        if self.context_tokens < 2:
            raise self.judge.refuse("the language model reads one token, and needs one before each that it scores.")

    @property
    def name(self) -> str:
        """What signatures call it."""
        return self.judge.name

    def likelihoods(self, texts: Sequence[str]) -> Floats:
        """Sum of negative log-likelihoods in nats and number of tokens of each text, shape (n, 2).

        A start token stands before the text. What does not fit into the context is cut from the end. A text without
        a single token gives (0, 0).
        """
        return self._judged([(text,) for text in texts], "nll")

    def likelihoods_after(self, pairs: Sequence[tuple[str, str]]) -> Floats:
        """The same of second texts, each after its first, which loses its beginning where both do not fit."""
        return self._judged(list(pairs), "nll after")

    def _judged(self, items: Sequence[Parts], kind: str) -> Floats:
        judge = self.judge
        settings = f"{kind} {self.context_tokens}"
        found = judged(items, self._compute, judge=judge.key, settings=settings, judging=judge.judging)
        return found if len(items) else np.empty((0, 2))

    def _compute(self, items: Sequence[Parts]) -> Floats:
        tokenizer = self.judge.tokenizer()
        start = start_id(self.judge)
        room = self.context_tokens - 1
        scored = [one.ids for one in encode(tokenizer, [parts[-1] for parts in items], room, specials=False)]
        before: list[Sequence[int]] = [()] * len(items)
        if len(items[0]) == 2:
            side = self.judge.tokenizer("left")
            before = [one.ids for one in encode(side, [parts[0] for parts in items], room, specials=False)]
            before = [ids[max(0, len(ids) + len(own) - room) :] for ids, own in zip(before, scored, strict=True)]
        rows = [[start, *given, *own] for given, own in zip(before, scored, strict=True)]
        return self._sums(rows, [len(own) for own in scored])

    def _sums(self, rows: Sequence[Sequence[int]], counts: Sequence[int]) -> Floats:
        """Sum over the last ``counts`` tokens of each row, and their number."""
        model = self.judge.model()
        pad_id = pad_id_of(self.judge.tokenizer(), self.judge.config)

        def forward(indices: list[int]) -> Floats:
            batch = pad([Encoded(rows[i]) for i in indices], pad_id, model.device)
            sums = token_losses(model, batch, [(len(rows[i]), counts[i]) for i in indices])
            return np.array([[total, counts[i]] for total, i in zip(sums, indices, strict=True)])

        lengths = [len(row) if count else 0 for row, count in zip(rows, counts, strict=True)]
        budget = self._batch_tokens or self._default_budget(str(model.device))
        found = run_batches(lengths, forward, width=2, batch_tokens=budget)
        return np.where(np.array(counts)[:, None] > 0, found, 0.0)

    def _default_budget(self, device: str) -> int:
        most = GPU_LOGITS if device.startswith("cuda") else CPU_LOGITS
        return max(256, most // max(1, int(self.judge.config.get_text_config(decoder=True).vocab_size)))


def token_losses(model: object, batch: dict[str, object], spans: Sequence[tuple[int, int]]) -> list[float]:
    """Summed negative log-likelihood of the last tokens of each row.

    Args:
        model: A causal language model.
        batch: ``input_ids`` and ``attention_mask``, padded on the right.
        spans: Tokens of each row, and how many of its last are scored.
    """
    import torch

    out = []
    with torch.inference_mode():
        logits = model(**batch, use_cache=False).logits  # type: ignore[operator]
        ids: torch.Tensor = batch["input_ids"]
        for row, (length, count) in enumerate(spans):
            wanted = ids[row, length - count : length]
            seen = logits[row, length - count - 1 : length - 1].float()
            losses = torch.nn.functional.cross_entropy(seen, wanted, reduction="none")
            out.append(float(losses.cpu().double().sum()))
    return out


def start_id(judge: Judge) -> int:
    """The token that stands before a text: the tokenizer's begin token, or its end token where it has none.

    Raises:
        MetricUnavailableError: where it has neither.
    """
    tokenizer = judge.tokenizer()
    for value in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if isinstance(value, int):
            return value
    raise judge.refuse("the tokenizer has neither a begin nor an end token to put before a text.")
