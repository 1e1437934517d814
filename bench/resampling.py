"""Speed of the statistics: a board of runs resampled with rank intervals, and SacreBLEU's paired bootstrap beside ours.

- ``board``: 1,000 resamples of 50 runs × 7 tasks × 1,000 rows: the interval of every value, the rank interval of every
  run on every task, and over the mean of the tasks with tasks drawn too. Four tasks have a mean of rows, two SacreBLEU,
  one chrF, through grue's own corpus values. Each round is a fresh process on one thread; its peak memory counts all of
  it, interpreter, numpy and data included. Allowed: 2 s, 300 MB.
- ``paired``: BLEU of two systems on 3,000 rows, 1,000 resamples, in interleaved rounds of one process. "Resampling" is
  SacreBLEU's ``_paired_bs_test`` against our paired bootstrap, both from the same statistics to p-value and interval.
  "Whole" starts from texts: SacreBLEU's ``PairedTest`` against our whole comparison, which makes the approximate
  randomisation and the one-sided test besides. Asked for: 10 times and 2 times. Values must be equal, and the p-values
  within five standard errors of the draws.

Seconds are of the processor (``--clock wall`` for the clock on the wall, which a busy machine disturbs). The exit code
is 1 where a figure is missed or values differ.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# Before numpy reads them: every contestant has one thread.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np

SECONDS, MEGABYTES = 2.0, 300
RESAMPLING, WHOLE = 10.0, 2.0
METRICS = ("mean", "mean", "mean", "mean", "sacrebleu", "sacrebleu", "chrf")
STANDARD_ERRORS = 5
WIDTHS = {"sacrebleu": 10, "chrf": 18}
CLOCKS: dict[str, Callable[[], float]] = {"processor": time.process_time, "wall": time.perf_counter}


def main() -> int:
    """Print a table, or JSON; 1 where a figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help="board, paired (default: both)")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--rows", type=int, default=1000, help="rows a task of the board")
    parser.add_argument("--pairs", type=int, default=3000, help="rows of the paired test")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="processor")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one-board", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.parts) - {"board", "paired"}:
        parser.error(f"unknown part {', '.join(sorted(unknown))}: board or paired")
    if given.one_board:
        print(json.dumps(one_board(given)))
        return 0
    parts = given.parts or ["board", "paired"]
    found: dict[str, dict[str, Any]] = {}
    if "board" in parts:
        found["board"] = board(given)
    if "paired" in parts:
        found["paired"] = beside_sacrebleu(given)
    print(json.dumps({"schema_version": 1, **found}, indent=1) if given.json else table(found))
    return int(not all(part["met"] for part in found.values()))


def board(given: argparse.Namespace) -> dict[str, Any]:
    """The rounds of the board, each in a process of its own."""
    words = [sys.executable, str(Path(__file__).resolve()), "--one-board", "--clock", given.clock]
    words += ["--runs", str(given.runs), "--rows", str(given.rows), "--resamples", str(given.resamples)]
    rounds = [
        json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
        for _ in range(given.rounds)
    ]
    seconds = statistics.median(one["seconds"] for one in rounds)
    peak = max(one["peak_megabytes"] for one in rounds)
    return {
        "runs": given.runs,
        "tasks": len(METRICS),
        "rows": given.rows,
        "resamples": given.resamples,
        "seconds": seconds,
        "seconds_range": [min(one["seconds"] for one in rounds), max(one["seconds"] for one in rounds)],
        "peak_megabytes": peak,
        "met": seconds <= SECONDS and peak <= MEGABYTES,
    }


def one_board(given: argparse.Namespace) -> dict[str, float]:
    """Make data, resample them once, and say how long it took and how much memory the process had at most."""
    from grue.stats.bootstrap import bounds
    from grue.stats.rank_intervals import entry_draws, rank_intervals, rank_intervals_over_tasks

    tasks = [columns(name, given.runs, given.rows, seed) for seed, name in enumerate(METRICS)]
    clock = CLOCKS[given.clock]
    start = clock()
    values, draws = [], []
    for seed, task in enumerate(tasks):
        value = np.array([column.value() for column in task])
        drawn = entry_draws(task, n_resamples=given.resamples, seed=seed)
        intervals = [bounds(own, resampled) for own, resampled in zip(value.tolist(), drawn, strict=True)]
        places = rank_intervals(value, drawn, higher_is_better=True)
        if len(intervals) != len(places) or None in intervals:
            raise SystemExit("a run has no interval")
        # Means over tasks need one scale.
        largest = 100.0 if METRICS[seed] in WIDTHS else 1.0
        values.append(value / largest)
        draws.append(drawn / largest)
    rank_intervals_over_tasks(np.array(values), np.array(draws))
    return {"seconds": clock() - start, "peak_megabytes": peak_megabytes()}


