"""One peer in a process of its own: reads the prompts, generates, writes texts and seconds to disk.

    python bench/generation_peers.py CALL.json

It lets each library do what it does best unasked: no option is set that a user of that library would not set.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a peer is to do.

    Attributes:
        way: A key of `WAYS`.
        batch: Rows a batch; `auto` for lm-eval's own search.
        model: The checkpoint's folder.
        prompts: JSON lines with `id` and `prompt`.
        rows: Only so many of them; 0 for all.
        out: Where texts and tokens go, as JSON lines.
        marks: Where seconds go.
        max_new_tokens: Upper bound of new tokens.
        beams: 1 for greedy decoding.
        device: `cpu` or `cuda`.
        dtype: `float32` or `bfloat16`.
        threads: Threads on a CPU.
    """

    way: str
    batch: str
    model: str
    prompts: str
    rows: int
    out: str
    marks: str
    max_new_tokens: int
    beams: int
    device: str
    dtype: str
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A generated row; `tokens` is `None` where a library gives text alone. The end token is counted."""

    text: str
    tokens: list[int] | None


class Clock:
    """Remembers when the model was loaded: what comes after is generation."""

    def __init__(self) -> None:
        self.loaded = time.perf_counter()

    def mark_loaded(self) -> None:
        """From here on it is generation."""
        self.loaded = time.perf_counter()


class Model:
    """A checkpoint loaded as transformers' documentation says."""

    def __init__(self, call: Call) -> None:
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

        config = AutoConfig.from_pretrained(call.model)
        self.is_encoder_decoder = bool(config.is_encoder_decoder)
        auto = AutoModelForSeq2SeqLM if self.is_encoder_decoder else AutoModelForCausalLM
        self.tokenizer = AutoTokenizer.from_pretrained(call.model)
        if not self.is_encoder_decoder:
            self.tokenizer.padding_side = "left"  # saved tokenizers pad on the right; generate is then wrong
        self.model = auto.from_pretrained(call.model, dtype=getattr(torch, call.dtype)).to(call.device).eval()

    def answer(self, tokens: Sequence[int]) -> Answer:
        """Tokens up to the end token, and their text."""
        end = self.tokenizer.eos_token_id
        kept = list(tokens)
        if end in kept:
            kept = kept[: kept.index(end) + 1]
        return Answer(text=self.tokenizer.decode(kept, skip_special_tokens=True), tokens=kept)


def in_file_order(call: Call, prompts: Sequence[str], clock: Clock) -> list[Answer]:
    """Plain `generate` over batches in file order."""
    return _generate(call, prompts, clock, sort=False)


def longest_first(call: Call, prompts: Sequence[str], clock: Clock) -> list[Answer]:
    """Plain `generate` over batches sorted by prompt length."""
    return _generate(call, prompts, clock, sort=True)


def _generate(call: Call, prompts: Sequence[str], clock: Clock, *, sort: bool) -> list[Answer]:
    import torch

    loaded = Model(call)
    clock.mark_loaded()
    lengths = [len(tokens) for tokens in loaded.tokenizer(list(prompts)).input_ids]
    order = sorted(range(len(prompts)), key=lambda i: -lengths[i]) if sort else list(range(len(prompts)))
    answers: dict[int, Answer] = {}
    with torch.inference_mode():
        for begin in range(0, len(order), int(call.batch)):
            batch = order[begin : begin + int(call.batch)]
            encoded = loaded.tokenizer([prompts[i] for i in batch], return_tensors="pt", padding=True).to(call.device)
            out = loaded.model.generate(
                input_ids=encoded.input_ids,
                attention_mask=encoded.attention_mask,
                max_new_tokens=call.max_new_tokens,
                num_beams=call.beams,
                do_sample=False,
            )
            skipped = 1 if loaded.is_encoder_decoder else encoded.input_ids.shape[1]
            answers.update(zip(batch, map(loaded.answer, out[:, skipped:].tolist()), strict=True))
    return [answers[i] for i in range(len(prompts))]


