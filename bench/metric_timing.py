"""Interleaved rounds of two contestants in one process, caches of texts emptied before each."""

from __future__ import annotations

import functools
import gc
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# What both sides may keep of texts between calls; loaded data and compiled patterns (one value a function) stay.
_OF = ("grue", "sacrebleu", "rouge_score", "nltk", "pycocoevalcap", "metric_", "__main__")


@dataclass(frozen=True, slots=True)
class Pair:
    """Medians of one comparison.

    Attributes:
        ours: Seconds a round.
        theirs: Seconds a round.
        ratio: Median of the rounds' own ratios, theirs by ours.
        low: The smallest of them.
        high: The largest of them.
    """

    ours: float
    theirs: float
    ratio: float
    low: float
    high: float


LOADED = ("_get_punkt_tokenizer",)


def clear_caches() -> int:
    """Empty every ``lru_cache`` of texts on both sides; returns how many there are.

    Those of one value, and NLTK's of sentence models by language, hold loaded data, which stay warm on both sides.
    """
    cleared = 0
    for name, module in list(sys.modules.items()):
        if not name.startswith(_OF) or module is None:
            continue
        for owner in (module, *(value for value in vars(module).values() if isinstance(value, type))):
            for value in list(vars(owner).values()):
                found: Any = getattr(value, "__func__", value)
                if (
                    isinstance(found, functools._lru_cache_wrapper)
                    and found.cache_info().maxsize != 1
                    and found.__name__ not in LOADED
                ):
                    found.cache_clear()
                    cleared += 1
    return cleared


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of one call with cold caches, and what it gave."""
    clear_caches()
    gc.collect()
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def compare(ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int) -> tuple[Pair, Any, Any]:
    """Time both in turns, the order changing from round to round.

    Returns:
        The medians, and what each gave in the last round.
    """
    seconds: tuple[list[float], list[float]] = ([], [])
    results: list[Any] = [None, None]
    # One call each before the clock runs: imports and loaded data are nobody's scoring time.
    results[0], results[1] = ours(), theirs()
    for number in range(rounds):
        for side in (0, 1) if number % 2 else (1, 0):
            spent, results[side] = timed((ours, theirs)[side])
            seconds[side].append(spent)
    ratios = [b / a for a, b in zip(*seconds, strict=True)]
    pair = Pair(*map(statistics.median, seconds), statistics.median(ratios), min(ratios), max(ratios))
    return pair, results[0], results[1]
