"""Floating-point operations that a text asks of a model, from its config: an estimate of what a perfect run would do.

A multiplication with an addition is two operations. Counted are products with weights and attention; norms,
activations, positions and sampling are not. Padding, work that is done twice and beginnings that prompts share are not
looked at: it is the work of the texts, not that of the device.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grue.checkpoints.loading import laid_out
from grue.core.rows import Generation

# A decoder's modules that read the encoder's output, and their parts that read it once a prompt, in the libraries.
CROSS_ATTENTION = ("encoder_attn", "EncDecAttention", "crossattention")
KEYS_AND_VALUES = ("k_proj", "v_proj", "k", "v", "key", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flops:
    """Operations of a model by what they depend on.

    Attributes:
        prompt_token: Products with weights for each token of a prompt.
        new_token: Products with weights for each token that the decoder reads beside the prompt, up to the last layer.
        logits: One token's scores of the whole vocabulary.
        pair: Attention of one token to one other in the decoder, itself included, over all layers and heads.
        encoder_pair: The same in the encoder, where every token sees every other.
        is_encoder_decoder: Whether an encoder reads the prompt.
    """

    prompt_token: int
    new_token: int
    logits: int
    pair: int
    encoder_pair: int = 0
    is_encoder_decoder: bool = False

    def prompt(self, n_tokens: int) -> int:
        """A prompt of that many tokens up to the scores of the first new one."""
        reading = n_tokens * self.prompt_token + self.logits
        if self.is_encoder_decoder:
            # Then the decoder's first step: its start token, which attends to itself and to the prompt.
            first = self.new_token + (1 + n_tokens) * self.pair
            return reading + n_tokens * n_tokens * self.encoder_pair + first
        return reading + n_tokens * (n_tokens + 1) // 2 * self.pair

    def new(self, n_prompt: int, n_tokens: int) -> int:
        """All new tokens after the first: each reads the one before it, and attends to the prompt and all before."""
        steps = max(0, n_tokens - 1)
        # An encoder-decoder model has its start token in the place of the prompt.
        before = n_prompt + (1 if self.is_encoder_decoder else 0)
        pairs = steps * before + steps * (steps + 1) // 2
        return steps * (self.new_token + self.logits) + pairs * self.pair


def flops_of(config: Any, *, is_encoder_decoder: bool) -> Flops | None:
    """Lay a model out as its config says, without weights, and count.

    Args:
        config: The library's config object.
        is_encoder_decoder: Whether an encoder reads the prompt.

    Returns:
        ``None`` for a model that the library cannot lay out, or whose parts it does not name as usual.
    """
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    auto = AutoModelForSeq2SeqLM if is_encoder_decoder else AutoModelForCausalLM
    try:
        model = laid_out(auto, config)
        head = model.get_output_embeddings()
        logits = 2 * int(head.weight.numel())
        if not is_encoder_decoder:
            text = config.get_text_config(decoder=True)
            weights = _weights(model, head, text)
            return Flops(
                prompt_token=2 * weights, new_token=2 * weights, logits=logits, pair=_pair(text, text.num_hidden_layers)
            )
        encoder, decoder = model.get_encoder(), model.get_decoder()
        read_once = _weights_read_once(decoder)
        layers = getattr(config, "decoder_layers", None) or getattr(config, "num_decoder_layers", None)
        of_encoder = getattr(config, "encoder_layers", None) or config.num_hidden_layers
        if not read_once:
            return None
        return Flops(
            prompt_token=2 * (_weights(encoder, None, config) + read_once),
            new_token=2 * (_weights(decoder, None, config) - read_once),
            logits=logits,
            pair=_pair(config, int(layers or config.num_hidden_layers), "decoder_attention_heads"),
            encoder_pair=_pair(config, int(of_encoder), "encoder_attention_heads"),
            is_encoder_decoder=True,
        )
    except (RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError, ImportError):
        return None


def flops_of_texts(flops: Flops, generations: Iterable[Generation], generation: Mapping[str, Any]) -> int:
    """What stored texts asked for: each prompt read once, each beam written to its end.

    Args:
        flops: The model's.
        generations: All that were made; those without token counts count nothing.
        generation: The task's settings in the manifest.
    """
    beams = int(generation.get("num_beams") or 1)
    is_drawn = bool(generation.get("do_sample"))
    total, read = 0, set()
    for made in generations:
        # Deterministic decoding writes a row once, whatever the number of samples.
        if made.prompt_tokens is None or made.generated_tokens is None or (made.id in read and not is_drawn):
            continue
        if made.id not in read:
            total += flops.prompt(made.prompt_tokens)
            read.add(made.id)
        total += beams * flops.new(made.prompt_tokens, made.generated_tokens)
    return total


def _weights(model: Any, head: Any, config: Any) -> int:
    """Weights that a token is multiplied with, the vocabulary's left out; of experts those that are asked."""
    import torch

    tables = {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Embedding)}
    if head is not None:
        tables.add(id(head.weight))
    total = sum(p.numel() for p in model.parameters() if p.ndim == 2 and id(p) not in tables)
    experts = sum(p.numel() for p in model.parameters() if p.ndim == 3)
    if experts:
        n_experts = _first(config, "num_local_experts", "num_experts", "n_routed_experts")
        total += experts * int(config.num_experts_per_tok) // n_experts
    return int(total)


def _weights_read_once(decoder: Any) -> int:
    """Weights that make keys and values of the encoder's output, once a prompt."""
    total = 0
    for name, module in decoder.named_modules():
        if name.rpartition(".")[2] in CROSS_ATTENTION:
            parts = dict(module.named_children())
            total += sum(parts[part].weight.numel() for part in KEYS_AND_VALUES if part in parts)
    return total


def _pair(config: Any, layers: int, heads: str = "") -> int:
    """Scores and weighted values: two products of a head's width, in each head of each layer."""
    n_heads = _first(config, *((heads,) if heads else ()), "num_attention_heads", "num_heads")
    width = _first(config, "hidden_size", "d_model")
    head_width = next((int(w) for name in ("d_kv", "head_dim") if (w := getattr(config, name, None))), width // n_heads)
    return 4 * n_heads * head_width * layers


def _first(config: Any, *names: str) -> int:
    found: Sequence[int] = [int(value) for name in names if isinstance(value := getattr(config, name, None), int)]
    return found[0]