def columns(name: str, n_runs: int, n_rows: int, seed: int) -> list[Any]:
    """Statistics of runs of rising quality on the rows of a task."""
    from grue.stats.bootstrap import Column, mean_of

    generator = np.random.default_rng(seed)
    hard = generator.normal(size=n_rows)
    out = []
    for run in range(n_runs):
        quality = 1 / (1 + np.exp(-(hard + run / n_runs + generator.normal(size=n_rows))))
        if name == "mean":
            out.append(Column(np.column_stack((quality, np.ones(n_rows))), mean_of))
            continue
        lengths = generator.integers(8, 40, size=n_rows)
        out.append(Column(counted(name, quality, lengths, generator), metric(name).corpus_value))
    return out


def counted(name: str, quality: Any, lengths: Any, generator: np.random.Generator) -> Any:
    """n-grams as texts of these lengths and this share of hits have them."""
    parts: list[Any] = []
    if name == "sacrebleu":
        totals = [np.maximum(lengths - n, 0) for n in range(4)]
        hits = [generator.binomial(total, quality ** (n + 1)) for n, total in enumerate(totals)]
        parts = [lengths, lengths + generator.integers(-3, 4, size=len(lengths)), *hits, *totals]
    else:
        for n in range(6):
            total = np.maximum(5 * lengths - n, 0)
            parts += [total, total + generator.integers(0, 4, size=len(lengths)), generator.binomial(total, quality)]
    return np.column_stack(parts).astype(np.float64)


def metric(name: str) -> Any:
    """A metric with its default settings."""
    from grue.core.task import MetricSpec
    from grue.metrics.build import build

    return build(MetricSpec(name))


def peak_megabytes() -> float:
    """The most memory this process has had; ``getrusage`` would count its parent's before the start too."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    raise SystemExit("this system does not say how much memory a process had")


def beside_sacrebleu(given: argparse.Namespace) -> dict[str, Any]:
    """SacreBLEU's paired bootstrap and ours, in turns."""
    from sacrebleu.metrics import BLEU
    from sacrebleu.significance import PairedTest, Result, _paired_bs_test

    from grue.core.metric import Texts
    from grue.stats.bootstrap import Column
    from grue.stats.paired import paired
    from grue.stats.paired_bootstrap import paired_bootstrap
    from grue.stats.pairs import pair_of

    references, first, second = texts(given.pairs)

    def statistics_of(predictions: Sequence[str]) -> Any:
        chosen = metric("sacrebleu")
        made = chosen.statistics(Texts(predictions, [[text] for text in references], [{}] * len(predictions)))
        return Column(made, chosen.corpus_value)

    def ours(columns: Sequence[Any]) -> Any:
        return paired(columns[0], columns[1], higher_is_better=True, n_resamples=given.resamples, seed=1)

    def ours_whole() -> Any:
        return ours([statistics_of(first), statistics_of(second)])

    def theirs_whole() -> Any:
        test = PairedTest(
            [("first", first), ("second", second)],
            {"BLEU": BLEU()},
            [references],
            test_type="bs",
            n_samples=given.resamples,
        )
        return test()[1]

    made = [statistics_of(first), statistics_of(second)]
    library = BLEU(references=[references])
    lists = [column.statistics.astype(int).tolist() for column in made]
    known = {"BLEU": (lists[0], Result(library._aggregate_and_compute(lists[0]).score))}
    library._extract_corpus_statistics = lambda *_: lists[1]

    def theirs() -> Any:
        return _paired_bs_test(known, "second", second, None, {"BLEU": library}, given.resamples, seed=2)[1]["BLEU"]

    def ours_resampling() -> Any:
        return paired_bootstrap(pair_of(made[0], made[1]), n_resamples=given.resamples, seed=1)

    contest = {"resampling": (theirs, ours_resampling), "whole": (theirs_whole, ours_whole)}
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in contest}
    clock = CLOCKS[given.clock]
    for number in range(given.rounds + 1):
        for name, sides in contest.items():
            spent = dict.fromkeys((0, 1), 0.0)
            for side in sorted(spent, reverse=bool(number % 2)):
                forget()
                start = clock()
                sides[side]()
                spent[side] = clock() - start
            if number:  # the first round warms imports and the allocator
                seconds[name].append((spent[0], spent[1]))
    reference, result = theirs(), ours(made)
    ratios = {name: statistics.median(them / us for them, us in pairs) for name, pairs in seconds.items()}
    equal = agreement(reference, known["BLEU"][1].score, result, made[1].value(), given.resamples)
    return {
        "rows": given.pairs,
        "resamples": given.resamples,
        **{f"{name}_ratio": ratios[name] for name in contest},
        **{
            f"{name}_seconds": [statistics.median(pair[side] for pair in pairs) for side in (0, 1)]
            for name, pairs in seconds.items()
        },
        **equal,
        "met": ratios["resampling"] >= RESAMPLING and ratios["whole"] >= WHOLE and all(equal["equal"].values()),
    }


