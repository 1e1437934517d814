"""Trains the two demo checkpoints on the embedded train rows and writes them into the package.

    python tools/train_demo.py            # both, a few minutes on one CPU thread
    python tools/train_demo.py --check    # how many train rows the stored checkpoints reproduce

The tokenizer, the order of the batches and the weights follow from one seed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from grue.core.record import Record
from grue.registry.tasks import load_task

TASKS = ("imdb", "commongen", "cnn_dailymail", "totto", "narrativeqa", "iwslt2017", "wmt16", "daily_dialog")
FOLDER = Path(__file__).resolve().parents[1] / "grue" / "engine" / "demo"
SEED = 7
VOCABULARY = 2048  # nearly every word of the rows is one token, so that copying a name is one step
POSITIONS = 640  # the longest cut (512) and the longest answer to it (100) fit
WIDTH = 96
BATCH_TOKENS = 1024
PAD, EOS = "<pad>", "</s>"
EPOCHS = {"causal": 18, "seq2seq": 20}
PEAK_RATE = {"causal": 4e-3, "seq2seq": 4e-3}


@dataclass(frozen=True)
class Example:
    """A prompt with the texts that answer it, and how the task cuts the prompt."""

    task: str
    prompt: str
    answers: tuple[str, ...]
    side: str
    limit: int


def examples(split: str) -> list[Example]:
    """All embedded rows of a split, as the tasks build them."""
    found = []
    for name in TASKS:
        task = load_task(name)
        suite = task.profile("standard")
        text = (files(task.package) / "data" / f"{split}.jsonl").read_text(encoding="utf-8")
        records = [Record(json.loads(line), f"{split}.jsonl:{n}") for n, line in enumerate(text.splitlines(), 1)]
        cut = suite.truncation
        found += [Example(name, r.prompt, tuple(r.references), cut.side, cut.max_tokens) for r in suite.rows(records)]
    return found


def make_tokenizer(texts: Sequence[str], *, ends_prompts: bool) -> PreTrainedTokenizerFast:
    """A byte-level BPE; ``ends_prompts`` makes it add the end token, as T5's tokenizer does."""
    tokenizer = Tokenizer(models.BPE())
    # Digits stand alone, so that a number is copied digit by digit and never guessed as a whole.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, EOS],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if ends_prompts:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"$A {EOS}", pair=f"$A {EOS} $B {EOS}", special_tokens=[(EOS, tokenizer.token_to_id(EOS))]
        )
    names = {"pad_token": PAD, "eos_token": EOS} | ({} if ends_prompts else {"bos_token": EOS})
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        clean_up_tokenization_spaces=False,
        model_max_length=POSITIONS if not ends_prompts else 1024,
        **names,
    )


def make_model(kind: str, vocabulary: int) -> Any:
    """An untrained model; pad is token 0 and the end token 1."""
    if kind == "causal":
        shape: dict[str, Any] = {"n_embd": WIDTH, "n_inner": 2 * WIDTH, "n_layer": 3, "n_head": 4}
        dropout = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
        config = GPT2Config(
            vocab_size=vocabulary,
            n_positions=POSITIONS,
            bos_token_id=1,
            eos_token_id=1,
            pad_token_id=0,
            **shape,
            **dropout,
        )
        return GPT2LMHeadModel(config)
    return T5ForConditionalGeneration(
        T5Config(
            vocab_size=vocabulary,
            d_model=WIDTH,
            d_kv=WIDTH // 4,
            num_heads=4,
            d_ff=2 * WIDTH,
            num_layers=2,
            num_decoder_layers=2,
            dropout_rate=0.0,
            decoder_start_token_id=0,
            pad_token_id=0,
            eos_token_id=1,
            tie_word_embeddings=True,
        )
    )


def encode(kind: str, tokenizer: Any, example: Example, rng: random.Random) -> tuple[list[int], list[int]]:
    """Token numbers of a prompt and of one of its answers, the end token included."""
    # Whole articles are longer than the model; they are cut below, so the tokenizer need not warn.
    prompt = tokenizer(example.prompt, add_special_tokens=False, verbose=False)["input_ids"]
    room = example.limit - (kind == "seq2seq")
    if example.task == "cnn_dailymail" and rng.random() < 0.8:
        room = 160  # the facts stand first; whole articles are seen now and then
    prompt = prompt[-room:] if example.side == "left" else prompt[:room]
    answer = rng.choice(example.answers)
    if kind == "causal" and not example.prompt.endswith(" "):
        answer = " " + answer
    target = tokenizer(answer, add_special_tokens=False)["input_ids"][:127]
    return (prompt if kind == "causal" else [*prompt, 1]), [*target, 1]


def batches(
    kind: str, tokenizer: Any, rows: Sequence[Example], rng: random.Random
) -> Iterator[list[tuple[list[int], list[int]]]]:
    """One epoch: batches of about equal length, in random order."""
    pairs = [encode(kind, tokenizer, example, rng) for example in rows]
    pairs.sort(key=lambda pair: (len(pair[0]) + len(pair[1]) + rng.random() * 8, pair))
    groups: list[list[tuple[list[int], list[int]]]] = [[]]
    for pair in pairs:
        longest = len(pair[0]) + len(pair[1])
        if groups[-1] and longest * (len(groups[-1]) + 1) > BATCH_TOKENS:
            groups.append([])
        groups[-1].append(pair)
    rng.shuffle(groups)
    yield from groups


