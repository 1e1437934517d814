"""Tiny checkpoints with seeded random weights, built on the spot, and judges that leave nothing behind."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
    RobertaModel,
    RobertaTokenizer,
    T5Config,
    T5ForConditionalGeneration,
)

from grue.metrics.neural import judge as judges

WORDS = (
    *("the", "a", "film", "is", "was", "good", "bad", "great", "dull", "and", "but", "not", "it", "in", "of", "to"),
    *("cat", "dog", "runs", "over", "old", "grey", "bridge", "river", "stone", "Straße", "naïve", "Zürich", "1987"),
    *("3.5", "don't", "we", "you", "they", "see", "saw", "story", "acting", "music", "never", "always"),
)


def sentence(rng: random.Random, n: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(n))


def corpus() -> list[str]:
    rng = random.Random(1)
    return [sentence(rng, 12) for _ in range(200)]


def word_pieces(folder: Path, positions: int) -> int:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer.train_from_iterator(
        corpus(), trainers.WordPieceTrainer(vocab_size=140, special_tokens=names, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=positions, model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )  # fmt: skip
    fast.save_pretrained(folder)
    return len(fast)


def byte_pieces(folder: Path, positions: int, *, ends: bool) -> int:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    names = ["<pad>", "</s>", "<unk>"] if ends else ["<|endoftext|>"]
    tokenizer.train_from_iterator(
        [*corpus(), "good bad"] * 3,
        trainers.BpeTrainer(
            vocab_size=330,
            special_tokens=names,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    if ends:
        tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
        fast = PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>",
            model_max_length=positions,
        )  # fmt: skip
    else:
        end = "<|endoftext|>"
        fast = PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, bos_token=end, eos_token=end, model_max_length=positions
        )
    fast.save_pretrained(folder)
    return len(fast)


def roberta_tokenizer(folder: Path, positions: int) -> int:
    from tokenizers import ByteLevelBPETokenizer

    made = ByteLevelBPETokenizer()
    made.train_from_iterator(
        corpus(), vocab_size=330, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], show_progress=False
    )
    folder.mkdir(parents=True, exist_ok=True)
    made.save_model(str(folder))
    tokenizer = RobertaTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=positions)
    tokenizer.save_pretrained(folder)
    return len(tokenizer)


def loud(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Weights large enough that every token changes what comes out."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.25)
    return model.eval()


SHAPE: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48,
}  # fmt: skip


def build(kind: str, folder: Path) -> None:
    if kind in ("bert", "nli", "four", "bleurt", "two"):
        vocabulary = word_pieces(folder, 48)
        labels = {"nli": 3, "four": 4, "bleurt": 1, "two": 2, "bert": 2}[kind]
        names = {"nli": ["contradiction", "neutral", "entailment"], "two": ["NEGATIVE", "POSITIVE"]}.get(kind)
        named = {"id2label": dict(enumerate(names)), "label2id": {n: i for i, n in enumerate(names)}} if names else {}
        config = BertConfig(
            vocab_size=vocabulary, max_position_embeddings=48, num_labels=labels, pad_token_id=0, **SHAPE, **named
        )
        model = BertModel(config) if kind == "bert" else BertForSequenceClassification(config)
    elif kind == "distilbert":
        vocabulary = word_pieces(folder, 48)
        model = DistilBertForSequenceClassification(
            DistilBertConfig(
                vocab_size=vocabulary, max_position_embeddings=48, dim=32, n_layers=2, n_heads=4, hidden_dim=48,
                num_labels=2, pad_token_id=0,
            )
        )  # fmt: skip
    elif kind in ("roberta", "roberta classifier"):
        vocabulary = roberta_tokenizer(folder, 64)
        config = RobertaConfig(
            vocab_size=vocabulary, max_position_embeddings=66, num_labels=2, pad_token_id=1, bos_token_id=0,
            eos_token_id=2, type_vocab_size=1, **SHAPE,
        )  # fmt: skip
        model = RobertaModel(config) if kind == "roberta" else RobertaForSequenceClassification(config)
    elif kind == "gpt2":
        vocabulary = byte_pieces(folder, 64, ends=False)
        model = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=vocabulary, n_positions=64, n_embd=32, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0
            )
        )
    else:
        vocabulary = byte_pieces(folder, 512, ends=True)
        model = T5ForConditionalGeneration(
            T5Config(
                vocab_size=vocabulary, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, dropout_rate=0.0,
                decoder_start_token_id=0, pad_token_id=0, eos_token_id=1,
            )
        )  # fmt: skip
    loud(model, seed=len(kind)).save_pretrained(folder)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folder of a tiny checkpoint by kind, built on first use."""
    root = tmp_path_factory.mktemp("judges")

    def folder(kind: str) -> Path:
        path = root / kind.replace(" ", "-")
        if not path.is_dir():
            build(kind, path)
        return path

    return folder


@pytest.fixture
def texts() -> list[str]:
    """Texts of very different lengths, in no order."""
    rng = random.Random(5)
    return [sentence(rng, rng.choice((1, 2, 5, 9, 20))) for _ in range(40)] + ["?", "Ünï cödé", "cat 🐱"]


@pytest.fixture(autouse=True)
def _nothing_loaded() -> Iterator[None]:
    judges.release()
    yield
    judges.release()
