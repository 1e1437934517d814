"""What a comparison says of two runs, against values from a pencil, numpy and SciPy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import grue
from grue.comparison.document import document
from grue.comparison.values import Comparison, TaskComparison, Verdict
from grue.comparison.words import lead
from grue.core.errors import NotComparableError, RunDirectoryError, UsageError
from grue.core.run import checksum
from grue.core.text import canonical_json
from grue.runs.files import sha256_file
from tests.comparison.conftest import MadeTask, MakeRun

BASE = [0.1, 0.5, 0.2, 0.9, 0.4, 0.4, 0.3, 0.6]
BETTER = [0.3, 0.6, 0.6, 0.8, 0.9, 0.4, 0.7, 0.9]


def _only(comparison: Comparison) -> TaskComparison:
    (task,) = comparison.pairs[0].tasks
    return task


def test_difference_effect_and_counts_are_those_of_the_rows(make_run: MakeRun) -> None:
    a, b = make_run("a", toy=MadeTask({"f1": BASE})), make_run("b", toy=MadeTask({"f1": BETTER}))
    metric = _only(grue.compare(a, b)).headline
    apart = np.array(BETTER) - np.array(BASE)
    assert metric is not None
    assert metric.rows is not None
    assert metric.ci95 is not None
    assert metric.baseline.value == pytest.approx(0.425)
    assert metric.difference == pytest.approx(apart.mean())
    assert metric.ci95[0] <= metric.difference <= metric.ci95[1]
    assert metric.effect_size == pytest.approx(apart.mean() / apart.std(ddof=1))
    assert (metric.rows.wins, metric.rows.ties, metric.rows.losses) == (6, 1, 1)
    assert metric.n == 8
    exact = stats.permutation_test(
        (BETTER, BASE), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples", n_resamples=10_000
    )
    # 1,000 trials: the Monte-Carlo error of a p near 0.05 is 0.007.
    assert metric.p_randomization == pytest.approx(exact.pvalue, abs=0.03)


def test_a_metric_where_lower_is_better_turns_the_verdict_not_the_sign(make_run: MakeRun) -> None:
    values = {"ter_like": [*BETTER, *BETTER, *BETTER]}, {"ter_like": [*BASE, *BASE, *BASE]}
    a, b = (
        make_run(name, toy=MadeTask(one, higher={"ter_like": False})) for name, one in zip("ab", values, strict=True)
    )
    metric = _only(grue.compare(a, b)).headline
    assert metric is not None
    assert metric.difference is not None
    assert metric.rows is not None
    assert metric.difference < 0
    assert metric.verdict is Verdict.BETTER
    assert (metric.rows.wins, metric.rows.losses) == (18, 3)


def test_exchanging_the_runs_flips_every_sign(make_run: MakeRun) -> None:
    a, b = make_run("a", toy=MadeTask({"f1": BASE * 3})), make_run("b", toy=MadeTask({"f1": BETTER * 3}))
    there, back = _only(grue.compare(a, b)).headline, _only(grue.compare(b, a)).headline
    assert there is not None
    assert back is not None
    assert there.ci95
    assert back.ci95
    assert there.rows
    assert back.rows
    assert there.difference == -(back.difference or 0)
    assert there.ci95 == (-back.ci95[1], -back.ci95[0])
    assert there.effect_size == -(back.effect_size or 0)
    assert (there.p_randomization, there.p_bootstrap) == (back.p_randomization, back.p_bootstrap)
    assert (there.rows.wins, there.rows.losses) == (back.rows.losses, back.rows.wins)
    assert (there.verdict, back.verdict) == (Verdict.BETTER, Verdict.WORSE)


def test_a_run_against_itself_differs_nowhere(make_run: MakeRun) -> None:
    a = make_run("a", toy=MadeTask({"f1": BASE}, rewards={"r": BASE}, corpus={"vocab_size": 7.0}))
    pair = grue.compare(a, a).pairs[0]
    assert pair.is_equal
    assert pair.is_same_run
    assert "same run" in lead(pair)
    assert "no difference" in lead(pair)
    for metric in pair.tasks[0].metrics:
        assert metric.difference == 0
        if metric.verdict is not Verdict.UNTESTED:
            assert metric.verdict is Verdict.EQUAL
            assert metric.ci95 == (0, 0)
            assert metric.p_randomization == metric.p_bootstrap == 1
    assert pair.tasks[0].moved is not None
    assert (pair.tasks[0].moved.better, pair.tasks[0].moved.worse) == ((), ())


def test_equal_values_of_other_texts_are_no_difference_of_values(make_run: MakeRun) -> None:
    a, b = make_run("a", toy=MadeTask({"f1": BASE})), make_run("b", toy=MadeTask({"f1": BASE[::-1]}))
    metric = _only(grue.compare(a, b)).headline
    assert metric is not None
    assert metric.difference == pytest.approx(0)
    assert metric.verdict is Verdict.NONE_SHOWN
    assert "in any value or row" not in lead(grue.compare(a, b).pairs[0])


def test_p_values_are_corrected_over_tasks_by_holm(make_run: MakeRun) -> None:
    shift = {"one": 0.04, "two": 0.3, "three": 0.0}
    noise = np.random.default_rng(1).normal(0, 0.1, (3, 60))
    base = np.random.default_rng(2).random(60)
    a = make_run("a", **{task: MadeTask({task: base.tolist()}) for task in shift})
    b = make_run(
        "b",
        **{
            task: MadeTask({task: (base + by + noise[place]).tolist()})
            for place, (task, by) in enumerate(shift.items())
        },
    )
    found = [task.headline for task in grue.compare(a, b).pairs[0].tasks]
    raw = [metric.p_randomization for metric in found if metric]
    # Holm by hand: the smallest of three by 3, the next by 2, the largest by 1, none below the one before it.
    reached, wanted = 0.0, {}
    for place, p_value in enumerate(sorted(p for p in raw if p is not None)):
        reached = max(reached, min(1.0, (3 - place) * p_value))
        wanted[p_value] = reached
    assert [metric.p_randomization_holm for metric in found if metric] == [wanted[p] for p in raw if p is not None]
    assert len({metric.family for metric in found if metric}) == 1


def test_rows_of_several_samples_are_one_draw(make_run: MakeRun) -> None:
    twice = [value for value in BASE for _ in range(2)]
    spread = [value + by for value in BETTER for by in (-0.05, 0.05)]
    a, b = (make_run(name, toy=MadeTask({"f1": values}, samples=2)) for name, values in (("a", twice), ("b", spread)))
    once = grue.compare(make_run("c", toy=MadeTask({"f1": BASE})), make_run("d", toy=MadeTask({"f1": BETTER})))
    first, second = _only(grue.compare(a, b)).headline, _only(once).headline
    assert first is not None
    assert second is not None
    assert first.ci95 is not None
    assert first.n == 8
    assert first.difference == pytest.approx(second.difference)
    assert first.ci95 == pytest.approx(second.ci95)


def test_twenty_rows_in_each_direction_largest_first_with_both_texts(make_run: MakeRun) -> None:
    base = [0.5] * 60
    candidate = [0.5 + (place - 29) / 100 for place in range(60)]
    texts = [f"what the candidate wrote for {place}" for place in range(60)]
    a = make_run("a", toy=MadeTask({"f1": base}))
    b = make_run("b", toy=MadeTask({"f1": candidate}, texts=texts))
    moved = _only(grue.compare(a, b)).moved
    assert moved is not None
    assert [row.id for row in moved.better] == [f"{place:03d}" for place in range(59, 39, -1)]
    assert [row.id for row in moved.worse] == [f"{place:03d}" for place in range(20)]
    first = moved.better[0]
    assert (first.baseline_texts, first.candidate_texts) == (("text 59",), ("what the candidate wrote for 59",))
    assert (first.prompt, first.references) == ("prompt of 059", ("a reference",))
    assert (first.baseline, first.candidate) == (0.5, pytest.approx(0.8))
    assert first.difference == pytest.approx(0.3)


def test_rows_move_by_the_metric_named(make_run: MakeRun) -> None:
    a = make_run("a", toy=MadeTask({"f1": [0.0, 0.5], "other": [0.5, 0.0]}, rewards={"r": [0.0, 0.0]}))
    b = make_run("b", toy=MadeTask({"f1": [1.0, 0.5], "other": [0.5, 1.0]}, rewards={"r": [0.25, 0.0]}))
    by = {name: _only(grue.compare(a, b, moved_by=name)).moved for name in (None, "other", "reward:r")}
    assert {name: (moved.metric, moved.better[0].id) for name, moved in by.items() if moved} == {
        None: ("f1", "000"),
        "other": ("other", "001"),
        "reward:r": ("reward:r", "000"),
    }


def test_rewards_are_compared_and_corpus_numbers_shown_without_a_test(make_run: MakeRun) -> None:
    one = MadeTask({"f1": BASE}, rewards={"r": BASE}, corpus={"distinct_1": 0.5}, absent={"bleurt": "no checkpoint"})
    two = MadeTask(
        {"f1": BETTER}, rewards={"r": BETTER}, corpus={"distinct_1": 0.7}, absent={"bleurt": "no checkpoint"}
    )
    found = {
        metric.name: metric for metric in _only(grue.compare(make_run("a", toy=one), make_run("b", toy=two))).metrics
    }
    assert found["reward:r"].p_randomization is not None
    assert found["distinct_1"].difference == pytest.approx(0.2)
    assert (found["distinct_1"].p_randomization, found["distinct_1"].ci95) == (None, None)
    assert found["distinct_1"].reason == "depends on size"
    assert found["bleurt"].difference is None
    assert found["bleurt"].reason == "no checkpoint"


def test_a_row_without_a_value_in_one_run_keeps_both_runs_values(make_run: MakeRun) -> None:
    a = make_run("a", toy=MadeTask({"f1": [0.0, 0.5, 1.0]}))
    b = make_run("b", toy=MadeTask({"f1": [0.25, float("nan"), 1.0]}))
    metric = _only(grue.compare(a, b)).headline
    assert metric is not None
    assert metric.rows is not None
    assert (metric.baseline.value, metric.candidate.value) == (0.5, 0.625)
    assert metric.difference == pytest.approx(0.125)
    assert (metric.rows.wins, metric.rows.ties, metric.rows.losses) == (1, 1, 0)


def test_power_says_how_many_rows_are_needed(make_run: MakeRun) -> None:
    generator = np.random.default_rng(3)
    base = generator.random(200)
    candidate = base + generator.normal(0.02, 0.2, 200)
    a, b = make_run("a", toy=MadeTask({"f1": base.tolist()})), make_run("b", toy=MadeTask({"f1": candidate.tolist()}))
    metric = _only(grue.compare(a, b, power=True)).headline
    assert metric is not None
    assert metric.power is not None
    assert metric.power.smallest_difference is not None
    apart = candidate - base
    # Two-sided 5 %, power 80 %: n = ((1.960 + 0.842) sd / difference)², a little more for the t test.
    wanted = ((1.959964 + 0.841621) * apart.std(ddof=1) / apart.mean()) ** 2
    assert metric.power.rows_needed == pytest.approx(wanted, abs=4)
    assert metric.power.smallest_difference == pytest.approx(2.8016 * apart.std(ddof=1) / np.sqrt(200), rel=0.02)
    assert _only(grue.compare(a, b)).metrics[0].power is None


def test_more_runs_are_each_held_against_the_first(make_run: MakeRun) -> None:
    a, b, c = (
        make_run(folder, name="same name", toy=MadeTask({"f1": values}))
        for folder, values in (("a", BASE), ("b", BETTER), ("c", BASE[::-1]))
    )
    comparison = grue.compare(a, b, c)
    assert comparison.baseline.label == "same name #1"
    assert [pair.candidate.label for pair in comparison.pairs] == ["same name #2", "same name #3"]
    assert [pair.tasks[0].metrics[0].difference for pair in comparison.pairs] == [
        pytest.approx(0.225),
        pytest.approx(0.0),
    ]


def test_what_may_differ_is_shown(make_run: MakeRun) -> None:
    a = make_run("a", seed=1, toy=MadeTask({"f1": BASE}, generation={"num_beams": 1, "temperature": None}))
    b = make_run("b", seed=2, toy=MadeTask({"f1": BASE}, generation={"num_beams": 4, "temperature": None}))
    found = {(one.task, one.name): (one.baseline, one.candidate) for one in grue.compare(a, b).pairs[0].differing}
    assert found["", "seed"] == ("1", "2")
    assert found["toy", "generation.num_beams"] == ("1", "4")
    assert ("toy", "generation.temperature") not in found


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"version": 2}, "task version is 1 in the baseline, 2 in the candidate"),
        ({"split": "validation"}, "split is 'test' in the baseline, 'validation' in the candidate"),
        ({"prompts": {"000": "another"}}, "prompts_sha256 is"),
        ({"references": ("another",)}, "data.sha256 is"),
        ({"signatures": {"f1": "f1|v:2"}}, "toy f1: metric signature is 'f1|v:1' in the baseline, 'f1|v:2'"),
    ],
)
def test_other_keys_are_refused_with_fields_and_both_values(
    make_run: MakeRun, change: dict[str, object], field: str
) -> None:
    a, b = make_run("a", toy=MadeTask({"f1": BASE})), make_run("b", toy=MadeTask({"f1": BASE}, **change))
    with pytest.raises(NotComparableError) as caught:
        grue.compare(a, b)
    assert field in caught.value.cause
    assert caught.value.exit_code == 4
    assert caught.value.fix


def test_a_metric_of_another_signature_can_be_left_out(make_run: MakeRun) -> None:
    a = make_run("a", toy=MadeTask({"f1": BASE, "judge": BASE}))
    b = make_run("b", toy=MadeTask({"f1": BETTER, "judge": BETTER}, signatures={"judge": "judge|v:2"}))
    with pytest.raises(NotComparableError, match="toy judge: metric signature"):
        grue.compare(a, b)
    assert [metric.name for metric in _only(grue.compare(a, b, metrics=["f1"])).metrics] == ["f1"]


def test_common_rows_are_compared_alone_and_their_values_made_anew(make_run: MakeRun) -> None:
    a = make_run("a", toy=MadeTask({"f1": [0.0, 0.25, 0.5, 1.0]}, ids=["w", "x", "y", "z"]))
    b = make_run("b", toy=MadeTask({"f1": [0.5, 1.0, 0.0]}, ids=["x", "y", "zz"], prompts={"y": "another prompt"}))
    with pytest.raises(NotComparableError, match="prompts_sha256") as caught:
        grue.compare(a, b)
    assert "--common-rows" in caught.value.fix
    c = make_run("c", toy=MadeTask({"f1": [0.5, 1.0, 0.0]}, ids=["x", "y", "zz"]))
    task = _only(grue.compare(a, c, common_rows=True))
    metric = task.headline
    assert metric is not None
    assert task.n_common == 2
    assert (metric.baseline.value, metric.candidate.value) == (0.375, 0.75)
    assert metric.n == metric.baseline.n == 2
    # The row with another prompt is none of the common ones, and one row has no interval.
    assert _only(grue.compare(a, b, common_rows=True)).n_common == 1


def test_values_that_hang_on_all_rows_are_not_compared_on_common_ones(make_run: MakeRun) -> None:
    corpus = {"cider_d": "cider_d|df:corpus|v:1"}
    a = make_run("a", toy=MadeTask({"cider_d": [0.0, 1.0, 2.0], "f1": [0.0, 0.5, 1.0]}, signatures=corpus))
    b = make_run("b", toy=MadeTask({"cider_d": [0.0, 1.0], "f1": [0.5, 0.5]}, signatures=corpus))
    found = {metric.name: metric for metric in _only(grue.compare(a, b, common_rows=True)).metrics}
    assert found["cider_d"].verdict is Verdict.UNTESTED
    assert found["cider_d"].difference is None
    assert "frequencies" in (found["cider_d"].reason or "")
    assert found["f1"].difference == pytest.approx(0.25)


def test_no_common_row_is_named(make_run: MakeRun) -> None:
    a = make_run("a", toy=MadeTask({"f1": [0.0, 1.0]}, ids=["1", "2"]))
    b = make_run("b", toy=MadeTask({"f1": [0.0, 1.0]}, ids=["3", "4"]))
    with pytest.raises(NotComparableError, match="no common rows of toy"):
        grue.compare(a, b, common_rows=True)
    with pytest.raises(NotComparableError, match="no task in common"):
        grue.compare(a, make_run("c", other=MadeTask({"f1": BASE})))


def test_partial_tasks_are_left_out_and_the_others_compared(make_run: MakeRun) -> None:
    a = make_run("a", good=MadeTask({"f1": BASE}), bad=MadeTask({"f1": BASE}))
    b = make_run(
        "b",
        status="partial",
        good=MadeTask({"f1": BETTER}),
        bad=MadeTask({"f1": BASE}, status="partial", error="the device was lost"),
    )
    comparison = grue.compare(a, b)
    assert comparison.is_partial
    assert [task.name for task in comparison.pairs[0].tasks] == ["good"]
    assert [(one.task, "the device was lost" in one.reason) for one in comparison.pairs[0].skipped] == [("bad", True)]


def test_tasks_of_one_run_alone_are_told(make_run: MakeRun) -> None:
    a = make_run("a", one=MadeTask({"f1": BASE}), two=MadeTask({"f1": BASE}))
    b = make_run("b", one=MadeTask({"f1": BETTER}))
    (pair,) = grue.compare(a, b).pairs
    assert [task.name for task in pair.tasks] == ["one"]
    assert [(one.task, one.reason) for one in pair.skipped] == [("two", "b was not run on it")]


def test_unknown_tasks_and_metrics_are_named_with_the_nearest(make_run: MakeRun) -> None:
    a, b = (make_run(name, commongen=MadeTask({"cider_like": values})) for name, values in (("a", BASE), ("b", BETTER)))
    with pytest.raises(UsageError, match=r"comongen.*commongen"):
        grue.compare(a, b, tasks=["comongen"])
    with pytest.raises(UsageError, match=r"cidr_like.*cider_like"):
        grue.compare(a, b, moved_by="cidr_like")
    with pytest.raises(RunDirectoryError, match="no such folder"):
        grue.compare(a, Path("no such run"))


def test_rows_other_than_the_manifest_says_are_refused(make_run: MakeRun) -> None:
    a, b = make_run("a", toy=MadeTask({"f1": BASE})), make_run("b", toy=MadeTask({"f1": BETTER}))
    other = make_run("c", toy=MadeTask({"f1": BETTER}, prompts={"003": "easier"}))
    (b / "samples" / "toy.parquet").write_bytes((other / "samples" / "toy.parquet").read_bytes())
    results = json.loads((b / "results.json").read_text())
    results["files"]["samples/toy.parquet"] = sha256_file(b / "samples" / "toy.parquet")
    results["checksum"] = checksum(results)
    (b / "results.json").write_text(canonical_json(results))
    with pytest.raises(RunDirectoryError, match="prompts_sha256"):
        grue.compare(a, b)


def test_the_frame_holds_a_row_for_each_task_and_metric(make_run: MakeRun) -> None:
    a = make_run("a", toy=MadeTask({"f1": BASE}, rewards={"r": BASE}))
    b = make_run("b", toy=MadeTask({"f1": BETTER}, rewards={"r": BETTER}))
    frame = grue.compare(a, b).to_frame()
    assert frame[["baseline", "candidate", "task", "metric"]].to_numpy().tolist() == [
        ["a", "b", "toy", "f1"],
        ["a", "b", "toy", "reward:r"],
    ]
    assert frame.loc[0, "difference"] == pytest.approx(0.225)
    assert frame["p_randomization_holm"].dtype == "float64"


def test_equal_calls_give_equal_results_and_another_seed_other_draws(make_run: MakeRun) -> None:
    a, b = make_run("a", toy=MadeTask({"f1": BASE})), make_run("b", toy=MadeTask({"f1": BETTER}))
    assert document(grue.compare(a, b)) == document(grue.compare(a, b))
    first, second = _only(grue.compare(a, b)).metrics[0], _only(grue.compare(a, b, seed=1)).metrics[0]
    assert first.ci95 != second.ci95
