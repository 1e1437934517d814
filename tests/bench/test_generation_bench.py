"""The speed bench's arithmetic against values from elsewhere, and one small real run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from generation_auto_batch import AutoBatch
from generation_bound import bytes_needed, flops_needed, sizes_of
from generation_contests import CONTESTS, asked_factor, taking_part
from generation_figures import bound_line, line
from generation_page import Facts, page, unequal
from generation_process import ContestantFailedError, environment, run
from generation_state import State
from generation_theirs import equal_rows
from generation_values import Answer, Bound, Result, Round, Setting

BENCH = Path(__file__).resolve().parents[2] / "bench"
SETTING = Setting(material=Path("m"), cache=Path("c"))
FACTS = Facts(command="python bench/generation.py", machine={"memory": "1 GiB"}, versions={}, load=0.5, is_quick=False)


def round_of(number: int, ours: float, theirs: float, *, contest: str = "greedy", **more: object) -> Round:
    results = {
        "ours": Result(wall_seconds=ours, generate_seconds=ours / 2, equal=96, compared=96, new_tokens=100),
        "lmeval-8": Result(wall_seconds=theirs, generate_seconds=theirs / 4, equal=95, compared=96),
    }
    return Round(contest=contest, kind="causal", size=96, number=number, results=results, **more)  # type: ignore[arg-type]


def test_a_factor_is_the_median_of_the_rounds_own_ratios_and_not_the_ratio_of_medians() -> None:
    # Ratios 4, 2 and 3: median 3. Medians 2 and 4 would give 2.
    found = line([round_of(1, 1, 4), round_of(2, 2, 4), round_of(3, 4, 12)], "lmeval-8", "cpu")
    assert found.wall is not None
    assert (found.wall.median, found.wall.low, found.wall.high) == (3, 2, 4)
    assert found.generate is not None
    assert found.generate.median == 1.5
    assert (found.asked, found.reached) == (2.0, True)
    assert (found.equal, found.compared) == (95, 96)


def test_ours_has_no_factor_and_its_throughput_is_of_generation_alone() -> None:
    found = line([round_of(1, 4, 8)], "ours", "cpu")
    assert found.wall is None
    assert found.reached is None
    assert found.tokens_per_second == 50  # 100 tokens in 2 of 4 seconds


def test_a_contestant_that_failed_once_keeps_its_other_rounds_and_one_that_always_failed_says_why() -> None:
    failed = Round(
        contest="greedy", kind="causal", size=96, number=2,
        results={"ours": Result(wall_seconds=1), "lmeval-8": Result(error="exit code 1: no such thing")},
    )  # fmt: skip
    kept = line([round_of(1, 1, 4), failed], "lmeval-8", "cpu")
    assert kept.wall is not None
    assert kept.wall.median == 4
    gone = line([failed], "lmeval-8", "cpu")
    assert (gone.wall, gone.reached) == (None, None)
    text = page([failed], SETTING, FACTS)
    assert "lm-eval `hf`, batch 8 failed: exit code 1: no such thing" in text


def test_start_up_is_ours_by_theirs_and_met_below_the_limit() -> None:
    def start(number: int, ours: float, theirs: float) -> Round:
        results = {"ours": Result(first_row_seconds=ours), "bare": Result(first_row_seconds=theirs)}
        return Round(contest="startup-1", kind="causal", size=1, number=number, results=results)

    slow = line([start(1, 14, 10), start(2, 14, 10), start(3, 10, 10)], "bare", "cpu")
    assert slow.first_row is not None
    assert slow.first_row.median == 1.4
    assert (slow.asked, slow.reached) == (1.3, False)
    assert line([start(1, 13, 10)], "bare", "cpu").reached is True


def test_a_gpu_is_asked_for_throughput_and_a_cpu_for_wall_clock() -> None:
    one = CONTESTS["greedy"].contestants["lmeval-8"]
    assert [asked_factor(one, size, "cpu") for size in (96, 256, 1024)] == [2.0, 2.5, 2.5]
    assert asked_factor(one, 2000, "cuda") == 3.0
    # Wall clock 4 times, generation 2 times: enough on a CPU, not on a GPU.
    assert line([round_of(1, 1, 4)], "lmeval-8", "cpu").reached is True
    assert line([round_of(1, 1, 4)], "lmeval-8", "cuda").reached is False


def test_who_takes_part() -> None:
    greedy = CONTESTS["greedy"]
    assert "continuous" not in taking_part(greedy, "seq2seq", 96, "cpu", frozenset())
    assert "vllm" not in taking_part(greedy, "causal", 96, "cpu", frozenset())
    assert "vllm" in taking_part(greedy, "causal", 2000, "cuda", frozenset())
    assert taking_part(greedy, "seq2seq", 1024, "cpu", frozenset({"order-8"})) == ("ours", "lmeval-8")
    assert all(next(iter(contest.contestants)) == "ours" for contest in CONTESTS.values())


@pytest.mark.parametrize(
    ("answer", "other", "equal"),
    [
        (Answer(text="a b", tokens=(5, 6, 1), n_tokens=3), Answer(text="a b", tokens=(5, 6, 1), n_tokens=3), 1),
        # The same text from other tokens is another output.
        (Answer(text="a b", tokens=(7, 1), n_tokens=2), Answer(text="a b", tokens=(5, 6, 1), n_tokens=3), 0),
        (Answer(text="a b", n_tokens=3), Answer(text="a b", tokens=(5, 6, 1), n_tokens=3), 1),
        # Ended by length and by the end token: texts alike, lengths not.
        (Answer(text="a b", n_tokens=2), Answer(text="a b", tokens=(5, 6, 1), n_tokens=3), 0),
        (Answer(text=" a b "), Answer(text="a b", tokens=(5, 6, 1), n_tokens=3), 1),
        (Answer(text="a c"), Answer(text="a b", tokens=(5, 6, 1), n_tokens=3), 0),
        (Answer(text=""), Answer(text="", tokens=(1,), n_tokens=1), 1),
    ],
)
def test_equal_rows(answer: Answer, other: Answer, equal: int) -> None:
    assert equal_rows([answer], [other]) == equal


def test_unequal_outputs_of_ours_are_named() -> None:
    results = {"ours": Result(wall_seconds=1, equal=95, compared=96)}
    bad = Round(contest="greedy", kind="causal", size=96, number=3, results=results)
    assert unequal([round_of(1, 1, 2)]) == []
    assert unequal([bad]) == ["greedy, causal, 96 prompts, round 3: 95 of 96 rows equal"]


def test_operations_needed_are_those_that_torch_counts(tmp_path: Path) -> None:
    # torch counts every matrix product as it runs. It computes whole squares of causal attention: half is needed.
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=50, n_positions=64, n_embd=16, n_layer=3, n_head=2, tie_word_embeddings=False)
    GPT2LMHeadModel(config).save_pretrained(tmp_path)
    model = GPT2LMHeadModel.from_pretrained(tmp_path, attn_implementation="eager").eval()
    prompt, new = 9, 4
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        out = model(torch.arange(prompt)[None], use_cache=True, logits_to_keep=1)
        for _ in range(new - 1):
            out = model(torch.tensor([[3]]), past_key_values=out.past_key_values, use_cache=True)
    square, triangle = prompt**2, prompt * (prompt + 1) // 2
    needless = 4 * 16 * 3 * (square - triangle)
    assert flops_needed(sizes_of(str(tmp_path)), [(prompt, new)]) == counter.get_total_flops() - needless


def test_operations_needed_by_an_encoder_decoder_are_those_that_torch_counts(tmp_path: Path) -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=50, d_model=16, d_kv=8, d_ff=24, num_layers=2, num_decoder_layers=3, num_heads=4,
        feed_forward_proj="gated-gelu", tie_word_embeddings=False, decoder_start_token_id=0,
    )  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(tmp_path)
    model = T5ForConditionalGeneration.from_pretrained(tmp_path, attn_implementation="eager").eval()
    prompt, new = 9, 4
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        given = {"encoder_outputs": model.encoder(torch.arange(prompt)[None])}
        for _ in range(new):
            out = model(**given, decoder_input_ids=torch.tensor([[3]]), use_cache=True)
            given["past_key_values"] = out.past_key_values
    assert flops_needed(sizes_of(str(tmp_path)), [(prompt, new)]) == counter.get_total_flops()


def test_weights_are_read_for_the_prompts_and_for_every_step_of_the_longest_row(tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=50, n_positions=64, n_embd=16, n_layer=3, n_head=2, tie_word_embeddings=False)
    GPT2LMHeadModel(config).save_pretrained(tmp_path)
    # A layer has 12 d^2 matrix weights, the head 50 d.
    weights = 3 * 12 * 16**2 + 50 * 16
    assert bytes_needed(sizes_of(str(tmp_path)), [(9, 4), (2, 11)], 4) == 4 * weights * 11


def test_the_bound_is_the_larger_of_arithmetic_and_reading() -> None:
    bound = Bound(peak_flops=1e9, bandwidth=1e9, flops=1e9, bytes_read=5e8)
    found = bound_line([round_of(1, 4, 8, bound=bound), round_of(2, 6, 8, bound=bound)])
    assert found is not None
    assert (found.flops_seconds, found.bandwidth_seconds, found.ratio.median) == (1, 0.5, 2.5)
    reading = Bound(peak_flops=1e9, bandwidth=1e8, flops=1e9, bytes_read=5e8)
    assert reading.seconds == 5


def test_rounds_survive_a_stop_in_the_middle_of_a_line_and_code_that_changed_starts_anew(tmp_path: Path) -> None:
    setting = Setting(material=tmp_path, cache=tmp_path)
    state = State.open(setting, {"torch": "2"}, "a", fresh=False)
    whole = round_of(1, 1, 4, bound=Bound(peak_flops=1.0, bandwidth=2.0, flops=3.0, bytes_read=4.0))
    state.add(whole)
    with (state.folder / "rounds.jsonl").open("a", encoding="utf-8") as file:
        file.write(whole.to_line()[:40])
    again = State.open(setting, {"torch": "2"}, "a", fresh=False)
    assert again.rounds({("greedy", "causal", 96)}, 5) == [whole]
    assert again.has("greedy", "causal", 96, 1, ("ours", "lmeval-8"))
    assert not again.has("greedy", "causal", 96, 1, ("ours", "lmeval-8", "order-8"))
    assert not again.has("greedy", "causal", 96, 2, ("ours",))
    assert State.open(setting, {"torch": "2"}, "b", fresh=False).rounds({("greedy", "causal", 96)}, 5) == []
    assert State.open(setting, {"torch": "2"}, "a", fresh=True).rounds({("greedy", "causal", 96)}, 5) == []


def test_a_process_is_timed_with_its_children_and_its_error_is_told(tmp_path: Path) -> None:
    burn = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    spent = run([sys.executable, "-c", nested], os.environ, tmp_path / "log")
    assert spent.wall_seconds >= 0.3
    assert spent.cpu_seconds >= 0.3
    with pytest.raises(ContestantFailedError, match="exit code 3: so it is"):
        run([sys.executable, "-c", "import sys; print('so it is'); sys.exit(3)"], os.environ, tmp_path / "log")
    assert environment(2, tmp_path)["OMP_NUM_THREADS"] == "2"


def test_a_page_says_what_it_is() -> None:
    rounds = [round_of(1, 1, 4)]
    text = page(rounds, SETTING, FACTS, datetime(2030, 1, 2, 3, 4, tzinfo=UTC))
    assert "Made by: `python bench/generation.py`" in text
    assert "2030-01-02 03:04 UTC" in text
    assert "| lm-eval `hf`, batch 8 |" in text
    assert "4.00 (4.00–4.00)" in text
    assert "95 of 96" in text
    assert "quick run" not in text


def test_what_lm_eval_searches_for_is_waited_for_by_its_users_and_stands_on_a_line_of_its_own() -> None:
    def told(number: int, ours: float, theirs: float) -> Round:
        results = {"ours": Result(wall_seconds=ours), "lmeval-auto": Result(wall_seconds=theirs, equal=9, compared=9)}
        return Round(contest="greedy", kind="seq2seq", size=96, number=number, results=results)

    facts = replace(FACTS, searches=[AutoBatch(kind="seq2seq", rows=64, seconds=90.0)])
    # Told the size: 1.5, 1 and 3, median 1.5. With 90 s: 10.5 (105 by 10), 5.5 (110 by 20), 12 (120 by 10).
    text = page([told(1, 10, 15), told(2, 20, 20), told(3, 10, 30)], SETTING, facts)

    (plain,) = [line for line in text.splitlines() if "told what its search finds" in line]
    (searched,) = [line for line in text.splitlines() if "with its search" in line and line.startswith("|")]
    assert "| 1.50 (1.00–3.00) |" in plain
    assert plain.split("|")[9:11] == [" 2 ", " no "]
    assert "| 110.0 |" in searched
    assert "| 10.50 (5.50–12.00) |" in searched
    assert searched.split("|")[9:11] == [" 2 ", " yes "]


@pytest.mark.long
def test_a_small_real_run_writes_the_page_with_equal_outputs_and_goes_on_without_running_again(
    material: Path, tmp_path: Path
) -> None:
    command = [
        sys.executable, str(BENCH / "generation.py"), "--material", str(material), "--sizes", "5", "--rounds", "1",
        "--max-new-tokens", "6", "--models", "causal", "--contests", "greedy,startup-1", "--cache", str(tmp_path),
        "--without", "lmeval-8,lmeval-auto,sorted-8,continuous", "--page", str(tmp_path / "page.md"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    ours = next(row for row in text.splitlines() if row.startswith("| grue eval |"))
    assert ours.endswith("| 5 of 5 |")
    assert "| `generate`, file order, batch 8 |" in text
    assert "| bare script |" in text
    assert "1 of 1" in text
    assert "Distance to the machine's bound" in text
    lines = [one for path in tmp_path.glob("rounds/*/rounds.jsonl") for one in path.read_text("utf-8").splitlines()]
    assert {json.loads(one)["contest"] for one in lines} == {"greedy", "startup-1"}
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0
    assert "round 1" not in again.stderr
