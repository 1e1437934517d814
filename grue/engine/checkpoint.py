"""A checkpoint as it lies in its folder: read and checked before its weights are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grue.checkpoints.hash_store import PendingHash
from grue.checkpoints.hashing import config_sha256
from grue.checkpoints.loading import laid_out, load_weights, place_model, ready
from grue.checkpoints.reading import first_line, positions, quiet_transformers, read_config, read_json
from grue.checkpoints.spread import SPREAD, free_gpus, spread_layers
from grue.checkpoints.weights import WeightFiles, find_weights
from grue.core.errors import CheckpointError
from grue.core.text import Json
from grue.engine.decodable import check_decodable
from grue.engine.options import EngineOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What is known of a checkpoint without its weights.

    Attributes:
        config: The library's config object.
        architecture: Class name of the model.
        is_encoder_decoder: Whether an encoder reads the prompt.
        parameters: Number of parameters, tied ones once, the adapter's among them; ``None`` where the library
            cannot lay the model out without its weights.
        weights_hash: Content hash, the adapter appended; ``None`` where no files hold the weights.
        config_sha256: Hash of the config's own settings.
        input_positions: Tokens the model can read (with a decoder-only model: read and write); ``None`` if unbounded.
        output_positions: New tokens an encoder-decoder model can write; ``None`` if unbounded.
        vocabulary: Rows of the model's vocabulary.
    """

    folder: Path
    config: Any
    architecture: str
    is_encoder_decoder: bool
    weights: WeightFiles
    adapter: Path | None
    parameters: int | None
    weights_hash: PendingHash | None
    config_sha256: str
    input_positions: int | None
    output_positions: int | None
    vocabulary: int


def read_checkpoint(folder: Path, options: EngineOptions) -> Checkpoint:
    """Read config and weight headers of a folder; the weights are hashed in a thread, beside what follows.

    Raises:
        CheckpointError: for every fault that can be seen without loading; it names the file and the fix.
    """
    raw = read_json(folder, "config.json")
    weights = find_weights(folder, allow_pickle=options.allow_pickle)
    adapter_weights, adapter_config = _adapter(options)
    weights_hash = PendingHash(weights, options.home, adapter_weights, adapter_config)
    if weights.is_pickle:
        # Reading them is the only check of pickle files there is.
        weights_hash.value()
    else:
        weights_hash.start()
    config = read_config(folder, raw, trust_remote_code=options.trust_remote_code)
    architecture, is_encoder_decoder = _architecture(folder, config, raw, options)
    parameters = _parameters(folder, config, architecture, options, is_encoder_decoder=is_encoder_decoder)
    if parameters is not None and adapter_weights is not None:
        parameters += sum(tensor.n_values for tensor in adapter_weights.tensors)
    text = config.get_text_config(decoder=True) if not is_encoder_decoder else config
    inputs, outputs = positions(text, is_encoder_decoder)
    return Checkpoint(
        folder=folder,
        config=config,
        architecture=architecture,
        is_encoder_decoder=is_encoder_decoder,
        weights=weights,
        adapter=options.adapter,
        parameters=parameters,
        weights_hash=weights_hash,
        config_sha256=config_sha256(config.to_diff_dict()),
        input_positions=inputs,
        output_positions=outputs,
        vocabulary=int(text.vocab_size),
    )


def load_model(checkpoint: Checkpoint, device: str, dtype: str, options: EngineOptions) -> Any:
    """The model with its weights, the adapter laid over it, on its device and ready to generate.

    Raises:
        CheckpointError: where a weight is missing or has another shape than the config says.
    """
    auto = _auto(checkpoint.is_encoder_decoder)
    places = _places(auto, checkpoint, dtype, options) if options.device == SPREAD else None
    model = load_weights(
        auto,
        checkpoint.folder,
        checkpoint.config,
        checkpoint.weights,
        architecture=checkpoint.architecture,
        device=device,
        dtype=dtype,
        trust_remote_code=options.trust_remote_code,
        places=places,
    )
    if checkpoint.adapter is not None:
        model = _with_adapter(model, checkpoint.adapter)
    return place_model(model, device, checkpoint.folder) if places is None else ready(model)


