"""A small checkpoint with nothing wrong in it, and its parts."""

from __future__ import annotations

import json
import struct
from typing import Any

Files = dict[str, bytes]
_WORDS = {"<pad>": 0, "</s>": 1, **{chr(97 + number): 2 + number for number in range(26)}}
CONFIG: dict[str, Any] = {
    "architectures": ["GPT2LMHeadModel"],
    "model_type": "gpt2",
    "n_embd": 8,
    "n_head": 2,
    "n_inner": 16,
    "n_layer": 1,
    "n_positions": 32,
    "vocab_size": 28,
    "bos_token_id": 1,
    "eos_token_id": 1,
    "pad_token_id": 0,
}
TOKENIZER: dict[str, Any] = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [{"id": 0, "content": "<pad>", "special": True}, {"id": 1, "content": "</s>", "special": True}],
    "normalizer": None,
    "pre_tokenizer": {"type": "WhitespaceSplit"},
    "post_processor": None,
    "decoder": None,
    "model": {"type": "WordLevel", "vocab": _WORDS, "unk_token": "<pad>"},
}
TENSORS: dict[str, tuple[int, ...]] = {
    "wte.weight": (28, 8),
    "wpe.weight": (32, 8),
    "h.0.ln_1.weight": (8,),
    "h.0.ln_1.bias": (8,),
    "h.0.attn.c_attn.weight": (8, 24),
    "h.0.attn.c_attn.bias": (24,),
    "h.0.attn.c_proj.weight": (8, 8),
    "h.0.attn.c_proj.bias": (8,),
    "h.0.ln_2.weight": (8,),
    "h.0.ln_2.bias": (8,),
    "h.0.mlp.c_fc.weight": (8, 16),
    "h.0.mlp.c_fc.bias": (16,),
    "h.0.mlp.c_proj.weight": (16, 8),
    "h.0.mlp.c_proj.bias": (8,),
    "ln_f.weight": (8,),
    "ln_f.bias": (8,),
}


def sound_checkpoint() -> Files:
    """A small checkpoint with nothing wrong in it."""
    return {
        "config.json": json.dumps(CONFIG).encode(),
        "generation_config.json": b'{"eos_token_id": 1}',
        "tokenizer.json": json.dumps(TOKENIZER).encode(),
        "tokenizer_config.json": b'{"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>"}',
        "model.safetensors": safetensors(tensor_entries(), tensor_bytes()),
    }


def safetensors(header: object, size: int) -> bytes:
    """A file with this header and so many bytes of tensors."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(size)


def tensor_entries() -> dict[str, Any]:
    entries, end = {}, 0
    for name, shape in TENSORS.items():
        size = 4
        for length in shape:
            size *= length
        entries[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    return entries


def tensor_bytes() -> int:
    return max(entry["data_offsets"][1] for entry in tensor_entries().values())
