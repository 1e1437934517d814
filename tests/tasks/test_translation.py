from __future__ import annotations

import hashlib

import pytest

from grue.core.errors import TaskDataError
from grue.metrics.settings import resolve

TASKS = ("iwslt2017", "wmt16")


@pytest.mark.parametrize("name", TASKS)
def test_both_sides_stand_as_they_are(build_rows, name):
    (row,) = build_rows(name, [{"translation": {"en": "Two  blanks &amp; more.", "de": " Größe "}}])
    assert row.prompt == "translate English to German: Two  blanks &amp; more."
    assert row.references == (" Größe ",)
    assert row.inputs == {"source": "Two  blanks &amp; more."}
    assert row.id == hashlib.sha256(b'{"en":"Two  blanks &amp; more."}').hexdigest()[:16]


@pytest.mark.parametrize("name", TASKS)
def test_empty_german_side_means_no_reference(build_rows, name):
    assert build_rows(name, [{"translation": {"en": "Hello.", "de": ""}}])[0].references == ()


@pytest.mark.parametrize("name", TASKS)
def test_missing_side_is_named_with_what_is_there(build_rows, name):
    with pytest.raises(TaskDataError) as caught:
        build_rows(name, [{"translation": {"en": "Hello.", "fr": "Bonjour."}}])
    assert "'translation.de' is missing" in caught.value.cause
    assert "en, fr" in caught.value.cause


@pytest.mark.parametrize("name", TASKS)
def test_beams_and_tokenisers_of_the_two_profiles(suite, name):
    for quirks, minimum in (((), 1), (("decoding",), 0)):
        decoding = suite(name, *quirks).decoding
        assert (decoding.num_beams, decoding.length_penalty) == (4, 0.6)
        assert (decoding.min_new_tokens, decoding.max_new_tokens) == (minimum, 128)
    for quirks, tokenizer in (((), "13a"), (("metrics",), "intl")):
        (sacrebleu,) = [spec for spec in suite(name, *quirks).metrics if spec.name == "sacrebleu"]
        assert resolve("sacrebleu", sacrebleu.settings)["tokenize"] == tokenizer


@pytest.mark.parametrize(
    ("name", "file", "count"),
    [
        ("iwslt2017", "iwslt2017/test.jsonl", 600),
        ("iwslt2017", "iwslt2017/validation.jsonl", 500),
        ("wmt16", "wmt_news/test.jsonl", 402),
        ("wmt16", "wmt_news/validation.jsonl", 300),
    ],
)
def test_real_pairs_give_a_row_each_and_repeats_are_numbered(real_rows, real_columns, name, file, count):
    rows, columns = real_rows(name, file), real_columns(file)
    assert len(rows) == len({row.id for row in rows}) == count
    sentences = [record["translation"]["en"] for record in columns]
    assert sum("-" in row.id for row in rows) == count - len(set(sentences))
    assert [row.references for row in rows] == [(record["translation"]["de"],) for record in columns]
