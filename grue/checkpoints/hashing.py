"""Content hashes of a checkpoint, the same however it is split into files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from grue.checkpoints.weights import FETCH_AGAIN, Tensor, WeightFiles
from grue.core.errors import CheckpointError
from grue.core.text import Json, canonical_json, sha256_text

CHUNK_BYTES = 1 << 23
# How far the file system is asked to read ahead of what is hashed; the loader finds the same pages in memory.
AHEAD_BYTES = 1 << 26
# What tokenizers are stored in; what else lies in a checkpoint's folder is no part of the tokenizer.
TOKENIZER_FILES = (
    "added_tokens.json", "chat_template.jinja", "merges.txt", "sentencepiece.bpe.model", "special_tokens_map.json",
    "spiece.model", "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json", "vocab.txt",
    "source.spm", "target.spm", "bpe.codes", "tiktoken.model",
)  # fmt: skip

# Types by safetensors' names, so that the same tensors have the same hash in either format.
_DTYPE_NAMES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64", "float16": "F16",
    "bfloat16": "BF16", "float32": "F32", "float64": "F64",
}  # fmt: skip


def weights_sha256(weights: WeightFiles, adapter: WeightFiles | None = None, adapter_config: Json = None) -> str:
    """Hash over the tensors in name order: name, type, shape, bytes; then the adapter's with its settings.

    Bytes are read in pieces, so that memory does not grow with the checkpoint.
    """
    digest = hashlib.sha256()
    _update(digest, weights)
    if adapter is not None:
        digest.update(f"adapter\t{canonical_json(adapter_config)}\n".encode())
        _update(digest, adapter)
    return digest.hexdigest()


def tokenizer_sha256(folder: Path) -> str:
    """Hash over the tokenizer's files that are there, name and content, in name order."""
    digest = hashlib.sha256()
    for path in tokenizer_files(folder):
        digest.update(f"{path.name}\t{path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def tokenizer_files(folder: Path) -> list[Path]:
    """The tokenizer's files that are there, in name order."""
    return [path for name in sorted(TOKENIZER_FILES) if (path := folder / name).is_file()]


def config_sha256(config: Mapping[str, Any]) -> str:
    """Hash of what a model's config sets besides its defaults, without what names versions and places."""
    volatile = ("transformers_version", "_name_or_path", "dtype", "torch_dtype", "architectures", "use_cache")
    kept = {key: value for key, value in config.items() if key not in volatile}
    # Some hold bounds that are infinite, which are no numbers of JSON.
    return sha256_text(canonical_json(json.loads(json.dumps(kept, default=str), parse_constant=str)))


def _update(digest: Any, weights: WeightFiles) -> None:
    if weights.is_pickle:
        for name, dtype, shape, raw in _pickled(weights.paths):
            digest.update(f"{name}\t{dtype}\t{list(shape)}\n".encode())
            digest.update(raw)
        return
    files = {path: path.open("rb", buffering=0) for path in weights.paths}
    buffer = memoryview(bytearray(CHUNK_BYTES))
    try:
        for tensor in weights.tensors:
            digest.update(f"{tensor.name}\t{tensor.dtype}\t{list(tensor.shape)}\n".encode())
            _update_bytes(digest, files[tensor.path], tensor, buffer)
    finally:
        for file in files.values():
            file.close()


def _update_bytes(digest: Any, file: Any, tensor: Tensor, buffer: memoryview) -> None:
    file.seek(tensor.start)
    done = 0
    while done < tensor.n_bytes:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), tensor.start + done, AHEAD_BYTES, os.POSIX_FADV_WILLNEED)
        read = file.readinto(buffer[: min(tensor.n_bytes - done, len(buffer))])
        if not read:
            raise CheckpointError("The file became shorter while it was read.", FETCH_AGAIN, place=str(tensor.path))
        digest.update(buffer[:read])
        done += read


def _pickled(paths: Iterable[Path]) -> Iterable[tuple[str, str, tuple[int, ...], bytes]]:
    """Tensors of pickle files in name order; only plain tensors are read, no code is run."""
    import pickle

    import torch

    tensors: dict[str, Any] = {}
    for path in paths:
        try:
            tensors |= torch.load(path, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, OSError, ValueError, TypeError, pickle.UnpicklingError) as error:
            cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise CheckpointError(f"The weight file cannot be read: {cause}", FETCH_AGAIN, place=str(path)) from error
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        dtype = _DTYPE_NAMES.get(str(tensor.dtype).removeprefix("torch."), str(tensor.dtype))
        raw = tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
        yield name, dtype, tuple(tensor.shape), raw
