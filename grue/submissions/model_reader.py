"""Reads a stranger's checkpoint without loading it; runs in a bounded process."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from grue.runs.files import write_json
from grue.submissions.bounded_json import bounded_object
from grue.submissions.findings import Fault, Findings
from grue.submissions.model_config import check_config, check_generation_config
from grue.submissions.model_files import CONFIG, GENERATION_CONFIG, INDEX, TOKENIZER, TOKENIZER_CONFIG, is_weights
from grue.submissions.tokenizer_parts import (
    check_tokenizer,
    check_tokenizer_keys,
    check_words,
    cleaned_tokenizer_config,
)
from grue.submissions.weight_headers import Weights

_WHOLE = "model.safetensors"
_PART = re.compile(r"model-([0-9]{5})-of-([0-9]{5})\.safetensors")
_FEW_VALUES, _MANY_VALUES = 200_000, 6_000_000
_AGAIN = "Save the checkpoint again with save_pretrained."


def read_model(request: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """Check all files of a folder whose names and sizes were checked.

    What is dropped from ``tokenizer_config.json`` is dropped in the file.
    """
    folder = Path(request["folder"])
    names = sorted(path.name for path in folder.iterdir())
    weights = Weights()
    for name in filter(is_weights, names):
        _found(findings, name, lambda path=folder / name: weights.add(path))  # type: ignore[misc]
    _found(findings, INDEX, lambda: _check_parts(names, weights, folder / INDEX))
    _found(findings, CONFIG, lambda: check_config(_object(folder / CONFIG), weights.values))
    checks: Mapping[str, Callable[[dict[str, Any]], None]] = {
        GENERATION_CONFIG: check_generation_config,
        "special_tokens_map.json": check_tokenizer_keys,
        "added_tokens.json": check_words,
        "vocab.json": check_words,
        TOKENIZER: check_tokenizer,
    }
    for name, check in checks.items():
        if name in names:
            _found(findings, name, lambda name=name, check=check: check(_object(folder / name)))  # type: ignore[misc]
    if TOKENIZER_CONFIG in names:
        _found(findings, TOKENIZER_CONFIG, lambda: _clean(folder / TOKENIZER_CONFIG, findings))
    return {"values": weights.values}


def _found(findings: Findings, name: str, check: Callable[[], None]) -> None:
    try:
        check()
    except Fault as fault:
        findings.add(name, fault.problem, fault.fix)


def _object(path: Path) -> dict[str, Any]:
    is_large = path.name in (TOKENIZER, "vocab.json")
    return bounded_object(path.read_bytes(), max_values=_MANY_VALUES if is_large else _FEW_VALUES)


def _check_parts(names: list[str], weights: Weights, index: Path) -> None:
    """Either one whole file, or all parts and the index that says what stands in which."""
    parts = [found for name in names if (found := _PART.fullmatch(name))]
    if _WHOLE in names:
        if parts or index.exists():
            raise Fault("The weights are there as a whole and in parts.", f"Keep {_WHOLE}, or the parts and the index.")
        return
    if not parts:
        return
    count = int(parts[0][2])
    if {part[0] for part in parts} != {
        f"model-{number:05}-of-{count:05}.safetensors" for number in range(1, count + 1)
    }:
        raise Fault(f"{len(parts)} parts of the weights are there, of {count}.", "Upload all of them.")
    if not index.exists():
        raise Fault("The weights are in parts, and their index is missing.", f"Upload {INDEX}.")
    listed = bounded_object(index.read_bytes(), max_values=1_000_000).get("weight_map")
    if not isinstance(listed, dict) or listed != weights.file_of:
        raise Fault("The index lists other tensors than the parts hold.", _AGAIN)


def _clean(path: Path, findings: Findings) -> None:
    document = _object(path)
    cleaned, dropped = cleaned_tokenizer_config(document)
    if dropped:
        try:
            write_json(path, cleaned)
        except ValueError as error:
            raise Fault("A number is infinite or none.", "Mend the file.") from error
        findings.notes.append(f"Left out of {path.name}, since it is never used here: {', '.join(dropped)[:300]}.")
