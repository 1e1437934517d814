"""Sequence classifiers as judges: probabilities of classes for texts or pairs of texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from grue.core.judging import Judging
from grue.core.metric import Floats
from grue.metrics.neural.batching import Parts, default_batch_tokens, judged, run_batches
from grue.metrics.neural.encoding import Encoded, encode, encode_pairs, pad, pad_id_of
from grue.metrics.neural.judge import Judge, open_judge


class ClassifierJudge:
    """Any sequence classifier; its weights are loaded when a text is read that the cache does not have.

    Args:
        model: Toy, folder or hub id.
        label: Class by index or by name in the config; ``None`` is index 1 of a classifier with two classes.
        judging: Where it runs.
        truncation: The side of a text that loses tokens where it is too long.
        batch_tokens: Padded tokens a batch; ``None`` chooses by device.
        n_labels: How many classes it must have; ``None`` takes any number from two on.
        max_tokens: Tokens of an input; ``None`` leaves it to the checkpoint.
        setting: ``FAMILY.model``, for messages.

    Attributes:
        judge: The checkpoint.
        label: Index of the class.
        n_labels: Number of classes.

    Raises:
        MetricUnavailableError: where the checkpoint is no classifier, or has other classes.
    """

    def __init__(
        self,
        model: str | Path | None,
        label: str | int | None,
        judging: Judging,
        *,
        truncation: str = "left",
        batch_tokens: int | None = None,
        n_labels: int | None = None,
        max_tokens: int | None = None,
        setting: str = "",
    ) -> None:
        self.judge: Judge = open_judge(model, "classifier", judging, setting=setting)
        self.n_labels = int(self.judge.config.num_labels)
        self._truncation = truncation
        self._batch_tokens = batch_tokens
        self._max_tokens = max_tokens
        if n_labels is not None and self.n_labels != n_labels:
            raise self.judge.refuse(f"the classifier has {self.n_labels} classes, {n_labels} are needed.")
        if self.n_labels < 2:
            raise self.judge.refuse("the classifier has one output and no probability.", "Give one with classes.")
        self.label = label_index(self.judge, label)

    @property
    def name(self) -> str:
        """What signatures call it."""
        return self.judge.name

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """Probability of the label for each text, shape (n,); NaN for a text without a single token."""
        return self.label_probabilities(texts)[:, self.label] if len(texts) else np.empty(0)

    def label_probabilities(self, texts: Sequence[str]) -> Floats:
        """Softmax over all classes, shape (n, n_labels)."""
        settings = f"softmax {self._truncation} {self._max_tokens}"
        return self._judged([(text,) for text in texts], self._read_texts, settings)

    def pair_probabilities(self, pairs: Sequence[tuple[str, str]]) -> Floats:
        """Softmax over all classes for pairs of texts, shape (n, n_labels); the first text loses tokens if any must."""
        return self._judged(list(pairs), self._read_pairs, f"softmax pair {self._max_tokens}")

    def _judged(self, items: Sequence[Parts], read: Any, settings: str) -> Floats:
        judge = self.judge
        return judged(
            items, lambda some: self._forward(read(some)), judge=judge.key, settings=settings, judging=judge.judging
        )

    def _limit(self) -> int:
        limit = self.judge.limit_tokens()
        return min(limit, self._max_tokens) if self._max_tokens else limit

    def _read_texts(self, items: Sequence[Parts]) -> list[Encoded]:
        tokenizer = self.judge.tokenizer(self._truncation)
        return encode(tokenizer, [parts[0] for parts in items], self._limit())

    def _read_pairs(self, items: Sequence[Parts]) -> list[Encoded]:
        return encode_pairs(self.judge.tokenizer(), [(parts[0], parts[1]) for parts in items], self._limit())

    def _forward(self, rows: Sequence[Encoded]) -> Floats:
        logits = classifier_logits(self.judge, rows, self.n_labels, self._batch_tokens)
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: Floats = shifted / shifted.sum(axis=1, keepdims=True)
        return probabilities


def classifier_logits(judge: Judge, rows: Sequence[Encoded], width: int, batch_tokens: int | None) -> Floats:
    """Logits of a sequence classifier, shape (n, width); NaN for rows without tokens."""
    import torch

    model = judge.model()
    device = model.device
    pad_id = pad_id_of(judge.tokenizer(), judge.config)

    def forward(indices: list[int]) -> Floats:
        with torch.inference_mode():
            logits = model(**pad([rows[i] for i in indices], pad_id, device)).logits
        values: Floats = logits.float().cpu().numpy().astype(np.float64)
        return values

    # A decoder finds a text's last token by the padding token's number; without one, texts are read alone.
    alone = judge.config.pad_token_id is None
    return run_batches(
        [len(row.ids) for row in rows],
        forward,
        width=width,
        batch_tokens=default_batch_tokens(batch_tokens, str(device)),
        **({"max_rows": 1} if alone else {}),
    )


def label_index(judge: Judge, label: str | int | None) -> int:
    """Index of a class.

    Raises:
        MetricUnavailableError: where the classifier has no such class.
    """
    count = int(judge.config.num_labels)
    names = {int(index): str(name) for index, name in (judge.config.id2label or {}).items()}
    listed = ", ".join(f"{index} {names.get(index, '')!r}" for index in range(min(count, 12)))
    if label is None:
        if count != 2:
            raise judge.refuse(f"the classifier has {count} classes ({listed}).", "Name one by its label setting.")
        return 1
    text = str(label).strip()
    if text.isdecimal():
        if int(text) >= count:
            raise judge.refuse(f"the classifier has no class {text}: it has {count} ({listed}).")
        return int(text)
    same = [index for index, name in names.items() if name == text] or [
        index for index, name in names.items() if name.lower() == text.lower()
    ]
    if len(same) != 1:
        raise judge.refuse(f"the classifier has no class named {text!r}: it has {listed}.")
    return same[0]
