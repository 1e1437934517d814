from __future__ import annotations

import pytest

from grue.core.errors import TaskDataError


def _cell(value, header=False, columns=1, rows=1):
    return {"value": value, "is_header": header, "column_span": columns, "row_span": rows}


def _record(**changes):
    return {
        "example_id": "-82",
        "table_page_title": "Jo Doe",
        "table_section_title": "Career",
        "table_section_text": "",
        "table": [
            [_cell("Season", True), _cell("League", True, 2)],
            [_cell("Season", True), _cell("Apps", True), _cell("Goals", True)],
            [_cell("1999", True), _cell("12"), _cell("3")],
        ],
        "highlighted_cells": [[2, 1], [2, 2]],
        "sentence_annotations": [{"final_sentence": "Jo scored 3 goals."}],
        "overlap_subset": "True",
        **changes,
    }


# Specification, golden example 4.
UNTITLED = (
    "<table> <cell> 12 <col_header> League </col_header> <col_header> Apps </col_header> <row_header> 1999 "
    "</row_header> </cell> <cell> 3 <col_header> League </col_header> <col_header> Goals </col_header> "
    "<row_header> 1999 </row_header> </cell> </table>"
)
TITLES = "<page_title> Jo Doe </page_title> <section_title> Career </section_title> "


def test_prompt_is_titled_once(build_rows):
    (row,) = build_rows("totto", [_record()])
    assert row.prompt == TITLES + UNTITLED
    assert row.inputs["source"] == row.prompt


def test_paper_puts_the_untitled_cells_before_without_a_blank(build_rows):
    assert build_rows("totto", [_record()], "prompt")[0].prompt == UNTITLED + TITLES + UNTITLED


def test_empty_titles_are_left_out(build_rows):
    (row,) = build_rows("totto", [_record(table_page_title="", table_section_title="")])
    assert row.prompt == UNTITLED


def test_empty_cell_keeps_its_two_blanks(build_rows):
    (row,) = build_rows(
        "totto",
        [_record(table=[[_cell("")]], highlighted_cells=[[0, 0]], table_page_title="", table_section_title="")],
    )
    assert row.prompt == "<table> <cell>  </cell> </table>"


def test_row_spans_do_not_shift_columns(build_rows):
    # A spans two rows, yet the second row's first cell is counted as column 0.
    table = [[_cell("A", True, rows=2), _cell("B", True)], [_cell("x"), _cell("y")]]
    (row,) = build_rows("totto", [_record(table=table, highlighted_cells=[[1, 0]])])
    assert "<cell> x <col_header> A </col_header> </cell>" in row.prompt


def test_a_header_after_the_cell_is_no_row_header(build_rows):
    table = [[_cell("x"), _cell("Total", True)]]
    (row,) = build_rows("totto", [_record(table=table, highlighted_cells=[[0, 0]])])
    assert row.prompt.endswith("<table> <cell> x </cell> </table>")


@pytest.mark.parametrize(
    ("annotations", "references"),
    [
        ([{"final_sentence": "A."}, {"final_sentence": "B."}], ("A.", "B.")),
        ({"final_sentence": ["A.", "B."], "original_sentence": ["a", "b"]}, ("A.", "B.")),
        ([], ()),
        ({"final_sentence": [], "original_sentence": []}, ()),
        (None, ()),
        ([{"final_sentence": ""}], ()),
    ],
)
def test_final_sentences_are_references_in_either_shape(build_rows, annotations, references):
    assert build_rows("totto", [_record(sentence_annotations=annotations)])[0].references == references


@pytest.mark.parametrize(("column", "value"), [("True", "True"), (False, "False"), ("none", "none"), (None, "none")])
def test_overlap_subset_is_text(build_rows, column, value):
    assert build_rows("totto", [_record(overlap_subset=column)])[0].inputs["overlap_subset"] == value


def test_inputs_hold_what_parent_reads(build_rows):
    inputs = build_rows("totto", [_record()])[0].inputs
    assert inputs["highlighted_cells"] == [[2, 1], [2, 2]]
    assert inputs["table"][0][1] == {"value": "League", "is_header": True, "column_span": 2, "row_span": 1}
    assert (inputs["table_page_title"], inputs["table_section_title"]) == ("Jo Doe", "Career")
    assert inputs["table_section_text"] == ""


def test_whole_number_as_id_becomes_text(build_rows):
    assert build_rows("totto", [_record(example_id=-8202683504666015907)])[0].id == "-8202683504666015907"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"highlighted_cells": [[3, 0]]}, "the table has 3 rows"),
        ({"highlighted_cells": [[0, 2]]}, "row 0 has 2 cells"),
        ({"highlighted_cells": [[-1, 0]]}, "the table has 3 rows"),
        ({"highlighted_cells": [[0]]}, "should be a [row, column] pair"),
        ({"highlighted_cells": "0,0"}, "'highlighted_cells' should be a list"),
        ({"table": "x"}, "'table' should be a list of rows"),
        ({"table": [[{"value": "x"}]]}, "'is_header' is missing"),
        ({"table": [[_cell(3)]]}, "'value' should be a string"),
        ({"sentence_annotations": [{"original_sentence": "x"}]}, "'final_sentence' is missing"),
    ],
)
def test_faulty_record_is_named(build_rows, changes, words):
    with pytest.raises(TaskDataError) as caught:
        build_rows("totto", [_record(**changes)])
    assert caught.value.place.startswith("file.jsonl:1")
    assert words in caught.value.cause


def test_paper_cuts_the_start_of_the_prompt(suite):
    assert (suite("totto").truncation.side, suite("totto").truncation.max_tokens) == ("right", 512)
    assert suite("totto", "truncation").truncation.side == "left"


def test_real_tables_have_all_final_sentences_and_tagged_cells(real_rows, real_columns):
    for file, count in (("totto/test.jsonl", 20), ("totto/validation.jsonl", 18)):
        rows, columns = real_rows("totto", file), real_columns(file)
        assert len(rows) == count
        for row, record in zip(rows, columns, strict=True):
            assert list(row.references) == record["references"]
            assert row.prompt.count("<cell>") == len(record["highlighted_cells"])
            for place in record["highlighted_cells"]:
                assert f"<cell> {record['table'][place[0]][place[1]]['value']} " in row.prompt


def test_real_row_is_linearised_as_by_hand(real_rows):
    # One header over four columns, then Census, Pop., (empty), %; highlighted are the first two cells below.
    (row,) = [row for row in real_rows("totto", "totto/validation.jsonl") if row.id == "-7858242389781082"]
    assert row.prompt == (
        "<page_title> Arrow Point, Missouri </page_title> <section_title> Demographics </section_title> <table> "
        "<cell> 2000 <col_header> Historical population </col_header> <col_header> Census </col_header> </cell> "
        "<cell> 133 <col_header> Historical population </col_header> <col_header> Pop. </col_header> </cell> </table>"
    )
