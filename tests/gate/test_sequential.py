"""``--sequential``: fewer rows for the same answer, each generated once, and no more false alarms."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grue.core.metric import Floats
from grue.core.rows import Row, subset
from grue.evaluation.call import GenerationCall, RowsCall
from grue.evaluation.generate import generate_task
from grue.evaluation.prepare import prepare
from grue.evaluation.progress import Silent
from grue.gate.looks import Watch
from grue.gate.partial_rows import PartialRows
from grue.gate.planned import Planned
from grue.gate.report import Outcome
from grue.gate.row_data import RowData
from grue.gate.side import side_of_run
from grue.gate.tolerance import Tolerance
from grue.runs.read import read_run
from grue.stats.bootstrap import Column, mean_of

Grue = Callable[..., Any]


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every request that reaches an engine, in order."""
    from grue.engine.hf import HFEngine
    from grue.engine.null import NullEngine

    asked: list[tuple[str, int]] = []
    for engine in (HFEngine, NullEngine):
        first = engine.generate

        def counted(self: Any, requests: Sequence[Any], job: Any, first: Any = first) -> Any:
            asked.extend((one.row.id, one.sample) for one in requests)
            return first(self, requests, job)

        monkeypatch.setattr(engine, "generate", counted)
    return asked


@pytest.mark.long
def test_an_unchanged_model_passes_on_a_fraction_of_the_rows(
    grue: Grue, causal: Path, generated: list[tuple[str, int]], tmp_path: Path
) -> None:
    """Of 48 rows half are generated, those of ``-L 24``, and ``grue eval`` goes on with them."""
    run = tmp_path / "run"
    answer = grue("gate", "--baseline", causal, "--sequential", "-m", "demo:causal", "-o", run, "--quiet", "--json")
    assert answer.code == 0
    assert answer.document["outcome"] == "pass"
    summary = answer.document["sequential"]
    assert summary["tasks"] == {"commongen": {"rows": 48, "rows_used": 24}}
    assert summary["generated"] == len(generated) == len(set(generated)) == 24
    ids = read_run(causal).samples("commongen").column("id").to_pylist()
    expected = subset([Row(row_id, "", ()) for row_id in ids], 24)
    assert {row_id for row_id, _ in generated} == {row.id for row in expected}
    one = answer.check("commongen", "cider_d")
    assert (one["n"], one["n_rows"], one["drop"]) == (24, 48, 0)

    again = grue("gate", "--baseline", causal, "--sequential", "-m", "demo:causal", "-o", run, "--quiet", "--json")
    assert (again.code, again.document["sequential"]["generated"], len(generated)) == (0, 0, 24)

    before = list(generated)
    call = ("eval", "-m", "demo:causal", "-t", "commongen", "--data", "mini", "-o", run, "--no-model-metrics")
    assert grue(*call, "--quiet").code == 0
    samples = read_run(run).samples("commongen")
    assert samples.num_rows == 48
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    assert sum(one["generations"] for one in events if one["kind"] == "generated") == 48 == 2 * len(before)
    whole = grue("gate", "--baseline", causal, "--candidate", run, "--json")
    assert whole.check("commongen", "cider_d")["drop"] == 0


def test_a_worse_system_fails_and_spares_what_comes_after(
    grue: Grue, random: Path, generated: list[tuple[str, int]], tmp_path: Path
) -> None:
    junit = tmp_path / "gate.xml"
    answer = grue(
        "gate", "--baseline", random, "--sequential", "-m", "null:empty", "-o", tmp_path / "run", "--quiet",
        "--json", "--junit", junit,
    )  # fmt: skip
    assert answer.code == 1
    failed = [one for one in answer.document["checks"] if one["outcome"] == "fail"]
    assert len(failed) == 1
    assert failed[0]["beyond_tolerance"]
    assert failed[0]["beyond_noise"]
    assert len(generated) < 144
    assert "<failure" in junit.read_text()


