"""Start-up, interleaved, medians: of the command line against a bare interpreter, to the first row against a script.

The script imports torch and transformers, loads the checkpoint and generates one token; `grue eval` reads rows, hashes
the weights, plans, opens a run directory and stores its first rows besides. Without ``--model`` only the first part
runs. ``--cores 0`` binds every contestant to one core.
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
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

GRUE = "import sys; from grue.cli.main import run; sys.exit(run(sys.argv[1:]))"
COMMANDS = {
    "bare interpreter": ["-c", "pass"],
    "import typer": ["-c", "import typer"],
    "grue --version": ["-c", GRUE, "--version"],
    "grue --help": ["-c", GRUE, "--help"],
    "grue eval --help": ["-c", GRUE, "eval", "--help"],
}
SCRIPT = """
import sys, time
import torch, transformers
tokenizer = transformers.AutoTokenizer.from_pretrained(sys.argv[1])
config = transformers.AutoConfig.from_pretrained(sys.argv[1])
auto = transformers.AutoModelForSeq2SeqLM if config.is_encoder_decoder else transformers.AutoModelForCausalLM
model = auto.from_pretrained(sys.argv[1], dtype=torch.float32)
model.generate(**tokenizer(["generate a sentence with: dog, park, run."], return_tensors="pt"), max_new_tokens=1)
print("first row", time.time())
"""
EVAL = [
    *("eval", "-t", "commongen", "--data", "mini", "-L", "4", "--offline", "--quiet"),
    *("--metrics", "mean_length", "--no-model-metrics", "-g", "num_beams=1,min_new_tokens=1,max_new_tokens=1"),
]


def main() -> None:
    """Print seconds and ratios as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--model", type=Path, help="Checkpoint folder; adds the time to the first row.")
    parser.add_argument("--threads", default="1", help="OMP_NUM_THREADS of every contestant.")
    parser.add_argument("--cores", help="Cores that the contestants may use, such as 0 or 0,1.")
    call = parser.parse_args()
    if call.cores:
        os.sched_setaffinity(0, {int(core) for core in call.cores.split(",")})
    table = {"command": measured({name: _command(words) for name, words in COMMANDS.items()}, call.rounds)}
    if call.model:
        environment = {**os.environ, "OMP_NUM_THREADS": call.threads, "HF_HUB_OFFLINE": "1"}
        with tempfile.TemporaryDirectory() as home:
            table["first row"] = measured(first_row(call.model, environment, home), call.rounds)
    print(json.dumps(table, indent=2))


def first_row(model: Path, environment: Mapping[str, str], kept: str) -> dict[str, Callable[[], float]]:
    """Contestants that give the seconds from the start of a process to its first row; ``kept`` is a GRUE_HOME."""

    def script() -> float:
        begin = time.time()
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(model)], check=True, capture_output=True, text=True, env=environment
        )
        return float(done.stdout.split()[-1]) - begin

    def evaluated(home: str) -> float:
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder, "run")
            begin = time.time()
            subprocess.run(
                [sys.executable, "-c", GRUE, *EVAL, "-m", str(model), "-o", str(run)],
                check=True,
                capture_output=True,
                env={**environment, "GRUE_HOME": home or str(Path(folder, "home"))},
            )
            events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
        stored = next(event["time"] for event in events if event["kind"] == "generated")
        return datetime.fromisoformat(stored).timestamp() - begin

    return {
        "script: import torch and transformers, load, generate": script,
        "grue eval, weights hashed for the first time": lambda: evaluated(""),
        "grue eval, hash of the weights known": lambda: evaluated(kept),
    }


def measured(contestants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, dict[str, float]]:
    """Median seconds of each, and the median over rounds of its ratio to the first in the same round."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            seconds[name].append(contestant())
    first = next(iter(seconds.values()))
    return {
        name: {
            "median_seconds": round(statistics.median(values), 3),
            "ratio": round(statistics.median(value / base for value, base in zip(values, first, strict=True)), 2),
        }
        for name, values in seconds.items()
    }


def _command(words: list[str]) -> Callable[[], float]:
    def run() -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begin

    return run


if __name__ == "__main__":
    main()
