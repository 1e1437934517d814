"""Gives hostile uploads to the functions that check them, in a process whose memory is bounded.

Run as a program: ``python -m tests.hostile.answering FIRST COUNT [MIB]`` prints a line of JSON for each upload; a
process that dies has not printed its last.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grue.core.errors import GrueError
from grue.core.rows import Row
from grue.engine.resident import peak_resident_bytes
from grue.submissions.check import CheckedUpload, UploadLimits, check_model_folder, check_predictions, check_run_archive
from grue.submissions.expected import Expected
from tests.hostile.inputs import ROWS, hostile_inputs
from tests.hostile.value import Hostile

LIMITS = UploadLimits(file_bytes=64 << 20, unpacked_bytes=32 << 20, model_bytes=128 << 20)
_MEBIBYTE = 1 << 20


def expected_rows() -> Expected:
    """The rows that hostile uploads pretend to answer."""
    tasks = {task: tuple(Row(row, f"say {row}") for row in ids) for task, ids in ROWS.items()}
    return Expected("test", tasks, sum(map(len, tasks.values())), "0" * 64)


def answer(hostile: Hostile, folder: Path, expected: Expected) -> CheckedUpload:
    """What the check says of an upload, in this process: reading is not handed to another."""
    path = hostile.written(folder)
    work = folder / "work"
    work.mkdir()
    if hostile.kind == "predictions":
        return check_predictions(path, expected, LIMITS)
    if hostile.kind == "run":
        return check_run_archive(path, expected, LIMITS, work)
    return check_model_folder(path, LIMITS)


def in_this_process(monkeypatch: Any = None) -> None:
    """Let the readers of archives and checkpoints run here, so that thousands take minutes and not hours."""
    from grue.submissions import child, model_folder, run_archive

    def read(reader: str, request: Mapping[str, Any], bounds: object) -> dict[str, Any]:
        return child.read(reader, request)

    for module in (model_folder, run_archive):
        if monkeypatch is None:
            module.in_child = read  # type: ignore[attr-defined]
        else:
            monkeypatch.setattr(module, "in_child", read)


def _answers(first: int, count: int) -> Iterator[dict[str, Any]]:
    expected = expected_rows()
    for number, hostile in enumerate(hostile_inputs(first + count)):
        if number < first:
            continue
        said: dict[str, Any] = {"number": number, "name": hostile.name}
        print(json.dumps({**said, "begun": True}), flush=True)
        start = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            try:
                checked = answer(hostile, Path(folder), expected)
                said["problems"] = checked.problem_count
                for problem in checked.problems:
                    json.dumps([problem.problem, problem.fix, problem.id], ensure_ascii=False).encode()
                said["texts"] = max((len(problem.problem) for problem in checked.problems), default=0)
            except GrueError as error:
                said["refused"] = str(error)
            except MemoryError:
                said["memory"] = True
            except BaseException as error:  # noqa: BLE001  (whatever it is, it is the finding)
                said["raised"] = f"{type(error).__name__}: {error}"[:300]
        said["seconds"] = round(time.process_time() - start, 3)
        said["is_wrong"] = hostile.is_wrong
        said["mib"] = (peak_resident_bytes() or 0) >> 20
        yield said


if __name__ == "__main__":
    FIRST, COUNT = int(sys.argv[1]), int(sys.argv[2])
    if len(sys.argv) > 3:
        BOUND = int(sys.argv[3]) * _MEBIBYTE
        resource.setrlimit(resource.RLIMIT_AS, (BOUND, BOUND))
    in_this_process()
    for line in _answers(FIRST, COUNT):
        print(json.dumps(line), flush=True)
