"""How much longer `grue eval` takes with a task's whole string suite than with next to no scoring.

Scoring runs beside generation in a process of its own, so with a second core free the whole suite should cost at most
5 % of the wall clock. Rounds are interleaved, the whole command is timed, and the number is the median of the rounds'
own ratios. Generation has one thread. The baseline scores nothing but the mean length.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ALLOWED = 1.05
# Which checkpoint of the workload a task runs on.
TASKS = {"commongen": "seq2seq", "totto": "seq2seq", "wmt16": "seq2seq", "daily_dialog": "causal"}
SIDES = {"whole suite": ["--no-model-metrics"], "generation alone": ["--metrics", "mean_length"]}


def main() -> int:
    """Print a line a task as JSON; 1 where the suite costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--material", type=Path, default=os.environ.get("GRUE_TEST_MATERIAL"), help="holds bench/, data/"
    )
    parser.add_argument("--models", type=Path, help="made by the material's make_models.py; made anew where absent")
    parser.add_argument("-t", "--tasks", default="commongen,daily_dialog")
    parser.add_argument("-L", "--limit", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    if given.material is None:
        parser.error("give --material or set GRUE_TEST_MATERIAL")
    over = False
    with tempfile.TemporaryDirectory() as folder:
        models = given.models or _make_models(Path(given.material), Path(folder) / "models")
        for task in given.tasks.split(","):
            seconds: dict[str, list[float]] = {side: [] for side in SIDES}
            for number in range(given.rounds + 1):
                for side in sorted(SIDES, reverse=bool(number % 2)):
                    spent = _run(
                        models / TASKS[task], task, SIDES[side], given, Path(folder) / f"{task}-{side}-{number}"
                    )
                    if number:  # the first round warms the disk's cache
                        seconds[side].append(spent)
            pairs = zip(seconds["whole suite"], seconds["generation alone"], strict=True)
            ratio = statistics.median(whole / alone for whole, alone in pairs)
            over = over or ratio > ALLOWED
            medians = {side: round(statistics.median(values), 2) for side, values in seconds.items()}
            print(json.dumps({"task": task, "rows": given.limit, **medians, "ratio": round(ratio, 3)}), flush=True)
    return int(over)


def _make_models(material: Path, out: Path) -> Path:
    subprocess.run(
        [sys.executable, str(material / "bench" / "make_models.py"), "--out", str(out)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return out


def _run(model: Path, task: str, flags: list[str], given: argparse.Namespace, out: Path) -> float:
    command = [sys.executable, "-c", "import sys; from grue.cli.main import run; sys.exit(run(sys.argv[1:]))", "eval"]
    command += ["-m", str(model), "-t", task, "--data", str(Path(given.material) / "data"), "-L", str(given.limit)]
    command += ["--device", "cpu", "--offline", "--quiet", "-o", str(out), *flags]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    start = time.perf_counter()
    done = subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode:
        raise SystemExit(done.stderr.decode(errors="replace"))
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
