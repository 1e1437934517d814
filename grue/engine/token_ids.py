"""Token ids of a checkpoint that steer decoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grue.checkpoints.reading import quiet_transformers
from grue.core.errors import CheckpointError
from grue.engine.checkpoint import Checkpoint
from grue.engine.tokenization import PromptReader


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIds:
    """Token ids of a checkpoint that steer decoding; ``forced_first`` is a first new token it always writes."""

    ends: tuple[int, ...]
    pad: int
    decoder_start: int | None
    forced_first: int | None


def token_ids(checkpoint: Checkpoint, reader: PromptReader, own: Any = None) -> TokenIds:
    """The token ids of a checkpoint: its generation config's (``own``), else its config's, else its tokenizer's."""
    from transformers import GenerationConfig

    place = str(checkpoint.folder)
    if own is None and (checkpoint.folder / "generation_config.json").is_file():
        try:
            with quiet_transformers():
                own = GenerationConfig.from_pretrained(checkpoint.folder, local_files_only=True)
        except (OSError, ValueError, TypeError) as error:
            raise CheckpointError(
                f"generation_config.json cannot be read: {error}", "Mend or remove the file.", place=place
            ) from error

    def named(name: str) -> Any:
        value = getattr(own, name, None)
        return value if value is not None else getattr(checkpoint.config, name, None)

    tokenizer = reader.tokenizer
    ends = named("eos_token_id")
    ends = tokenizer.eos_token_id if ends is None else ends
    ends = () if ends is None else tuple(ends) if isinstance(ends, (list, tuple)) else (ends,)
    pad = tokenizer.pad_token_id
    pad = named("pad_token_id") if pad is None else pad
    pad = (ends[0] if ends else 0) if pad is None or isinstance(pad, (list, tuple)) or pad < 0 else pad
    start = forced = None
    if checkpoint.is_encoder_decoder:
        start = next((v for v in (named("decoder_start_token_id"), named("bos_token_id")) if v is not None), None)
        if isinstance(start, (list, tuple)):
            start = start[0]
        if start is None:
            raise CheckpointError("The config names no decoder_start_token_id.", "Add it to config.json.", place=place)
        forced = named("forced_bos_token_id")
    return TokenIds(ends=tuple(int(end) for end in ends), pad=int(pad), decoder_start=start, forced_first=forced)
