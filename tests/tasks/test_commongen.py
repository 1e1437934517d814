from __future__ import annotations

import hashlib

import pytest

from grue.core.errors import TaskDataError

CORAL = ["coral", "fish", "island"]


def _record(index, concepts, target):
    return {"concept_set_idx": index, "concepts": concepts, "target": target}


def test_prompt_joins_the_concepts_and_ends_in_a_full_stop(build_rows):
    (row,) = build_rows("commongen", [_record(0, CORAL, "Fish swim.")])
    assert row.prompt == "generate a sentence with: coral fish island."  # specification, golden example 2
    assert row.inputs == {"source": "coral fish island", "concepts": CORAL}


def test_records_of_one_set_are_one_row_with_references_in_file_order(build_rows):
    rows = build_rows(
        "commongen",
        [_record(7, CORAL, "First."), _record(3, ["dog"], "Dog."), _record(7, CORAL, "Second."), _record(7, CORAL, "")],
    )
    assert [(row.id, row.references) for row in rows] == [("7", ("First.", "Second.")), ("3", ("Dog.",))]


def test_paper_keeps_the_first_target_of_a_set(build_rows):
    records = [_record(7, CORAL, "First."), _record(7, CORAL, "Second.")]
    assert [row.references for row in build_rows("commongen", records, "references")] == [("First.",)]


def test_withheld_target_means_no_reference(build_rows):
    (row,) = build_rows("commongen", [_record(7, CORAL, "")])
    assert row.references == ()
    (paper,) = build_rows("commongen", [_record(7, CORAL, "")], "references")
    assert paper.references == ()


def test_the_other_layout_gives_its_list_or_its_target(build_rows):
    def gem(index, target, references):
        return {"gem_id": "x", "concept_set_id": index, "concepts": CORAL, "target": target, "references": references}

    records = [gem(0, "First.", ["First.", "Second."]), gem(1, "Alone.", []), gem(2, "", [])]
    assert [(row.id, row.references) for row in build_rows("commongen", records)] == [
        ("0", ("First.", "Second.")),
        ("1", ("Alone.",)),
        ("2", ()),
    ]
    assert build_rows("commongen", records, "references")[0].references == ("First.",)


def test_sets_without_an_id_are_told_apart_by_their_ordered_concepts(build_rows):
    records = [
        {"concepts": ["dog", "run"], "target": "A."},
        {"concepts": ["run", "dog"], "target": "B."},
        {"concepts": ["dog", "run"], "target": "C."},
    ]
    rows = build_rows("commongen", records)
    assert [row.references for row in rows] == [("A.", "C."), ("B.",)]
    assert rows[0].id == hashlib.sha256(b'{"concepts":["dog","run"]}').hexdigest()[:16]


def test_one_id_with_two_concept_sets_is_a_fault_at_its_record(build_rows):
    with pytest.raises(TaskDataError) as caught:
        build_rows("commongen", [_record(7, CORAL, "First."), _record(7, ["fish", "coral"], "Second.")])
    assert caught.value.place == "file.jsonl:2"
    assert "Concept set 7" in caught.value.cause


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"concept_set_idx": 1, "target": "x"}, "'concepts' is missing"),
        ({"concept_set_idx": 1, "concepts": CORAL}, "'target' is missing"),
        ({"concept_set_idx": 1, "concepts": "coral", "target": "x"}, "'concepts' should be a list"),
        ({"concept_set_idx": 1, "concepts": [], "target": "x"}, "'concepts' is an empty list"),
        ({"concept_set_idx": True, "concepts": CORAL, "target": "x"}, "'concept_set_idx' should be a string"),
        ({"concept_set_idx": 1, "concepts": CORAL, "target": 5}, "'target' should be a string"),
    ],
)
def test_faulty_record_is_named_with_place_and_column(build_rows, record, words):
    with pytest.raises(TaskDataError) as caught:
        build_rows("commongen", [record])
    assert caught.value.place == "file.jsonl:1"
    assert words in caught.value.cause


def test_decoding_is_beam_search_and_only_the_cut_differs(suite):
    for quirks in ((), ("references", "truncation", "metrics")):
        decoding = suite("commongen", *quirks).decoding
        assert (decoding.num_beams, decoding.min_new_tokens, decoding.max_new_tokens) == (5, 5, 20)
    assert (suite("commongen").truncation.side, suite("commongen").truncation.max_tokens) == ("right", 64)
    assert suite("commongen", "truncation").truncation.max_tokens == 20


def test_real_records_are_grouped_by_set(real_rows, real_columns):
    rows = real_rows("commongen", "common_gen/test.jsonl")
    columns = real_columns("common_gen/test.jsonl")
    assert len(rows) == len({record["concept_set_idx"] for record in columns})
    assert sum(len(row.references) for row in rows) == len(columns) == 1385
    by_id = {row.id: row for row in rows}
    assert by_id["2"].references[0] == "A pet cat likes to sleep on a couch."
    assert by_id["2"].prompt == "generate a sentence with: cat couch pet."


def test_real_sets_without_references_are_rows_without_references(real_rows):
    rows = real_rows("commongen", "common_gen/test_noref.jsonl")
    assert len(rows) == 1497
    assert all(row.references == () for row in rows)
