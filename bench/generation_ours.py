"""Our contestant: the real `grue eval`, read back from the run directory that it leaves."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from generation_process import ContestantFailedError, Spent, environment, run
from generation_values import Answer, Setting
from generation_workload import TASK_FOLDER, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one run of a contestant gave.

    Attributes:
        spent: Wall clock and CPU of its process.
        answers: Its rows, in file order.
        generate_seconds: Generation alone, where it says so.
        first_row_seconds: From process start to the first row, where it says so.
    """

    spent: Spent
    answers: tuple[Answer, ...]
    generate_seconds: float | None = None
    first_row_seconds: float | None = None


def command(setting: Setting, workload: Workload, flags: Sequence[str], out: Path) -> list[str]:
    """The command that a user types, with the console script of this environment."""
    script = Path(sys.executable).with_name("grue")
    begin = [str(script)] if script.is_file() else [sys.executable, "-m", "grue"]
    return [
        *begin, "--include", str(TASK_FOLDER), "eval", "-m", str(workload.model), "-t", TASK_FOLDER.name,
        "--data", str(workload.data), "--split", "test", "--metrics", "mean_length", "--no-model-metrics",
        "--offline", "--fresh", "--device", setting.device, "--dtype", setting.dtype, "-o", str(out), *flags,
    ]  # fmt: skip


def ours(setting: Setting, workload: Workload, flags: Sequence[str], scratch: Path) -> Taken:
    """Run it once, from nothing.

    Raises:
        ContestantFailedError: where it fails, or where a prompt was cut.
    """
    out, home = scratch / "run", scratch / "home"
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)  # the hash of the weights is computed in every run
    spent = run(command(setting, workload, flags, out), environment(setting.threads, home), scratch / "ours.log")
    times = event_times(out / "events.jsonl")
    return Taken(
        spent=spent,
        answers=samples(out),
        generate_seconds=times["generation_ended"] - times["loaded"],
        first_row_seconds=times["generated"] - spent.began,
    )


def event_times(path: Path) -> dict[str, float]:
    """Kind of event -> seconds since the epoch of the first of its kind."""
    times: dict[str, float] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        times.setdefault(event["kind"], datetime.fromisoformat(event["time"]).timestamp())
    return times


def samples(out: Path) -> tuple[Answer, ...]:
    """The stored generations in the order of the prompts' file, sample by sample."""
    import pyarrow.parquet

    columns = ["id", "sample", "prediction", "raw", "prompt_tokens", "generated_tokens", "prompt_cut"]
    table = pyarrow.parquet.read_table(out / "samples" / f"{TASK_FOLDER.name}.parquet", columns=columns)
    rows = sorted(table.to_pylist(), key=lambda row: (int(row["id"]), row["sample"]))
    cut = sum(bool(row["prompt_cut"]) for row in rows)
    if cut:
        raise ContestantFailedError(f"{cut} prompts were cut: the contestants did not have the same work")
    return tuple(
        Answer(
            text=row["prediction"] if row["raw"] is None else row["raw"],
            n_tokens=row["generated_tokens"],
            prompt_tokens=row["prompt_tokens"],
            sample=row["sample"],
        )
        for row in rows
    )
