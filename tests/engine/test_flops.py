"""Operations a token: small models counted by hand, weight matrix by weight matrix."""

from __future__ import annotations

from typing import Any

import pytest

from grue.core.rows import Generation
from grue.engine.flops import Flops, flops_of, flops_of_texts


def _gpt2() -> Any:
    from transformers import GPT2Config

    return GPT2Config(n_embd=8, n_layer=2, n_head=2, vocab_size=50, n_positions=64)


def _llama() -> Any:
    from transformers import LlamaConfig

    # Four heads of width 4 share two sets of keys and values; the vocabulary is a matrix of its own.
    return LlamaConfig(
        hidden_size=16, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, intermediate_size=24,
        vocab_size=40, tie_word_embeddings=False,
    )  # fmt: skip


def _t5() -> Any:
    from transformers import T5Config

    # Heads are wider together (2 x 6) than the model (8); gated feed-forward.
    return T5Config(
        d_model=8, d_kv=6, d_ff=20, num_layers=2, num_decoder_layers=3, num_heads=2, vocab_size=30,
        feed_forward_proj="gated-gelu", tie_word_embeddings=False,
    )  # fmt: skip


def _bart() -> Any:
    from transformers import BartConfig

    return BartConfig(
        d_model=8, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=4,
        encoder_ffn_dim=12, decoder_ffn_dim=16, vocab_size=30, max_position_embeddings=64,
    )  # fmt: skip


def test_gpt2_by_hand() -> None:
    # A layer: queries, keys, values 8x24, output 8x8, feed-forward 8x32 and 32x8: 192 + 64 + 512 = 768 weights.
    # Attention to a token: 2 heads x width 4 x (score + value) x 2 = 32 a layer.
    assert flops_of(_gpt2(), is_encoder_decoder=False) == Flops(
        prompt_token=2 * 2 * 768, new_token=2 * 2 * 768, logits=2 * 8 * 50, pair=2 * 32
    )


def test_llama_with_grouped_heads_by_hand() -> None:
    # Queries 16x16, keys and values 16x8 each, output 16x16, three feed-forward matrices 16x24.
    layer = 256 + 2 * 128 + 256 + 3 * 384
    # All four heads look at a token, though keys and values are shared: 4 x 4 x 4 = 64 a layer.
    assert flops_of(_llama(), is_encoder_decoder=False) == Flops(
        prompt_token=2 * 3 * layer, new_token=2 * 3 * layer, logits=2 * 16 * 40, pair=3 * 64
    )


def test_t5_by_hand() -> None:
    attention = 4 * 8 * 12  # queries, keys, values, output
    feed_forward = 3 * 8 * 20
    keys_and_values = 2 * 8 * 12
    assert flops_of(_t5(), is_encoder_decoder=True) == Flops(
        prompt_token=2 * (2 * (attention + feed_forward) + 3 * keys_and_values),
        new_token=2 * 3 * (attention + (attention - keys_and_values) + feed_forward),
        logits=2 * 8 * 30,
        pair=3 * 4 * 12,
        encoder_pair=2 * 4 * 12,
        is_encoder_decoder=True,
    )


def test_bart_by_hand() -> None:
    attention = 4 * 8 * 8
    assert flops_of(_bart(), is_encoder_decoder=True) == Flops(
        prompt_token=2 * ((attention + 2 * 8 * 12) + 2 * 2 * 8 * 8),
        new_token=2 * 2 * (attention + 2 * 8 * 8 + 2 * 8 * 16),
        logits=2 * 8 * 30,
        pair=2 * 4 * 8,
        encoder_pair=1 * 4 * 8,
        is_encoder_decoder=True,
    )


CAUSAL = Flops(prompt_token=100, new_token=100, logits=10, pair=1)


def test_a_prompt_and_its_text_by_hand() -> None:
    # Three prompt tokens attend to 1, 2 and 3 tokens; scores are made for the last alone.
    assert CAUSAL.prompt(3) == 300 + 10 + 6
    # The first of four new tokens came with the prompt; the others are read at 4, 5 and 6 tokens.
    assert CAUSAL.new(3, 4) == 3 * 110 + 4 + 5 + 6
    assert CAUSAL.new(3, 1) == CAUSAL.new(3, 0) == 0


def test_an_encoder_reads_the_prompt_and_every_step_attends_to_it() -> None:
    flops = Flops(prompt_token=100, new_token=50, logits=10, pair=1, encoder_pair=2, is_encoder_decoder=True)
    # Encoder 3 x 100 and 9 pairs of 2; the start token's step: 50, itself and three prompt tokens, its scores.
    assert flops.prompt(3) == 300 + 18 + 50 + 4 + 10
    # Steps 2 and 3: two and three tokens of the decoder, three of the prompt each.
    assert flops.new(3, 3) == 2 * 60 + (2 + 3) + (3 + 3)


def _made(row: str, sample: int, *, prompt: int | None = 3, new: int | None = 4) -> Generation:
    return Generation(id=row, sample=sample, prediction="x", prompt_tokens=prompt, generated_tokens=new)


def test_each_prompt_is_read_once_and_beams_write_side_by_side() -> None:
    prompt, new = CAUSAL.prompt(3), CAUSAL.new(3, 4)
    twice = [_made("a", 0), _made("a", 1)]
    assert flops_of_texts(CAUSAL, twice, {"do_sample": True}) == prompt + 2 * new
    assert flops_of_texts(CAUSAL, twice, {"do_sample": False}) == prompt + new, "one text, stored twice"
    assert flops_of_texts(CAUSAL, [_made("a", 0)], {"num_beams": 5}) == prompt + 5 * new
    assert flops_of_texts(CAUSAL, [_made("a", 0, prompt=None), _made("b", 0, new=None)], {}) == 0


@pytest.mark.parametrize("family", ["gpt2", "llama", "t5", "bart"])
def test_the_library_itself_counts_as_much(family: str) -> None:
    """torch's own counter of operations, over one forward pass of a prompt."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    config = {"gpt2": _gpt2, "llama": _llama, "t5": _t5, "bart": _bart}[family]()
    encoder_decoder = family in ("t5", "bart")
    flops = flops_of(config, is_encoder_decoder=encoder_decoder)
    assert flops is not None
    config._attn_implementation = "eager"
    model = (AutoModelForSeq2SeqLM if encoder_decoder else AutoModelForCausalLM).from_config(config).eval()
    n, ids = 7, torch.arange(7).reshape(1, 7)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        if encoder_decoder:
            model(input_ids=ids, decoder_input_ids=torch.tensor([[0]]), use_cache=True)
        else:
            model(input_ids=ids, use_cache=True, logits_to_keep=1)
    counted = counter.get_total_flops()
    # Without a mask in the products, the library computes both halves of the square of pairs.
    extra = 0 if encoder_decoder else (n * n - n * (n + 1) // 2) * flops.pair
    assert counted == flops.prompt(n) + extra
