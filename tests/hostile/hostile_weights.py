"""Weights with absurd headers, in parts that do not fit, or in other formats."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from tests.hostile.json_texts import PICKLE, SCRIPT, hostile_value, mutated
from tests.hostile.sound_model import TENSORS, Files, safetensors, sound_checkpoint, tensor_bytes, tensor_entries


def _weights(content: bytes) -> Files:
    return {**sound_checkpoint(), "model.safetensors": content}


def _header_length(rng: random.Random) -> tuple[Files, bool]:
    whole = safetensors(tensor_entries(), tensor_bytes())
    length = rng.choice([0, 1, 2**63, 2**64 - 1, 2**31, 2**32, len(whole), len(whole) - 7, 100_000_000, 5 << 20])
    return _weights(struct.pack("<Q", length) + whole[8:]), True


def _long_header(rng: random.Random) -> tuple[Files, bool]:
    filler = rng.choice([b" ", b"[", b'{"a":', b'"'])
    return _weights(struct.pack("<Q", 5 << 20) + (filler * (5 << 20))[: 5 << 20]), True


def _entry(rng: random.Random) -> tuple[Files, bool]:
    header = tensor_entries()
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
    return _weights(safetensors(header, tensor_bytes())), True


def _overlap(rng: random.Random) -> tuple[Files, bool]:
    header = tensor_entries()
    first, second = rng.sample([name for name, shape in TENSORS.items() if shape == (8,)], 2)
    header[first]["data_offsets"] = header[second]["data_offsets"]
    return _weights(safetensors(header, tensor_bytes())), True


def _gap(rng: random.Random) -> tuple[Files, bool]:
    return _weights(
        safetensors(tensor_entries(), tensor_bytes() + rng.choice([-tensor_bytes(), -4, -1, 1, 4_096]))
    ), True


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
    header = tensor_entries()
    last = list(header)[-1]
    entry = header.pop(last)
    header[rng.choice(["", "a\0b", SCRIPT * 100, "../evil name", "\u202e", "x" * 5_000, "__import__('os') "])] = entry
    return _weights(safetensors(header, tensor_bytes())), True


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
    text = json.dumps(tensor_entries())[1:-1]
    return _weights(safetensors(f"{{{text}, {text}}}".encode(), tensor_bytes())), True


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
    whole = safetensors(tensor_entries(), tensor_bytes())
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


FAMILIES: tuple[Callable[[random.Random], tuple[Files, bool]], ...] = (
    _header_length,
    _long_header,
    _entry,
    _overlap,
    _gap,
    _header_json,
    _tensor_names,
    _many_tensors,
    _repeated_names,
    _other_weights,
    _changed_weights,
    _parts,
)
