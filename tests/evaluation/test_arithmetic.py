"""Costs, rates and the time left, against cases worked by hand."""

from __future__ import annotations

import json

import pytest

from grue.cli.eval import batch_rows, chosen_devices
from grue.cli.options import parse_pairs
from grue.cli.progress import duration, size
from grue.core.errors import UsageError
from grue.core.rows import Generation
from grue.core.run import Rates
from grue.evaluation.costs import Timed, cost_of, rates_of, timed_of
from grue.evaluation.eta import Eta
from grue.evaluation.progress import Workload


def made(n: int, *, new: int = 10, prompt: int = 20, **changes: object) -> list[Generation]:
    return [
        Generation(
            **{  # type: ignore[arg-type]
                "id": str(index), "sample": 0, "prediction": "text", "prompt_tokens": prompt, "generated_tokens": new,
                "finish_reason": "stop", "prompt_cut": False, "latency_seconds": 0.1 * (index + 1), **changes,
            }
        )
        for index in range(n)
    ]  # fmt: skip


def test_rates_are_shares_and_unknown_where_no_model_ran():
    mixed = [*made(1, prediction=" \n"), *made(1, prompt_cut=True), *made(2, finish_reason="length")]
    assert rates_of(mixed) == Rates(empty=0.25, cut_prompt=0.25, cut_output=0.5)
    without = [Generation("1", 0, ""), Generation("2", 0, "a")]
    assert rates_of(without) == Rates(empty=0.5, cut_prompt=None, cut_output=None)
    assert rates_of([]) == Rates(empty=None, cut_prompt=None, cut_output=None)


def test_cost_adds_up_and_takes_percentiles_of_latencies():
    cost = cost_of(made(3), timed=Timed(seconds=6.0, tokens=30), load_seconds=1.0, peak_memory_bytes=5)
    assert (cost.prompt_tokens, cost.generated_tokens, cost.tokens_per_second) == (60, 30, 5.0)
    # Latencies of 100, 200 and 300 ms: the median is the middle one, the 95th percentile lies at 1.9 of 2 steps.
    assert cost.latency_ms_p50 == pytest.approx(200.0)
    assert cost.latency_ms_p95 == pytest.approx(290.0)


def test_a_batch_whose_time_a_kill_took_is_no_part_of_the_speed(tmp_path):
    events = [
        {"kind": "generated", "task": "a", "generations": 1, "tokens": 10, "seconds": 2.0},
        {"kind": "generated", "task": "b", "generations": 9, "tokens": 90, "seconds": 1.0},
        {"kind": "generated", "task": "a", "generations": 1, "tokens": 10, "seconds": 2.0},
    ]
    lines = "\n".join(map(json.dumps, events))
    (tmp_path / "events.jsonl").write_text(lines + '\n{"kind": "gener')
    cost = cost_of(made(3), timed=timed_of(tmp_path, "a"), load_seconds=1.0, peak_memory_bytes=5)
    # Three generations are stored and two were timed: 20 tokens in 4 seconds.
    assert (cost.generated_tokens, cost.wall_seconds, cost.tokens_per_second) == (30, 4.0, 5.0)


def test_cost_of_a_null_system_has_no_tokens():
    cost = cost_of(
        [Generation("1", 0, "a")], timed=Timed(seconds=1.0, tokens=0), load_seconds=None, peak_memory_bytes=None
    )
    assert (cost.prompt_tokens, cost.generated_tokens, cost.tokens_per_second, cost.latency_ms_p50) == (None,) * 4


def workload(task: str, total: int, stored: int = 0, new: int = 10) -> Workload:
    return Workload(task=task, total=total, stored=stored, prompt_tokens=20, new_tokens=new)


def test_time_left_is_unknown_until_enough_was_measured():
    eta = Eta([workload("a", 100)])
    assert eta.seconds_left() is None
    eta.advance("a", made(10), 2.0)
    eta.advance("a", made(10), 2.0)
    assert eta.seconds_left() is None
    eta.advance("a", made(10), 2.0)
    # 30 of 100 equal rows took 6 seconds: the other 70 take 14.
    assert eta.seconds_left() == pytest.approx(14.0)


def test_time_left_counts_down_at_an_even_pace_and_ends_at_nothing():
    eta = Eta([workload("a", 100)])
    shown = []
    for _ in range(10):
        eta.advance("a", made(10), 2.0)
        shown.append(eta.seconds_left())
    assert shown[2:] == pytest.approx([14.0, 12.0, 10.0, 8.0, 6.0, 4.0, 2.0, 0.0])
    assert (eta.generations_done, eta.generations_total) == (100, 100)
    assert eta.tokens_per_second == pytest.approx(50.0)


def test_tasks_to_come_count_by_their_length_and_stored_rows_do_not():
    eta = Eta([workload("a", 40, stored=10), workload("b", 30, new=30)])
    for _ in range(3):
        eta.advance("a", made(10), 2.0)
    # A row of a is 0.1 * 20 + 10 = 12 units, 30 took 6 s. All of b's 30 tokens a row are expected, as a used all
    # of its 10: 30 rows of 32 units at 60 units a second.
    assert eta.generations_done == 40
    assert eta.seconds_left() == pytest.approx(30 * 32 / 60)


def test_durations_and_sizes_read_well():
    assert [duration(s) for s in (0.2, 59.4, 185, 7620)] == ["0 s", "59 s", "3 min 05 s", "2 h 07 min"]
    assert [size(n) for n in (912e6, 3.44e9)] == ["912 MB", "3.4 GB"]


def test_flags_of_eval_are_read():
    assert batch_rows("auto") is None
    assert batch_rows("16") == 16
    assert chosen_devices("auto", None) == ("auto",)
    assert chosen_devices("cuda", "1,2") == ("cuda:1", "cuda:2")
    assert chosen_devices("auto", "cpu,cpu") == ("cpu", "cpu")
    assert parse_pairs("--meta", ["a=b=c", "d="]) == {"a": "b=c", "d": ""}
    for wrong in ("-1", "1.5", "", "ten"):
        with pytest.raises(UsageError):
            batch_rows(wrong)
