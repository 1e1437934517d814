"""Scores between yardsticks, against runs of the yardsticks themselves."""

from __future__ import annotations

import pytest

import grue
from grue.core.errors import GrueError
from grue.runs.frames import Run

TASK = "narrativeqa"
PRIMARY = ("rougeL", "f1")


def run(model: str, path: object, **more: object) -> Run:
    return grue.evaluate(model, more.pop("tasks", TASK), data="mini", output=path, **more)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("yardsticks")
    systems = ("null:empty", "null:constant", "null:copy-input", "null:random-reference", "oracle:reference")
    return {system: run(system, folder / system.replace(":", "-")) for system in systems}


def value(run: Run, metric: str) -> float | None:
    return run.results.tasks[TASK].metrics[metric].value


@pytest.mark.long
def test_floor_ceiling_and_null_systems_are_the_values_of_their_own_runs(runs: dict[str, Run]) -> None:
    score = runs["null:copy-input"].results.tasks[TASK].score
    for metric in PRIMARY:
        assert score.floor[metric] == value(runs["null:random-reference"], metric)
        assert score.ceiling[metric] == value(runs["oracle:reference"], metric)
        for system in ("null:empty", "null:constant", "null:copy-input", "null:random-reference"):
            assert score.null_systems[system][metric] == value(runs[system], metric), system


def test_the_floor_itself_has_quality_0_and_the_oracle_100(runs: dict[str, Run]) -> None:
    floor = runs["null:random-reference"].results.tasks[TASK].score.quality
    assert floor.value == pytest.approx(0.0)
    low, high = floor.ci95 or (1.0, 1.0)
    assert low < 0 < high
    assert runs["oracle:reference"].results.tasks[TASK].score.quality.value == pytest.approx(100.0)


def test_quality_is_worked_out_from_the_stored_numbers(runs: dict[str, Run]) -> None:
    for system in ("null:constant", "null:copy-input"):
        score = runs[system].results.tasks[TASK].score
        places = [
            (value(runs[system], metric) - score.floor[metric]) / (score.ceiling[metric] - score.floor[metric])
            for metric in PRIMARY
        ]
        assert score.quality.value == pytest.approx(100 * sum(places) / 2)
        low, high = score.quality.ci95 or (0.0, 0.0)
        assert low <= score.quality.value <= high


def test_naturalness_is_worked_out_from_the_stored_statistics(runs: dict[str, Run]) -> None:
    for system, one in runs.items():
        score = one.results.tasks[TASK].score
        metrics = one.results.tasks[TASK].metrics
        ratios = []
        for name, (x, r) in score.statistics.items():
            assert x == metrics[name].value
            if r is not None:
                ratios.append(min(x / r, r / x) if x and r else 0.0)
        assert score.naturalness.value == pytest.approx(100 * sum(ratios) / len(ratios)), system
    assert runs["null:empty"].results.tasks[TASK].score.naturalness.value == 0


def test_references_of_naturalness_are_the_rows_first_ones(runs: dict[str, Run]) -> None:
    firsts = {row.id: row.references[0] for row in runs["null:empty"].samples(TASK).itertuples()}
    words = [grue.metric("mean_length").compute([text]).value for text in firsts.values()]
    reference = runs["null:empty"].results.tasks[TASK].score.statistics["mean_length"][1]
    assert reference == pytest.approx(sum(words) / len(words))


def test_a_run_without_a_primary_metric_has_no_quality_and_names_it(tmp_path: object) -> None:
    found = run("null:constant", tmp_path / "run", metrics=["f1", "mean_length"]).results.tasks[TASK].score
    assert found.quality.value is None
    assert "rougeL" in found.quality.reason
    assert "entropy_1" in found.naturalness.reason


def test_a_single_task_gives_no_score_over_the_benchmark_and_names_the_missing(runs: dict[str, Run]) -> None:
    scores = runs["null:constant"].results.scores
    assert scores.grue.value is None
    for task in ("imdb", "commongen", "cnn_dailymail", "totto", "iwslt2017", "daily_dialog"):
        assert task in scores.grue.reason
    assert TASK not in scores.grue.reason


@pytest.mark.long
def test_the_score_over_the_benchmark_is_the_mean_of_its_qualities(tmp_path: object) -> None:
    whole = run("null:copy-input", tmp_path / "run", tasks="grue", limit=6).results
    qualities = [task.score.quality.value for task in whole.tasks.values()]
    assert len(qualities) == 7
    assert whole.scores.grue.value == pytest.approx(sum(qualities) / 7)
    natural = [task.score.naturalness.value for task in whole.tasks.values()]
    assert whole.scores.naturalness.value == pytest.approx(sum(natural) / 7)


def test_scoring_a_run_again_repeats_its_scores(runs: dict[str, Run], tmp_path: object) -> None:
    again = grue.score(runs["null:copy-input"].path, output=tmp_path / "again")
    assert again.results.tasks[TASK].score == runs["null:copy-input"].results.tasks[TASK].score


def test_a_user_error_in_a_reward_setting_is_named(tmp_path: object) -> None:
    with pytest.raises(GrueError, match="rouge"):
        run("null:constant", tmp_path / "run", settings={"rouge": {"tipe": "rouge2"}})
