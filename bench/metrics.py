"""Metrics side by side with their reference packages: time, and the same values in the same run.

One process, one thread; rounds are interleaved, caches of texts are emptied before each call on both sides, and the
ratio is the median of the rounds' own ratios. `--costs` writes the table that `grue metrics show` reads, `--memory`
streams a million generated pairs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import metric_costs
import metric_references
from metric_families import contests
from metric_suites import suites
from metric_texts import load
from metric_timing import Pair, compare, timed

SUITE_FACTOR = 3
UNIT, PERCENT = 1e-9, 1e-7


def main() -> int:
    """Run what the arguments ask for; 1 where values differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--material", type=Path, default=os.environ.get("GRUE_TEST_MATERIAL"), help="holds data/")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("-L", "--limit", type=int, help="rows a task; default all")
    parser.add_argument("--only", default="", help="only comparisons whose name holds this text")
    parser.add_argument("--suites", action="store_true", help="only the tasks' whole suites")
    parser.add_argument("--families", action="store_true", help="only the families")
    parser.add_argument("--costs", action="store_true", help="write grue/metrics/costs.json and stop")
    parser.add_argument("--memory", type=int, nargs="?", const=1_000_000, help="pairs to stream; and stop")
    parser.add_argument("--memory-metrics", default=metric_costs.MEMORY_METRICS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.memory:
        print(json.dumps(metric_costs.memory(given.memory, given.memory_metrics)))
        return 0
    if given.material is None:
        parser.error("give --material or set GRUE_TEST_MATERIAL")
    material = Path(given.material)
    _punkt(material)
    if given.costs:
        metric_costs.write(material)
        return 0
    rows = []
    for row in _rows(material, given):
        rows.append(row)
        if not given.json:
            _show(row)
    if given.json:
        print(json.dumps(rows, indent=1))
    return int(not all(row.get("equal", True) for row in rows))


def _rows(material: Path, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    if not given.suites:
        for contest in contests(material, given.limit):
            if given.only in contest.name:
                pair, ours, theirs = compare(contest.ours, contest.reference, given.rounds)
                yield _row(contest.name, contest.factor, len(contest.texts), pair, ours, theirs)
        if shutil.which("java") and given.only in "java tokeniser":
            texts = load(material, "commongen", given.limit).texts
            seconds = [timed(lambda: metric_references.java_tokens(texts))[0] for _ in range(given.rounds)]
            yield {
                "name": "(of which: the Java tokeniser alone, with its start)",
                "theirs": sorted(seconds)[len(seconds) // 2],
            }
    if not given.families:
        for name, suite in suites(material, given.limit):
            if given.only in name:
                pair, ours, theirs = compare(suite.ours, suite.reference, given.rounds)
                kept = {key: value for key, value in theirs.items() if suite.is_compared(key)}
                row = _row(name, SUITE_FACTOR, len(suite.given.texts), pair, ours, kept)
                yield {**row, "metrics": len(suite.names), "compared": len(kept)}


def _row(
    name: str, factor: float, n: int, pair: Pair, ours: Mapping[str, float | None], theirs: Mapping[str, float]
) -> dict[str, Any]:
    apart = {key: _apart(ours.get(key), value) for key, value in theirs.items()}
    wrong = [key for key, value in apart.items() if value > (PERCENT if abs(theirs[key]) > 1 else UNIT)]
    measured = {key: round(value, 4) for key, value in asdict(pair).items()}
    row = {"name": name, "texts": n, "asked": factor, **measured, "reached": pair.ratio >= factor}
    return {**row, "largest_difference": max(apart.values(), default=0.0), "equal": not wrong, "different": wrong}


def _apart(ours: float | None, theirs: float) -> float:
    if ours is None:
        return 0.0 if theirs != theirs else float("inf")
    return abs(ours - theirs)


def _punkt(material: Path) -> None:
    import nltk

    nltk.data.path.append(str(material / "nltk_data"))


def _show(row: Mapping[str, Any]) -> None:
    if "ours" not in row:
        print(f"{row['name']:<58} {'':>6} {'':>9} {row['theirs']:>8.3f} s")
        return
    said = "equal" if row["equal"] else f"DIFFERENT {', '.join(row['different'])}"
    print(
        f"{row['name']:<58} {row['texts']:>6} {row['ours']:>8.3f} s {row['theirs']:>8.3f} s "
        f"{row['ratio']:>6.1f}x ({row['low']:.1f}-{row['high']:.1f}; asked {row['asked']}x)  {said}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
