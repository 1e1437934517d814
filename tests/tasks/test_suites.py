from __future__ import annotations

import doctest
import importlib
import re
from importlib.resources import files

import pytest

from grue.core.task import PROFILES
from grue.metrics.build import entry, names
from grue.metrics.settings import resolve
from grue.rewards import REWARDS

# The table of tasks: prompt cut side and tokens, primary metrics.
TABLE = {
    "imdb": ("left", 64, ("sentiment",)),
    "commongen": ("right", 64, ("cider_d", "coverage")),
    "cnn_dailymail": ("right", 512, ("rougeLsum", "rouge2")),
    "totto": ("right", 512, ("parent", "bleu_totto")),
    "narrativeqa": ("right", 512, ("rougeL", "f1")),
    "iwslt2017": ("right", 128, ("sacrebleu", "chrf")),
    "wmt16": ("right", 128, ("sacrebleu", "chrf")),
    "daily_dialog": ("left", 128, ("meteor", "intent_accuracy")),
}
NATURALNESS = {"msttr", "distinct_1", "distinct_2", "entropy_1", "entropy_2", "unique_1", "unique_2", "mean_length"}


@pytest.mark.parametrize("name", TABLE)
def test_standard_suite_is_the_documented_one(suite, name):
    side, tokens, primary = TABLE[name]
    standard = suite(name)
    assert (standard.truncation.side, standard.truncation.max_tokens, standard.primary) == (side, tokens, primary)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", TABLE)
def test_every_metric_and_reward_is_known_with_its_settings(task, name, profile):
    found = task(name).profile(profile)
    metrics = [spec.name for spec in found.metrics]
    assert len(set(metrics)) == len(metrics)
    assert set(metrics) <= set(names())
    assert set(found.primary) | NATURALNESS | {"copy_rate", "repetition_rate"} <= set(metrics)
    assert {spec.name for spec in found.rewards} <= set(REWARDS)
    for spec in found.metrics:
        resolve(entry(spec.name).family, spec.settings)


@pytest.mark.parametrize("name", TABLE)
def test_each_quirk_changes_something_on_its_own(task, name):
    found = task(name)

    def shape(switches):
        suite = found.profile("standard", switches)
        return suite.truncation, suite.decoding, suite.metrics, suite.postprocess

    for quirk in found.quirks:
        changed = shape({quirk.key: True}) != shape({})
        # Prompt and reference quirks change rows; each task's own test shows it.
        assert changed or quirk.key in ("prompt", "references")
        assert quirk.summary.endswith(".")


def test_words_are_unicode_in_standard_and_punkt_in_the_paper(task):
    for profile, tokenizer in zip(PROFILES, ("unicode", "nltk"), strict=True):
        specs = {spec.name: spec.settings for spec in task("imdb").profile(profile).metrics}
        assert resolve("diversity", specs["distinct_1"])["tokenize"] == tokenizer


def test_several_references_count_by_the_best_in_standard_and_by_the_printed_list_in_the_paper(task):
    def rouge(name, profile):
        specs = task(name).profile(profile).metrics
        return resolve("rouge", next(spec.settings for spec in specs if spec.name == "rougeL"))

    for name in ("totto", "narrativeqa"):
        assert (rouge(name, "standard")["references"], rouge(name, "standard")["printed_list"]) == ("max", False)
        paper = rouge(name, "grue-paper")
        assert (paper["references"], paper["printed_list"], paper["bootstrap"]) == ("max", True, True)
    first = rouge("commongen", "grue-paper")
    assert (first["references"], first["printed_list"], first["bootstrap"]) == ("first", False, True)


def test_meteor_is_absent_for_german_in_standard_alone(task):
    for name in ("iwslt2017", "wmt16"):
        specs = [{s.name: s for s in task(name).profile(profile).metrics}["meteor"] for profile in PROFILES]
        assert "German" in specs[0].absent
        assert not specs[1].absent
        assert resolve("meteor", specs[1].settings)["printed_list"] is True


@pytest.mark.parametrize("name", TABLE)
def test_card_says_what_a_user_must_know(task, name):
    found = task(name)
    card = (files(found.package) / "card.md").read_text(encoding="utf-8")
    for part in ("Measures", "Origin", "Licence", "Citation", "Profiles", "Known weaknesses"):
        assert f"**{part}.**" in card
    assert ("are not shown publicly" in " ".join(card.split())) is not found.shows_texts
    assert f"Read from `{found.source.id}` at `{found.source.revision}`." in " ".join(card.split())
    # Every switch that the card names is one the task has, and the other way round.
    switches = {key for owner, key in re.findall(r"`(\w+)\.(\w+)`", card) if owner == name}
    assert switches == {quirk.key for quirk in found.quirks}


def test_restricted_texts_are_not_shown(task):
    shown = {name for name in TABLE if task(name).shows_texts}
    assert shown == {"commongen", "totto", "narrativeqa"}


@pytest.mark.parametrize("name", ["imdb", "commongen", "narrativeqa", "daily_dialog"])
def test_examples_in_the_docstrings_hold(name):
    result = doctest.testmod(importlib.import_module(f"grue_tasks.{name}"))
    assert (result.failed, result.attempted) == (0, 1)
