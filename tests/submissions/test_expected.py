"""The rows that a submission answers: without a single label, and never half of a new list."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grue.core.errors import StoreError
from grue.core.rows import Row
from grue.submissions.artifacts import Artifacts
from grue.submissions.expected import read_expected, write_expected


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    """A store in a folder."""
    return Artifacts(str(tmp_path / "store"), tmp_path / "cache")


def row(name: str, prompt: str = "say it") -> Row:
    return Row(name, prompt, ("LABEL",), {"concepts": ["LABEL"]})


def test_nothing_is_expected_before_a_worker_has_published(artifacts: Artifacts) -> None:
    assert read_expected(artifacts, "test") is None


def test_rows_come_back_in_id_order_without_their_labels(artifacts: Artifacts, tmp_path: Path) -> None:
    write_expected(artifacts, "test", {"toy": [row("b"), row("a", "line\u2028\x85\nend")], "tale": [row("1")]})
    found = read_expected(artifacts, "test")
    assert found is not None
    assert {task: [(one.id, one.prompt) for one in rows] for task, rows in found.tasks.items()} == {
        "toy": [("a", "line\u2028\x85\nend"), ("b", "say it")],
        "tale": [("1", "say it")],
    }
    assert found.rows == 3
    assert all(one.references == () and one.inputs == {} for rows in found.tasks.values() for one in rows)
    stored = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert sorted(path.name for path in stored) == ["index.json", "tale.jsonl", "toy.jsonl"]
    assert all(b"LABEL" not in path.read_bytes() for path in stored)


def test_publishing_the_same_rows_again_writes_nothing(artifacts: Artifacts, tmp_path: Path) -> None:
    rows = {"toy": [row("a"), row("b")]}
    write_expected(artifacts, "test", rows)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "store" / "rows").rglob("*")}
    write_expected(artifacts, "test", {"toy": [row("b"), row("a")]})
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "store" / "rows").rglob("*")} == before
    first = read_expected(artifacts, "test")
    write_expected(artifacts, "test", {"toy": [row("a"), row("b", "other")]})
    second = read_expected(artifacts, "test")
    assert first is not None
    assert second is not None
    assert first.sha256 != second.sha256


def test_rows_that_are_not_those_of_the_index_are_refused(artifacts: Artifacts, tmp_path: Path) -> None:
    write_expected(artifacts, "test", {"toy": [row("a")]})
    path = tmp_path / "store" / "rows" / "test" / "toy.jsonl"
    path.write_text(path.read_text().replace("say", "sing"))
    with pytest.raises(StoreError, match="are not what their index says"):
        read_expected(artifacts, "test")


@settings(max_examples=40, deadline=None)
@given(
    texts=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        max_size=6,
    )
)
def test_any_ids_and_prompts_come_back(texts: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("rows")
    artifacts = Artifacts(str(folder), folder)
    write_expected(artifacts, "dev", {"toy": [row(name, prompt) for name, prompt in texts.items()]})
    found = read_expected(artifacts, "dev")
    assert found is not None
    assert {one.id: one.prompt for one in found.tasks["toy"]} == texts
