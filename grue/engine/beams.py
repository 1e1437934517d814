"""Beam search, by the library's own ``generate`` on batches that are aligned as ours are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from grue.checkpoints.reading import quiet_transformers
from grue.core.decoding import Decoding
from grue.engine.decode import Output
from grue.engine.steppers import padded
from grue.engine.token_ids import TokenIds


def sees_padding(decoding: Decoding, is_encoder_decoder: bool) -> bool:
    """Whether the library's processors would count padding as text: then only prompts of one length go together."""
    return not is_encoder_decoder and (decoding.repetition_penalty != 1 or decoding.no_repeat_ngram_size > 0)


def beam_batch(
    model: Any, prompts: Sequence[Sequence[int]], *, decoding: Decoding, tokens: TokenIds, is_encoder_decoder: bool
) -> list[Output]:
    """Beam search over a batch; a row's best hypothesis, in the order of ``prompts``.

    Nothing of the checkpoint's own generation settings is used but its token ids.
    """
    import torch
    from transformers import GenerationConfig

    started = time.perf_counter()
    ids, mask = padded(prompts, tokens.pad, model.device, left=not is_encoder_decoder)
    config = GenerationConfig(
        max_new_tokens=decoding.max_new_tokens,
        min_new_tokens=decoding.min_new_tokens or None,
        num_beams=decoding.num_beams,
        do_sample=False,
        length_penalty=decoding.length_penalty,
        early_stopping=decoding.early_stopping,
        no_repeat_ngram_size=decoding.no_repeat_ngram_size or None,
        repetition_penalty=decoding.repetition_penalty if decoding.repetition_penalty != 1 else None,
        eos_token_id=list(tokens.ends) or None,
        pad_token_id=tokens.pad,
        decoder_start_token_id=tokens.decoder_start,
        forced_bos_token_id=tokens.forced_first,
        use_cache=True,
    )
    own = model.generation_config
    with quiet_transformers(), torch.inference_mode():
        try:
            # What the given settings leave open, the library fills from the model's: so it gets a bare one.
            model.generation_config = GenerationConfig(pad_token_id=tokens.pad)
            sequences = model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
        finally:
            model.generation_config = own
    skipped = 1 if is_encoder_decoder else ids.shape[1]
    seconds = time.perf_counter() - started
    return [_output(sequence[skipped:], tokens, seconds) for sequence in sequences.tolist()]


def _output(ids: list[int], tokens: TokenIds, seconds: float) -> Output:
    """New tokens up to and with the first end token; what follows it is padding."""
    for place, token in enumerate(ids):
        if token in tokens.ends:
            return Output(ids[: place + 1], "stop", seconds)
    return Output(ids, "length", seconds)
