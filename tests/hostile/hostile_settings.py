"""Configs and tokenizers that name code, absurd sizes, or parts that nobody knows."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from tests.hostile.json_texts import PICKLE, SCRIPT, broken_utf8, hostile_value
from tests.hostile.sound_model import CONFIG, TOKENIZER, Files, sound_checkpoint


def _code(rng: random.Random) -> tuple[Files, bool]:
    files = sound_checkpoint()
    member: dict[str, Any] = rng.choice(
        [
            {"auto_map": {"AutoModelForCausalLM": "modeling_evil.Evil"}},
            {"trust_remote_code": True},
            {"auto_map": ["a", "b"]},
            {"custom_generate": "evil/repo"},
            {"quantization_config": {"quant_method": "evil"}},
            {"use_kernels": True},
            {"transformers_weights": "../../evil.safetensors"},
            {"text_config": {"auto_map": {"AutoConfig": "x.Y"}}},
            {"sub": [{"deep": {"trust_remote_code": "yes"}}]},
            {"gguf_file": "x.gguf"},
        ]
    )
    name = rng.choice(["config.json", "generation_config.json", "tokenizer_config.json"])
    files[name] = json.dumps({**json.loads(files[name]), **member}).encode()
    return files, True


def _attention(rng: random.Random) -> tuple[Files, bool]:
    key = rng.choice(
        ["_attn_implementation", "attn_implementation", "_experts_implementation", "_attn_implementation_internal"]
    )
    value = rng.choice(["evil/kernel", "kernels-community/x@main", "paged|evil", {"": "evil/kernel"}, 7])
    return {**sound_checkpoint(), "config.json": json.dumps({**CONFIG, key: value}).encode()}, True


def _absurd_size(rng: random.Random) -> tuple[Files, bool]:
    key = rng.choice(["vocab_size", "n_embd", "n_layer", "n_inner", "n_positions", "n_head"])
    value = rng.choice([2**31, 2**63, 10**30, -1, 1.5, "28", True, 900_000_000])
    return {**sound_checkpoint(), "config.json": json.dumps({**CONFIG, key: value}).encode()}, True


def _large_sizes(rng: random.Random) -> tuple[Files, bool]:
    config = {
        **CONFIG,
        "vocab_size": rng.choice([50_000, 5_000_000]),
        "n_embd": rng.choice([8_192, 500_000]),
        "n_layer": 96,
    }
    return {**sound_checkpoint(), "config.json": json.dumps(config).encode()}, True


def _architecture(rng: random.Random) -> tuple[Files, bool]:
    member: dict[str, Any] = rng.choice(
        [
            {"model_type": "evil"},
            {"model_type": None},
            {"model_type": ["gpt2"]},
            {"model_type": 7},
            {"architectures": ["os.system"]},
            {"architectures": "GPT2LMHeadModel"},
            {"architectures": []},
            {"architectures": [None]},
            {"architectures": ["GPT2Model"]},
            {"architectures": {"0": "GPT2LMHeadModel"}},
            {"model_type": "clip"},
            {"model_type": "encoder-decoder"},
            {"architectures": [["a"]]},
        ]
    )
    return {**sound_checkpoint(), "config.json": json.dumps({**CONFIG, **member}).encode()}, True


def _tokenizer_part(rng: random.Random) -> tuple[Files, bool]:
    tokenizer = json.loads(json.dumps(TOKENIZER))
    part = rng.choice(["normalizer", "pre_tokenizer", "post_processor", "decoder"])
    inner = {
        "normalizer": "normalizers",
        "pre_tokenizer": "pretokenizers",
        "post_processor": "processors",
        "decoder": "decoders",
    }[part]
    deep: Any = {"type": "Python", "code": "import os"}
    for _ in range(rng.choice([1, 3, 20])):
        deep = {"type": "Sequence", inner: [deep]}
    bad: Any = rng.choice(
        [
            deep,
            {"type": "Custom"},
            {"type": None},
            "ByteLevel",
            [],
            7,
            {"type": "Sequence", inner: {}},
            {"type": "Sequence"},
            {},
            {"type": ["x"]},
        ]
    )
    where = rng.randrange(5)
    if where == 0:
        tokenizer["model"] = rng.choice(
            [
                None,
                {"type": "Evil"},
                {"type": "BPE"},
                {"type": "BPE", "vocab": []},
                [],
                {"type": "Unigram", "vocab": [["a"]]},
            ]
        )
    elif where == 1:
        tokenizer["model"]["vocab"] = rng.choice(
            [{"a": -1}, {"a": "0"}, {"a": 2**40}, {"a": 1.5}, {"a": True}, {"a": None}, None, "x"]
        )
    elif where == 2:
        tokenizer["padding"] = {"strategy": {"Fixed": rng.choice([10**12, -1, 2**63])}, "pad_id": 0}
    elif where == 3:
        tokenizer[rng.choice(["plugin", "__class__", "chat_template"])] = bad
    else:
        tokenizer[part] = bad
    return {**sound_checkpoint(), "tokenizer.json": json.dumps(tokenizer).encode()}, True


def _tokenizer_class(rng: random.Random) -> tuple[Files, bool]:
    named = rng.choice(["os.system", "../evil", "Evil", SCRIPT, 7, ["GPT2Tokenizer"], "a.b.Tokenizer", ""])
    return {**sound_checkpoint(), "tokenizer_config.json": json.dumps({"tokenizer_class": named}).encode()}, True


def _template(rng: random.Random) -> tuple[Files, bool]:
    # Templates are dropped, never run.
    template = rng.choice(
        [
            "{{ ''.__class__.__mro__[1].__subclasses__() }}",
            "{% for i in range(10**9) %}x{% endfor %}",
            [{"name": "default", "template": "{{1/0}}"}],
        ]
    )
    return {
        **sound_checkpoint(),
        "tokenizer_config.json": json.dumps({"chat_template": template, "vocab_file": "/etc/passwd"}).encode(),
    }, False


def _document(rng: random.Random) -> tuple[Files, bool]:
    name = rng.choice(
        [
            "config.json",
            "generation_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "vocab.json",
            "added_tokens.json",
        ]
    )
    files = sound_checkpoint()
    base = files.get(name, b'{"a": 1}')
    value = hostile_value(rng).encode("utf-8", "surrogatepass")
    files[name] = rng.choice(
        [value, b'{"x": ' + value + b"}", b"\xef\xbb\xbf" + base, broken_utf8(rng, base), base * 2, base[:-1], PICKLE]
    )
    return files, False


FAMILIES: tuple[Callable[[random.Random], tuple[Files, bool]], ...] = (
    _code,
    _attention,
    _absurd_size,
    _large_sizes,
    _architecture,
    _tokenizer_part,
    _tokenizer_class,
    _template,
    _document,
)
