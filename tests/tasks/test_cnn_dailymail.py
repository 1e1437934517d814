from __future__ import annotations

import pytest

from grue.core.errors import TaskDataError


def _record(**changes):
    return {"article": "Line one.\nLine two.", "highlights": "One .\nTwo .", "id": "ab12", **changes}


def test_row_keeps_article_and_highlights_as_they_stand(build_rows):
    (row,) = build_rows("cnn_dailymail", [_record()])
    assert row.id == "ab12"
    assert row.prompt == "Summarize: Line one.\nLine two."
    assert row.references == ("One .\nTwo .",)
    assert row.inputs == {"source": "Line one.\nLine two."}


def test_whole_number_as_id_becomes_text(build_rows):
    assert build_rows("cnn_dailymail", [_record(id=12)])[0].id == "12"


@pytest.mark.parametrize("identifier", ["", None, 1.5, True])
def test_id_that_is_none_is_a_fault(build_rows, identifier):
    with pytest.raises(TaskDataError, match="'id'"):
        build_rows("cnn_dailymail", [_record(id=identifier)])


def test_withheld_highlights_mean_no_reference(build_rows):
    assert build_rows("cnn_dailymail", [_record(highlights="")])[0].references == ()


def test_standard_searches_with_beams_and_the_paper_samples(suite):
    standard, paper = suite("cnn_dailymail").decoding, suite("cnn_dailymail", "decoding").decoding
    assert (standard.num_beams, standard.do_sample) == (4, False)
    assert (paper.num_beams, paper.do_sample, paper.temperature, paper.top_k) == (1, True, 0.7, 0)
    assert {(d.min_new_tokens, d.max_new_tokens) for d in (standard, paper)} == {(50, 100)}


def test_real_articles_give_a_row_each(real_rows, real_columns):
    rows = real_rows("cnn_dailymail", "cnn_dailymail/test.jsonl")
    columns = real_columns("cnn_dailymail/test.jsonl")
    assert [row.id for row in rows] == [record["id"] for record in columns]
    assert len({row.id for row in rows}) == 200
    assert all(row.prompt == "Summarize: " + record["article"] for row, record in zip(rows, columns, strict=True))
    assert any("\n" in row.references[0] for row in rows)
