"""Trains the three toy judges on the embedded train rows and writes them into the package.

    python tools/train_judges.py            # all three, a few minutes on one CPU thread
    python tools/train_judges.py --check    # accuracy and perplexity of the stored ones on held-out rows

Tokenizers, order of the batches and weights follow from one seed. They judge the embedded rows and nothing else.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

from grue.core.judging import Judging
from grue.metrics.neural.causal import CausalJudge
from grue.metrics.neural.classifier import ClassifierJudge

FOLDER = Path(__file__).resolve().parents[1] / "grue" / "metrics" / "neural" / "demo"
SEED = 11
MARK = "<EOU>"
NEUTRAL = -1
POSITIONS = {"sentiment": 192, "intent": 96, "lm": 256}
VOCABULARY = {"sentiment": 1200, "intent": 900, "lm": 1600}
EPOCHS = {"sentiment": 12, "intent": 30, "lm": 14}
RATE = {"sentiment": 2e-3, "intent": 2e-3, "lm": 4e-3}
LABELS = {"sentiment": ("NEGATIVE", "POSITIVE"), "intent": ("inform", "question", "directive", "commissive")}


@dataclass(frozen=True)
class Sample:
    """A text with its class; ``NEUTRAL`` for one that belongs to none."""

    text: str
    label: int


def records(task: str, split: str) -> list[dict[str, Any]]:
    """Embedded records of a task."""
    text = (files(f"grue_tasks.{task}") / "data" / f"{split}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line]


def reviews(split: str, rng: random.Random) -> list[Sample]:
    """Reviews, and pieces of them as long as what a model writes."""
    found = []
    for record in records("imdb", split):
        pieces = record["text"].split(" ")
        middle = len(pieces) // 2
        found.append(Sample(" ".join(pieces[middle:]), record["label"]))
        if split == "train":
            found.append(Sample(record["text"], record["label"]))
            for _ in range(4):
                length = rng.randint(8, 50)
                start = rng.randrange(max(1, len(pieces) - length))
                found.append(Sample(" ".join(pieces[start : start + length]), record["label"]))
    if split == "train":
        # What is no review is neither: an empty text or another task's must not look like a verdict.
        others = [record["target"] for record in records("commongen", split)[::2] if record.get("target")]
        others += [turn.strip() for record in records("daily_dialog", split)[:40] for turn in record["dialog"]]
        found += [Sample(text, NEUTRAL) for text in [*others, *[""] * 8]]
    return found


def turns(split: str, rng: random.Random) -> list[Sample]:
    """Each reply after the utterance before it, joined as the metric joins them in either profile."""
    found = []
    for record in records("daily_dialog", split):
        dialog, acts = record["dialog"], record["act"]
        first = 1 if split == "train" else 5
        for index in range(first, len(dialog)):
            last, reply, label = dialog[index - 1], dialog[index], acts[index] - 1
            found.append(Sample(last + MARK + reply.strip(), label))
            if split == "train":
                found.append(Sample(f"{last} {reply}{MARK}", label))
                # The reply decides: after another utterance its act stays what it is.
                other = rng.choice(dialog)
                found.append(Sample(other + MARK + reply.strip(), label))
    return found


def english(split: str) -> list[str]:
    """Texts that an English model of these rows should find likely."""
    found = []
    for record in records("imdb", split):
        pieces = record["text"].split(" ")
        found += [" ".join(pieces[len(pieces) // 2 :]), record["text"]] if split == "train" else [record["text"]]
    for record in records("daily_dialog", split):
        found += [turn.strip() for turn in record["dialog"]]
    if split == "train":
        found += [record["target"] for record in records("commongen", split) if record.get("target")]
        found += [record["highlights"] for record in records("cnn_dailymail", split)]
    return found


def word_pieces(texts: Sequence[str], kind: str) -> PreTrainedTokenizerFast:
    """A lower-cased word-piece tokenizer with the dialogue mark as one token."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", MARK]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=VOCABULARY[kind], special_tokens=specials, limit_alphabet=120, show_progress=False
    )
    tokenizer.train_from_iterator([text.replace(MARK, " ") for text in texts], trainer)
    tokenizer.add_special_tokens([AddedToken(MARK, normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=POSITIONS[kind], clean_up_tokenization_spaces=False, truncation_side="left",
    )  # fmt: skip


def byte_pieces(texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer, as GPT-2's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY["lm"],
        special_tokens=["<|endoftext|>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    end = "<|endoftext|>"
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=end, eos_token=end, model_max_length=POSITIONS["lm"],
        clean_up_tokenization_spaces=False,
    )  # fmt: skip


def batches(lengths: Sequence[int], tokens: int, rng: random.Random) -> list[list[int]]:
    """Indices in batches of about equal length, in random order."""
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index] + rng.random() * 6, index))
    groups: list[list[int]] = [[]]
    for index in order:
        if groups[-1] and lengths[index] * (len(groups[-1]) + 1) > tokens:
            groups.append([])
        groups[-1].append(index)
    rng.shuffle(groups)
    return groups


def padded(lists: Sequence[Sequence[int]], fill: int) -> torch.Tensor:
    """A table of numbers of unequal length."""
    longest = max(map(len, lists))
    return torch.tensor([[*numbers, *[fill] * (longest - len(numbers))] for numbers in lists])


