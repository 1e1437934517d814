"""What a model reads: the cut, what fits its context, the chat template, and one begin-of-sequence token at most."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from grue.core.decoding import Decoding
from grue.core.errors import CheckpointError
from grue.core.rows import Row
from grue.core.task import Truncation
from grue.engine.batching import Budget, Item, batches
from grue.engine.open import EngineOptions, open_engine
from grue.engine.protocol import Job
from grue.engine.tokenization import EncodedPrompt

LONG = "the old grey cat runs over the stone bridge in the quiet street früh naïve " * 6
TEMPLATE = "{{ bos_token }}[U]{% for m in messages %}{{ m['content'] }}{% endfor %}[/U]"


def job(rows, *, side="left", max_tokens=20, new=5) -> Job:
    return Job(decoding=Decoding(max_new_tokens=new), truncation=Truncation(side, max_tokens), seed=0, rows=rows)


def encoded(engine, prompt: str, **wanted) -> EncodedPrompt:
    rows = [Row(id="a", prompt=prompt)]
    [item] = engine.encode(rows, job(rows, **wanted))
    return item.prompt


@pytest.mark.parametrize("kind", ["gpt2", "llama", "t5", "bart"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_long_prompt_loses_tokens_on_the_tasks_side(kind, side, engines):
    tokenizer = engines[kind].reader.tokenizer
    body = tokenizer(LONG, add_special_tokens=False)["input_ids"]
    before, after = ([2] if kind in ("llama", "bart") else []), ([1] if kind in ("t5", "bart") else [])
    keep = 20 - len(before) - len(after)
    kept = body[-keep:] if side == "left" else body[:keep]
    prompt = encoded(engines[kind], LONG, side=side)
    assert list(prompt.ids) == [*before, *kept, *after]
    assert prompt.is_cut
    assert prompt.text == tokenizer.decode(kept)
    assert LONG.endswith(prompt.text) if side == "left" else LONG.startswith(prompt.text)


@pytest.mark.parametrize("kind", ["gpt2", "llama", "t5", "bart"])
@pytest.mark.parametrize("text", ["old  cat ", " früh\n", "the", "a \u00a0 Straße", "日本 🙂"])
def test_an_uncut_prompt_is_the_very_string(kind, text, engines):
    prompt = encoded(engines[kind], text, max_tokens=64)
    assert prompt.text == text
    assert not prompt.is_cut
    assert list(prompt.ids) == engines[kind].reader.tokenizer(text)["input_ids"]


def test_a_prompt_of_exactly_the_limit_is_not_cut(engines):
    n = len(engines["t5"].reader.tokenizer(LONG)["input_ids"])
    assert not encoded(engines["t5"], LONG, max_tokens=n).is_cut
    assert encoded(engines["t5"], LONG, max_tokens=n - 1).is_cut


def test_an_empty_prompt_still_gives_the_model_a_token(engines, generate):
    made = generate(engines["gpt2"], [Row(id="a", prompt="")], Decoding(max_new_tokens=3))
    assert made["a", 0].prompt == ""
    assert made["a", 0].prompt_tokens == 1


@pytest.mark.parametrize(
    ("kind", "new", "expected"), [("gpt2", 100, 28), ("llama", 8, 120), ("bart", 100, 128), ("t5", 100, 512)]
)
def test_the_cut_shrinks_to_what_fits_the_context(kind, new, expected, engines, generate):
    engine = engines[kind]
    rows = [Row(id="a", prompt=LONG * 4)]
    settings = engine.settings(job(rows, max_tokens=512, new=new))
    assert settings["truncation"] == {"side": "left", "max_tokens": 512, "limit_tokens": expected}
    decoding = Decoding(max_new_tokens=new, min_new_tokens=new)
    made = generate(engine, rows, decoding, truncation=Truncation("left", 512))["a", 0]
    assert made.prompt_cut
    assert made.prompt_tokens == min(expected, len(engine.reader.tokenizer(LONG * 4)["input_ids"]))
    assert made.generated_tokens == new


@pytest.mark.parametrize(
    ("kind", "new", "said"),
    [("gpt2", 128, "No prompt fits"), ("llama", 127, "No prompt fits"), ("bart", 129, "decoder")],
)
def test_an_error_only_where_nothing_fits(kind, new, said, engines):
    engines[kind].settings(job([], new=new - 1))
    with pytest.raises(CheckpointError, match=said) as caught:
        engines[kind].settings(job([], new=new))
    assert "max_new_tokens" in caught.value.fix


def with_template(source: Path, folder: Path, template: str) -> str:
    shutil.copytree(source, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return str(folder)


def test_a_chat_template_wraps_prompts_with_one_bos_and_is_recorded(checkpoints, tmp_path):
    folder = with_template(checkpoints["llama"], tmp_path / "chat", TEMPLATE)
    engine = open_engine(folder, EngineOptions(device="cpu"))
    plain = open_engine(folder, EngineOptions(device="cpu", chat_template="off"))
    prompt = encoded(engine, "the old cat", max_tokens=64)
    assert prompt.text == "<s>[U]the old cat[/U]"
    assert prompt.ids.count(2) == 1
    assert prompt.ids[0] == 2
    assert len(engine.settings(job([]))["chat_template_sha256"]) == 64
    assert plain.settings(job([]))["chat_template_sha256"] is None
    assert encoded(plain, "the old cat", max_tokens=64).text == "the old cat"
    assert any("begin-of-sequence" in note for note in engine.notes)


@pytest.mark.parametrize("side", ["left", "right"])
def test_with_a_chat_template_the_users_text_is_cut_so_that_the_whole_fits(side, checkpoints, tmp_path):
    engine = open_engine(with_template(checkpoints["llama"], tmp_path / "chat", TEMPLATE), EngineOptions(device="cpu"))
    prompt = encoded(engine, LONG, side=side, max_tokens=30)
    assert prompt.is_cut
    assert 24 <= len(prompt.ids) <= 30
    content = prompt.text.removeprefix("<s>[U]").removesuffix("[/U]")
    assert len(content) == len(prompt.text) - len("<s>[U][/U]")
    assert LONG.endswith(content) if side == "left" else LONG.startswith(content)


def test_two_bos_tokens_are_refused(checkpoints, tmp_path, engines):
    folder = with_template(checkpoints["llama"], tmp_path / "chat", "{{ bos_token }}" + TEMPLATE)
    with pytest.raises(CheckpointError, match="two begin-of-sequence tokens"):
        open_engine(folder, EngineOptions(device="cpu"))
    with pytest.raises(CheckpointError, match="two begin-of-sequence tokens"):
        encoded(engines["llama"], "<s>the old cat")
    with pytest.raises(CheckpointError, match="two begin-of-sequence tokens"):
        engines["llama"].settings(job([Row(id="a", prompt="the cat"), Row(id="b", prompt="<s>the old cat")]))


def test_a_broken_template_is_refused(checkpoints, tmp_path):
    folder = with_template(checkpoints["llama"], tmp_path / "chat", "{{ raise_exception('no') }}")
    with pytest.raises(CheckpointError, match="chat template cannot be used"):
        open_engine(folder, EngineOptions(device="cpu"))


def test_what_a_tokenizer_lacks_is_said(checkpoints, tmp_path):
    folder = Path(shutil.copytree(checkpoints["llama"], tmp_path / "bare"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    from tokenizers.processors import ByteLevel

    tokenizer.backend_tokenizer.post_processor = ByteLevel(trim_offsets=False)
    tokenizer.pad_token = None
    tokenizer.save_pretrained(folder)
    engine = open_engine(str(folder), EngineOptions(device="cpu"))
    assert any("no pad token" in note for note in engine.notes)
    assert any("begin-of-sequence" in note for note in engine.notes)


@pytest.mark.parametrize("kind", ["gpt2", "t5"])
def test_a_missing_pad_token_changes_no_text(kind, checkpoints, engines, tmp_path, make_rows, generate):
    folder = Path(shutil.copytree(checkpoints[kind], tmp_path / "bare"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = None
    tokenizer.save_pretrained(folder)
    rows, decoding = make_rows(8, seed=11), Decoding(max_new_tokens=8)
    made = generate(open_engine(str(folder), EngineOptions(device="cpu")), rows, decoding)
    expected = generate(engines[kind], rows, decoding)
    assert [g.prediction for g in made.values()] == [g.prediction for g in expected.values()]


def test_prompts_say_how_they_were_read(engines, generate):
    rows = [Row(id="a", prompt=LONG), Row(id="b", prompt="the cat")]
    made = generate(engines["t5"], rows, Decoding(max_new_tokens=3), truncation=Truncation("right", 9))
    assert (made["a", 0].prompt_cut, made["b", 0].prompt_cut) == (True, False)
    assert made["a", 0].prompt_tokens == 9
    assert made["b", 0].prompt == "the cat"
    assert LONG.startswith(made["a", 0].prompt)


@pytest.mark.parametrize("equal", [False, True])
def test_batches_keep_to_their_budget_and_hold_each_row_once(equal, make_rows):
    lengths = [3, 50, 7, 7, 20, 1, 90, 7, 3, 41]
    items = [Item(EncodedPrompt((0,) * n, "", False), i) for i, n in enumerate(lengths)]
    groups = batches(items, Budget(rows=3, tokens=120), new_tokens=10, beams=2, equal_lengths=equal)
    assert sorted(item.index for group in groups for item in group) == list(range(10))
    for group in groups:
        widest = max(item.n_tokens for item in group)
        assert len(group) <= 3
        assert len(group) == 1 or len(group) * 2 * (widest + 10) <= 120
        if equal:
            assert {item.n_tokens for item in group} == {widest}
    assert groups == batches(items[::-1], Budget(3, 120), new_tokens=10, beams=2, equal_lengths=equal)


def test_nothing_stays_loaded_after_close(checkpoints):
    engine = open_engine(str(checkpoints["gpt2"]), EngineOptions(device="cpu"))
    engine.load()
    assert isinstance(engine.model, torch.nn.Module)
    engine.close()
    assert engine.model is None
    assert engine.peak_memory_bytes() is None
    assert engine.environment()["device"] == "cpu"
    assert engine.environment()["threads"] >= 1
