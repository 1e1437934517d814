"""Prediction files of strangers: what will be scored, or all that is wrong, in little memory."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from grue.core.errors import UsageError
from grue.submissions.check import TaskCount, UploadLimits, check_predictions
from grue.submissions.expected import Expected
from tests.hostile.inputs import sound_predictions

LIMITS = UploadLimits()
# The peak of this program alone: what getrusage tells begins with that of the process that started it.
MEASURE = """
import sys
from pathlib import Path
from grue.core.rows import Row
from grue.submissions.check import UploadLimits, check_predictions
from grue.submissions.expected import Expected
LIMIT = 1 << 30
rows = tuple(Row(f"r{number}", "p") for number in range(20_000))
expected = Expected("test", {"toy": rows}, 20_000, "")
checked = check_predictions(Path(sys.argv[1]), expected, UploadLimits(file_bytes=LIMIT))
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(checked.problem_count, checked.rows, peak >> 10)
"""


def toy(number: int, text: str = "a word or two") -> dict[str, str]:
    return {"task": "toy", "id": f"r{number}", "prediction": text}


def test_what_will_be_scored_is_counted(expected: Expected, write_lines: Callable[..., Path]) -> None:
    lines = [toy(number) for number in range(6)] + [toy(6, ""), toy(7, " \n")]
    checked = check_predictions(write_lines(*lines), expected, LIMITS)
    assert checked.is_valid
    assert checked.kind == "predictions"
    # Six texts of four words and two without: 24 words in 8 texts.
    assert checked.tasks == {"toy": TaskCount(rows=8, expected=8, empty=2, samples=1, mean_words=3.0)}
    assert checked.rows == 8
    assert checked.first is not None
    task, row, text = checked.first
    assert (task, row.id, row.prompt, text) == ("toy", "r0", "say r0", "a word or two")


def test_several_samples_a_prompt(expected: Expected, write_lines: Callable[..., Path]) -> None:
    lines = [{"task": "tale", "id": row, "predictions": ["one", "two words", ""]} for row in "123"]
    checked = check_predictions(write_lines(*lines), expected, LIMITS)
    assert checked.tasks == {"tale": TaskCount(rows=3, expected=3, empty=3, samples=3, mean_words=1.0)}
    assert checked.first is not None
    assert checked.first[2] == "one"


def test_a_task_that_is_begun_must_be_complete(expected: Expected, write_lines: Callable[..., Path]) -> None:
    checked = check_predictions(write_lines(*[toy(number) for number in range(7)]), expected, LIMITS)
    assert [(one.line, one.id, one.problem) for one in checked.problems] == [
        (None, "r7", "Missing id: toy has no line for it.")
    ]
    assert not checked.is_valid
    assert checked.content_sha256 == ""


def test_a_task_of_another_board_is_told_with_those_of_this_one(
    expected: Expected, write_lines: Callable[..., Path]
) -> None:
    lines = [*(toy(number) for number in range(8)), {"task": "imdb", "id": "1", "prediction": ""}]
    (problem,) = check_predictions(write_lines(*lines), expected, LIMITS).problems
    assert (problem.line, problem.id, problem.problem) == (9, "1", "Unknown task 'imdb'.")
    assert problem.fix == "This board scores: toy, tale."


def test_all_faults_at_once_up_to_a_hundred_and_then_a_count(expected: Expected, tmp_path: Path) -> None:
    path = tmp_path / "p"
    path.write_bytes(b"{\n" * 250 + sound_predictions())
    checked = check_predictions(path, expected, LIMITS)
    assert len(checked.problems) == 100
    assert checked.problem_count == 250
    assert [problem.line for problem in checked.problems] == list(range(1, 101))
    assert all(problem.fix for problem in checked.problems)


def test_a_file_too_large_is_not_read(expected: Expected, tmp_path: Path) -> None:
    path = tmp_path / "p"
    path.write_bytes(sound_predictions())
    (problem,) = check_predictions(path, expected, UploadLimits(file_bytes=100)).problems
    assert problem.problem == "The file has more than 100 bytes."


@pytest.mark.parametrize("body", [b" ", b"\n", b"\0", b"[", b'"'], ids=range(5))
def test_a_bomb_is_read_no_further_than_allowed(expected: Expected, tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "p.gz"
    path.write_bytes(gzip.compress(body * (48 << 20), 1))
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    checked = check_predictions(path, expected, UploadLimits(unpacked_bytes=1 << 18))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not checked.is_valid
    assert most < 32 << 20
    assert any("holds more than 262,144 bytes" in one.problem or one.line == 100 for one in checked.problems)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"task": "toy", "id": 1' + "0" * 5_000 + ', "prediction": ""}', "a number has too many digits"),
        ("9" * 300_000, "a number has too many digits"),
        ("[" * 60_000, "nested too deeply"),
        ('{"a":' * 60_000, "nested too deeply"),
        ('{"task": "toy", "id": "r0", "predictions": [' + "[]," * 120_000 + "[]]}", "more than 100,000 values"),
        ('{"task": "toy", "id": "r0", "predictions": [' + "0," * 120_000 + "0]}", "more than 100,000 values"),
        ("{" + ",".join(f'"k{number}": 1' for number in range(200)) + "}", "The object has 200 keys."),
        ('"' + '\\"' * 2_000_000, "Malformed JSON"),
        ('{"task": "toy", "id": 7' + "7" * 4_000 + ', "prediction": ""}', "Wrong type: 'id' is a number"),
        ("x" * (5 << 20), "longer than 4,194,304 bytes"),
    ],
    ids=range(10),
)
def test_what_would_take_memory_or_time_is_a_fault_of_its_line(
    expected: Expected, tmp_path: Path, line: str, problem: str
) -> None:
    path = tmp_path / "p"
    path.write_bytes(
        b"\n".join([sound_predictions().splitlines()[0], line.encode(), *sound_predictions().splitlines()[1:]])
    )
    tracemalloc.start()
    checked = check_predictions(path, expected, LIMITS)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    found = [one for one in checked.problems if problem in one.problem]
    assert [one.line for one in found] == [2]
    assert checked.problem_count == 1
    assert len(found[0].problem) + len(found[0].fix) < 600
    assert most < 64 << 20


def test_the_content_has_one_hash_whatever_its_form(expected: Expected, tmp_path: Path) -> None:
    lines = sound_predictions().splitlines(keepends=True)
    hashes = set()
    for number in range(4):
        random.Random(number).shuffle(lines)
        path = tmp_path / f"{number}"
        path.write_bytes(gzip.compress(b"".join(lines)) if number % 2 else b"".join(lines))
        hashes.add(check_predictions(path, expected, LIMITS).content_sha256)
    spaced = [
        json.dumps(dict(reversed(json.loads(line).items())), indent=None, separators=(" , ", " : ")) for line in lines
    ]
    (tmp_path / "s").write_text("\n".join(spaced))
    hashes.add(check_predictions(tmp_path / "s", expected, LIMITS).content_sha256)
    assert len(hashes) == 1
    (tmp_path / "o").write_bytes(b"".join(lines).replace(b"once", b"twice", 1))
    assert check_predictions(tmp_path / "o", expected, LIMITS).content_sha256 not in hashes


def test_a_file_that_is_not_there_is_a_wrong_call(expected: Expected, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        check_predictions(tmp_path / "none", expected, LIMITS)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["words", "wide signs", "long lines", "faults"])
def test_two_hundred_megabytes_are_checked_in_a_fraction_of_512(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "p"
    text = {
        "words": "said a word " * 850,
        "wide signs": "\U0001f600" + "a" * 10_200,
        "long lines": "\U0001f600" + "a b " * 1_000_000,
        "faults": "",
    }[kind]
    with path.open("w") as file:
        for number in range(50 if kind == "long lines" else 20_000):
            file.write(
                json.dumps({"task": "toy", "id": f"r{number}", "prediction": text}, ensure_ascii=False)
                + "\n"
                + "{}\n" * (3_400 * (kind == "faults"))
            )
    assert path.stat().st_size > 195_000_000
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    problems, rows, mebibytes = map(int, done.stdout.split())
    assert rows == (50 if kind == "long lines" else 20_000 if kind != "faults" else rows)
    assert (problems == 0) == (kind in ("words", "wide signs"))
    assert mebibytes < 256
