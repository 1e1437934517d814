"""Two profiles on one set of predictions differ exactly where the specification's table of profiles says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import grue
from grue.runs.frames import Run

pytestmark = pytest.mark.long

TASKS = ("imdb", "commongen", "cnn_dailymail", "totto", "narrativeqa", "iwslt2017", "daily_dialog")
ROUGE = {"rouge1", "rouge2", "rougeL", "rougeLsum"}
WORDS = {
    "msttr", "distinct_1", "distinct_2", "distinct_3", "unique_1", "unique_2", "unique_3", "entropy_1", "entropy_2",
    "entropy_3", "cond_entropy_2", "cond_entropy_3", "vocab_size", "mean_length", "repetition_rate", "copy_rate",
}  # fmt: skip
PARENT = {
    f"{name}{subset}"
    for name in ("parent", "parent_precision", "parent_recall", "bleu_totto")
    for subset in ("", "_overlap", "_nonoverlap")
}

# Task -> what one profile alone computes, what both compute alike, and what both compute in another way.
ONLY_PAPER = {
    "imdb": {"perplexity_references"},
    "commongen": {"bleu"},
    "cnn_dailymail": {"bleu"},
    "totto": set(),
    "narrativeqa": {"bleu", "rougeL_max"},
    "iwslt2017": {"bleu"},
    "daily_dialog": {"bleu", "perplexity_references"},
}
ONLY_STANDARD = {
    "imdb": {"perplexity"},
    "commongen": {"sacrebleu"},
    "cnn_dailymail": {"sacrebleu"},
    "totto": set(),
    "narrativeqa": {"sacrebleu"},
    "iwslt2017": set(),
    "daily_dialog": {"perplexity"},
}
ALIKE = {
    "imdb": set(),
    "commongen": {
        "cider_d", "cider", "coverage", "coverage_all", "bleu_1", "bleu_2", "bleu_3", "bleu_4", "rougeL_coco", "spice",
        "bertscore",
    },
    "cnn_dailymail": {"bertscore"},
    "totto": {*PARENT, "bertscore", "bleurt"},
    "narrativeqa": {"f1", "exact_match", "bertscore"},
    "iwslt2017": {"chrf", "chrf++", "ter", "bertscore"},
    "daily_dialog": {"bertscore"},
}  # fmt: skip
OTHERWISE = {
    "imdb": {"sentiment", *WORDS},
    "commongen": {"meteor", *ROUGE, *WORDS},
    "cnn_dailymail": {"meteor", "summac_zs", *ROUGE, *WORDS},
    "totto": {"meteor", "sacrebleu", *ROUGE, *WORDS},
    "narrativeqa": {"meteor", *ROUGE, *WORDS},
    "iwslt2017": {"meteor", "sacrebleu", *ROUGE, *WORDS},
    "daily_dialog": {"meteor", "intent_accuracy", "sacrebleu", *ROUGE, *WORDS},
}
# In these the references are the same in both profiles, so that equal signatures mean equal values.
SAME_REFERENCES = ("cnn_dailymail", "totto", "narrativeqa", "iwslt2017")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, material: Path) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("profiles")
    patch = pytest.MonkeyPatch()
    patch.setenv("NLTK_DATA", str(material / "nltk_data"))
    # NLTK reads its search path when it is imported.
    import nltk

    patch.setattr(nltk.data, "path", [str(material / "nltk_data"), *nltk.data.path])
    written = grue.evaluate("null:random-reference", ",".join(TASKS), data="mini", output=folder / "written")
    lines = [
        {"task": task, "id": row.id, "prediction": row.prediction}
        for task in TASKS
        for row in written.samples(task).itertuples()
    ]
    file = folder / "predictions.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = {
        profile: grue.score(file, ",".join(TASKS), data="mini", profile=profile, output=folder / profile)
        for profile in ("standard", "grue-paper")
    }
    patch.undo()
    return found


@pytest.mark.parametrize("task", TASKS)
def test_each_profile_computes_what_the_table_says(runs: dict[str, Run], task: str) -> None:
    standard = set(runs["standard"].results.tasks[task].metrics)
    paper = set(runs["grue-paper"].results.tasks[task].metrics)
    assert paper - standard == ONLY_PAPER[task]
    assert standard - paper == ONLY_STANDARD[task]
    assert standard & paper == ALIKE[task] | OTHERWISE[task]


@pytest.mark.parametrize("task", TASKS)
def test_signatures_differ_exactly_where_the_table_says(runs: dict[str, Run], task: str) -> None:
    standard, paper = (runs[p].results.tasks[task].metrics for p in ("standard", "grue-paper"))
    for name in ALIKE[task] | OTHERWISE[task]:
        signatures = (standard[name].signature, paper[name].signature)
        if None in signatures:
            continue  # a judge or program that is not here
        assert (signatures[0] == signatures[1]) is (name in ALIKE[task]), name


@pytest.mark.parametrize("task", SAME_REFERENCES)
def test_values_of_equal_signatures_are_equal(runs: dict[str, Run], task: str) -> None:
    standard, paper = (runs[p].results.tasks[task].metrics for p in ("standard", "grue-paper"))
    for name in ALIKE[task]:
        assert standard[name].value == paper[name].value, name


def test_the_papers_faults_show_in_its_values(runs: dict[str, Run]) -> None:
    standard, paper = (
        {task: {name: v.value for name, v in one.metrics.items()} for task, one in runs[p].results.tasks.items()}
        for p in ("standard", "grue-paper")
    )
    # One reference instead of the best of several; the printed list costs METEOR most where a row has several.
    assert paper["commongen"]["rouge1"] < standard["commongen"]["rouge1"]
    assert paper["totto"]["rougeL"] < standard["totto"]["rougeL"]
    assert paper["narrativeqa"]["meteor"] < standard["narrativeqa"]["meteor"]
    # Coverage knows no reference; PARENT and the scripts' BLEU were right in the paper.
    assert paper["commongen"]["coverage"] == standard["commongen"]["coverage"]
    # METEOR on German is the paper's alone.
    assert standard["iwslt2017"]["meteor"] is None
    assert paper["iwslt2017"]["meteor"] is not None


@pytest.mark.parametrize(
    ("switch", "changed"),
    [
        ({"meteor": {"printed_list": True}}, {"meteor"}),
        ({"rouge": {"bootstrap": True}}, ROUGE),
        ({"rouge": {"printed_list": True}}, ROUGE),
        ({"diversity": {"tokenize": "whitespace"}}, WORDS),
        ({"sacrebleu": {"paper": True}}, {"sacrebleu"}),
    ],
    ids=["meteor list", "rouge bootstrap", "rouge list", "words", "sacrebleu"],
)
def test_each_quirk_has_a_switch_that_changes_its_own_metrics_alone(
    runs: dict[str, Run], tmp_path: Path, switch: dict[str, dict[str, bool | str]], changed: set[str]
) -> None:
    before = runs["standard"].results.tasks["totto"].metrics
    after = grue.score(runs["standard"].path, "totto", settings=switch, output=tmp_path / "run").results.tasks["totto"]
    found = {name for name, value in after.metrics.items() if value.signature != before[name].signature}
    assert found == changed
