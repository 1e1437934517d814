"""Weight files of a checkpoint: which there are, and what their headers say, checked before anything is loaded.

Format of safetensors: eight bytes, the little-endian length of a JSON header; the header; then the tensors' bytes
without gaps. https://github.com/huggingface/safetensors, README, "Format".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grue.core.errors import CheckpointError

MAX_HEADER_BYTES = 100_000_000
FETCH_AGAIN = "Fetch or save the checkpoint again; this file cannot be mended."
DTYPE_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where one tensor stands.

    Attributes:
        dtype: In the file's words, ``F32``.
        start: First byte, from the start of the file.
        n_bytes: Length in bytes.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    path: Path
    start: int
    n_bytes: int

    @property
    def n_values(self) -> int:
        """Number of values."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class WeightFiles:
    """The files that hold a checkpoint's weights; ``tensors`` is empty for pickle files, whose headers say nothing."""

    paths: tuple[Path, ...]
    is_pickle: bool
    tensors: tuple[Tensor, ...]

    @property
    def n_bytes(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self.paths)


def find_weights(
    folder: Path, *, allow_pickle: bool, stem: str = "model", pickle_stem: str = "pytorch_model"
) -> WeightFiles:
    """The weight files of a folder, their headers read and checked.

    Args:
        folder: The checkpoint.
        allow_pickle: Whether pickle files are taken where there is nothing else.
        stem: Name of the safetensors file or index without its ending.
        pickle_stem: The same for pickle files.

    Raises:
        CheckpointError: where there are none, only pickle files, or a file is missing, truncated or corrupt.
    """
    paths = _named(folder, f"{stem}.safetensors")
    if paths:
        tensors: dict[str, Tensor] = {}
        for path in paths:
            for tensor in read_header(path):
                if tensor.name in tensors:
                    other = tensors[tensor.name].path.name
                    raise CheckpointError(
                        f"Tensor {tensor.name!r} stands in two files, {other} and {path.name}.",
                        "Remove the files that do not belong to the checkpoint.",
                        place=str(folder),
                    )
                tensors[tensor.name] = tensor
        if not tensors:
            raise CheckpointError("The weight file holds no tensor.", FETCH_AGAIN, place=str(paths[0]))
        return WeightFiles(paths, False, tuple(tensors[name] for name in sorted(tensors)))
    pickles = _named(folder, f"{pickle_stem}.bin")
    if pickles and not allow_pickle:
        raise CheckpointError(
            f"Only pickle weights ({pickles[0].name}) are here, and a pickle file can run code when it is read.",
            "Convert them (save_pretrained writes safetensors), or give --allow-pickle if you trust them.",
            place=str(folder),
        )
    if pickles:
        return WeightFiles(pickles, True, ())
    raise CheckpointError(*_nothing_here(folder, stem), place=str(folder))


def read_header(path: Path) -> list[Tensor]:
    """The tensors of a safetensors file, in the order of their bytes.

    Raises:
        CheckpointError: where the file is truncated or corrupt.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        if head.startswith(b"version "):
            raise CheckpointError(
                "This is a Git LFS pointer, not the weights.", "Run 'git lfs pull' in its repository.", place=str(path)
            )
        if len(head) < 8:
            raise CheckpointError(f"The file is truncated: {size} bytes.", FETCH_AGAIN, place=str(path))
        length = int.from_bytes(head, "little")
        if length > MAX_HEADER_BYTES or length < 2:
            raise CheckpointError(
                f"No safetensors file: its header length reads {length}.", FETCH_AGAIN, place=str(path)
            )
        if length > size - 8:
            raise CheckpointError(
                f"The file is truncated: its header takes {length} bytes, {size - 8} are there.",
                FETCH_AGAIN,
                place=str(path),
            )
        raw = file.read(length)
    try:
        header = json.loads(raw.decode("utf-8"))
        tensors = sorted(_entries(path, header, 8 + length), key=lambda tensor: (tensor.start, tensor.n_bytes))
    except (UnicodeDecodeError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(f"The header is corrupt: {error}.", FETCH_AGAIN, place=str(path)) from error
    end = 8 + length
    for tensor in tensors:
        if tensor.start != end:
            raise CheckpointError(
                f"The header is corrupt: tensor {tensor.name!r} does not follow the one before it.",
                FETCH_AGAIN,
                place=str(path),
            )
        end += tensor.n_bytes
    if end != size:
        what = "truncated" if end > size else "longer than its header says"
        raise CheckpointError(
            f"The file is {what}: the header promises {end} bytes, {size} are there.", FETCH_AGAIN, place=str(path)
        )
    return tensors


def _entries(path: Path, header: Mapping[str, dict[str, object]], base: int) -> Iterable[Tensor]:
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype = str(entry["dtype"])
        shape = tuple(int(length) for length in entry["shape"])  # type: ignore[attr-defined]
        first, last = (int(offset) for offset in entry["data_offsets"])  # type: ignore[attr-defined]
        if dtype not in DTYPE_BITS:
            raise ValueError(f"tensor {name!r} has the unknown type {dtype!r}")
        if min((*shape, first, last - first), default=0) < 0:
            raise ValueError(f"tensor {name!r} has a negative length")
        if math.prod(shape) * DTYPE_BITS[dtype] != (last - first) * 8:
            raise ValueError(
                f"tensor {name!r} of type {dtype} and shape {list(shape)} cannot take {last - first} bytes"
            )
        yield Tensor(name, dtype, shape, path, base + first, last - first)


def _named(folder: Path, name: str) -> tuple[Path, ...]:
    """The single file of that name, else the files its index lists, else nothing."""
    single, index = folder / name, folder / f"{name}.index.json"
    if single.is_file():
        return (single,)
    if not index.is_file():
        return ()
    try:
        shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(f"The weight index is corrupt: {error}.", FETCH_AGAIN, place=str(index)) from error
    for shard in shards:
        if not isinstance(shard, str) or Path(shard).name != shard:
            raise CheckpointError(
                f"The weight index names {shard!r}, outside its folder.", FETCH_AGAIN, place=str(index)
            )
        if not (folder / shard).is_file():
            raise CheckpointError(
                f"The weight index names {shard}, which is not there ({len(shards)} files in all).",
                "Fetch the missing file.",
                place=str(index),
            )
    return tuple(folder / shard for shard in shards)


def _nothing_here(folder: Path, stem: str) -> tuple[str, str]:
    if stem == "model" and (folder / "adapter_config.json").is_file():
        return (
            "This folder holds an adapter and no model weights.",
            "Give the base model with -m and this folder with --adapter.",
        )
    found = sorted(entry.name for entry in folder.iterdir())[:8]
    return (
        f"No weights: neither {stem}.safetensors nor its index. Found: {', '.join(found) or 'nothing'}.",
        "Give the folder that save_pretrained wrote.",
    )
