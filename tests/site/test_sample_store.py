"""Pages of generations: the same rows as a plain loop over all of them finds."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grue.core.errors import RunDirectoryError
from grue.core.rows import Generation, Row
from grue.runs.read import StoredRun
from grue.runs.tables import parquet_bytes, samples_table
from leaderboard_site.sample_store import SampleQuery, SampleStore

TASK = "task"
# The Kelvin sign and the dotted I have lower cases of another length.
WORDS = st.sampled_from(
    ["river", "River", "HAUS", "Straße", "", " ", "\u212a", "\u0130", "a.b", "%", "\\", '"', "\n", "\U0001f600"]
)
VALUES = st.one_of(st.none(), st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1e300]))


@st.composite
def lines(draw: st.DrawFn) -> list[tuple[Row, Generation, float | None]]:
    found = []
    has_model = draw(st.booleans())
    for at in range(draw(st.integers(0, 12))):
        row = Row(f"{at:02d}", draw(WORDS), tuple(draw(st.lists(WORDS, max_size=2))))
        finish = draw(st.sampled_from(["stop", "length", None]))
        text = draw(WORDS)
        generation = Generation(row.id, 0, text, prompt=row.prompt if has_model else None, finish_reason=finish)
        found.append((row, generation, draw(VALUES)))
    return found


def _stored(folder: Path, rows: list[tuple[Row, Generation, float | None]]) -> StoredRun:
    import numpy as np

    values = np.array([np.nan if value is None else value for _, _, value in rows], dtype=np.float64)
    table = samples_table({row.id: row for row, _, _ in rows}, [one for _, one, _ in rows], {"chrf": values}, {})
    content = parquet_bytes(table)
    (folder / "samples").mkdir(parents=True, exist_ok=True)
    (folder / "samples" / f"{TASK}.parquet").write_bytes(content)
    files = {f"samples/{TASK}.parquet": hashlib.sha256(content).hexdigest()}
    return StoredRun(folder, MappingProxyType({}), {"files": files})


def _by_hand(rows: list[tuple[Row, Generation, float | None]], query: SampleQuery, *, shows_texts: bool) -> list[str]:
    def texts(row: Row, generation: Generation) -> list[str]:
        return [generation.prediction, *((row.prompt, *row.references) if shows_texts else ())]

    kept = []
    for row, generation, value in rows:
        if query.text and not any(query.text.lower() in text.lower() for text in texts(row, generation)):
            continue
        if query.low is not None and (value is None or value < query.low):
            continue
        if query.high is not None and (value is None or value > query.high):
            continue
        if query.finish == "empty" and generation.prediction.strip():
            continue
        if query.finish in ("stop", "length") and generation.finish_reason != query.finish:
            continue
        kept.append((row.id, value))
    if query.sort:
        known = [one for one in kept if one[1] is not None]
        known.sort(key=lambda one: one[1] or 0.0, reverse=query.descending)
        kept = known + [one for one in kept if one[1] is None]
    return [row_id for row_id, _ in kept]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=lines(),
    text=st.sampled_from(["", "river", "haus", "a.b", "%", "\\", '"']),
    bounds=st.tuples(VALUES, VALUES),
    finish=st.sampled_from(["", "stop", "length", "empty"]),
    sort=st.sampled_from(["", "chrf"]),
    descending=st.booleans(),
    shows_texts=st.booleans(),
)
def test_a_query_finds_what_a_loop_over_all_rows_finds(
    tmp_path: Path,
    rows: list[tuple[Row, Generation, float | None]],
    text: str,
    bounds: tuple[float | None, float | None],
    finish: str,
    sort: str,
    descending: bool,
    shows_texts: bool,
) -> None:
    stored, store = _stored(tmp_path, rows), SampleStore()
    query = SampleQuery(
        text=text, metric="chrf", low=bounds[0], high=bounds[1], finish=finish, sort=sort, descending=descending
    )
    expected = _by_hand(rows, query, shows_texts=shows_texts)
    found: list[str] = []
    for number in range(1, max(1, -(-len(expected) // 4)) + 1):
        page = store.page(
            stored,
            TASK,
            SampleQuery(**{**{name: getattr(query, name) for name in SampleQuery.__slots__}, "number": number}),
            shows_texts=shows_texts,
            rows_a_page=4,
        )
        assert (page.n_matches, page.n_rows, page.number) == (len(expected), len(rows), number)
        found += [row.id for row in page.rows]
        if not shows_texts:
            assert all(row.prompt is None and row.references == () for row in page.rows)
    assert found == expected


def test_a_page_brings_the_texts_and_scores_of_its_rows(tmp_path: Path) -> None:
    row = Row("a", "a prompt", ("one", "two"))
    stored = _stored(tmp_path, [(row, Generation("a", 0, "text", prompt=None), 0.25)])
    (found,) = SampleStore().page(stored, TASK, SampleQuery(), shows_texts=True).rows
    assert (found.prompt, found.references, found.prediction) == ("a prompt", ("one", "two"), "text")
    assert found.scores == {"chrf": 0.25}


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    store = SampleStore(kept_bytes=1000)
    for at in range(20):
        rows = [(Row(f"{n}{at}", "p", ()), Generation(f"{n}{at}", 0, "x"), float(n)) for n in range(10)]
        page = store.page(_stored(tmp_path / str(at), rows), TASK, SampleQuery(sort="chrf"), shows_texts=True)
        assert [row.scores["chrf"] for row in page.rows] == [float(n) for n in range(10)]
        assert store._kept._bytes <= 1000


@pytest.mark.parametrize("content", [b"", b"not parquet", b"PAR1" + b"\0" * 64 + b"PAR1"])
def test_a_damaged_file_is_told_as_such(tmp_path: Path, content: bytes) -> None:
    stored = _stored(tmp_path, [(Row("a", "p", ()), Generation("a", 0, "x"), 1.0)])
    (tmp_path / "samples" / f"{TASK}.parquet").write_bytes(content)
    with pytest.raises(RunDirectoryError):
        SampleStore().page(stored, TASK, SampleQuery(), shows_texts=True)
    with pytest.raises(RunDirectoryError):
        SampleStore().columns(stored, TASK)
