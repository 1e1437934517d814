from __future__ import annotations

import hashlib

import pytest

from grue.core.errors import TaskDataError


def _record(*utterances):
    count = len(utterances)
    return {"dialog": list(utterances), "act": list(range(1, count + 1)), "emotion": [0] * count}


def test_prompt_joins_five_utterances_and_ends_in_blank_and_mark(build_rows):
    (row,) = build_rows("daily_dialog", [_record("u1", "u2", "u3", "u4", "u5", "u6")])
    # Specification, golden example 3; the paper's reference keeps the mark.
    assert row.prompt == "u1<EOU>u2<EOU>u3<EOU>u4<EOU>u5 <EOU>"
    assert row.references == ("u6",)
    assert row.inputs == {"source": "u1 u2 u3 u4 u5", "last_utterance": "u5", "act": 6, "emotion": 0}


def test_paper_keeps_blanks_and_mark_of_the_reply(build_rows, suite):
    record = _record("u1", "u2", "u3", "u4", " u5 ", " u6 . ")
    assert build_rows("daily_dialog", [record], "separator")[0].references == (" u6 . <EOU>",)
    assert build_rows("daily_dialog", [record])[0].references == ("u6 .",)
    assert suite("daily_dialog", "separator").postprocess is None


def test_every_utterance_with_five_before_it_is_a_row(build_rows):
    rows = build_rows("daily_dialog", [_record(*"abcdefgh"), _record(*"abcde"), _record()])
    assert [row.references for row in rows] == [("f",), ("g",), ("h",)]
    assert [row.inputs["act"] for row in rows] == [6, 7, 8]
    assert rows[1].prompt == "b<EOU>c<EOU>d<EOU>e<EOU>f <EOU>"


def test_id_hashes_the_five_utterances_as_they_stand(build_rows):
    (row,) = build_rows("daily_dialog", [_record("a ", " b", "c", "d", "e", "f")])
    assert row.id == hashlib.sha256(b'{"context":["a "," b","c","d","e"]}').hexdigest()[:16]


def test_blank_reply_means_no_reference(build_rows):
    record = _record("a", "b", "c", "d", "e", " ")
    assert build_rows("daily_dialog", [record])[0].references == ()
    assert build_rows("daily_dialog", [record], "separator")[0].references == ()


@pytest.mark.parametrize(
    ("text", "prediction"),
    [
        (" I see . <EOU> And you ? <EOU>", "I see ."),
        ("<EOU> later", ""),
        ("no mark \n", "no mark"),
        ("", ""),
        ("cut <EOU", "cut <EOU"),
    ],
)
def test_prediction_is_cut_at_the_first_mark_and_stripped(suite, text, prediction):
    assert suite("daily_dialog").postprocess(text) == prediction


def test_lists_of_different_lengths_are_a_fault(build_rows):
    with pytest.raises(TaskDataError, match="have 6, 5 and 6 entries"):
        build_rows("daily_dialog", [{**_record(*"abcdef"), "act": [1] * 5}])


def test_replies_are_sampled_from_the_top_20(suite):
    decoding = suite("daily_dialog").decoding
    assert (decoding.do_sample, decoding.top_k, decoding.min_new_tokens, decoding.max_new_tokens) == (True, 20, 2, 20)
    assert (suite("daily_dialog").truncation.side, suite("daily_dialog").truncation.max_tokens) == ("left", 128)


def test_real_dialogues_give_a_row_for_every_late_utterance(real_rows, real_columns):
    rows, columns = real_rows("daily_dialog", "daily_dialog/test.jsonl"), real_columns("daily_dialog/test.jsonl")
    assert len(rows) == sum(max(0, len(record["dialog"]) - 5) for record in columns)
    assert len({row.id for row in rows}) == len(rows)
    assert all(row.prompt.count("<EOU>") == 5 and row.prompt.endswith(" <EOU>") for row in rows)
    assert all(row.inputs["act"] in (1, 2, 3, 4) for row in rows)
