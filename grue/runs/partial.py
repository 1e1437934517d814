"""Generations on their way: one JSON line each, appended while a run goes on and read when it is resumed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grue.core.errors import RunDirectoryError
from grue.core.rows import Generation

Key = tuple[str, int]
# Every field of a Generation, with the kinds of value that a line may hold for it.
_KINDS: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "sample": (int,),
    "prediction": (str,),
    "raw": (str, type(None)),
    "prompt": (str, type(None)),
    "finish_reason": (str, type(None)),
    "prompt_tokens": (int, type(None)),
    "generated_tokens": (int, type(None)),
    "prompt_cut": (bool, type(None)),
    "latency_seconds": (int, float, type(None)),
}


def to_lines(generations: Iterable[Generation]) -> bytes:
    """The generations as JSON lines."""
    lines = (json.dumps(asdict(generation), ensure_ascii=False, allow_nan=False) for generation in generations)
    return "".join(f"{line}\n" for line in lines).encode()


def read_lines(path: Path) -> dict[Key, Generation]:
    """Read the generations of a partial file, keyed by (id, sample).

    A last line without its newline was interrupted and is passed over.

    Raises:
        RunDirectoryError: for any other line that is not what was written; names the line.
    """
    found: dict[Key, Generation] = {}
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                if not line.endswith(b"\n"):
                    break
                generation = _generation(line, path, number)
                key = (generation.id, generation.sample)
                if key in found:
                    raise _fault(path, number, f"repeats id {key[0]!r}, sample {key[1]}")
                found[key] = generation
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise RunDirectoryError(f"cannot be read: {error.strerror or error}.", place=str(path)) from error
    return found


def _generation(line: bytes, path: Path, number: int) -> Generation:
    try:
        values: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _fault(path, number, f"is no valid JSON ({error})") from error
    if not isinstance(values, dict):
        raise _fault(path, number, "is no JSON object")
    fields_found: dict[str, Any] = {name: values.get(name) for name in _KINDS}
    for name, kinds in _KINDS.items():
        value = fields_found[name]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise _fault(path, number, f"has a wrong or no {name!r}")
    return Generation(**fields_found)


def _fault(path: Path, number: int, what: str) -> RunDirectoryError:
    return RunDirectoryError(
        f"stored generation {what}.",
        f"The file is damaged: remove line {number} to generate that row again, or run again with --fresh.",
        place=f"{path}:{number}",
    )