def test_a_baseline_file_says_all_that_is_needed(
    grue: Grue, random: Path, generated: list[tuple[str, int]], tmp_path: Path
) -> None:
    baseline = tmp_path / "baseline.json"
    assert grue("gate", "--baseline", baseline, "--candidate", random, "--update-baseline").code == 0
    call = ("gate", "--baseline", baseline, "--sequential", "-m", "null:random-reference", "-o", tmp_path / "run")
    answer = grue(*call, "--json", "--quiet")
    assert answer.code == 0
    assert len(generated) == 48  # 16 of the 48 rows of each of three tasks


def test_what_cannot_be_compared_is_found_before_anything_is_generated(
    grue: Grue, constant_short: Path, random: Path, generated: list[tuple[str, int]], tmp_path: Path
) -> None:
    baseline = tmp_path / "baseline.json"
    grue("gate", "--baseline", baseline, "--candidate", random, "--update-baseline")
    document = json.loads(baseline.read_text())
    document["manifest"]["tasks"]["commongen"]["version"] = 99
    from grue.core.run import checksum

    document["checksum"] = checksum(document)
    baseline.write_text(json.dumps(document))
    run = tmp_path / "run"
    answer = grue("gate", "--baseline", baseline, "--sequential", "-m", "null:empty", "-o", run, "--json", "--quiet")
    assert answer.code == 4
    assert answer.check("commongen", "cider_d")["fields"] == ["task_version"]
    assert generated == []
    assert not run.exists()


