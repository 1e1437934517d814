"""Tiny checkpoints with random weights large enough that every token of the context changes the text."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from grue.core.decoding import Decoding
from grue.core.rows import Generation, Row
from grue.core.task import Truncation
from grue.engine.hf import HFEngine
from grue.engine.open import EngineOptions, open_engine
from grue.engine.protocol import Job, Request

KINDS = ("gpt2", "llama", "t5", "bart")
WORDS = (
    *("the", "a", "of", "to", "in", "river", "bridge", "stone", "old", "grey", "cat", "dog", "runs", "jumps", "over"),
    *("under", "quiet", "street", "früh", "Straße", "naïve", "market", "seller", "calls", "out", "price", "bread"),
    *("milk", "morning", "light", "falls", "through", "window", "seven", "eight", "nine"),
)
PAD, EOS, BOS = 0, 1, 2
ENDS = [EOS, *range(60, 78)]  # several ids, so that texts end at very different lengths


def sentence(rng: random.Random, n: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(n))


def build_tokenizer(folder: Path, *, bos: bool, eos_after: bool, pad: bool = True) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    rng = random.Random(0)
    trainer = trainers.BpeTrainer(
        vocab_size=360,
        special_tokens=["<pad>", "</s>", "<s>"],
        show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator([sentence(rng, 12) for _ in range(200)], trainer)
    before, after = "<s> " if bos else "", " </s>" if eos_after else ""
    if bos or eos_after:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{before}$A{after}", special_tokens=[("<s>", BOS), ("</s>", EOS)]
        )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>" if pad else None,
        eos_token="</s>",
        bos_token="<s>" if bos else None,
    )
    fast.save_pretrained(folder)
    return fast


def build_model(kind: str, vocabulary: int, positions: int = 128) -> torch.nn.Module:
    torch.manual_seed(7)
    ids = {"pad_token_id": PAD, "eos_token_id": EOS}
    if kind == "gpt2":
        model = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=vocabulary, n_positions=positions, n_embd=32, n_layer=2, n_head=4, bos_token_id=EOS, **ids
            )
        )
    elif kind == "llama":
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=vocabulary, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
                num_key_value_heads=2, max_position_embeddings=positions, bos_token_id=BOS, **ids,
            )
        )  # fmt: skip
    elif kind == "t5":
        model = T5ForConditionalGeneration(
            T5Config(
                vocab_size=vocabulary, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, dropout_rate=0.0,
                decoder_start_token_id=PAD, tie_word_embeddings=False, feed_forward_proj="gated-gelu", **ids,
            )
        )  # fmt: skip
    else:
        model = BartForConditionalGeneration(
            BartConfig(
                vocab_size=vocabulary, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
                decoder_attention_heads=4, encoder_ffn_dim=48, decoder_ffn_dim=48, max_position_embeddings=positions,
                decoder_start_token_id=EOS, bos_token_id=BOS, tie_word_embeddings=False, **ids,
            )
        )  # fmt: skip
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                deep = 0.2 if kind == "bart" else 0.35
                weight.normal_(0, 0.6 if "emb" in name or "wte" in name or "shared" in name else deep)
                if kind == "bart" and "encoder_attn.out_proj" in name:
                    weight.mul_(0.3)  # else the prompt alone decides, and every token is the one before it
    # Settings that must not leak into a run; only the ids are the checkpoint's to say.
    model.generation_config.eos_token_id = ENDS
    model.generation_config.pad_token_id = PAD
    model.generation_config.do_sample = True
    model.generation_config.temperature = 0.3
    model.generation_config.repetition_penalty = 3.0
    model.generation_config.max_length = 11
    if kind == "bart":
        model.generation_config.forced_bos_token_id = BOS
    return model.eval()


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kind -> folder."""
    folders = {}
    for kind in KINDS:
        folder = tmp_path_factory.mktemp("checkpoints") / kind
        encoder = kind in ("t5", "bart")
        tokenizer = build_tokenizer(folder, bos=kind in ("llama", "bart"), eos_after=encoder)
        build_model(kind, len(tokenizer)).save_pretrained(folder)
        folders[kind] = folder
    return folders


@pytest.fixture(scope="session")
def engines(checkpoints: dict[str, Path]) -> dict[str, HFEngine]:
    """Kind -> loaded engine on the CPU in float32."""
    opened = {}
    for kind, folder in checkpoints.items():
        engine = open_engine(str(folder), EngineOptions(device="cpu"))
        assert isinstance(engine, HFEngine)
        engine.load()
        opened[kind] = engine
    return opened


@pytest.fixture(scope="session")
def make_rows() -> Callable[..., list[Row]]:
    """Rows with prompts of 1 to ``longest`` words, by seed."""

    def make(n: int, seed: int = 0, longest: int = 30) -> list[Row]:
        rng = random.Random(seed)
        return [Row(id=f"r{i}", prompt=sentence(rng, rng.randint(1, longest))) for i in range(n)]

    return make


@pytest.fixture(scope="session")
def generate() -> Callable[..., dict[tuple[str, int], Generation]]:
    """Generations of rows by (id, sample)."""

    def run(
        engine: HFEngine,
        rows: list[Row],
        decoding: Decoding,
        *,
        samples: int = 1,
        seed: int = 0,
        truncation: Truncation = Truncation("right", 512),
        batch_rows: int | None = None,
        batch_tokens: int | None = None,
    ) -> dict[tuple[str, int], Generation]:
        job = Job(
            decoding=decoding,
            truncation=truncation,
            seed=seed,
            rows=rows,
            batch_rows=batch_rows,
            batch_tokens=batch_tokens,
        )
        requests = [Request(row, sample) for row in rows for sample in range(samples)]
        made = [one for portion in engine.generate(requests, job) for one in portion.generations]
        assert len(made) == len(requests)
        return {(generation.id, generation.sample): generation for generation in made}

    return run
