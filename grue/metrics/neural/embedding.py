"""Contextual embeddings of tokens and their greedy match, in pieces that fit into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grue.core.metric import Floats
from grue.metrics.neural.batching import default_batch_tokens, run_batches
from grue.metrics.neural.encoder import encoder_until
from grue.metrics.neural.encoding import Encoded, encode, pad, pad_id_of
from grue.metrics.neural.judge import Judge

# Embeddings held at once: 200 MB for an encoder of width 1,024.
HELD_TOKENS = 50_000
_UNSEEN = -1


@dataclass(frozen=True, slots=True)
class Embedder:
    """An encoder cut after a layer.

    Attributes:
        judge: The checkpoint.
        layer: Layer whose output is compared.
        prefix_space: Put a blank before each text for tokenizers of RoBERTa's and GPT-2's kind.
        batch_tokens: Padded tokens a batch; ``None`` chooses by device.
    """

    judge: Judge
    layer: int
    prefix_space: bool
    batch_tokens: int | None

    def f1(self, pairs: Sequence[tuple[str, str]], weights: Mapping[int, float] | None) -> Floats:
        """Greedy-match F1 of pairs, shape (n, 1).

        Args:
            pairs: Prediction and reference.
            weights: Token -> weight, that of an unseen token under -1; ``None`` weighs all alike but the marks at the
                ends, which count nothing.
        """
        ids = self._ids({text for pair in pairs for text in pair})
        table = _Weights(self.judge.tokenizer(), weights)
        out = np.zeros((len(pairs), 1))
        for start, end in _pieces([len(ids[a]) + len(ids[b]) for a, b in pairs]):
            some = pairs[start:end]
            vectors = self._embed({text: ids[text] for pair in some for text in pair})
            for index, (hypothesis, reference) in enumerate(some, start):
                weighed = (table.of(ids[hypothesis]), table.of(ids[reference]))
                out[index] = _match(vectors.get(hypothesis), vectors.get(reference), *weighed)
        return out

    def token_sets(self, texts: Iterable[str]) -> Iterator[tuple[str, set[int]]]:
        """Distinct tokens of each text."""
        for text, ids in self._ids(set(texts)).items():
            yield text, set(ids)

    def _ids(self, texts: set[str]) -> dict[str, Sequence[int]]:
        from transformers import GPT2Tokenizer, RobertaTokenizer

        tokenizer = self.judge.tokenizer()
        blank = " " if self.prefix_space and isinstance(tokenizer, (GPT2Tokenizer, RobertaTokenizer)) else ""
        ordered = sorted(texts)
        stripped = [text.strip() for text in ordered]
        encoded = encode(tokenizer, [blank + text if text else "" for text in stripped], self.judge.limit_tokens())
        return {text: one.ids for text, one in zip(ordered, encoded, strict=True)}

    def _embed(self, ids: Mapping[str, Sequence[int]]) -> dict[str, Any]:
        """Unit vectors of the tokens of each text; texts without tokens are left out."""
        import torch

        judge = self.judge
        model = judge.model(f"layer {self.layer}", lambda whole: encoder_until(judge, whole, self.layer))
        device = next(model.parameters()).device
        pad_id = pad_id_of(judge.tokenizer(), judge.config)
        texts = sorted(ids)
        found: dict[str, Any] = {}

        def forward(indices: list[int]) -> Floats:
            batch = pad([Encoded(ids[texts[i]]) for i in indices], pad_id, device)
            with torch.inference_mode():
                hidden = model(**batch)[0].float()
                unit = hidden / torch.linalg.vector_norm(hidden, dim=-1, keepdim=True)
            for row, i in enumerate(indices):
                found[texts[i]] = unit[row, : len(ids[texts[i]])].clone()
            return np.zeros((len(indices), 1))

        budget = default_batch_tokens(self.batch_tokens, str(device))
        run_batches([len(ids[text]) for text in texts], forward, width=1, batch_tokens=budget)
        return found


class _Weights:
    """Weights of tokens as an array a text."""

    def __init__(self, tokenizer: Any, weights: Mapping[int, float] | None) -> None:
        self._marks = {tokenizer.sep_token_id, tokenizer.cls_token_id}
        self._weights = weights

    def of(self, ids: Sequence[int]) -> list[float]:
        if self._weights is None:
            return [0.0 if token in self._marks else 1.0 for token in ids]
        return [self._weights.get(token, self._weights[_UNSEEN]) for token in ids]


def _match(hypothesis: Any, reference: Any, of_hypothesis: list[float], of_reference: list[float]) -> float:
    """F1; 0 where one side has no weight or nothing is alike, NaN where an embedding is."""
    import torch

    if hypothesis is None or reference is None or not sum(of_hypothesis) or not sum(of_reference):
        return 0.0
    with torch.inference_mode():
        similar = hypothesis @ reference.T
        best = (similar.max(dim=1).values.cpu().numpy(), similar.max(dim=0).values.cpu().numpy())
    precision = float(np.average(best[0].astype(np.float64), weights=of_hypothesis))
    recall = float(np.average(best[1].astype(np.float64), weights=of_reference))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _pieces(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Stretches of about ``HELD_TOKENS`` tokens."""
    start = held = 0
    for index, length in enumerate(lengths):
        if held and held + length > HELD_TOKENS:
            yield start, index
            start, held = index, 0
        held += length
    if lengths:
        yield start, len(lengths)