def test_a_crashed_baseline_and_a_failing_model_are_infrastructure(
    grue: Grue, random: Path, copied: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grue.engine.null import NullEngine

    def broken(self: Any, requests: Sequence[Any], job: Any) -> Any:
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(NullEngine, "generate", broken)
    call = ("gate", "--sequential", "-m", "null:constant", "-o", tmp_path / "run", "--quiet", "--json")
    answer = grue(*call, "--baseline", random)
    assert answer.code == 3
    assert "the device is gone" in answer.err
    crashed = copied(random)
    (crashed / "results.json").unlink()
    assert grue(*call, "--baseline", crashed).code == 3


def test_exact_asks_for_all_rows(grue: Grue, random: Path, gate_file: Callable[[str], Path], tmp_path: Path) -> None:
    config = gate_file("[gate.defaults]\nexact = true")
    call = ("gate", "--baseline", random, "--sequential", "-m", "null:constant", "-o", tmp_path / "run")
    answer = grue(*call, "--config", config)
    assert answer.code == 2
    assert "exact" in answer.err
    assert not (tmp_path / "run").exists()


def test_rows_so_far_have_the_numbers_of_the_whole_run(random: Path, tmp_path: Path) -> None:
    """Document frequencies of CIDEr come from all references, also where few texts are there; rewards and rates too."""
    from grue.engine.open import EngineOptions
    from grue.runs.directory import RunDirectory

    names = ["cider_d", "coverage", "meteor", "sacrebleu", "bleu_4", "reward:meteor", "rates.empty"]
    whole = side_of_run(read_run(random))
    rows = RowsCall(tasks="commongen", data="mini")
    prepared = prepare("null:random-reference", EngineOptions(), rows, GenerationCall())
    (planned,) = prepared.plan.tasks
    partial = PartialRows(planned, names)
    with RunDirectory.open(tmp_path / "run", prepared.plan.manifest) as run:
        made = generate_task(planned, prepared.engine, run, lambda _: None, Silent())
    chosen = {row.id for row in subset(planned.rows, 11)}
    for size in (5, 11):
        some = {row.id for row in subset(planned.rows, size)}
        partial.add([one for one in made.generations if one.id in some])
    for name in names:
        expected = whole.rows_of("commongen", name)
        assert expected is not None, name
        found = partial.rows_of(name, expected)
        assert found is not None, name
        assert set(found.ids) == chosen
        places = [expected.ids.index(row_id) for row_id in found.ids]
        np.testing.assert_allclose(found.column.statistics, expected.column.statistics[places], rtol=1e-12)


def _rows(values: Floats) -> RowData:
    ids = tuple(f"{place:05d}" for place in range(len(values)))
    return RowData(ids, Column(np.column_stack((values, np.ones(len(ids)))), mean_of))


def _watch(baseline: Floats, *, tolerance: float, level: float = 0.05) -> Watch:
    rows = _rows(baseline)
    planned = Planned("task", "metric", "metrics", Tolerance(tolerance), True)
    return Watch.of(planned, rows, float(baseline.mean()), 1.0, n_rows=len(baseline), level=level)


def _answer(watch: Watch, candidate: Floats, order: Floats) -> tuple[Outcome, int]:
    """Outcome and rows used; rows come in the given order."""
    for index, n in enumerate(watch.bounds.rows):
        places = np.sort(order[:n].astype(int))
        ids = tuple(watch.baseline.ids[place] for place in places)
        statistics = np.column_stack((candidate[places], np.ones(n)))
        watch.see(index, RowData(ids, Column(statistics, mean_of)))
        if watch.answer is not None:
            return watch.answer.outcome, n
    raise AssertionError("the last look gives an answer")


def _simulated(n_trials: int, n_rows: int, *, drop: float, tolerance: float) -> list[tuple[Outcome, int]]:
    """Runs whose rows differ by noise of standard deviation 1 and a true drop."""
    generator = np.random.default_rng(20_261_121)
    found = []
    # The bounds are those of the number of rows alone.
    first = _watch(np.zeros(n_rows), tolerance=tolerance)
    for _ in range(n_trials):
        baseline = generator.normal(size=n_rows)
        candidate = baseline - drop + generator.normal(size=n_rows)
        watch = replace(first, baseline=_rows(baseline))
        found.append(_answer(watch, candidate, generator.permutation(n_rows).astype(float)))
    return found


def _share(found: Sequence[tuple[Outcome, int]], outcome: Outcome) -> float:
    return sum(one is outcome for one, _ in found) / len(found)


def test_a_sure_drop_stops_early_and_noise_fails_seldom() -> None:
    """Small of the simulations below: 60 trials of 200 rows."""
    worse = _simulated(60, 200, drop=0.6, tolerance=0.0)
    assert _share(worse, Outcome.FAIL) > 0.95
    assert np.mean([n for _, n in worse]) < 120
    same = _simulated(60, 200, drop=0.0, tolerance=0.0)
    # At 5 %, more than 8 of 60 come up with a chance below 0.3 %.
    assert _share(same, Outcome.FAIL) <= 8 / 60
    assert np.mean([n for _, n in same]) < 180


@pytest.mark.long
@pytest.mark.parametrize("tolerance", [0.0, 0.1])
def test_false_alarms_stay_at_the_nominal_rate(tolerance: float) -> None:
    """An unchanged model: 2,000 trials, so that 5 % has a standard error of 0.5 points; three of them."""
    found = _simulated(2000, 400, drop=0.0, tolerance=tolerance)
    assert _share(found, Outcome.FAIL) <= 0.05 + 3 * 0.0049
    assert np.mean([n for _, n in found]) < 0.75 * 400


@pytest.mark.long
def test_a_drop_that_the_whole_run_would_show_is_shown() -> None:
    """A drop of 3.5 standard errors of 400 rows: a one-sided 5 % test finds 97 % of them, 92 % may be lost to looks."""
    found = _simulated(600, 400, drop=3.5 / 20, tolerance=0.0)
    assert _share(found, Outcome.FAIL) > 0.88
    assert np.mean([n for _, n in found]) < 0.85 * 400


@pytest.mark.long
def test_a_drop_within_the_tolerance_passes_early_and_one_beyond_it_fails() -> None:
    within = _simulated(300, 400, drop=0.2, tolerance=0.6)
    assert _share(within, Outcome.FAIL) == 0
    assert np.mean([n for _, n in within]) < 0.6 * 400
    beyond = _simulated(300, 400, drop=0.9, tolerance=0.6)
    assert _share(beyond, Outcome.FAIL) > 0.95


def test_texts_that_are_the_same_pass_without_any_variance() -> None:
    values = np.linspace(0.0, 1.0, 400)
    outcome, n = _answer(_watch(values, tolerance=0.0), values.copy(), np.arange(400.0))
    assert outcome is Outcome.PASS
    assert n <= 200


def test_digits_that_another_batch_changes_are_no_change() -> None:
    values = np.linspace(0.1, 1.0, 400)
    outcome, n = _answer(_watch(values, tolerance=0.0), values - 1e-13, np.arange(400.0))
    assert outcome is Outcome.PASS
    assert n <= 200
