"""A reader that leaves early changes no exit code and costs no complaint."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GRUE = [sys.executable, "-m", "grue"]


def closed_early(arguments: list[str], folder: Path) -> tuple[int, bytes]:
    """Exit code and complaints of a command whose standard output nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run([*GRUE, *arguments], stdout=writer, stderr=subprocess.PIPE, cwd=folder, timeout=120)
    finally:
        os.close(writer)
    return done.returncode, done.stderr


@pytest.mark.parametrize("arguments", [["metrics", "list"], ["tasks", "list"], ["tasks", "list", "--json"]])
def test_a_table_or_document_nobody_reads_is_no_fault(arguments: list[str], tmp_path: Path) -> None:
    code, complaints = closed_early(arguments, tmp_path)

    assert code == 0
    assert b"rror" not in complaints


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_the_answer_no_stays_no(extra: list[str], tmp_path: Path) -> None:
    (tmp_path / "faulty.jsonl").write_text('{"task": "commongen", "id": "none", "prediction": 7}\n', encoding="utf-8")

    code, _ = closed_early(["validate", "faulty.jsonl", "-t", "commongen", "--data", "mini", *extra], tmp_path)

    assert code == 1
