"""Tables as CSV, JSON, Markdown, LaTeX and frames, against what their readers make of them."""

from __future__ import annotations

import csv
import io
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grue.exchange.formats import csv_table, frame, json_rows, latex_table, markdown_table
from grue.exchange.table import Column, Score, Table

TABLE = Table(
    (
        Column("rank", "Rank", is_score=True, decimals=0),
        Column("name", "Run"),
        Column("id", "Id", for_people=False),
        Column("bleu", "wmt_16 bleu", is_score=True, decimals=1),
    ),
    (
        (Score(1, 1, 2), "a_b & 50%", "01A", Score(24.25, 22.94, 25.66, is_best=True)),
        (Score(1, 1, 2), '=HYPERLINK("http://x")', "01B", Score(24.25, 23.04, 25.06, is_best=True)),
        (Score(None), "third | <b>", "01C", Score(-0.04, None, None)),
        (Score(None, reason="not run"), "fourth", "01D", Score(None, reason="not run")),
    ),
    "Scores_1",
    ("A note: 5 %.",),
)


def test_csv_reads_back_at_full_precision() -> None:
    value = 0.1 + 0.2
    table = Table((Column("x", "X", is_score=True),), ((Score(value, value / 3, 1e-300),),))
    (row,) = csv.DictReader(io.StringIO(csv_table(table)))
    assert [float(row[name]) for name in ("x", "x_ci95_low", "x_ci95_high")] == [value, value / 3, 1e-300]


def test_csv_has_empty_cells_for_missing_values_and_bounds_beside() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_table(TABLE))))
    assert list(rows[0]) == [
        *("rank", "rank_ci95_low", "rank_ci95_high", "name", "id"),
        *("bleu", "bleu_ci95_low", "bleu_ci95_high"),
    ]
    assert rows[0]["rank"] == "1"
    assert rows[3]["rank"] == rows[3]["bleu"] == rows[2]["bleu_ci95_low"] == ""


@given(st.text(min_size=1, max_size=30))
def test_no_text_of_a_csv_begins_like_a_formula(text: str) -> None:
    table = Table((Column("name", "Run"),), ((text,),))
    written = csv_table(table)
    (_, (cell,)) = csv.reader(io.StringIO(written, newline=""))
    assert cell[:1] not in tuple("=+-@\t\r\n＝＋－＠")
    assert cell in (text, f"'{text}")


def test_numbers_are_no_formulas() -> None:
    assert ",-0.04," in csv_table(TABLE)


def test_latex_is_a_booktabs_table_with_shared_best_and_subscripts() -> None:
    text = latex_table(TABLE)
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    assert text.index(r"\toprule") < text.index(r"\midrule") < text.index(r"\bottomrule")
    assert body.count(r"\textbf{24.2}$_{[22.9,\,25.7]}$") == 1
    assert body.count(r"\textbf{24.2}$_{[23.0,\,25.1]}$") == 1
    assert r"a\_b \& 50\%" in body
    assert r"wmt\_16 bleu" in text
    assert r"\caption{Scores\_1}" in text
    assert "01A" not in text, "ids are for programs"
    rows = [line for line in body.splitlines()[1:] if line]
    assert all(re.sub(r"\\[&]", "", line).count("&") == 2 and line.endswith(r" \\") for line in rows)
    assert text.count("{") == text.count("}")
    assert text.count("$") % 2 == 0


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert "| 0.0 |" in markdown_table(TABLE).replace("-0.0", "minus")
    assert "-0.0" not in markdown_table(TABLE)


def test_markdown_has_one_line_a_row_and_cells_stay_cells() -> None:
    lines = markdown_table(TABLE).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 4
    assert all(re.sub(r"\\\|", "", line).count("|") == 4 for line in table)
    assert "**24.2** [22.9, 25.7]" in table[2]
    assert "&lt;b&gt;" in table[4]
    assert table[1].split("|")[3].strip() == "---:", "numbers are right aligned"


def test_json_rows_keep_reasons_and_nulls() -> None:
    row = json_rows(TABLE)[3]
    assert row["bleu"] == {"value": None, "ci95": None, "reason": "not run"}
    assert json_rows(TABLE)[0]["bleu"] == {"value": 24.25, "ci95": [22.94, 25.66]}


def test_a_frame_has_numbers_as_numbers() -> None:
    found = frame(TABLE)
    assert found["bleu"].dtype == "float64"
    assert math.isnan(found["bleu"][3])
    assert found["bleu"].max() == 24.25
    assert list(found["name"])[1].startswith("="), "a frame is no spreadsheet"


@pytest.mark.parametrize("rows", [(), ((Score(None), "", "", Score(None)),)])
def test_empty_tables_are_tables(rows: Any) -> None:
    table = Table(TABLE.columns, rows)
    assert len(frame(table)) == len(rows)
    assert csv_table(table).count("\n") == 1 + len(rows)
    assert r"\bottomrule" in latex_table(table)
    assert markdown_table(table).count("\n") >= 2


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="one key"):
        Table((Column("a", "A"), Column("a", "B")), ())
