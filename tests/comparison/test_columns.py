"""Every metric by row gives the value that the run reports, without its data, checkpoint or package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import grue
from grue.comparison.columns import all_metric_rows, comparison_key, metric_rows, reason_of, result_entries
from grue.core.errors import RunDirectoryError
from grue.core.metric import Texts
from grue.core.task import MetricSpec
from grue.metrics.build import build
from grue.runs.read import StoredRun, read_run
from grue.runs.tables import parquet_bytes
from tests.comparison.conftest import MadeTask, MakeRun

RUNS = (
    ("-m", "null:random-reference", "-t", "all", "-L", "5", "--samples", "3"),
    pytest.param(("-m", "demo:causal", "-t", "all", "-L", "5", "--profile", "grue-paper"), marks=pytest.mark.long),
)
# Metrics of one number for all outputs.
WHOLE = ("msttr", "distinct_", "unique_", "entropy_", "cond_entropy_", "vocab_size", "perplexity_references")


@pytest.fixture(params=RUNS, ids=["samples of a null system", "a model by the paper's profile"])
def stored(request: pytest.FixtureRequest, real_run: Callable[..., Path]) -> StoredRun:
    return read_run(real_run(*request.param))


def test_columns_of_all_tasks_give_the_values_of_the_results(stored: StoredRun) -> None:
    compared = 0
    for task in stored.results["tasks"]:
        rows = all_metric_rows(stored, task)
        for name, entry in result_entries(stored, task).items():
            if entry["value"] is None or name.startswith(WHOLE):
                assert name not in rows
                assert metric_rows(stored, task, name) is None
                assert reason_of(stored, task, name)
                continue
            assert rows[name].column.value() == pytest.approx(entry["value"], abs=1e-9, rel=1e-9), (task, name)
            assert len(rows[name].ids) == len(rows[name].column.statistics) == entry["n"]
            assert list(rows[name].ids) == sorted(rows[name].ids)
            assert rows[name].signature == entry["signature"]
            assert rows[name].note
            compared += 1
    assert compared > 80


def test_per_row_values_are_means_over_a_rows_samples(stored: StoredRun) -> None:
    rows = metric_rows(stored, "commongen", "rouge1")
    samples = stored.samples("commongen").to_pandas()
    assert rows is not None
    assert rows.values == pytest.approx(samples.groupby("id")["rouge1"].mean()[list(rows.ids)].to_numpy(), nan_ok=True)


def test_rows_left_out_leave_the_value_of_the_others(stored: StoredRun) -> None:
    rows = metric_rows(stored, "iwslt2017", "sacrebleu")
    assert rows is not None
    kept = rows.only(rows.ids[1:3])
    samples = stored.samples("iwslt2017").to_pylist()
    texts = [line for line in samples if line["id"] in rows.ids[1:3]]
    tokenizer = "13a" if "tok:13a" in rows.signature else "intl"
    metric = build(MetricSpec("sacrebleu", {"tokenize": tokenizer}))
    statistics = metric.statistics(
        Texts([line["prediction"] for line in texts], [line["references"] for line in texts], [{}] * len(texts))
    )
    assert kept.ids == rows.ids[1:3]
    assert kept.column.value() == pytest.approx(float(metric.corpus_value(statistics.sum(axis=0))))


def test_a_run_of_many_rows_is_read_whole(make_run: MakeRun) -> None:
    values = np.random.default_rng(0).random(20_000)
    path = make_run("many", toy=MadeTask({"f1": values.tolist()}, ids=[f"{place:06d}" for place in range(20_000)]))
    rows = metric_rows(read_run(path), "toy", "f1")
    assert rows is not None
    assert len(rows.ids) == 20_000
    assert np.array_equal(rows.values if rows.values is not None else [], values)


def test_rows_without_a_value_are_left_out(make_run: MakeRun) -> None:
    stored = read_run(make_run("a", toy=MadeTask({"f1": [1.0, float("nan"), 0.5]})))
    rows = metric_rows(stored, "toy", "f1")
    assert rows is not None
    assert rows.ids == ("000", "002")
    assert rows.column.value() == pytest.approx(0.75)


def test_rewards_are_named_apart_from_metrics(make_run: MakeRun) -> None:
    stored = read_run(make_run("a", toy=MadeTask({"f1": [1.0, 0.0]}, rewards={"f1": [0.5, 0.75]})))
    metric, reward = metric_rows(stored, "toy", "f1"), metric_rows(stored, "toy", "reward:f1")
    assert metric is not None
    assert reward is not None
    assert (metric.column.value(), reward.column.value()) == (0.5, 0.625)


def test_a_value_that_its_rows_do_not_give_is_not_tested(make_run: MakeRun) -> None:
    stored = read_run(make_run("a", toy=MadeTask({"f1": [1.0, 0.0]})))
    entry = {**stored.results["tasks"]["toy"]["metrics"]["f1"], "value": 0.51}
    task = {**stored.results["tasks"]["toy"], "metrics": {"f1": entry}}
    other = StoredRun(stored.path, stored.manifest, {**stored.results, "tasks": {"toy": task}})
    assert metric_rows(other, "toy", "f1") is None
    assert "do not give its value" in reason_of(other, "toy", "f1")


def test_rows_out_of_order_are_refused(make_run: MakeRun) -> None:
    path = make_run("a", toy=MadeTask({"f1": [1.0, 0.0]}))
    stored = read_run(path)
    table = stored.samples("toy")
    (path / "samples" / "toy.parquet").write_bytes(parquet_bytes(table.take(pa.array([1, 0]))))
    with pytest.raises(RunDirectoryError, match="not in id order"):
        metric_rows(stored, "toy", "f1")


def test_keys_name_the_fields_that_differ(make_run: MakeRun) -> None:
    one = read_run(make_run("a", toy=MadeTask({"f1": [1.0, 0.0]})))
    same = read_run(make_run("b", seed=7, toy=MadeTask({"f1": [0.5, 0.0]}, generation={"num_beams": 4})))
    other = read_run(
        make_run(
            "c",
            toy=MadeTask(
                {"f1": [1.0, 0.0]}, version=2, split="validation", prompts={"000": "x"}, signatures={"f1": "f1|v:2"}
            ),
        )
    )
    key = comparison_key(one, "toy", "f1")
    assert key.differences(comparison_key(same.manifest_value(), "toy", "f1")) == ()
    assert key.differences(comparison_key(other, "toy", "f1")) == (
        "task_version",
        "split",
        "data_sha256",
        "prompts_sha256",
        "signature",
    )
    assert comparison_key(one, "toy", "no such metric").signature is None


def test_sums_over_other_numbers_of_samples_are_not_exchanged(real_run: Callable[..., Path]) -> None:
    flags = ("-t", "iwslt2017", "-L", "5", "--no-model-metrics")
    one, three = (real_run("-m", "null:random-reference", *flags, "--samples", number) for number in ("1", "3"))
    found = {metric.name: metric for metric in grue.compare(one, three).pairs[0].tasks[0].metrics}
    assert found["sacrebleu"].p_randomization is None
    assert "samples" in (found["sacrebleu"].reason or "")
    assert found["sacrebleu"].difference is not None
    assert found["rouge1"].p_randomization is not None
