"""Start-up of the command line against a bare interpreter, interleaved, medians."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

CONTESTANTS = {
    "bare interpreter": ["-c", "pass"],
    "import typer": ["-c", "import typer"],
    "grue --version": ["-c", "from grue.cli.main import run; run(['--version'])"],
    "grue --help": ["-c", "from grue.cli.main import run; run(['--help'])"],
    "grue eval --help": ["-c", "from grue.cli.main import run; run(['eval', '--help'])"],
}


def main() -> None:
    """Print seconds and the ratio to the bare interpreter as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    seconds: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    for _ in range(rounds):
        for name, arguments in CONTESTANTS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    bare = medians["bare interpreter"]
    table = {
        name: {"median_seconds": round(value, 3), "ratio": round(value / bare, 1)} for name, value in medians.items()
    }
    print(json.dumps(table, indent=2))


if __name__ == "__main__":
    main()
