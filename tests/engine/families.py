"""Tiny random checkpoints of many families; a wrong position, mask or cached token changes their texts."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers

from grue.engine.hf import HFEngine
from grue.engine.open import EngineOptions, open_engine
from tests.engine.conftest import BOS, ENDS, EOS, PAD, WORDS, build_tokenizer

POSITIONS = 96
EMBEDDINGS = ("emb", "wte", "wpe", "shared")
ODD = (
    *("Zürich", "日本語", "😀", "¿qué?", "naïve—café", "\u200b", "\t", "  ", "\n", "e\u0301", "</s>", "<pad>", "<s>"),
    *("x" * 40, "0123456789", "ﬁ", "\u202eabc", "𝔘𝔫𝔦", "عربى"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """An architecture, tiny.

    Attributes:
        config: Name of the library's config class.
        values: What the config says beside the vocabulary and the special ids.
        gain: Spread of matrices times the root of their inputs.
        cross_gain: The same for cross-attention's output: where it is large, the prompt alone decides.
        embedding: Spread of embeddings.
        bias: Spread of biases; 0 leaves them as the library makes them.
        bos: Whether the tokenizer begins with one.
        forced_first: The generation config's forced first token.
    """

    config: str
    values: Mapping[str, Any] = field(default_factory=dict)
    gain: float = 1.8
    cross_gain: float = 1.8
    embedding: float = 1.0
    bias: float = 0.0
    bos: bool = False
    forced_first: int | None = None


def _plain(**values: Any) -> dict[str, Any]:
    return {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": POSITIONS,
        **values,
    }


def _bart(**values: Any) -> dict[str, Any]:
    return {
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 48,
        "decoder_ffn_dim": 48,
        "max_position_embeddings": POSITIONS,
        "decoder_start_token_id": EOS,
        "tie_word_embeddings": False,
        **values,
    }


def _t5(**values: Any) -> dict[str, Any]:
    return {
        "d_model": 32,
        "d_kv": 8,
        "d_ff": 48,
        "num_layers": 2,
        "num_heads": 4,
        "dropout_rate": 0.0,
        "relative_attention_num_buckets": 8,
        "relative_attention_max_distance": 20,
        "decoder_start_token_id": PAD,
        "tie_word_embeddings": False,
        **values,
    }


_GPT2 = {"n_positions": POSITIONS, "n_embd": 32, "n_layer": 2, "n_head": 4, "tie_word_embeddings": False}
_GEMMA = {"num_key_value_heads": 2, "head_dim": 8, "sliding_window": 8, "query_pre_attn_scalar": 8}

FOUR: Mapping[str, Family] = {
    "gpt2": Family(config="GPT2Config", values=_GPT2),
    "llama": Family(config="LlamaConfig", values=_plain(num_key_value_heads=2, tie_word_embeddings=False), bos=True),
    "t5": Family(config="T5Config", values=_t5(feed_forward_proj="gated-gelu"), embedding=0.3),
    "bart": Family(config="BartConfig", values=_bart(), cross_gain=0.4, bos=True, forced_first=BOS),
}

_MAMBA = {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 8, "tie_word_embeddings": False}

OTHERS: Mapping[str, Family] = {
    "pythia": Family(config="GPTNeoXConfig", values=_plain(rotary_pct=0.5)),
    "opt": Family(
        config="OPTConfig",
        values={
            "hidden_size": 32,
            "ffn_dim": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": POSITIONS,
            "word_embed_proj_dim": 32,
            "tie_word_embeddings": False,
        },
    ),
    "qwen2": Family(config="Qwen2Config", values=_plain(num_key_value_heads=2, tie_word_embeddings=False)),
    "qwen3": Family(config="Qwen3Config", values=_plain(num_key_value_heads=2, head_dim=8, tie_word_embeddings=False)),
    # Rows shorter than 16 tokens and longer ones turn at different speeds.
    "llama-longrope": Family(
        config="LlamaConfig",
        values=_plain(
            tie_word_embeddings=False,
            rope_parameters={
                "rope_type": "longrope",
                "rope_theta": 10000.0,
                "original_max_position_embeddings": 16,
                "short_factor": [1.0, 1.0, 1.0, 1.0],
                "long_factor": [2.0, 3.0, 5.0, 9.0],
            },
        ),
        bos=True,
    ),
    "mistral-window": Family(
        config="MistralConfig",
        values=_plain(num_key_value_heads=2, head_dim=8, sliding_window=8, tie_word_embeddings=False),
    ),
    "gemma2": Family(config="Gemma2Config", values=_plain(**_GEMMA, tie_word_embeddings=False)),
    "gemma3": Family(
        config="Gemma3TextConfig",
        values=_plain(**_GEMMA, layer_types=["sliding_attention", "full_attention"], tie_word_embeddings=False),
    ),
    "mt5": Family(config="MT5Config", values=_t5(feed_forward_proj="gated-gelu")),
    "umt5": Family(config="UMT5Config", values=_t5(feed_forward_proj="gated-gelu")),
    "t5-relu": Family(config="T5Config", values=_t5(feed_forward_proj="relu"), embedding=0.3),
    "mbart": Family(config="MBartConfig", values=_bart(), bos=True, forced_first=BOS),
    "marian": Family(config="MarianConfig", values=_bart(decoder_start_token_id=PAD), cross_gain=0.4),
    "pegasus": Family(config="PegasusConfig", values=_bart(decoder_start_token_id=PAD)),
    "bloom": Family(
        config="BloomConfig",
        values={"hidden_size": 32, "n_layer": 2, "n_head": 4, "tie_word_embeddings": False},
    ),
    "gptj": Family(config="GPTJConfig", values={**_GPT2, "rotary_dim": 4}),
    "gpt-neo": Family(
        config="GPTNeoConfig",
        values={
            "hidden_size": 32,
            "num_layers": 2,
            "num_heads": 4,
            "max_position_embeddings": POSITIONS,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 8,
            "tie_word_embeddings": False,
        },
    ),
    "falcon": Family(
        config="FalconConfig",
        values={"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "tie_word_embeddings": False},
    ),
    "falcon-alibi": Family(
        config="FalconConfig",
        values={
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "alibi": True,
            "multi_query": False,
            "parallel_attn": False,
            "tie_word_embeddings": False,
        },
    ),
    "phi": Family(config="PhiConfig", values=_plain()),
    "mamba": Family(config="MambaConfig", values=_MAMBA),
    "mamba-bias": Family(config="MambaConfig", values={**_MAMBA, "use_bias": True}, bias=0.7),
    "mamba2": Family(
        config="Mamba2Config", values={**_MAMBA, "num_heads": 8, "head_dim": 8, "n_groups": 2, "chunk_size": 16}
    ),
    "lfm2": Family(config="Lfm2Config", values=_plain(num_key_value_heads=2, full_attn_idxs=[1])),
}
# What these have read cannot be taken back from them, or padding cannot be told to them.
REFUSED: Mapping[str, Family] = {
    "rwkv": Family(
        config="RwkvConfig",
        values={"hidden_size": 32, "num_hidden_layers": 2, "context_length": POSITIONS, "attention_hidden_size": 32},
    ),
    "recurrent-gemma": Family(
        config="RecurrentGemmaConfig", values=_plain(lru_width=32, attention_window_size=16, num_hidden_layers=3)
    ),
    "gpt": Family(config="OpenAIGPTConfig", values={"n_embd": 32, "n_layer": 2, "n_head": 4}),
    "xlstm": Family(config="xLSTMConfig", values={"hidden_size": 64, "num_hidden_layers": 2, "num_heads": 4}),
}


def build(name: str, folder: Path, *, positions: int | None = None) -> Path:
    """Write a tiny checkpoint of a family into a folder."""
    family = {**FOUR, **OTHERS, **REFUSED}[name]
    torch.manual_seed(11)
    maker = getattr(transformers, family.config)
    encoder = "decoder_start_token_id" in family.values
    tokenizer = build_tokenizer(folder, bos=family.bos, eos_after=encoder)
    values = dict(family.values)
    if positions is not None:
        values["n_positions" if "n_positions" in values else "max_position_embeddings"] = positions
    # Some have more embeddings than tokens.
    vocabulary = len(tokenizer) + (0 if name in FOUR else 8)
    config = maker(
        vocab_size=vocabulary, pad_token_id=PAD, eos_token_id=EOS, bos_token_id=BOS if family.bos else EOS, **values
    )
    auto = transformers.AutoModelForSeq2SeqLM if encoder else transformers.AutoModelForCausalLM
    model = auto.from_config(config)
    with torch.no_grad():
        for path, weight in model.named_parameters():
            if weight.dim() < 2:
                if family.bias and path.endswith("bias"):
                    weight.normal_(0, family.bias)
                continue
            if any(part in path for part in EMBEDDINGS) and "lm_head" not in path:
                weight.normal_(0, family.embedding)
                continue
            fan_in = weight.shape[0] if "Conv1D" in type(_owner(model, path)).__name__ else weight[0].numel()
            is_cross = "encoder_attn.out_proj" in path or "EncDecAttention.o." in path
            weight.normal_(0, (family.cross_gain if is_cross else family.gain) / math.sqrt(fan_in))
    own = model.generation_config
    own.eos_token_id, own.pad_token_id = ENDS, PAD
    # Settings that must not leak into a run.
    own.do_sample, own.temperature, own.repetition_penalty, own.max_length = True, 0.3, 3.0, 11
    own.forced_bos_token_id = family.forced_first
    model.eval().save_pretrained(folder)
    return folder


def opened(folder: Path) -> HFEngine:
    """A loaded engine on the CPU in float32."""
    engine = open_engine(str(folder), EngineOptions(device="cpu", dtype="float32"))
    assert isinstance(engine, HFEngine)
    engine.load()
    return engine


def opened_once(folder: Path) -> Callable[[str], HFEngine]:
    """Family -> its loaded engine, built into a folder when it is first asked for."""

    @cache
    def get(family: str) -> HFEngine:
        return opened(build(family, folder / family))

    return get


def prompts(n: int, *, seed: int, longest: int) -> list[str]:
    """Varied prompts: one word to ``longest``, repeated words, equal beginnings, odd characters, duplicates, none."""
    rng = random.Random(seed)
    found: list[str] = [""]
    while len(found) < n:
        kind = rng.random()
        size = rng.choice([1, 2, 3, rng.randint(1, longest), rng.randint(1, longest), longest])
        if kind < 0.60:
            text = " ".join(rng.choice(WORDS) for _ in range(size))
        elif kind < 0.70:
            text = " ".join([rng.choice(WORDS)] * size)
        elif kind < 0.80:
            text = " ".join(rng.choice(ODD + WORDS) for _ in range(max(1, size // 3)))
        elif kind < 0.90:
            kept = rng.choice(found)
            text = kept[: rng.randint(0, len(kept))] + " " + rng.choice(WORDS)
        else:
            text = rng.choice(found)
        found.append(text)
    rng.shuffle(found)
    return found


def _owner(model: torch.nn.Module, path: str) -> torch.nn.Module:
    return model.get_submodule(path.rpartition(".")[0])
