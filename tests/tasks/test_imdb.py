from __future__ import annotations

import hashlib

import pytest


@pytest.mark.parametrize(
    ("text", "prompt", "continuation"),
    [
        ("a b c d e", "a b", "c d e"),  # specification, golden example 1
        ("a b c d", "a b", "c d"),
        ("a  b c", "a ", "b c"),  # two blanks make an empty piece: a, "", b, c
        ("one<br />two three", "one<br", "/>two three"),
        ("a\nb c", "a\nb", "c"),  # only blanks divide
    ],
)
def test_prompt_is_the_first_half_of_the_pieces_between_blanks(build_rows, text, prompt, continuation):
    (row,) = build_rows("imdb", [{"text": text, "label": 1}])
    assert (row.prompt, row.references) == (prompt, (continuation,))
    assert row.inputs == {"source": prompt, "label": 1}


def test_paper_takes_the_whole_review_as_reference_and_keeps_the_id(build_rows):
    (standard,) = build_rows("imdb", [{"text": "a b c d e", "label": 0}])
    (paper,) = build_rows("imdb", [{"text": "a b c d e", "label": 0}], "references")
    assert paper.references == ("a b c d e",)
    assert paper.id == standard.id


def test_id_is_the_hash_of_the_canonical_json_of_the_first_half(build_rows):
    (row,) = build_rows("imdb", [{"text": "Schön und gut so", "label": 1}])
    expected = hashlib.sha256('{"text":"Schön und"}'.encode()).hexdigest()[:16]
    assert row.id == expected


def test_review_without_a_first_half_gives_no_row(build_rows):
    assert build_rows("imdb", [{"text": "Wonderful", "label": 1}, {"text": "", "label": 0}]) == []


def test_standard_samples_exactly_48_tokens_from_the_top_50(suite):
    decoding = suite("imdb").decoding
    assert (decoding.min_new_tokens, decoding.max_new_tokens) == (48, 48)
    assert (decoding.do_sample, decoding.temperature, decoding.top_k, decoding.top_p) == (True, 1.0, 50, 1.0)
    assert (suite("imdb").truncation.side, suite("imdb").truncation.max_tokens) == ("left", 64)


def test_real_reviews_give_a_row_each(real_rows, real_columns):
    rows = real_rows("imdb", "imdb/test.jsonl")
    reviews = real_columns("imdb/test.jsonl")
    assert len(rows) == 600
    assert len({row.id for row in rows}) == 600
    assert sum(row.inputs["label"] for row in rows) == 300
    for row, review in zip(rows, reviews, strict=True):
        assert f"{row.prompt} {row.references[0]}" == review["text"]
        assert row.references[0].count(" ") - row.prompt.count(" ") in (0, 1)
