"""An engine for a model that is in memory already, such as one in training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grue.checkpoints.hashing import config_sha256
from grue.checkpoints.reading import positions
from grue.checkpoints.weights import WeightFiles
from grue.core.run import ModelInfo
from grue.engine.checkpoint import Checkpoint
from grue.engine.hf import HFEngine
from grue.engine.options import EngineOptions
from grue.engine.token_ids import token_ids
from grue.engine.tokenization import prompt_reader

KIND = "live"


def live_engine(model: Any, tokenizer: Any, *, name: str = "live", chat_template: str = "auto") -> HFEngine:
    """An engine around a loaded model; its weights are read at each ``generate`` as they then are.

    The model is not moved, copied or put into another mode: the caller sees to ``model.eval()``.

    Args:
        model: A Hugging Face model with a generation head.
        tokenizer: Its tokenizer.
        name: Display name.
        chat_template: ``auto``, ``on`` or ``off``.

    Raises:
        CheckpointError: where the tokenizer does not fit the model.
    """
    config = model.config
    is_encoder_decoder = bool(config.is_encoder_decoder)
    text = config if is_encoder_decoder else config.get_text_config(decoder=True)
    inputs, outputs = positions(text, is_encoder_decoder)
    options = EngineOptions(name=name, chat_template=chat_template)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    checkpoint = Checkpoint(
        folder=Path(str(getattr(config, "name_or_path", "") or name)),
        config=config,
        architecture=type(model).__name__,
        is_encoder_decoder=is_encoder_decoder,
        weights=WeightFiles((), False, ()),
        adapter=None,
        parameters=parameters,
        weights_hash=None,
        config_sha256=config_sha256(config.to_diff_dict()),
        input_positions=inputs,
        output_positions=outputs,
        vocabulary=int(text.vocab_size),
    )
    reader = prompt_reader(tokenizer, checkpoint, options)
    info = ModelInfo(
        name=name,
        source=name,
        kind=KIND,
        architecture=checkpoint.architecture,
        parameters=parameters,
        dtype=str(model.dtype).removeprefix("torch."),
        engine="hf",
    )
    tokens = token_ids(checkpoint, reader, getattr(model, "generation_config", None))
    engine = HFEngine(info, checkpoint, reader, tokens, str(model.device), options)
    engine.model = model
    return engine
