"""What a checkpoint's folder says before its weights are loaded."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from grue.core.errors import CheckpointError

# Encoders whose positions are relative: nothing bounds how much they read.
_RELATIVE_ENCODERS = frozenset({"t5", "mt5", "umt5", "longt5", "switch_transformers", "byt5", "udop", "t5gemma"})


_QUIET_LOCK = threading.Lock()
# How many threads are inside, and what the first of them found.
_quiet: list[ExitStack] = []


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep the library's log lines, warnings and bars away from the user's terminal.

    The library's settings are those of the whole process: the first thread that enters changes them, and the last
    that leaves puts them back.
    """
    with _QUIET_LOCK:
        _quiet.append(_silence() if not _quiet else ExitStack())
    try:
        yield
    finally:
        with _QUIET_LOCK:
            # Whoever leaves first takes an empty one, so that the settings go back last.
            _quiet.pop().close()


def _silence() -> ExitStack:
    import warnings

    from transformers.utils import logging

    before = ExitStack()
    before.callback(logging.set_verbosity, logging.get_verbosity())
    logging.set_verbosity(logging.CRITICAL)
    if logging.is_progress_bar_enabled():
        before.callback(logging.enable_progress_bar)
        logging.disable_progress_bar()
    before.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore")
    return before


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """The object of a JSON file in a checkpoint's folder.

    Raises:
        CheckpointError: where the file is not there or holds no object.
    """
    path = folder / name
    if not path.is_file():
        hint = (
            "This folder holds an adapter: give the base model with -m and this folder with --adapter."
            if (folder / "adapter_config.json").is_file() and name == "config.json"
            else "Give the folder that save_pretrained wrote."
        )
        raise CheckpointError(f"No {name}.", hint, place=str(folder))
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{name} is no valid JSON: {error}.", "Mend or fetch the file again.", place=str(path)
        ) from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{name} holds no JSON object.", "Mend or fetch the file again.", place=str(path))
    return value


def read_config(folder: Path, raw: Mapping[str, Any], *, trust_remote_code: bool = False) -> Any:
    """The library's config object of a folder.

    Args:
        folder: The checkpoint.
        raw: Its ``config.json``.
        trust_remote_code: Whether code inside the checkpoint may run.

    Raises:
        CheckpointError: where the library does not know the model's type or the settings make no sense.
    """
    from transformers import CONFIG_MAPPING, AutoConfig

    place = str(folder / "config.json")
    kind = raw.get("model_type")
    if kind not in CONFIG_MAPPING and not trust_remote_code:
        if raw.get("auto_map"):
            raise CheckpointError(
                f"Models of type {kind!r} need code that lies in the checkpoint.",
                "Read that code; give --trust-remote-code if you want it to run.",
                place=place,
            )
        raise CheckpointError(
            f"Unknown model type {kind!r}.", "Check config.json; a newer transformers may know it.", place=place
        )
    try:
        with quiet_transformers():
            return AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code, local_files_only=True)
    except Exception as error:
        raise CheckpointError(
            f"config.json cannot be used: {first_line(error)}", "Mend the file.", place=place
        ) from error


def positions(config: Any, is_encoder_decoder: bool) -> tuple[int | None, int | None]:
    """Tokens that a model reads, and new tokens that an encoder-decoder model writes; ``None`` if unbounded."""
    if is_encoder_decoder and config.model_type in _RELATIVE_ENCODERS:
        return None, None
    shared = _whole(config, "max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length")
    if not is_encoder_decoder:
        return shared, None
    encoder = _whole(config, "max_encoder_position_embeddings") or shared
    return encoder, _whole(config, "max_decoder_position_embeddings") or shared


def _whole(config: Any, *names: str) -> int | None:
    for name in names:
        value = getattr(config, name, None)
        if isinstance(value, int) and value > 0:
            return value
    return None


def first_line(error: BaseException) -> str:
    """The first line of an error, at most 300 letters."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