def _auto(is_encoder_decoder: bool) -> Any:
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    return AutoModelForSeq2SeqLM if is_encoder_decoder else AutoModelForCausalLM


def _places(auto: Any, checkpoint: Checkpoint, dtype: str, options: EngineOptions) -> dict[str, int]:
    """Where each module of a model lies that is spread over all GPUs."""
    import torch

    model = laid_out(auto, checkpoint.config, trust_remote_code=options.trust_remote_code)
    return spread_layers(model, free_gpus(), getattr(torch, dtype), str(checkpoint.folder))


def _architecture(folder: Path, config: Any, raw: Mapping[str, Any], options: EngineOptions) -> tuple[str, bool]:
    """Class name, and whether it is an encoder-decoder model; refuses what cannot generate text."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    )

    causal, seq2seq = dict(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES), dict(MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES)
    named = raw.get("architectures") or []
    if not named:
        table = seq2seq if config.is_encoder_decoder else causal
        named = [table[config.model_type]] if config.model_type in table else []
    name = str(named[0]) if named else ""
    if name in seq2seq.values() and config.is_encoder_decoder:
        return name, True
    if name in causal.values() and not config.is_encoder_decoder:
        return name, False
    auto_map = raw.get("auto_map") or {}
    if options.trust_remote_code and auto_map:
        if "AutoModelForSeq2SeqLM" in auto_map:
            return name, True
        if "AutoModelForCausalLM" in auto_map:
            return name, False
    raise CheckpointError(
        f"This model has no generation head: {name or config.model_type} does not write text.",
        "Give a …ForCausalLM, …LMHeadModel or …ForConditionalGeneration checkpoint.",
        place=str(folder / "config.json"),
    )


def _parameters(
    folder: Path, config: Any, architecture: str, options: EngineOptions, *, is_encoder_decoder: bool
) -> int | None:
    """Parameters of the model as its config lays it out; files may hold buffers and tied tensors besides.

    Raises:
        CheckpointError: where the layout shows that it cannot be decoded.
    """
    try:
        model = laid_out(_auto(is_encoder_decoder), config, trust_remote_code=options.trust_remote_code)
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError, ImportError):
        return None
    if not is_encoder_decoder and options.engine != "vllm":
        check_decodable(model, architecture, str(folder))
    return int(sum(parameter.numel() for parameter in model.parameters()))


def _adapter(options: EngineOptions) -> tuple[WeightFiles | None, Json]:
    folder = options.adapter
    if folder is None:
        return None, None
    if not folder.is_dir():
        raise CheckpointError(f"--adapter: no such folder: {folder}", "Give the folder that save_pretrained wrote.")
    settings = read_json(folder, "adapter_config.json")
    kept = {
        key: value
        for key, value in settings.items()
        if key not in ("base_model_name_or_path", "inference_mode", "peft_version", "revision")
    }
    weights = find_weights(folder, allow_pickle=options.allow_pickle, stem="adapter_model", pickle_stem="adapter_model")
    return weights, kept


def _with_adapter(model: Any, folder: Path) -> Any:
    import warnings

    from peft import PeftModel

    try:
        with quiet_transformers(), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            adapted = PeftModel.from_pretrained(model, str(folder), is_trainable=False)
    except (ValueError, RuntimeError, KeyError, TypeError, OSError, AttributeError) as error:
        raise CheckpointError(
            f"--adapter does not fit the model: {first_line(error)}",
            "Give the adapter of this base model.",
            place=str(folder),
        ) from error
    unmatched = [str(w.message) for w in caught if "missing adapter keys" in str(w.message).lower()]
    if unmatched:
        raise CheckpointError(
            f"--adapter does not fit the model: {unmatched[0][:200]}",
            "Give the adapter of this base model.",
            place=str(folder),
        )
    if not hasattr(adapted, "merge_and_unload"):
        # Adapters that put virtual tokens before the prompt would need masks and positions of their own.
        raise CheckpointError(
            f"--adapter: the type {adapted.active_peft_config.peft_type.value} cannot be merged into the model.",
            "Give an adapter that changes weights, for example LoRA.",
            place=str(folder),
        )
    return adapted.merge_and_unload()
