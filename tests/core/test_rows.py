"""Ids and fingerprints against hashes worked out with hashlib alone."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grue.core.rows import Row, data_sha256, number_repeats, prompts_sha256, split_name, subset
from grue.core.text import canonical_json, content_id, nearest

ids = st.lists(st.text(min_size=1, max_size=8), unique=True, min_size=1, max_size=40)


def rows(names: list[str]) -> list[Row]:
    return [Row(name, f"prompt of {name}") for name in names]


def test_content_id_is_the_head_of_the_hash_of_sorted_unblanked_utf8_json() -> None:
    expected = hashlib.sha256('{"a":"ü","b":[1,2]}'.encode()).hexdigest()[:16]
    assert content_id({"b": [1, 2], "a": "ü"}) == expected


def test_canonical_json_refuses_what_json_does_not_know() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json({"x": float("nan")})


def test_repeated_ids_are_numbered_in_file_order() -> None:
    repeated = [Row("a", "1"), Row("b", "2"), Row("a", "3"), Row("a", "4")]
    assert [row.id for row in number_repeats(repeated)] == ["a", "b", "a-2", "a-3"]


def test_a_subset_takes_the_smallest_salted_hashes() -> None:
    names = [str(i) for i in range(50)]
    smallest = sorted(names, key=lambda name: hashlib.sha256(f"grue-subset-1:{name}".encode()).hexdigest())[:7]
    assert [row.id for row in subset(rows(names), 7)] == sorted(smallest)


@given(ids, st.integers(1, 40), st.integers(1, 40))
def test_subsets_are_nested_and_ignore_file_order(names: list[str], a: int, b: int) -> None:
    small, large = sorted((a, b))
    inner = {row.id for row in subset(rows(names), small)}
    outer = {row.id for row in subset(rows(names[::-1]), large)}
    assert inner <= outer
    assert len(inner) == min(small, len(names))


def test_prompts_hash_runs_over_rows_in_id_order() -> None:
    expected = hashlib.sha256(b"a\tfirst\nb\tsecond\n").hexdigest()
    assert prompts_sha256([Row("b", "second"), Row("a", "first")]) == expected


def test_data_hash_covers_references_and_inputs() -> None:
    row = Row("a", "p", ("r1", "r2"), {"concepts": ["x"]})
    line = "a\tp\t" + json.dumps(["r1", "r2"], separators=(",", ":")) + '\t{"concepts":["x"]}\n'
    assert data_sha256([row]) == hashlib.sha256(line.encode()).hexdigest()
    assert data_sha256([Row("a", "p", ("r1",), {"concepts": ["x"]})]) != data_sha256([row])


@pytest.mark.parametrize(("given_name", "full"), [("val", "validation"), ("dev", "validation"), ("test", "test")])
def test_short_split_names_mean_validation(given_name: str, full: str) -> None:
    assert split_name(given_name) == full


def test_nearest_names_only_what_is_near() -> None:
    assert nearest("comongen", ["commongen", "totto"]) == " Did you mean 'commongen'?"
    assert nearest("xyz", ["commongen", "totto"]) == ""