def lm_eval(call: Call, prompts: Sequence[str], clock: Clock) -> list[Answer]:
    """lm-evaluation-harness' `hf` model type: generation alone, without its loading of tasks and its metrics."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM
    from transformers import AutoConfig

    is_encoder_decoder = bool(AutoConfig.from_pretrained(call.model).is_encoder_decoder)
    batch = call.batch if call.batch == "auto" else int(call.batch)
    if is_encoder_decoder:
        # It ties the output matrix of whatever it loads to the embeddings: a T5 v1.1 then writes nothing but padding.
        loaded = Model(call)
        loaded.model.tie_weights = lambda *_, **__: None
        model = HFLM(pretrained=loaded.model, tokenizer=loaded.tokenizer, backend="seq2seq", batch_size=batch)
    else:
        model = HFLM(pretrained=call.model, device=call.device, dtype=call.dtype, backend="causal", batch_size=batch)
    clock.mark_loaded()
    settings: dict[str, Any] = {"until": [], "max_gen_toks": call.max_new_tokens, "do_sample": False}
    if call.beams > 1:
        settings["num_beams"] = call.beams
    if is_encoder_decoder:
        # Left alone it adds the source's length to the bound: this gives it the same work as everybody.
        settings["max_length"] = call.max_new_tokens + 1
    requests = [
        Instance(request_type="generate_until", doc={}, arguments=(prompt, dict(settings)), idx=i)
        for i, prompt in enumerate(prompts)
    ]
    return [Answer(text=str(text), tokens=None) for text in model.generate_until(requests, disable_tqdm=True)]


def continuous(call: Call, prompts: Sequence[str], clock: Clock) -> list[Answer]:
    """transformers' own continuous batching, which decoder-only models have."""
    from transformers import ContinuousBatchingConfig, GenerationConfig

    loaded = Model(call)
    clock.mark_loaded()
    end, pad = loaded.tokenizer.eos_token_id, loaded.tokenizer.pad_token_id
    settings = GenerationConfig(max_new_tokens=call.max_new_tokens, do_sample=False, eos_token_id=end, pad_token_id=pad)
    encoded = loaded.tokenizer(list(prompts)).input_ids
    # Its own sizes are made from a GPU's memory; on a CPU somebody has to say them, and these were its fastest.
    sizes = {} if call.device == "cuda" else {"page_size": 32, "num_blocks": 512, "max_batch_tokens": 512}
    done = loaded.model.generate_batch(
        inputs=encoded,
        generation_config=settings,
        continuous_batching_config=ContinuousBatchingConfig(**sizes),
        progress_bar=False,
    )
    by_prompt = {tuple(value.prompt_ids): value.generated_tokens for value in done.values()}
    return [loaded.answer(by_prompt[tuple(tokens)]) for tokens in encoded]


def vllm(call: Call, prompts: Sequence[str], clock: Clock) -> list[Answer]:
    """vLLM's offline engine."""
    from vllm import LLM, SamplingParams

    engine = LLM(model=call.model, dtype=call.dtype)
    clock.mark_loaded()
    settings = SamplingParams(temperature=0.0, max_tokens=call.max_new_tokens)
    done = engine.generate(list(prompts), settings, use_tqdm=False)
    return [Answer(text=out.outputs[0].text, tokens=list(out.outputs[0].token_ids)) for out in done]


WAYS: dict[str, Callable[[Call, Sequence[str], Clock], list[Answer]]] = {
    "order": in_file_order,
    "sorted": longest_first,
    "lm-eval": lm_eval,
    "continuous": continuous,
    "vllm": vllm,
}


def main() -> None:
    """Do what the call's file says."""
    call = Call(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    import torch
    import transformers

    if call.device == "cpu":
        torch.set_num_threads(call.threads)
    transformers.logging.set_verbosity_error()
    rows = [json.loads(line) for line in Path(call.prompts).read_text(encoding="utf-8").splitlines()]
    rows = rows[: call.rows] if call.rows else rows
    clock = Clock()
    answers = WAYS[call.way](call, [row["prompt"] for row in rows], clock)
    generated = time.perf_counter() - clock.loaded
    with open(call.out, "w", encoding="utf-8") as file:
        for row, answer in zip(rows, answers, strict=True):
            file.write(json.dumps({"id": row["id"], "text": answer.text, "tokens": answer.tokens}) + "\n")
    Path(call.marks).write_text(json.dumps({"generate_seconds": generated}), encoding="utf-8")


if __name__ == "__main__":
    main()
