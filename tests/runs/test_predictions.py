"""Prediction files: every fault at once, the same texts whatever the form."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grue.core.errors import SubmissionError, UsageError
from grue.core.rows import Row
from grue.runs import prediction_lines
from grue.runs.predictions import check, check_predictions, read_predictions, tasks_in

KNOWN = ("toy", "tale", "imdb")
WANTED = {"toy": [Row("r1", "p"), Row("r2", "p")]}
GOOD = [{"task": "toy", "id": "r1", "prediction": "a"}, {"task": "toy", "id": "r2", "prediction": ""}]


def lines(*values: object) -> bytes:
    return "".join(f"{json.dumps(value)}\n" for value in values).encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "predictions.jsonl"


def test_sound_file_is_read_in_id_order(file: Path) -> None:
    file.write_bytes(lines(*reversed(GOOD)))
    found = read_predictions(file, WANTED, KNOWN)
    assert [(g.id, g.sample, g.prediction) for g in found.tasks["toy"]] == [("r1", 0, "a"), ("r2", 0, "")]
    assert found.samples == {"toy": 1}
    assert check(file, WANTED, KNOWN).counts["toy"].empty == 1


def test_several_samples_and_tasks_share_a_file(file: Path) -> None:
    file.write_bytes(
        lines(
            {"task": "toy", "id": "r1", "predictions": ["a", "b"]},
            {"task": "tale", "id": "t", "prediction": "once"},
            {"task": "toy", "id": "r2", "predictions": ["c", "d"]},
        )
    )
    found = read_predictions(file, {**WANTED, "tale": [Row("t", "p")]}, KNOWN)
    assert [(g.id, g.sample) for g in found.tasks["toy"]] == [("r1", 0), ("r1", 1), ("r2", 0), ("r2", 1)]
    assert found.samples == {"toy": 2, "tale": 1}
    assert tasks_in(file) == ("toy", "tale")
    # A task of the file that is not asked for is passed over, and no part of the content.
    alone = read_predictions(file, WANTED, KNOWN)
    file.write_bytes(b"".join(line + b"\n" for line in file.read_bytes().splitlines() if b"tale" not in line))
    assert read_predictions(file, WANTED, KNOWN).sha256 == alone.sha256


def test_hash_is_of_the_content_not_of_the_form(file: Path, tmp_path: Path) -> None:
    file.write_bytes(lines(*GOOD))
    base = read_predictions(file, WANTED, KNOWN).sha256
    other = tmp_path / "other.txt"
    other.write_bytes(b"\r\n".join(json.dumps(dict(reversed(row.items())), indent=None).encode() for row in GOOD[::-1]))
    assert read_predictions(other, WANTED, KNOWN).sha256 == base
    zipped = tmp_path / "p.jsonl.gz"
    zipped.write_bytes(gzip.compress(lines(*GOOD)))
    assert read_predictions(zipped, WANTED, KNOWN).sha256 == base
    file.write_bytes(lines(GOOD[0], {**GOOD[1], "prediction": " "}))
    assert read_predictions(file, WANTED, KNOWN).sha256 != base


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "Malformed JSON"),
        (b"NaN", "Wrong type: the line is a number"),
        (b"[" * 100_000, "Malformed JSON"),
        (b"[1]", "Wrong type: the line is a list"),
        (b"null", "Wrong type: the line is null"),
        (b"", "The line is empty"),
        (b'\xef\xbb\xbf{"task": "toy"}', "byte order mark"),
        (b'{"id": "r1", "prediction": "a"}', "Missing key 'task'"),
        (b'{"task": "toy", "prediction": "a"}', "Missing key 'id'"),
        (b'{"task": "toy", "id": "r1"}', "Missing key 'prediction'"),
        (b'{"task": "toy", "id": "r1", "prediction": "a", "prompt": "p"}', "Extra key 'prompt'"),
        (b'{"task": "toy", "id": "r1", "prediction": "a", "prediction": "b"}', "'prediction' is there twice"),
        (b'{"task": "toy", "id": 7, "prediction": "a"}', "'id' is a number, not text"),
        (b'{"task": "toy", "id": "r1", "prediction": null}', "'prediction' is null, not text"),
        (b'{"task": "toy", "id": "r1", "prediction": {"a": 1}}', "'prediction' is an object, not text"),
        (b'{"task": "toy", "id": "r1", "predictions": "a"}', "'predictions' is text, not a list"),
        (b'{"task": "toy", "id": "r1", "predictions": {}}', "'predictions' is an object, not a list"),
        (b'{"task": "toy", "id": "r1", "predictions": []}', "'predictions' is an empty list"),
        (b'{"task": "toy", "id": "r1", "predictions": ["a", true]}', "predictions[1] is true or false, not text"),
        (b'{"task": "toy", "id": "r1", "prediction": "a", "predictions": ["a"]}', "Both 'prediction' and"),
        (b'{"task": "toi", "id": "r1", "prediction": "a"}', "Unknown task 'toi'. Did you mean 'toy'?"),
        (b'{"task": "toy", "id": "r11", "prediction": "a"}', "Unknown id for toy. Did you mean 'r1'?"),
        (b'{"task": "toy", "id": "r2", "prediction": "a"}', "Repeated id: toy has it on line 1"),
        (b'{"task": "toy", "id": "r1", "prediction": "a\xff"}', "Invalid Unicode: byte 45 of the line is no UTF-8"),
        (b'{"task": "toy", "id": "r1", "prediction": "\\ud800"}', "Invalid Unicode: 'prediction'"),
        (b'{"task": "toy", "id": "r1", "predictions": ["", "\\udfff"]}', "Invalid Unicode: predictions[1]"),
        (b'{"task": "toy", "id": "\\ud800", "prediction": "a"}', "Invalid Unicode: 'id'"),
        (b'{"task": "toy", "id": "r1", "predictions": ["a", "b"]}', "Differing sample counts"),
    ],
)
def test_fault_is_told_with_line_and_fix(file: Path, line: bytes, problem: str) -> None:
    rows = {"toy": [*WANTED["toy"], Row("r3", "p")]}
    others = lines(GOOD[1], {"task": "toy", "id": "r3", "prediction": "a"})
    file.write_bytes(others + line + b"\n" + lines(GOOD[0] if b'"r1"' not in line else GOOD[1]))
    found = [fault for fault in check_predictions(file, rows, KNOWN) if problem in fault.problem]
    assert [fault.line for fault in found] == [3]
    assert found[0].fix
    with pytest.raises(SubmissionError, match="line 3"):
        read_predictions(file, rows, KNOWN)


def test_missing_ids_are_told_without_a_line(file: Path) -> None:
    file.write_bytes(lines(GOOD[0]))
    (fault,) = check_predictions(file, WANTED, KNOWN)
    assert (fault.line, fault.id, fault.problem) == (None, "r2", "Missing id: toy has no line for it.")


def test_row_whose_line_is_faulty_is_not_called_missing_too(file: Path) -> None:
    file.write_bytes(lines(GOOD[0], {**GOOD[1], "prediction": 1}))
    assert [fault.line for fault in check_predictions(file, WANTED, KNOWN)] == [2]
    file.write_bytes(b'{"task": "toy", "id": "r1", "prediction": "\xe4"}\n' + lines({"id": "r2", "prediction": "a"}))
    assert [(fault.line, fault.id) for fault in check_predictions(file, WANTED, KNOWN)] == [(1, "r1"), (2, "r2")]


def test_task_without_a_line_is_one_fault(file: Path) -> None:
    file.write_bytes(lines(*GOOD))
    (fault,) = check_predictions(file, {**WANTED, "tale": [Row("t", "p"), Row("u", "p")]}, KNOWN)
    assert fault.problem == "Task tale has no line."


def test_all_faults_of_one_line_are_told(file: Path) -> None:
    file.write_bytes(lines({"id": 3, "text": "a"}))
    problems = [fault.problem for fault in check_predictions(file, {}, KNOWN)]
    assert problems == [
        "Extra key 'text'.",
        "Missing key 'task'.",
        "Wrong type: 'id' is a number, not text.",
        "Missing key 'prediction'.",
    ]


def test_first_hundred_faults_and_then_a_count(file: Path) -> None:
    rows = {"toy": [Row(f"r{number}", "p") for number in range(300)]}
    file.write_bytes(b"{\n" * 50 + lines({"task": "toy", "id": "r0", "prediction": ""}))
    checked = check(file, rows, KNOWN)
    assert checked.error_count == 50 + 299
    assert len(checked.problems) == 100
    assert [fault.line for fault in checked.problems][:51] == [*range(1, 51), None]
    with pytest.raises(SubmissionError, match="349 faults") as caught:
        read_predictions(file, rows, KNOWN)
    assert "and 249 more" in caught.value.cause


def test_missing_file_and_folder_are_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        check(tmp_path / "none.jsonl", WANTED, KNOWN)
    with pytest.raises(UsageError, match="is a folder"):
        check(tmp_path, WANTED, KNOWN)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("p.jsonl", b"", "The file is empty."),
        ("p.jsonl.gz", gzip.compress(b""), "The file is empty."),
        ("p.jsonl.gz", b"", "named .gz, but is not compressed"),
        ("p.jsonl.gz", lines(*GOOD), "named .gz, but is not compressed"),
        ("p.jsonl.gz", gzip.compress(lines(*GOOD))[:-9], "compressed data is broken"),
        ("p.jsonl.gz", gzip.compress(lines(*GOOD))[:-4] + b"0000", "compressed data is broken"),
        ("p.jsonl.gz", gzip.compress(lines(*GOOD)) + b"rest", "compressed data is broken"),
        ("p.jsonl.gz", b"\x1f\x8b", "compressed data is broken"),
    ],
    # Compressed bytes hold the time: ids made of them would differ between the processes that collect.
    ids=range(8),
)
def test_file_that_is_broken_as_a_whole(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert any(problem in fault.problem for fault in check_predictions(tmp_path / name, WANTED, KNOWN))


def test_too_long_a_line_is_skipped_and_the_next_still_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_lines, "MAX_LINE_BYTES", 100)
    file.write_bytes(lines({**GOOD[0], "prediction": "x" * 350}, GOOD[1], GOOD[0]))
    (fault,) = check_predictions(file, WANTED, KNOWN)
    assert (fault.line, fault.problem) == (1, "The line is longer than 100 bytes.")


def test_compressed_bomb_is_stopped_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_lines, "MAX_FILE_BYTES", 1 << 20)
    monkeypatch.setattr(prediction_lines, "MAX_LINE_BYTES", 1 << 16)
    bomb = tmp_path / "bomb.gz"
    for content in (b" " * (64 << 20), b"\n" * (4 << 20)):
        bomb.write_bytes(gzip.compress(content))
        checked = check(bomb, WANTED, KNOWN)
        assert checked.predictions is None
        assert checked.error_count <= (1 << 20) + 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(
    texts=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=2, max_size=2),
        min_size=1,
        max_size=6,
    ),
    order=st.randoms(use_true_random=False),
    ascii_only=st.booleans(),
)
def test_any_valid_content_comes_back_whole(
    texts: dict[str, list[str]], order: random.Random, ascii_only: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "p.jsonl"
    wanted = {"toy": [Row(row, "p") for row in texts]}
    rows = [{"task": "toy", "id": row, "predictions": values} for row, values in texts.items()]
    order.shuffle(rows)
    path.write_text(
        "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows), encoding="utf-8", newline=""
    )
    found = read_predictions(path, wanted, KNOWN)
    assert {(g.id, g.sample): g.prediction for g in found.tasks["toy"]} == {
        (row, sample): text for row, values in texts.items() for sample, text in enumerate(values)
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(content=st.binary(max_size=200), zipped=st.booleans())
def test_no_bytes_make_the_reader_crash(content: bytes, zipped: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("bytes") / "p.jsonl"
    path.write_bytes(b"\x1f\x8b" + content if zipped else content)
    checked = check(path, WANTED, KNOWN)
    assert checked.predictions is None
    assert checked.error_count >= 1
    for fault in checked.problems:
        fault.problem.encode()
