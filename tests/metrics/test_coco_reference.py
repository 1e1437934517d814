"""CIDEr, COCO's BLEU and ROUGE-L equal the values that pycocoevalcap and the CIDEr authors' scorers gave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grue.core.errors import UsageError
from grue.metrics.api import metric
from grue.metrics.cider_frequencies import write_frequencies

Golden = Callable[[str], tuple[dict[str, Any], list[Any]]]
NAMES = {
    "bleu_1": "Bleu_1",
    "bleu_2": "Bleu_2",
    "bleu_3": "Bleu_3",
    "bleu_4": "Bleu_4",
    "rougeL_coco": "ROUGE_L",
    "cider_d": 'CIDEr-D(pycocoevalcap "CIDEr")',
    "cider": "CIDEr(plain)",
}
TOLERANCE = 1e-9  # README of the reference values
# Section 12, item 6 of the specification.
PREDICTIONS = ["a dog runs in the park", "a man rides a bike", "the cat sleeps"]
REFERENCES = [
    ["a dog runs through the park", "the dog is running in a park"],
    ["a man is riding his bike"],
    ["a cat sleeps on the sofa"],
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("file", "tokenize"), [("coco_ptb", "ptb"), ("coco_ws", "whitespace")])
def test_every_reference_case_is_met(name: str, file: str, tokenize: str, golden: Golden) -> None:
    checked = 0
    for case in golden(file)[1]:
        score = metric(name, tokenize=tokenize).compute(case.predictions, case.references)
        expected = case.expected["corpus"][NAMES[name]]
        if isinstance(expected, dict):  # the reference divides by nothing; ours is a documented 0
            assert score.value == 0
            continue
        assert score.value == pytest.approx(expected, abs=TOLERANCE), case.id
        assert score.per_sample == pytest.approx(case.expected["per_sample"][NAMES[name]], abs=TOLERANCE), case.id
        checked += 1
    assert checked > 30


def test_the_example_of_the_specification_is_met() -> None:
    score = metric("cider_d", tokenize="whitespace").compute(PREDICTIONS, REFERENCES)
    assert score.per_sample == pytest.approx([2.929989, 1.951139, 2.283203], abs=1e-6)
    assert score.value == pytest.approx(2.388110, abs=1e-6)


def test_a_single_row_gets_zero_as_every_n_gram_is_in_all_documents() -> None:
    assert metric("cider_d").compute(["a dog runs"], [["a dog runs"]]).value == 0


@pytest.mark.parametrize("name", ["cider", "cider_d"])
def test_a_row_with_several_samples_is_one_document(name: str) -> None:
    once = metric(name).compute(PREDICTIONS, REFERENCES)
    doubled = metric(name).compute(
        [text for text in PREDICTIONS for _ in range(2)],
        [row for row in REFERENCES for _ in range(2)],
        [{"row": str(index)} for index in range(3) for _ in range(2)],
    )
    assert once.per_sample is not None
    assert doubled.per_sample == pytest.approx([value for value in once.per_sample for _ in range(2)], abs=TOLERANCE)


@pytest.mark.parametrize("name", ["cider", "cider_d"])
@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
def test_frequencies_of_a_file_made_from_the_references_give_the_same_values(
    name: str, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"df{suffix}"
    assert write_frequencies(REFERENCES, path) == 3
    by_file = metric(name, df=str(path))
    assert by_file.compute(PREDICTIONS, REFERENCES).value == pytest.approx(
        metric(name).compute(PREDICTIONS, REFERENCES).value, abs=TOLERANCE
    )
    # One row alone has its own value, as the documents are the file's.
    assert (by_file.compute(PREDICTIONS[:1], REFERENCES[:1]).value or 0) > 1


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("df.p", b"", "pickle"),
        ("df.json", b"[1", "not JSON"),
        ("df.json", b"{}", "no object with 'documents'"),
        ("df.json", b'{"documents": 0, "frequencies": {}}', "'documents'"),
        ("df.json", b'{"documents": 1, "frequencies": {"a": 2}}', "frequency of 'a'"),
        ("df.json", b'{"documents": 1, "frequencies": {"a b c d e": 1}}', "5 words"),
        ("df.json", b'{"documents": 1, "frequencies": {}, "tokenize": "whitespace"}', "whitespace"),
        ("df.json", b'{"documents": 1, "frequencies": {}, "schema_version": 9}', "schema_version"),
    ],
    ids=["pickle", "broken", "empty", "documents", "frequency", "long", "tokenize", "version"],
)
def test_a_wrong_file_of_frequencies_is_refused(file: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / file).write_bytes(content)
    with pytest.raises(UsageError, match=words):
        metric("cider_d", df=str(tmp_path / file))


def test_a_missing_file_of_frequencies_makes_the_metric_absent(tmp_path: Path) -> None:
    score = metric("cider_d", df=str(tmp_path / "none.json")).compute(PREDICTIONS, REFERENCES)
    assert score.value is None
    assert "coco.df" in str(score.reason)


@pytest.mark.parametrize("name", NAMES)
def test_odd_texts_have_finite_values(name: str) -> None:
    predictions = ["", " \t", "\ud800 a", "a\x00b\x0bc", "x" * 100_000, "a " * 50_000, "é e\u0301 中文 ไทย 😀"]
    references = [["a"], ["", "b"], ["\ud800 a", "c"], ["a b c"], ["x"], ["a b " * 20_000], ["é 中文", "", "x"]]
    score = metric(name).compute(predictions, references)
    assert score.per_sample is not None
    assert all(value is not None and np.isfinite(value) for value in score.per_sample)


def test_a_comparison_beyond_reach_fails_by_name() -> None:
    words = [" ".join(f"{start}{index % 9_000}" for index in range(90_000)) for start in "ab"]
    mixed = [words[0] + " z " + words[1], words[1] + " z " + words[0]]
    with pytest.raises(ValueError, match=r"rougeL_coco: a row compares \d+ with \d+ words"):
        metric("rougeL_coco", tokenize="whitespace").compute([mixed[0]], [[mixed[1]]])


@pytest.mark.parametrize("name", NAMES)
def test_signatures_name_tokeniser_and_implementation(name: str) -> None:
    signature = metric(name).compute(PREDICTIONS, REFERENCES).signature
    other = metric(name, tokenize="whitespace").compute(PREDICTIONS, REFERENCES).signature
    assert signature is not None
    assert "tok:ptb" in signature
    assert "impl:pycocoevalcap-1.2" in signature
    assert signature != other
