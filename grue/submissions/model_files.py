"""Which files a checkpoint may consist of: by name and size, so that no other is stored, fetched or opened."""

from __future__ import annotations

import re
from collections.abc import Mapping

from grue.submissions.values import UploadLimits, UploadProblem

INDEX = "model.safetensors.index.json"
CONFIG = "config.json"
GENERATION_CONFIG = "generation_config.json"
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
MAX_FILES = 1_000
_MEBIBYTE = 1 << 20
_WEIGHTS = re.compile(r"model(-[0-9]{5}-of-[0-9]{5})?\.safetensors")
# The largest in use: vocabularies of 260,000 words, merges and all, have 34 MB.
SIZES: Mapping[str, int] = {
    CONFIG: _MEBIBYTE,
    GENERATION_CONFIG: _MEBIBYTE,
    INDEX: 16 * _MEBIBYTE,
    TOKENIZER: 64 * _MEBIBYTE,
    TOKENIZER_CONFIG: 4 * _MEBIBYTE,
    "special_tokens_map.json": _MEBIBYTE,
    "added_tokens.json": 4 * _MEBIBYTE,
    "vocab.json": 32 * _MEBIBYTE,
    "vocab.txt": 32 * _MEBIBYTE,
    "merges.txt": 32 * _MEBIBYTE,
    "tokenizer.model": 64 * _MEBIBYTE,
    "spiece.model": 64 * _MEBIBYTE,
    "sentencepiece.bpe.model": 64 * _MEBIBYTE,
    "source.spm": 64 * _MEBIBYTE,
    "target.spm": 64 * _MEBIBYTE,
}
TOKENIZER_FILES = (
    TOKENIZER,
    TOKENIZER_CONFIG,
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "source.spm",
    "vocab.json",
    "vocab.txt",
)
_LEAVE_OUT = "Leave it out: a checkpoint is safetensors, config.json and the tokenizer's files."


def is_weights(name: str) -> bool:
    """Whether a file of that name holds weights."""
    return _WEIGHTS.fullmatch(name) is not None


def is_allowed(name: str) -> bool:
    """Whether a checkpoint may have a file of that name."""
    return name in SIZES or is_weights(name)


def largest(name: str, limits: UploadLimits) -> int:
    """Bytes that a file of an allowed name may have."""
    return min(SIZES.get(name, limits.model_bytes), limits.model_bytes)


def file_problems(sizes: Mapping[str, int], limits: UploadLimits) -> list[UploadProblem]:
    """All that is wrong with a checkpoint's names and sizes."""
    problems = [problem for name, size in sorted(sizes.items()) for problem in name_problems(name, size, limits)]
    if len(sizes) > MAX_FILES:
        problems.insert(0, UploadProblem(None, None, f"There are more than {MAX_FILES:,} files.", _LEAVE_OUT))
    if (total := sum(sizes.values())) > limits.model_bytes:
        problem = f"The files have {total:,} bytes together; {limits.model_bytes:,} are allowed."
        problems.append(UploadProblem(None, None, problem, "Save the weights in bfloat16, or submit predictions."))
    if CONFIG not in sizes:
        problems.append(_missing(f"There is no {CONFIG}."))
    if not any(map(is_weights, sizes)):
        problems.append(_missing("There are no weights: neither model.safetensors nor its parts."))
    if not any(name in sizes for name in TOKENIZER_FILES):
        problems.append(_missing("There is no tokenizer."))
    return problems


def name_problems(name: str, size: int, limits: UploadLimits) -> list[UploadProblem]:
    """What is wrong with one file's name or size."""
    shown = name[:200].encode("utf-8", "backslashreplace").decode()
    if not is_allowed(name):
        return [UploadProblem(None, shown, "No file of a checkpoint has this name.", _LEAVE_OUT)]
    most = largest(name, limits)
    if not 0 < size <= most:
        problem = "The file is empty." if size == 0 else f"The file has {size:,} bytes; {most:,} are allowed."
        return [UploadProblem(None, shown, problem, "Save the checkpoint again with save_pretrained.")]
    return []


def _missing(problem: str) -> UploadProblem:
    return UploadProblem(None, None, problem, "Add what save_pretrained of model and tokenizer writes.")
