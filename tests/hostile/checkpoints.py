"""Checkpoints with absurd headers, code in their settings, and parts that nobody knows."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from tests.hostile.archives import NAMES
from tests.hostile.json_texts import PICKLE, SCRIPT, broken_utf8, hostile_value, mutated
from tests.hostile.value import Hostile, Rows

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


def checkpoint(rng: random.Random, turn: int, rows: Rows) -> Hostile:
    """The next hostile checkpoint; families take turns."""
    family = _FAMILIES[turn % len(_FAMILIES)]
    files, is_wrong = family(rng)
    return Hostile(f"model/{family.__name__.strip('_')}", "model", files=files, is_wrong=is_wrong)


def sound_checkpoint() -> Files:
    """A small checkpoint with nothing wrong in it."""
    return {
        "config.json": json.dumps(CONFIG).encode(),
        "generation_config.json": b'{"eos_token_id": 1}',
        "tokenizer.json": json.dumps(TOKENIZER).encode(),
        "tokenizer_config.json": b'{"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>"}',
        "model.safetensors": safetensors(_header(), _size()),
    }


def safetensors(header: object, size: int) -> bytes:
    """A file with this header and so many bytes of tensors."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(size)


def _header() -> dict[str, Any]:
    entries, end = {}, 0
    for name, shape in TENSORS.items():
        size = 4
        for length in shape:
            size *= length
        entries[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    return entries


def _size() -> int:
    return max(entry["data_offsets"][1] for entry in _header().values())


def _weights(content: bytes) -> Files:
    return {**sound_checkpoint(), "model.safetensors": content}


def _header_length(rng: random.Random) -> tuple[Files, bool]:
    whole = safetensors(_header(), _size())
    length = rng.choice([0, 1, 2**63, 2**64 - 1, 2**31, 2**32, len(whole), len(whole) - 7, 100_000_000, 5 << 20])
    return _weights(struct.pack("<Q", length) + whole[8:]), True


def _long_header(rng: random.Random) -> tuple[Files, bool]:
    filler = rng.choice([b" ", b"[", b'{"a":', b'"'])
    return _weights(struct.pack("<Q", 5 << 20) + (filler * (5 << 20))[: 5 << 20]), True


def _entry(rng: random.Random) -> tuple[Files, bool]:
    header = _header()
    entry = header[rng.choice(list(TENSORS))]
    key = rng.choice(["dtype", "shape", "data_offsets", "extra", "drop"])
    if key == "drop":
        del entry[rng.choice(list(entry))]
    elif key == "dtype":
        entry["dtype"] = rng.choice(["F31", "", None, 32, ["F32"], "f32", "OBJECT", "F64", "I8", SCRIPT, "F32\0"])
    elif key == "shape":
        entry["shape"] = rng.choice(
            [[-1], [2**63, 2**63], [2**31] * 8, [1.5], ["8"], None, 8, [True] * 3, [0], [[8]], [10**30], [1] * 5_000]
        )
    elif key == "data_offsets":
        entry["data_offsets"] = rng.choice(
            [
                [-4, 0],
                [4, 0],
                [0, 2**63],
                [2**62, 2**62 + 4],
                [0],
                [0, 4, 8],
                None,
                ["0", "4"],
                [0.0, 4.0],
                [0, 10**400],
                [True, 5],
            ]
        )
    else:
        entry["extra"] = 1
    return _weights(safetensors(header, _size())), True


def _overlap(rng: random.Random) -> tuple[Files, bool]:
    header = _header()
    first, second = rng.sample([name for name, shape in TENSORS.items() if shape == (8,)], 2)
    header[first]["data_offsets"] = header[second]["data_offsets"]
    return _weights(safetensors(header, _size())), True


def _gap(rng: random.Random) -> tuple[Files, bool]:
    return _weights(safetensors(_header(), _size() + rng.choice([-_size(), -4, -1, 1, 4_096]))), True


def _header_json(rng: random.Random) -> tuple[Files, bool]:
    value = hostile_value(rng)
    text = rng.choice(
        [
            value,
            f'{{"a": {value}}}',
            f'{{"__metadata__": {value}}}',
            f'{{"a": {{"dtype": "F32", "shape": {value}, "data_offsets": [0, 4]}}}}',
        ]
    )
    return _weights(safetensors(text.encode("utf-8", "surrogatepass"), 4)), True


def _tensor_names(rng: random.Random) -> tuple[Files, bool]:
    header = _header()
    last = list(header)[-1]
    entry = header.pop(last)
    header[rng.choice(["", "a\0b", SCRIPT * 100, "../evil name", "\u202e", "x" * 5_000, "__import__('os') "])] = entry
    return _weights(safetensors(header, _size())), True


@lru_cache(maxsize=1)
def _million() -> bytes:
    entries = ",".join(f'"t{number}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}' for number in range(1_000_000))
    return b"{" + entries.encode() + b"}"


def _many_tensors(rng: random.Random) -> tuple[Files, bool]:
    count = 1_000_000 if rng.random() < 0.1 else 90_000
    if count == 1_000_000:
        return _weights(safetensors(_million(), 0)), True
    header = {f"t{number}": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for number in range(count)}
    return _weights(safetensors(header, 0)), True


def _repeated_names(rng: random.Random) -> tuple[Files, bool]:
    text = json.dumps(_header())[1:-1]
    return _weights(safetensors(f"{{{text}, {text}}}".encode(), _size())), True


def _other_weights(rng: random.Random) -> tuple[Files, bool]:
    content = rng.choice(
        [
            PICKLE,
            b"PK\x03\x04" + PICKLE,
            b"version https://git-lfs\n",
            b"",
            b"\0" * 8,
            b"GGUF" + bytes(100),
            rng.randbytes(900),
        ]
    )
    return _weights(content), True


def _changed_weights(rng: random.Random) -> tuple[Files, bool]:
    whole = safetensors(_header(), _size())
    length = struct.unpack("<Q", whole[:8])[0]
    return _weights(mutated(rng, whole[: 8 + length], 3) + whole[8 + length :]), False


def _parts(rng: random.Random) -> tuple[Files, bool]:
    files = sound_checkpoint()
    whole = files.pop("model.safetensors")
    files["model-00001-of-00002.safetensors"] = whole
    listed: Any = dict.fromkeys(TENSORS, "model-00001-of-00002.safetensors")
    match rng.randrange(5):
        case 0:
            listed = rng.choice(
                [None, [], {"a": 1}, {"a": "../../evil"}, {"wte.weight": "model-00009-of-00002.safetensors"}]
            )
        case 1:
            files["model.safetensors"] = whole
        case 2:
            files["model-00002-of-00002.safetensors"] = whole
        case 3:
            files["model-00002-of-00003.safetensors"] = whole
        case _:
            pass
    files["model.safetensors.index.json"] = rng.choice(
        [
            json.dumps({"metadata": {}, "weight_map": listed}).encode(),
            hostile_value(rng).encode("utf-8", "surrogatepass"),
        ]
    )
    return files, True


def _names(rng: random.Random) -> tuple[Files, bool]:
    name = rng.choice(
        [
            *NAMES,
            "modeling_evil.py",
            "pytorch_model.bin",
            "model.bin",
            "training_args.bin",
            "chat_template.jinja",
            "setup.py",
            "README.md",
            ".hidden",
            "model.safetensors.py",
            "config.json.bak",
            "tokenizer.pkl",
            "adapter_model.safetensors",
            "\u202e.json",
        ]
    )
    return {**sound_checkpoint(), name: rng.choice([PICKLE, b"import os", b"{}"])}, "/" not in name and "\0" not in name


def _lacking(rng: random.Random) -> tuple[Files, bool]:
    files = sound_checkpoint()
    if rng.random() < 0.3:
        files = dict.fromkeys(files, b"")
    else:
        del files[rng.choice(["config.json", "model.safetensors"])]
    return files, True


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


_FAMILIES: tuple[Callable[[random.Random], tuple[Files, bool]], ...] = (
    _header_length,
    _entry,
    _overlap,
    _gap,
    _header_json,
    _tensor_names,
    _repeated_names,
    _other_weights,
    _changed_weights,
    _parts,
    _names,
    _lacking,
    _code,
    _attention,
    _absurd_size,
    _large_sizes,
    _architecture,
    _tokenizer_part,
    _tokenizer_class,
    _template,
    _document,
    _entry,
    _code,
    _tokenizer_part,
    _changed_weights,
    _long_header,
    _many_tensors,
)
