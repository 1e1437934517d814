"""Headers of safetensors files of strangers: how long they are is known before anything is allocated for them.

Format: https://github.com/huggingface/safetensors, README, "Format". Stricter than ``grue.checkpoints.weights``, which
reads what is on the user's own disk.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grue.checkpoints.weights import DTYPE_BITS
from grue.submissions.bounded_json import bounded_object
from grue.submissions.findings import Fault

MAX_HEADER_BYTES = 4 << 20
MAX_TENSORS = 200_000
_MAX_HEADER_VALUES = 1_000_000
_MAX_DIMENSIONS = 8
_MAX_LENGTH = 1 << 48
_METADATA = "__metadata__"
_NAME = re.compile(r"[\x21-\x7e]{1,300}")
_AGAIN = "Save the checkpoint again with save_pretrained."


@dataclass(slots=True)
class Weights:
    """What the headers of a checkpoint's files say together.

    Attributes:
        file_of: Tensor -> the file it stands in.
        values: Numbers in all tensors.
    """

    file_of: dict[str, str] = field(default_factory=dict)
    values: int = 0

    def add(self, path: Path) -> None:
        """Read one file's header.

        Raises:
            Fault: where it is not what a whole safetensors file begins with.
        """
        header, start = _header(path)
        entries = []
        for name, entry in header.items():
            if name == _METADATA:
                _check_metadata(entry)
                continue
            if not _NAME.fullmatch(name):
                raise Fault(f"A tensor is named {name[:100]!r}.", _AGAIN)
            if name in self.file_of:
                raise Fault(f"Tensor {name!r} stands in {self.file_of[name]} too.", _AGAIN)
            first, last, values = _checked(name, entry)
            entries.append((first, last, name))
            self.file_of[name] = path.name
            self.values += values
        if len(self.file_of) > MAX_TENSORS:
            raise Fault(f"The checkpoint has more than {MAX_TENSORS:,} tensors.", "Merge the parts of its layers.")
        if not entries:
            raise Fault("The file holds no tensor.", _AGAIN)
        _check_places(entries, path.stat().st_size - start)


def _header(path: Path) -> tuple[dict[str, Any], int]:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        if head.startswith(b"version "):
            raise Fault("This is a Git LFS pointer, not the weights.", "Run 'git lfs pull', then upload the file.")
        length = int.from_bytes(head, "little")
        if len(head) < 8 or not 2 <= length <= size - 8:
            raise Fault(f"No whole safetensors file: its header should take {length:,} of {size:,} bytes.", _AGAIN)
        if length > MAX_HEADER_BYTES:
            raise Fault(f"The header has {length:,} bytes; {MAX_HEADER_BYTES:,} are allowed.", _AGAIN)
        raw = file.read(length)
    if not raw.startswith(b"{"):
        raise Fault("No safetensors file: its header is no JSON object.", _AGAIN)
    return bounded_object(raw, max_values=_MAX_HEADER_VALUES, max_depth=4), 8 + length


def _checked(name: str, entry: object) -> tuple[int, int, int]:
    """First byte, end and number of values of a tensor."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise Fault(f"Tensor {name!r} should have dtype, shape and data_offsets alone.", _AGAIN)
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPE_BITS:
        raise Fault(f"Tensor {name!r} has the unknown type {str(dtype)[:40]!r}.", _AGAIN)
    if not _are_lengths(shape) or len(shape) > _MAX_DIMENSIONS or not _are_lengths(offsets) or len(offsets) != 2:
        raise Fault(f"Shape or offsets of tensor {name!r} are no lengths.", _AGAIN)
    values, (first, last) = math.prod(shape), offsets
    if values * DTYPE_BITS[dtype] != (last - first) * 8:
        raise Fault(f"Tensor {name!r} of type {dtype} does not take the {last - first:,} bytes it says.", _AGAIN)
    return first, last, values


def _are_lengths(value: object) -> bool:
    return isinstance(value, list) and all(type(length) is int and 0 <= length <= _MAX_LENGTH for length in value)


def _check_places(entries: list[tuple[int, int, str]], size: int) -> None:
    """The tensors lie one behind the other, from the first byte to the last."""
    end = 0
    for first, last, name in sorted(entries):
        if first != end:
            raise Fault(f"Tensor {name!r} does not begin where the one before it ends.", _AGAIN)
        end = last
    if end != size:
        raise Fault(f"The header says {end:,} bytes of tensors; {size:,} are there.", _AGAIN)


def _check_metadata(entry: object) -> None:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise Fault(f"{_METADATA} should hold texts alone.", _AGAIN)
