"""Encoders as BERTScore uses them: cut after a layer, and which layer that is."""

from __future__ import annotations

from typing import Any

from grue.metrics.neural.judge import Judge

# Layers that BERTScore's authors chose by correlation with human judgements (WMT16), by the repository's name.
LAYERS = {
    "bert-base-uncased": 9, "bert-large-uncased": 18, "bert-base-multilingual-cased": 9, "bert-base-chinese": 8,
    "roberta-base": 10, "roberta-large": 17, "roberta-large-mnli": 19, "distilroberta-base": 5,
    "distilbert-base-uncased": 5, "distilbert-base-multilingual-cased": 5, "albert-base-v2": 9, "albert-large-v2": 14,
    "albert-xlarge-v2": 13, "albert-xxlarge-v2": 8, "xlm-roberta-base": 9, "xlm-roberta-large": 17,
    "electra-base-discriminator": 9, "electra-large-discriminator": 14, "bart-base": 6, "bart-large": 10,
    "bart-large-mnli": 11, "deberta-base": 9, "deberta-base-mnli": 9, "deberta-large": 16, "deberta-large-mnli": 18,
    "deberta-xlarge": 18, "deberta-xlarge-mnli": 40, "deberta-v3-base": 9, "deberta-v3-large": 12,
    "mdeberta-v3-base": 10, "t5-small": 6, "t5-base": 11, "t5-large": 23, "scibert_scivocab_uncased": 8,
}  # fmt: skip
# Of an encoder that the table does not know: three quarters up, where most of the table lies.
DEFAULT_SHARE = 0.75


def choose_layer(judge: Judge, wanted: int | None) -> int:
    """The layer whose output is compared: the one asked for, the table's, or three quarters of the layers.

    Raises:
        MetricUnavailableError: where the encoder has fewer layers.
    """
    count = layer_count(judge.config)
    repository = judge.folder.model.partition("@")[0].rstrip("/").rpartition("/")[2]
    known = LAYERS.get(repository) if judge.folder.kind == "hub" else None
    layer = wanted or known or max(1, round(DEFAULT_SHARE * count))
    if layer > count:
        raise judge.refuse(f"layer {layer} is asked for, the encoder has {count}.", f"Give a layer from 1 to {count}.")
    return layer


def layer_count(config: Any) -> int:
    """Layers of the encoder."""
    for name in ("encoder_layers", "num_hidden_layers", "num_layers", "n_layers", "n_layer"):
        value = getattr(config, name, None)
        if isinstance(value, int) and value > 0:
            return value
    return 1


def encoder_until(judge: Judge, model: Any, layer: int) -> Any:
    """The encoder without the layers after ``layer``; a final normalisation stays, as in bert-score.

    Raises:
        MetricUnavailableError: where the library's model keeps its layers somewhere unknown.
    """
    if hasattr(model, "encoder") and hasattr(model, "decoder"):
        model = model.encoder
    if hasattr(getattr(model, "encoder", None), "albert_layer_groups"):
        model.encoder.config.num_hidden_layers = layer
        return model
    inner = (getattr(model, name, None) for name in ("encoder", "transformer"))
    for owner in (model, *inner):
        for name in ("layer", "block", "layers", "h"):
            stack = getattr(owner, name, None)
            if stack is not None and hasattr(stack, "__len__"):
                setattr(owner, name, stack[:layer])
                return model
    raise judge.refuse(f"BERTScore does not know where {type(model).__name__} keeps its layers.")
