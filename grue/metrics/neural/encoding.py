"""From texts to padded token numbers, whatever stands in the texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Far more than any judge reads; what lies beyond is cut first, so that a huge text costs nothing.
MAX_CHARACTERS = 100_000
# Tokens beyond the limit that stay when a long text is shortened, so that its last word is whole.
SPARE_TOKENS = 32
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text or pair as a model reads it.

    Attributes:
        ids: Token numbers, specials included.
        types: Segment of each token; ``None`` where the model has none.
    """

    ids: Sequence[int]
    types: Sequence[int] | None = None


def clean(text: str, side: str = "right") -> str:
    """A text that tokenizers take: lone surrogates become U+FFFD; a huge text is cut, ``side`` loses letters."""
    if len(text) > MAX_CHARACTERS:
        text = text[:MAX_CHARACTERS] if side == "right" else text[-MAX_CHARACTERS:]
    return without_surrogates(text)


def without_surrogates(text: str) -> str:
    """The text with lone surrogates, which no encoding has, as U+FFFD."""
    return _SURROGATES.sub("\ufffd", text)


def encode(tokenizer: Any, texts: Sequence[str], limit_tokens: int, *, specials: bool = True) -> list[Encoded]:
    """Token numbers of texts, cut at the tokenizer's truncation side."""
    cleaned = [clean(text, tokenizer.truncation_side) for text in texts]
    out = tokenizer(cleaned, truncation=True, max_length=limit_tokens, add_special_tokens=specials, verbose=False)
    return _encoded(out)


def encode_pairs(
    tokenizer: Any, pairs: Sequence[tuple[str, str]], limit_tokens: int, *, cut: str = "only_first"
) -> list[Encoded]:
    """Token numbers of pairs; where cutting as ``cut`` says is not enough, both sides are cut."""
    first = _shortened(tokenizer, [clean(pair[0]) for pair in pairs], limit_tokens)
    second = _shortened(tokenizer, [clean(pair[1]) for pair in pairs], limit_tokens)

    def call(left: list[str], right: list[str], strategy: str) -> list[Encoded]:
        return _encoded(tokenizer(left, right, truncation=strategy, max_length=limit_tokens, verbose=False))

    try:
        found = call(first, second, cut)
        if all(len(one.ids) <= limit_tokens for one in found):
            return found
    except Exception as error:
        if "truncat" not in str(error).lower():
            raise
    found = []
    for left, right in zip(first, second, strict=True):
        short = tokenizer(right, add_special_tokens=False, verbose=False)["input_ids"]
        strategy = cut if len(short) < limit_tokens // 2 else "longest_first"
        found += call([left], [right], strategy)
    return found


def _shortened(tokenizer: Any, texts: Sequence[str], limit_tokens: int) -> list[str]:
    """The texts, what lies far beyond the limit left out.

    The library makes a pair of every piece of one text that it cuts away with every such piece of the other.
    """
    out = list(texts)
    for index, text in enumerate(texts):
        if len(text) <= 4 * limit_tokens:
            continue
        if not tokenizer.is_fast:
            out[index] = text[: 32 * limit_tokens]
            continue
        offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)[
            "offset_mapping"
        ]
        keep = limit_tokens + SPARE_TOKENS
        if len(offsets) > keep:
            out[index] = text[: offsets[keep - 1][1]]
    return out


def pad(rows: Sequence[Encoded], pad_id: int, device: Any) -> dict[str, Any]:
    """A batch for the model: numbers padded on the right, mask, segments where there are any."""
    import torch

    longest = max(len(row.ids) for row in rows)

    def table(lists: Sequence[Sequence[int]], fill: int) -> Any:
        return torch.tensor([[*numbers, *[fill] * (longest - len(numbers))] for numbers in lists], device=device)

    batch = {
        "input_ids": table([row.ids for row in rows], pad_id),
        "attention_mask": table([[1] * len(row.ids) for row in rows], 0),
    }
    types = [row.types for row in rows if row.types is not None]
    if len(types) == len(rows):
        batch["token_type_ids"] = table(types, 0)
    return batch


def pad_id_of(tokenizer: Any, config: Any) -> int:
    """The padding token's number; the mask hides it, so any known number will do."""
    for value in (tokenizer.pad_token_id, config.pad_token_id, tokenizer.eos_token_id):
        if isinstance(value, int):
            return value
    return 0


def _encoded(out: Any) -> list[Encoded]:
    ids = out["input_ids"]
    types = out.get("token_type_ids")
    return [Encoded(numbers, types[index] if types is not None else None) for index, numbers in enumerate(ids)]
