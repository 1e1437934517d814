"""Each quirk of the paper on its own switch: it changes what the specification says, and the signature."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grue
from grue.core.errors import UsageError
from grue.core.metric import Digests, Texts
from grue.core.task import RewardSpec
from grue.metrics.cider_frequencies import write_frequencies
from grue.rewards import REWARDS
from grue.rewards.build import build, check_settings, metric_settings
from grue.rewards.combine import formula
from grue.rewards.settings import OPTIONS, PAPER, QUIRKS, resolve
from grue.rewards.spider import Batches

TOY = {"intent_accuracy": "demo:intent", "learned_reward": "demo:sentiment"}


def scored(name: str, given: dict[str, Any], **settings: Any) -> Any:
    scorer = grue.reward(name, **settings)
    if scorer.built is None:
        pytest.skip(f"{name}: {scorer.reason}")
    return scorer.compute(**given)


@pytest.mark.parametrize("name", REWARDS)
def test_every_reward_takes_paper_and_its_quirks_are_settings(name: str) -> None:
    assert set(REWARDS) == set(OPTIONS)
    assert set(PAPER) <= set(REWARDS)
    spelt_out = resolve(name, {"paper": True})
    assert spelt_out == resolve(name, PAPER.get(name, {}))
    for quirk in QUIRKS.get(name, ()):
        key, _, value = quirk.switch.partition("=")
        assert key in OPTIONS[name]
        assert str(spelt_out[key]).lower() == value or key in ("references", "printed_list")
    assert resolve(name, {"paper": True}, {"paper": False}) == resolve(name)


@pytest.mark.parametrize(
    ("name", "switch"),
    [
        ("rouge", {"references": "first"}),
        ("rouge", {"printed_list": True}),
        ("rouge_combined", {"references": "first"}),
        ("sacre_bleu", {"tokenize": "intl"}),
        ("meteor", {"printed_list": True}),
        ("learned_reward", {"prompt": True}),
        ("intent_accuracy", {"separator": ""}),
        ("intent_accuracy", {"growing_mean": True}),
        ("intent_accuracy", {"printed_list": True}),
        ("bleu", {"smooth": True}),
        ("sentences_with_dates", {"calendar": False}),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_a_quirk_has_its_place_in_the_signature(name: str, switch: dict[str, Any]) -> None:
    toy = {"model": TOY[name]} if name in TOY else {}
    given = {"predictions": ["a b"], "references": [["a b", "a"]]}
    plain, quirky = scored(name, given, **toy), scored(name, given, **toy, **switch)
    assert plain.signature != quirky.signature
    assert scored(name, given, **toy).signature == plain.signature


def test_the_classifier_reads_the_prompt_only_where_told() -> None:
    given = {"prompts": ["a terrible, boring, awful film "] * 2, "predictions": ["and great", "great"]}
    alone = scored("learned_reward", given, model="demo:sentiment")
    other = scored("learned_reward", {**given, "prompts": ["wonderful "] * 2}, model="demo:sentiment")
    assert alone.values == other.values
    paper = scored("learned_reward", given, model="demo:sentiment", paper=True)
    joined = {"predictions": [a + b for a, b in zip(given["prompts"], given["predictions"], strict=True)]}
    assert paper.values == scored("learned_reward", joined, model="demo:sentiment").values
    assert paper.values != alone.values


DIALOGUE = {
    "prompts": ["Hi .<EOU> Where do you live ? <EOU>"] * 4,
    "predictions": ["I live in a house .", "In Rome .", "Could you help me ?", "no"],
    "references": [["I live in a house ."], ["I live in Rome ."], ["Can you help me ?"], ["yes"]],
    "meta": [{"act": 1}, {"act": 1}, {"act": 2}, {"act": 4}],
}


def test_intent_accuracy_is_its_two_parts() -> None:
    hits = grue.metric("intent_accuracy", model="demo:intent").compute(
        DIALOGUE["predictions"],
        DIALOGUE["references"],
        [{**row, "prompt": prompt} for row, prompt in zip(DIALOGUE["meta"], DIALOGUE["prompts"], strict=True)],
    )
    meteor = grue.metric("meteor").compute(DIALOGUE["predictions"], DIALOGUE["references"])
    assert hits.per_sample is not None
    assert meteor.per_sample is not None
    both = scored("intent_accuracy", DIALOGUE, model="demo:intent", a=0.5, b=0.25)
    assert both.values == pytest.approx(0.5 * np.array(hits.per_sample) + 0.25 * np.array(meteor.per_sample))
    assert (both.low, both.high) == (0, 0.75)
    alone = scored("intent_accuracy", DIALOGUE, model="demo:intent", b=0)
    assert alone.values == hits.per_sample


def test_the_growing_mean_gives_row_i_the_mean_meteor_of_rows_up_to_i() -> None:
    plain = scored("intent_accuracy", DIALOGUE, model="demo:intent", a=0)
    growing = scored("intent_accuracy", DIALOGUE, model="demo:intent", a=0, growing_mean=True)
    meteor = np.array(plain.values)
    assert growing.values == pytest.approx([meteor[: i + 1].mean() for i in range(4)])
    assert growing.values[0] == plain.values[0]


class Rank:
    """A pooled stand-in: each row gets the number of rows it was seen with, plus its own number over 10."""

    name, low, high, needs_references, digest_key = "rank", 0.0, None, False, "rank"

    def signature(self) -> str:
        return "rank"

    def digest(self, texts: Texts) -> list[Any]:
        return [row["a"] for row in texts.inputs]

    def pooled(self, digests: Digests) -> Any:
        return np.array([len(digests) + item / 10 for item in digests.items])

    def rewards(self, texts: Texts) -> Any:
        return self.pooled(Digests(self.digest(texts)))


def rows(*prompts: str | None) -> Texts:
    inputs: Any = [{"a": index, **({"prompt": prompt} if prompt else {})} for index, prompt in enumerate(prompts)]
    return Texts([""] * len(prompts), [[]] * len(prompts), inputs)


def test_batches_are_consecutive_rows() -> None:
    texts = rows("p", "q", "p", "p", "r")
    assert Batches(Rank(), 2, keyed_by_prompt=False).rewards(texts).tolist() == [2.0, 2.1, 2.2, 2.3, 1.4]
    assert Batches(Rank(), 0, keyed_by_prompt=False).rewards(texts).tolist() == [5.0, 5.1, 5.2, 5.3, 5.4]


def test_equal_prompts_collapse_to_the_last_of_their_batch() -> None:
    texts = rows("p", "q", "p", "p", "r")
    assert Batches(Rank(), 0, keyed_by_prompt=True).rewards(texts).tolist() == [3.3, 3.1, 3.3, 3.3, 3.4]
    assert Batches(Rank(), 3, keyed_by_prompt=True).rewards(texts).tolist() == [2.2, 2.1, 2.2, 2.3, 2.4]
    # Rows without a prompt are nobody's twin.
    assert Batches(Rank(), 0, keyed_by_prompt=True).rewards(rows(None, None)).tolist() == [2.0, 2.1]


def test_batches_do_not_depend_on_how_rows_came_in() -> None:
    reward = Batches(Rank(), 2, keyed_by_prompt=True)
    texts = rows("p", "p", "q", "r", "r")
    whole = reward.rewards(texts)
    portions = [reward.digest(Texts([""], [[]], [row])) for row in texts.inputs]
    assert reward.pooled(Digests([item for items in portions for item in items])).tolist() == whole.tolist()


SENTENCES = {
    "prompts": ["1", "2", "3"],
    "predictions": ["a dog runs in the park", "a man rides a bike", "the cat sleeps"],
    "references": [
        ["a dog runs through the park", "the dog is running in a park"],
        ["a man is riding his bike"],
        ["a cat sleeps on the sofa"],
    ],
}


def test_cider_of_the_published_example() -> None:
    score = scored("spider", SENTENCES, a=0, b=1, tokenize="whitespace")
    assert score.values == pytest.approx([2.929989, 1.951139, 2.283203], abs=1e-6)
    assert scored("spider", SENTENCES, a=0, b=0.5, tokenize="whitespace").value == pytest.approx(1.194055, abs=1e-6)


def test_cider_equals_the_papers_code_on_its_own_tokens(material: Path) -> None:
    cases = json.loads((material / "golden" / "rl4lms_cider.json").read_text(encoding="utf-8"))["cases"]
    compared = 0
    for case in cases:
        expected = case["expected"].get("per_sample", {}).get("cider")
        if "tokenized" not in case or not isinstance(expected, list):
            continue
        given = {key: case["tokenized"][key] for key in ("predictions", "references")}
        got = scored("spider", given, a=0, b=1, tokenize="whitespace").values
        assert got == pytest.approx(expected, abs=1e-9), case["id"]
        compared += len(expected)
    assert compared >= 30


def test_rows_of_one_prompt_get_the_value_of_the_last_as_in_the_papers_code() -> None:
    prompts = ["p", "q", "p"]
    collapsed = scored("spider", {**SENTENCES, "prompts": prompts}, a=0, b=1, tokenize="whitespace", paper=True)
    kept = {key: value[1:] for key, value in SENTENCES.items()}
    alone = scored("spider", kept, a=0, b=1, tokenize="whitespace").values
    assert collapsed.values == [alone[1], alone[0], alone[1]]
    assert collapsed.values != scored("spider", SENTENCES, a=0, b=1, tokenize="whitespace").values


def test_cider_of_a_batch_of_one_is_zero() -> None:
    alone = {key: value[:1] for key, value in SENTENCES.items()}
    assert scored("spider", alone, a=0, b=1, tokenize="whitespace").values == [0]
    assert scored("spider", SENTENCES, a=0, b=1, tokenize="whitespace", batch=1).values == [0, 0, 0]


def test_frequencies_of_a_file_make_a_rows_value_its_own(tmp_path: Path) -> None:
    path = tmp_path / "frequencies.json.gz"
    write_frequencies(SENTENCES["references"], path, "whitespace")
    settings = {"a": 0, "b": 1, "tokenize": "whitespace", "df": str(path)}
    whole = scored("spider", SENTENCES, **settings)
    alone = scored("spider", {key: value[:1] for key, value in SENTENCES.items()}, **settings)
    assert whole.values == pytest.approx([2.929989, 1.951139, 2.283203], abs=1e-6)
    assert alone.values == whole.values[:1]
    assert "df:file" in whole.signature


def test_settings_of_a_task_yield_to_the_users() -> None:
    reward = build(RewardSpec("rouge", {"type": "rougeL", "references": "first"}), {"rouge": {"type": "rouge2"}})
    assert formula(reward) == "rouge(type='rouge2', references='first')"
    assert reward.name == "rouge"


def test_a_rewards_own_settings_are_kept_from_the_metrics() -> None:
    table = {
        "rouge": {"type": "rougeL", "use_stemmer": False},
        "spider": {"a": 1.0},
        "sacrebleu": {"lowercase": True},
        "meteor": {"shaping": "none"},
    }
    assert metric_settings(table) == {"rouge": {"use_stemmer": False}, "sacrebleu": {"lowercase": True}, "meteor": {}}


def test_settings_are_checked_by_name_key_and_value() -> None:
    check_settings({"rouge": {"type": "rougeL"}, "spider": {"a": 2}, "bleu": {"smooth": True}})
    check_settings({"sacrebleu": {"lowercase": True}}, ("sacrebleu",))
    for table, words in (
        ({"spidr": {"a": 1}}, "Did you mean 'spider'"),
        ({"spider": {"c": 1}}, "has no setting 'c'"),
        ({"spider": {"a": "x"}}, "not allowed"),
        ({"rouge": {"type": "rouge9"}}, "not allowed"),
        ({"common_gen_preference_model": {"c": -1}}, "at least 0"),
    ):
        with pytest.raises(UsageError, match=words):
            check_settings(table)
