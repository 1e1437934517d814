"""Preference models that answer in words: an encoder-decoder model whose first token is ``good`` or ``bad``.

The CommonGen preference reward of Ramamurthy et al. 2023 (RL4LMs) reads a fine-tuned T5 so: the softmax over the
two words' logits at the first decoder position is the probability of ``good``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from grue.core.judging import Judging
from grue.core.metric import Floats
from grue.metrics.neural.batching import Parts, default_batch_tokens, judged, run_batches
from grue.metrics.neural.encoding import encode, pad, pad_id_of
from grue.metrics.neural.judge import Judge, open_judge


class PreferenceJudge:
    """Probability that a text is ``good``; weights are loaded when a text is read that the cache does not have.

    Args:
        model: Folder or hub id of an encoder-decoder model.
        judging: Where it runs.
        good: The word for a text that is preferred.
        bad: The word for one that is not.
        batch_tokens: Padded tokens a batch; ``None`` chooses by device.
        setting: ``FAMILY.model``, for messages.

    Raises:
        MetricUnavailableError: where the checkpoint is no encoder-decoder model, or its tokenizer does not tell the
            two words apart.
    """

    def __init__(
        self,
        model: str | Path | None,
        judging: Judging,
        *,
        good: str = "good",
        bad: str = "bad",
        batch_tokens: int | None = None,
        setting: str = "",
    ) -> None:
        self.judge: Judge = open_judge(model, "seq2seq", judging, setting=setting)
        self._good, self._bad = good, bad
        self._batch_tokens = batch_tokens

    @property
    def name(self) -> str:
        """What signatures call it."""
        return self.judge.name

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """Probability of ``good`` against ``bad`` for each text, shape (n,); NaN for a text without a single token."""
        if not len(texts):
            return np.empty(0)
        judge = self.judge
        settings = f"preference {self._good}\t{self._bad}"
        items = [(text,) for text in texts]
        return judged(items, self._compute, judge=judge.key, settings=settings, judging=judge.judging)[:, 0]

    def _compute(self, items: Sequence[Parts]) -> Floats:
        import torch

        judge = self.judge
        tokenizer = judge.tokenizer()
        words = [self._word_id(self._good), self._word_id(self._bad)]
        if words[0] == words[1]:
            raise judge.refuse(f"the tokenizer does not tell {self._good!r} from {self._bad!r}.")
        model = judge.model()
        config = judge.config
        start = config.decoder_start_token_id
        if start is None:
            raise judge.refuse("the config names no decoder_start_token_id.")
        rows = encode(tokenizer, [parts[0] for parts in items], judge.limit_tokens())
        pad_id = pad_id_of(tokenizer, config)

        def forward(indices: list[int]) -> Floats:
            batch = pad([rows[i] for i in indices], pad_id, model.device)
            batch.pop("token_type_ids", None)
            begun = torch.full((len(indices), 1), start, device=model.device)
            with torch.inference_mode():
                logits = model(**batch, decoder_input_ids=begun, use_cache=False).logits[:, 0, words]
            two = logits.float().cpu().numpy().astype(np.float64)
            good: Floats = 1 / (1 + np.exp(np.clip(two[:, 1] - two[:, 0], -700, 700)))
            return good[:, None]

        budget = default_batch_tokens(self._batch_tokens, str(model.device))
        return run_batches([len(row.ids) for row in rows], forward, width=1, batch_tokens=budget)

    def _word_id(self, word: str) -> int:
        tokenizer = self.judge.tokenizer()
        ids = tokenizer(word, add_special_tokens=False)["input_ids"]
        if not ids or ids[0] == tokenizer.unk_token_id:
            raise self.judge.refuse(f"the tokenizer does not know the word {word!r}.")
        return int(ids[0])
