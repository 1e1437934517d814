"""What generation cost: sums worked out by hand over events as a run writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from grue.core.rows import Generation
from grue.core.run import Cost
from grue.evaluation.costs import Timed, cost_of, joined, timed_of, with_peak

BEGIN = datetime(2026, 11, 20, 5, 2, tzinfo=UTC)


def _event(at: float, kind: str, **fields: Any) -> dict[str, Any]:
    return {"time": (BEGIN + timedelta(seconds=at)).isoformat().replace("+00:00", "Z"), "kind": kind, **fields}


def _work(worker: str, prefill: tuple[int, float], decode: tuple[int, float]) -> dict[str, Any]:
    return {
        "worker": worker,
        "prefill_tokens": prefill[0],
        "prefill_seconds": prefill[1],
        "decode_tokens": decode[0],
        "decode_seconds": decode[1],
        "rows": 4,
    }


def _generated(at: float, seconds: float, tokens: int, *work: Mapping[str, Any], task: str = "toy") -> dict[str, Any]:
    return _event(at, "generated", task=task, generations=2, tokens=tokens, seconds=seconds, work=list(work))


@pytest.fixture
def events(tmp_path: Path) -> Callable[[Sequence[Mapping[str, Any]]], Path]:
    """A folder with these events."""

    def write(some: Sequence[Mapping[str, Any]], cut: str = "") -> Path:
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        (folder / "events.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in some) + cut)
        return folder

    return write


def _made(count: int, tokens: int = 10) -> list[Generation]:
    return [
        Generation(
            id=f"r{number}", sample=0, prediction="x", prompt_tokens=5, generated_tokens=tokens, latency_seconds=number
        )
        for number in range(count)
    ]


def _cost(timed: Timed, generations: Sequence[Generation] = (), **more: Any) -> Cost:
    return cost_of(generations or _made(4), timed=timed, load_seconds=1.0, peak_memory_bytes=8, **more)


def test_one_device_reads_and_writes_at_tokens_over_seconds_of_that_phase(events: Any) -> None:
    run = events(
        [
            _event(0, "started", status="new", stored=0),
            _generated(3, 3.0, 20, _work("cpu", (100, 1.0), (30, 1.5))),
            _generated(5, 2.0, 20, _work("cpu", (0, 0.0), (30, 1.5))),
        ]
    )
    cost = _cost(timed_of(run, "toy"))
    assert cost.prefill_tokens_per_second == pytest.approx(100.0)
    assert cost.decode_tokens_per_second == pytest.approx(60 / 3)
    # Seconds between portions count whole: what is not computing is in this number.
    assert cost.tokens_per_second == pytest.approx(40 / 5)
    assert cost.wall_seconds == pytest.approx(5.0)


def test_two_workers_side_by_side_add_up_and_a_resumed_run_is_averaged_over_time(events: Any) -> None:
    run = events(
        [
            _event(0, "started"),
            _generated(3, 3.0, 20, _work("cpu#0", (100, 2.0), (0, 0)), _work("cpu#1", (300, 3.0), (0, 0))),
            _event(100, "started"),
            _generated(101, 1.0, 20, _work("cpu#0", (100, 1.0), (50, 0.0))),
        ]
    )
    # First start: 50/s and 100/s side by side, 150/s, so 400 tokens in 2.667 s; then 100 tokens in 1 s.
    assert _cost(timed_of(run, "toy")).prefill_tokens_per_second == pytest.approx(500 / (400 / 150 + 1.0))
    assert _cost(timed_of(run, "toy")).decode_tokens_per_second is None, "no second was spent writing"


def test_a_worker_in_the_place_of_a_dead_one_does_not_count_beside_it(events: Any) -> None:
    run = events(
        [
            _event(0, "started"),
            _generated(10, 10.0, 5, _work("cpu#0", (0, 0.0), (100, 10.0)), _work("cpu#1", (0, 0.0), (100, 10.0))),
            # cpu#1 died; cpu#2 came, and worked the last ten seconds.
            _generated(22, 12.0, 5, _work("cpu#0", (0, 0.0), (100, 12.0)), _work("cpu#2", (0, 0.0), (100, 10.0))),
        ]
    )
    # cpu#0: 200 in 22 s; cpu#1 and then cpu#2: 200 in 20 s.
    assert _cost(timed_of(run, "toy")).decode_tokens_per_second == pytest.approx(200 / 22 + 200 / 20)


def test_work_without_times_and_runs_without_work_have_no_speed(events: Any) -> None:
    run = events(
        [
            _event(0, "started"),
            _generated(3, 3.0, 20, _work("vllm", (100, 0.0), (50, 0.0))),
            {key: value for key, value in _generated(4, 1.0, 20).items() if key != "work"},
        ]
    )
    cost = _cost(timed_of(run, "toy"))
    assert (cost.prefill_tokens_per_second, cost.decode_tokens_per_second) == (None, None)
    assert cost.tokens_per_second == pytest.approx(10.0)


def test_only_the_task_itself_counts_and_a_line_cut_by_a_kill_does_not(events: Any) -> None:
    cut = json.dumps(_generated(9, 9.0, 900))[:-9]
    run = events([_event(0, "started"), _generated(1, 1.0, 20), _generated(2, 5.0, 500, task="other")], cut=cut)
    timed = timed_of(run, "toy")
    assert (timed.seconds, timed.tokens) == (1.0, 20)


def test_the_first_row_is_that_of_the_start_that_stored_one(events: Any) -> None:
    run = events(
        [
            _event(0, "started"),
            _event(3, "first_row", task="other", seconds=1.0),
            _event(3, "first_row", task="toy", seconds=2.5),
            _event(100, "started"),
            _event(103, "first_row", task="toy", seconds=9.0),
        ]
    )
    assert _cost(timed_of(run, "toy")).first_row_seconds == 2.5
    assert _cost(timed_of(run, "absent")).first_row_seconds is None


def test_energy_is_summed_with_the_generations_that_it_was_measured_for(events: Any) -> None:
    run = events(
        [
            _event(0, "started"),
            _event(3, "energy", task="toy", joules=30.0, generations=2, of=["GPU", "cpu package-0"]),
            _event(3, "energy", task="other", joules=500.0, generations=2, of=["GPU"]),
            _event(100, "started"),
            _event(103, "energy", task="toy", joules=10.5, generations=1, of=["GPU", "cpu package-0"]),
        ]
    )
    cost = _cost(timed_of(run, "toy"), _made(4))
    assert cost.energy_joules == pytest.approx(40.5)
    assert (cost.energy_generations, cost.energy_of) == (3, ("GPU", "cpu package-0"))
    # Three of four generations were measured: a thousand take 1000 / 3 times as much.
    assert cost.joules_per_1000 == pytest.approx(13_500)
    unmeasured = _cost(timed_of(run, "absent"))
    assert (unmeasured.energy_joules, unmeasured.energy_generations, unmeasured.joules_per_1000) == (None, None, None)


def test_utilisation_is_the_texts_operations_over_what_the_devices_could_have_done() -> None:
    timed = Timed(seconds=4.0, tokens=40)
    cost = with_peak(_cost(timed, flops=6_000), 5_000.0)
    # 6,000 operations in 4 s, where 20,000 could have been.
    assert (cost.flops, cost.flops_utilization, cost.device_peak_flops) == (6_000, pytest.approx(0.3), 5_000.0)
    assert with_peak(_cost(timed), 5_000.0).flops_utilization is None
    assert with_peak(_cost(Timed(), flops=6_000), 5_000.0).flops_utilization is None


def test_operations_of_a_batch_whose_time_a_kill_left_out_are_left_out_too() -> None:
    # 40 new tokens are stored, 30 were timed.
    assert _cost(Timed(seconds=4.0, tokens=30), flops=6_000).flops == pytest.approx(4_500)


def test_parts_of_a_run_are_joined_as_if_one_had_followed_the_other(events: Any) -> None:
    one = events([_event(0, "started"), _generated(2, 2.0, 20, _work("cpu", (100, 1.0), (10, 1.0)))])
    two = events(
        [
            _event(0, "started"),
            _event(1, "first_row", task="toy", seconds=0.5),
            _generated(4, 4.0, 20, _work("cpu", (100, 3.0), (10, 1.0))),
            _event(5, "energy", task="toy", joules=3.0, generations=2, of=["GPU"]),
        ]
    )
    timed = joined([timed_of(one, "toy"), timed_of(two, "toy")])
    cost = _cost(timed)
    assert cost.wall_seconds == 6.0
    assert cost.prefill_tokens_per_second == pytest.approx(200 / 4)
    assert (cost.first_row_seconds, cost.energy_joules, cost.energy_generations) == (0.5, 3.0, 2)


def test_a_cost_is_read_back_as_it_was_written_and_older_ones_lack_what_they_lack(tmp_path: Path) -> None:
    from grue.runs.fields import Fields
    from grue.runs.values import _cost as read

    whole = Cost(
        wall_seconds=2.0, load_seconds=1.0, prompt_tokens=3, generated_tokens=4, tokens_per_second=2.0,
        prefill_tokens_per_second=5.0, decode_tokens_per_second=6.0, latency_ms_p50=7.0, latency_ms_p95=8.0,
        first_row_seconds=0.5, peak_memory_bytes=9, peak_memory_of="process", energy_joules=1.5,
        energy_generations=2, energy_of=("GPU",), flops=1e12, flops_utilization=0.25, device_peak_flops=2e12,
    )  # fmt: skip
    place = str(tmp_path / "results.json")
    assert read(Fields(json.loads(json.dumps(whole.to_json())), place)) == whole
    older = {
        "wall_seconds": 2.0, "load_seconds": None, "prompt_tokens": None, "generated_tokens": None,
        "tokens_per_second": None, "latency_ms": {"p50": None, "p95": None}, "peak_memory_bytes": None,
    }  # fmt: skip
    assert read(Fields(older, place)) == Cost(wall_seconds=2.0)
    assert set(older) < set(Cost(wall_seconds=2.0).to_json())
