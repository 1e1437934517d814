"""Compare the numbers of the two demo checkpoints with the baselines in git; any that moved fails.

Run by `make gate`. A change that is meant to move numbers brings new baselines along: `make gate-baselines`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from grue.cli.main import run

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "gate" / "baselines"
MODELS = ("demo:causal", "demo:seq2seq")


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate, then compare or update; the exit code is the first that is not 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="make what comes out the baselines")
    parser.add_argument("--runs", type=Path, help="folder of finished runs, as `grue demo --out` leaves them")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        for model in MODELS:
            name = model.replace(":", "-")
            folder = (asked.runs or Path(temporary)) / name
            if asked.runs is None:
                code = run(["eval", "-m", model, "-t", "all", "--data", "mini", "-o", str(folder), "--quiet"])
                if code:
                    return code
            call = ["gate", "--baseline", str(FOLDER / f"{name}.json"), "--candidate", str(folder)]
            code = run([*call, "--update-baseline"] if asked.update else [*call, "--config", str(FOLDER / "gate.toml")])
            if code:
                sys.stderr.write("If the numbers are meant to move: make gate-baselines, and commit what it writes.\n")
                return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
