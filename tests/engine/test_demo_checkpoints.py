"""The two shipped checkpoints: size, clean loading, tokenizers that lose nothing, outputs that end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

DEMO = Path(__file__).resolve().parents[2] / "grue" / "engine" / "demo"
TASKS = Path(__file__).resolve().parents[2] / "tasks" / "grue_tasks"
KINDS = ("causal", "seq2seq")


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def tokenizer(kind: str) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(DEMO / kind)


@pytest.fixture(scope="module")
def model(kind: str) -> Any:
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    loader = AutoModelForCausalLM if kind == "causal" else AutoModelForSeq2SeqLM
    return loader.from_pretrained(DEMO / kind).eval()


def rows(task: str, split: str) -> list[dict[str, Any]]:
    text = (TASKS / task / "data" / f"{split}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def greedy(model: Any, tokenizer: Any, prompt: str) -> tuple[str, bool]:
    """The text after the prompt, and whether it ended by itself."""
    import torch

    inputs = tokenizer(prompt, return_tensors="pt")
    with torch.inference_mode():
        output = model.generate(**inputs, max_new_tokens=60, do_sample=False)[0].tolist()
    new = output[1:] if model.config.is_encoder_decoder else output[inputs["input_ids"].shape[1] :]
    return tokenizer.decode(new, skip_special_tokens=True).strip(), new[-1] == tokenizer.eos_token_id


def test_both_together_are_at_most_three_megabytes() -> None:
    assert sum(path.stat().st_size for path in DEMO.rglob("*.safetensors")) <= 3_000_000


def test_there_is_nothing_but_text_and_safetensors() -> None:
    assert {path.suffix for path in DEMO.rglob("*") if path.is_file()} == {".json", ".safetensors", ".md"}


@pytest.mark.long
def test_loading_writes_no_warning() -> None:
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        "from transformers import AutoTokenizer, AutoModelForCausalLM, AutoModelForSeq2SeqLM\n"
        "from transformers.utils import logging; logging.disable_progress_bar()\n"
        f"for kind, loader in (({str(DEMO / 'causal')!r}, AutoModelForCausalLM), "
        f"({str(DEMO / 'seq2seq')!r}, AutoModelForSeq2SeqLM)):\n"
        "    AutoTokenizer.from_pretrained(kind); loader.from_pretrained(kind)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_weights_are_float32_once_loaded(model: Any) -> None:
    assert {str(parameter.dtype) for parameter in model.parameters()} == {"torch.float32"}


def test_the_vocabularies_agree_and_the_special_tokens_are_set(kind: str, tokenizer: Any, model: Any) -> None:
    assert len(tokenizer) == model.config.vocab_size
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id) == (0, 1)
    assert (model.generation_config.pad_token_id, model.generation_config.eos_token_id) == (0, 1)
    ends = tokenizer("a")["input_ids"][-1] == tokenizer.eos_token_id
    assert ends == (kind == "seq2seq")


def test_the_longest_cut_and_its_answer_fit(tokenizer: Any, model: Any, kind: str) -> None:
    if kind == "causal":
        assert model.config.n_positions >= 512 + 100


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=80))
def test_every_text_survives_the_tokenizer(kind: str, tokenizer: Any, text: str) -> None:
    # The names of the special tokens are the one thing that text cannot hold.
    plain = text.replace("<pad>", "").replace("</s>", "")
    assert tokenizer.decode(tokenizer(plain, add_special_tokens=False)["input_ids"]) == plain


def test_odd_letters_survive_the_tokenizer(tokenizer: Any) -> None:
    for text in ("Über „die“ Straße – 1 024 €", "日本語\n\ttab  two", " leading and trailing ", "x<EOU>y <EOU>"):
        assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


def test_most_outputs_on_test_prompts_are_words_that_end(model: Any, tokenizer: Any) -> None:
    sets = {record["concept_set_idx"]: record["concepts"] for record in rows("commongen", "test")}
    prompts = [f"generate a sentence with: {' '.join(concepts)}." for concepts in list(sets.values())[:8]]
    prompts += ["translate English to German: " + row["translation"]["en"] for row in rows("wmt16", "test")[:8]]
    known = {word for row in rows("wmt16", "train") for word in row["translation"]["de"].split()}
    known |= {word for row in rows("commongen", "train") for word in row["target"].split()}
    outputs = [greedy(model, tokenizer, prompt) for prompt in prompts]
    assert all(text for text, _ in outputs)
    assert sum(ended for _, ended in outputs) >= 14
    produced = [word for text, _ in outputs for word in text.split()]
    assert sum(word in known for word in produced) >= 0.85 * len(produced)


def test_translations_are_much_better_than_a_copy_of_the_source(model: Any, tokenizer: Any) -> None:
    import sacrebleu

    pairs = [row["translation"] for row in rows("wmt16", "test")[:16]]
    outputs = [greedy(model, tokenizer, "translate English to German: " + pair["en"])[0] for pair in pairs]
    references = [[pair["de"] for pair in pairs]]
    copied = sacrebleu.corpus_bleu([pair["en"] for pair in pairs], references).score
    assert sacrebleu.corpus_bleu(outputs, references).score > copied + 20