def _padded(lists: Sequence[Sequence[int]], fill: int) -> Any:
    longest = max(map(len, lists))
    return torch.tensor([[*numbers, *[fill] * (longest - len(numbers))] for numbers in lists])


def loss_of(kind: str, model: Any, group: Sequence[tuple[list[int], list[int]]], rng: random.Random) -> Any:
    """Mean cross entropy of the answers' tokens."""
    if kind == "seq2seq":
        prompts = _padded([prompt for prompt, _ in group], 0)
        labels = _padded([target for _, target in group], -100)
        return model(input_ids=prompts, attention_mask=(prompts != 0).long(), labels=labels).loss
    numbers = _padded([prompt + target for prompt, target in group], 0)
    labels = _padded([[-100] * len(prompt) + target for prompt, target in group], -100)
    # A random start makes every learned position see training, though few rows are long.
    start = rng.randrange(POSITIONS - numbers.shape[1] + 1) if rng.random() < 0.3 else 0
    positions = torch.arange(start, start + numbers.shape[1]).unsqueeze(0)
    hidden = model.transformer(
        input_ids=numbers, attention_mask=torch.ones_like(numbers), position_ids=positions
    ).last_hidden_state[:, :-1]
    wanted = labels[:, 1:]
    kept = wanted != -100
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[kept]), wanted[kept])


def train(kind: str, rows: Sequence[Example], epochs: int) -> None:
    """Train one checkpoint and write it with its tokenizer."""
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    texts = [text for row in rows for text in (row.prompt, *row.answers)]
    tokenizer = make_tokenizer(texts, ends_prompts=kind == "seq2seq")
    model = make_model(kind, len(tokenizer))
    count = sum(parameter.numel() for parameter in model.parameters())
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE[kind], weight_decay=0.01, betas=(0.9, 0.98))
    planned = epochs * sum(1 for _ in batches(kind, tokenizer, rows, random.Random(SEED)))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK_RATE[kind], total_steps=planned + 2 * epochs, pct_start=0.1
    )
    say(f"{kind}: {count} parameters, {len(rows)} rows, about {planned} steps")
    model.train()
    begun = time.monotonic()
    for epoch in range(epochs):
        total, steps = 0.0, 0
        for group in batches(kind, tokenizer, rows, rng):
            loss = loss_of(kind, model, group, rng)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            if schedule.last_epoch < schedule.total_steps - 1:
                schedule.step()
            total, steps = total + loss.item(), steps + 1
        say(f"{kind}: epoch {epoch + 1}/{epochs} loss {total / steps:.3f} after {time.monotonic() - begun:.0f} s")
    folder = FOLDER / kind
    model.eval()
    store(model, folder)
    tokenizer.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)  # the weights come readable by their owner alone


def store(model: Any, folder: Path) -> None:
    """Write the weights in half precision, which halves the package, and have them loaded in float32."""
    model.half().save_pretrained(folder)
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | {"dtype": "float32"}
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def check(kind: str, rows: Sequence[Example], count: int) -> None:
    """Say how many of ``count`` rows a task greedy decoding reproduces, and show the last."""
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    folder = FOLDER / kind
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = (AutoModelForCausalLM if kind == "causal" else AutoModelForSeq2SeqLM).from_pretrained(folder)
    rng = random.Random(SEED)
    for task in TASKS:
        of_task = [row for row in rows if row.task == task]
        same = ended = 0
        chosen = rng.sample(of_task, min(count, len(of_task)))
        for row in chosen:
            prompt, _ = encode(kind, tokenizer, row, random.Random(SEED))
            with torch.inference_mode():
                output = model.generate(
                    torch.tensor([prompt]),
                    attention_mask=torch.ones(1, len(prompt)).long(),
                    max_new_tokens=100,
                    do_sample=False,
                )[0].tolist()
            new = output[len(prompt) :] if kind == "causal" else output[1:]
            ended += new[-1:] == [1]
            answer = tokenizer.decode(new, skip_special_tokens=True).strip()
            same += answer in {text.strip() for text in row.answers}
        say(f"{kind} {task}: {same} of {len(chosen)} reproduced, {ended} ended; the last: {answer!r}")


def say(text: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def main() -> None:
    """Train, or check what is stored."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=("causal", "seq2seq", "both"), default="both")
    parser.add_argument("--check", action="store_true", help="decode rows with the stored checkpoints")
    parser.add_argument("--rows", type=int, default=10, help="rows a task for --check")
    parser.add_argument("--split", default="train", help="split for --check")
    parser.add_argument("--epochs", type=int, help="instead of the built-in number, to try things out")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = examples(options.split if options.check else "train")
    for kind in ("causal", "seq2seq") if options.kind == "both" else (options.kind,):
        if options.check:
            check(kind, rows, options.rows)
        else:
            train(kind, rows, options.epochs or EPOCHS[kind])


if __name__ == "__main__":
    main()