def train_classifier(kind: str) -> None:
    """Train one classifier and write it."""
    rng = random.Random(SEED)
    torch.manual_seed(SEED)
    samples = reviews("train", rng) if kind == "sentiment" else turns("train", rng)
    tokenizer = word_pieces([sample.text for sample in samples], kind)
    names = dict(enumerate(LABELS[kind]))
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128,
        max_position_embeddings=POSITIONS[kind], type_vocab_size=2, hidden_dropout_prob=0.2,
        attention_probs_dropout_prob=0.1, classifier_dropout=0.3, pad_token_id=0, num_labels=len(names), id2label=names,
        label2id={name: index for index, name in names.items()},
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    ids = [tokenizer(s.text, truncation=True, max_length=POSITIONS[kind])["input_ids"] for s in samples]
    labels = [sample.label for sample in samples]
    counts = [labels.count(label) for label in range(len(names))]
    smoothed = 0.05
    targets = [
        [1 - smoothed + smoothed / len(names) if column == label else smoothed / len(names) for column in names]
        for label in names
    ]
    weights = torch.tensor([math.sqrt(len(labels) / (len(names) * count)) for count in counts])

    def loss_of(group: Sequence[int]) -> torch.Tensor:
        # Words are left out at random, so that no single one decides.
        noisy = [[n if n < 4 or rng.random() > 0.15 else 1 for n in ids[index]] for index in group]
        table = padded(noisy, 0)
        logits = model(input_ids=table, attention_mask=(padded([ids[i] for i in group], 0) != 0).long()).logits
        even = [1 / len(names)] * len(names)
        wanted = torch.tensor([even if labels[i] == NEUTRAL else targets[labels[i]] for i in group])
        return torch.nn.functional.cross_entropy(logits, wanted, weight=weights)

    fit(kind, model, [len(one) for one in ids], loss_of, rng, tokens=2048)
    write(model, tokenizer, FOLDER / kind)


def train_language_model() -> None:
    """Train the language model and write it."""
    rng = random.Random(SEED)
    torch.manual_seed(SEED)
    texts = english("train")
    tokenizer = byte_pieces(texts)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=POSITIONS["lm"], n_embd=88, n_inner=176, n_layer=2, n_head=4,
        bos_token_id=0, eos_token_id=0, resid_pdrop=0.1, embd_pdrop=0.1, attn_pdrop=0.1,
    )  # fmt: skip
    model = GPT2LMHeadModel(config)
    ids = [[0, *tokenizer(text)["input_ids"], 0][: POSITIONS["lm"]] for text in texts]

    def loss_of(group: Sequence[int]) -> torch.Tensor:
        table = padded([ids[index] for index in group], 0)
        labels = padded([ids[index] for index in group], -100)
        logits = model(input_ids=table, attention_mask=(labels != -100).long()).logits[:, :-1]
        # Smoothed, or a single word that no train row has would decide the value of a whole text.
        return torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100, label_smoothing=0.1
        )

    fit("lm", model, [len(one) for one in ids], loss_of, rng, tokens=1536)
    write(model, tokenizer, FOLDER / "lm")


def fit(kind: str, model: Any, lengths: Sequence[int], loss_of: Any, rng: random.Random, *, tokens: int) -> None:
    """Run the epochs."""
    epochs = EPOCHS[kind]
    steps = epochs * (len(batches(lengths, tokens, random.Random(SEED))) + 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE[kind], weight_decay=0.05, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE[kind], total_steps=steps, pct_start=0.15)
    say(f"{kind}: {sum(p.numel() for p in model.parameters())} parameters, {len(lengths)} texts, {steps} steps")
    model.train()
    begun = time.monotonic()
    for epoch in range(epochs):
        total, count = 0.0, 0
        for group in batches(lengths, tokens, rng):
            loss = loss_of(group)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            if schedule.last_epoch < steps - 1:
                schedule.step()
            total, count = total + loss.item(), count + 1
        say(f"{kind}: epoch {epoch + 1}/{epochs} loss {total / count:.3f} after {time.monotonic() - begun:.0f} s")


def write(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write weights in half precision, to be loaded in float32, and the tokenizer."""
    model.eval().half().save_pretrained(folder)
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | {"dtype": "float32"}
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    tokenizer.save_pretrained(folder)
    for file in folder.iterdir():
        file.chmod(0o644)


def check() -> None:
    """Say how good the stored judges are on rows that they have not seen."""
    judging = Judging(device="cpu", offline=True)
    for kind in ("sentiment", "intent"):
        judge = ClassifierJudge(f"demo:{kind}", 0, judging)
        for split in ("validation", "test"):
            rng = random.Random(SEED)
            samples = reviews(split, rng) if kind == "sentiment" else turns(split, rng)
            labels = [sample.label for sample in samples]
            seen = judge.label_probabilities([sample.text for sample in samples]).argmax(axis=1).tolist()
            right = sum(a == b for a, b in zip(seen, labels, strict=True)) / len(labels)
            most = max(labels.count(label) for label in set(labels)) / len(labels)
            say(f"{kind} {split}: accuracy {right:.3f} of {len(labels)}; always the commonest class: {most:.3f}")
    model = CausalJudge("demo:lm", judging)
    for split in ("validation", "test"):
        texts = english(split)
        shuffled = []
        for text in texts:
            words = text.split(" ")
            random.Random(SEED).shuffle(words)
            shuffled.append(" ".join(words))
        values = [math.exp(sums[0] / sums[1]) for sums in (model.likelihoods(t).sum(axis=0) for t in (texts, shuffled))]
        say(f"lm {split}: perplexity {values[0]:.1f}; of the same words shuffled {values[1]:.1f}")
    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file())
    say(f"{size / 1e6:.2f} MB in all")


def say(text: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def main() -> None:
    """Train, then check what is stored."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=("sentiment", "intent", "lm", "all"), default="all")
    parser.add_argument("--check", action="store_true", help="train nothing")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for kind in ("sentiment", "intent", "lm"):
        if not options.check and options.kind in (kind, "all"):
            (train_language_model if kind == "lm" else lambda kind=kind: train_classifier(kind))()
    check()


if __name__ == "__main__":
    main()
