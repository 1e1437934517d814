from __future__ import annotations

import hashlib

from grue.core.text import canonical_json


def _record(question, summary, answers):
    return {
        "document": {"id": "d", "summary": {"text": summary, "tokens": [], "url": "", "title": ""}, "text": ""},
        "question": {"text": question, "tokens": []},
        "answers": [{"text": answer, "tokens": []} for answer in answers],
    }


def test_prompt_is_question_backslash_n_summary_and_a_blank_in_lower_case(build_rows):
    (row,) = build_rows("narrativeqa", [_record("Who is Ann?", " Ann is a\nSPY.", ["A spy", " The Spy. "])])
    # The summary's own blank stays, its newline is deleted and not replaced.
    assert row.prompt == "who is ann? " + chr(92) + "n  ann is aspy. "
    assert row.references == ("a spy", "the spy.")
    assert row.inputs["question"] == "Who is Ann?"
    assert row.inputs["source"] == "Who is Ann?  Ann is a\nSPY."


def test_id_hashes_question_and_summary_as_they_stand(build_rows):
    (row,) = build_rows("narrativeqa", [_record("Who?", "Ä\nB", ["x"])])
    expected = hashlib.sha256('{"question":"Who?","summary":"Ä\\nB"}'.encode()).hexdigest()[:16]
    assert row.id == expected


def test_answers_as_parallel_lists_are_read(build_rows):
    record = {**_record("Who?", "S", []), "answers": {"text": ["A", "B"], "tokens": [["A"], ["B"]]}}
    assert build_rows("narrativeqa", [record])[0].references == ("a", "b")


def test_empty_answer_is_no_reference(build_rows):
    assert build_rows("narrativeqa", [_record("Who?", "S", ["", "  ", "X"])])[0].references == ("x",)


def test_standard_asks_for_one_new_token_at_least(suite):
    for quirk, minimum in (((), 1), (("decoding",), 0)):
        decoding = suite("narrativeqa", *quirk).decoding
        assert (decoding.num_beams, decoding.min_new_tokens, decoding.max_new_tokens) == (4, minimum, 50)
    assert suite("narrativeqa").truncation.side == "right"


def test_real_questions_give_a_row_each_with_two_answers(real_rows, real_columns):
    rows, columns = (
        real_rows("narrativeqa", "narrativeqa/test.jsonl"),
        real_columns("narrativeqa/test.jsonl"),
    )
    assert len(rows) == len({row.id for row in rows}) == 320
    for row, record in zip(rows, columns, strict=True):
        question, summary = record["question"]["text"], record["document"]["summary"]["text"]
        assert row.prompt.startswith(question.lower() + " \\n ")
        assert row.prompt.endswith(" ")
        assert len(row.references) == 2
        assert "\n" not in row.prompt or "\n" in question
        digest = hashlib.sha256(canonical_json({"question": question, "summary": summary}).encode()).hexdigest()
        assert row.id.startswith(digest[:16])