def agreement(theirs: Any, their_baseline: float, ours: Any, value: float, resamples: int) -> dict[str, Any]:
    """Whether values are equal, and p-values and interval widths within the error of the draws."""
    p = (theirs.p_value + ours.p_bootstrap) / 2
    error = (2 * p * (1 - p) / resamples) ** 0.5
    return {
        "difference": [theirs.score - their_baseline, ours.difference],
        "p_bootstrap": [theirs.p_value, ours.p_bootstrap],
        "equal": {
            "score": abs(theirs.score - value) < 1e-9,
            "difference": abs(theirs.score - their_baseline - ours.difference) < 1e-9,
            "p": abs(theirs.p_value - ours.p_bootstrap) <= STANDARD_ERRORS * error,
        },
    }


def texts(n_rows: int) -> tuple[list[str], list[str], list[str]]:
    """References, and two systems that get three quarters of the words right, the second a little more often."""
    generator = np.random.default_rng(4)
    words = np.array([f"w{number}" for number in range(20_000)])
    ranks = np.arange(1, len(words) + 1)
    shares = (1 / ranks) / (1 / ranks).sum()
    out: tuple[list[str], list[str], list[str]] = ([], [], [])
    for _ in range(n_rows):
        reference = generator.choice(words, size=generator.integers(8, 40), p=shares)
        out[0].append(" ".join(reference) + ".")
        for side, right in ((1, 0.75), (2, 0.754)):
            wrong = generator.choice(words, size=len(reference), p=shares)
            out[side].append(" ".join(np.where(generator.random(len(reference)) < right, reference, wrong)) + ".")
    return out


def forget() -> None:
    """Empty the caches of texts on both sides, so that no round reads what another one cut."""
    import functools
    import gc

    for thing in gc.get_objects():
        if isinstance(thing, functools._lru_cache_wrapper) and (thing.cache_parameters()["maxsize"] or 2) > 1:
            thing.cache_clear()


def table(found: dict[str, dict[str, Any]]) -> str:
    """The figures in words, each beside what is asked for."""
    lines = []
    if one := found.get("board"):
        low, high = one["seconds_range"]
        lines += [
            f"board: {one['resamples']} resamples of {one['runs']} runs × {one['tasks']} tasks × {one['rows']} rows",
            f"  seconds           {one['seconds']:8.3f}  ({low:.3f} to {high:.3f})   at most {SECONDS:g}",
            f"  peak memory, MB   {one['peak_megabytes']:8.1f}                      at most {MEGABYTES}",
        ]
    if one := found.get("paired"):
        lines.append(f"paired: BLEU on {one['rows']} rows, {one['resamples']} resamples")
        for name, asked in (("resampling", RESAMPLING), ("whole", WHOLE)):
            them, us = one[f"{name}_seconds"]
            ratio = one[f"{name}_ratio"]
            lines.append(f"  {name:<12} sacrebleu {them:7.3f} s, ours {us:7.4f} s: {ratio:6.1f} ×   at least {asked:g}")
        lines += [
            "  difference   sacrebleu {:.6f}, ours {:.6f}".format(*one["difference"]),
            "  p (bootstrap) sacrebleu {:.4f}, ours {:.4f}".format(*one["p_bootstrap"]),
        ]
        wrong = [name for name, is_equal in one["equal"].items() if not is_equal]
        lines.append(f"  differ: {', '.join(wrong)}" if wrong else "  equal within the error of the draws")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
