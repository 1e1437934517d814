"""The arithmetic of the tables: ratios of the same round first, then their median."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from generation_contests import CONTESTS, OURS, asked_factor
from generation_values import Result, Round

Measure = Callable[[Result], float | None]
# The contestant that is told what lm-eval's search for a batch size would find.
AUTO = "lmeval-auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Median of the rounds' own ratios, and the smallest and largest of them."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A contestant's line in a table.

    Attributes:
        key: The contestant.
        label: Its name.
        wall_seconds: Median.
        generate_seconds: Median; `None` where it is not known.
        cpu_seconds: Median.
        first_row_seconds: Median; `None` where it is not known.
        tokens_per_second: New tokens by seconds of generation, median.
        wall: Theirs by ours; `None` for ours.
        generate: The same of generation alone.
        cpu: The same of CPU seconds.
        first_row: Ours by theirs, of the time to the first row.
        asked: The factor that `reached` is about.
        reached: Whether it is reached; `None` where none is asked for.
        equal: The fewest rows equal to the reference in any round.
        compared: Rows compared.
        error: Why there is nothing to show.
    """

    key: str
    label: str
    wall_seconds: float | None = None
    generate_seconds: float | None = None
    cpu_seconds: float | None = None
    first_row_seconds: float | None = None
    tokens_per_second: float | None = None
    wall: Ratio | None = None
    generate: Ratio | None = None
    cpu: Ratio | None = None
    first_row: Ratio | None = None
    asked: float | None = None
    reached: bool | None = None
    equal: int | None = None
    compared: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundLine:
    """How far generation is from what the machine can do; medians, ratios of the same round.

    Attributes:
        ratio: Our seconds of generation by the bound's.
        utilisation: Share of the peak that the needed operations reached.
    """

    kind: str
    size: int
    peak_gflops: float
    bandwidth_gbytes: float
    flops_seconds: float
    bandwidth_seconds: float
    generate_seconds: float
    ratio: Ratio
    utilisation: float


def line(rounds: Sequence[Round], key: str, device: str) -> Line:
    """A contestant's line from all rounds of its contest, checkpoint and number of prompts."""
    contest = CONTESTS[rounds[0].contest]
    one = contest.contestants[key]
    results = [round_.results[key] for round_ in rounds if key in round_.results]
    good = [result for result in results if not result.error]
    if not good:
        return Line(key=key, label=one.label, error=results[0].error if results else "did not run")
    asked = contest.first_row if key != OURS and contest.first_row else asked_factor(one, rounds[0].size, device)
    wall = ratio(rounds, key, lambda result: result.wall_seconds)
    generate = ratio(rounds, key, lambda result: result.generate_seconds)
    first_row = ratio(rounds, key, lambda result: result.first_row_seconds, inverse=True)
    judged = first_row if contest.first_row else generate if device == "cuda" else wall
    reached = None
    if asked is not None and judged is not None:
        reached = judged.median <= asked if contest.first_row else judged.median >= asked
    equals = [result.equal for result in good if result.equal is not None]
    return Line(
        key=key,
        label=one.label,
        wall_seconds=_median(result.wall_seconds for result in good),
        generate_seconds=_median(result.generate_seconds for result in good),
        cpu_seconds=_median(result.cpu_seconds for result in good),
        first_row_seconds=_median(result.first_row_seconds for result in good),
        tokens_per_second=_median(_throughput(result) for result in good),
        wall=wall,
        generate=generate,
        cpu=ratio(rounds, key, lambda result: result.cpu_seconds),
        first_row=first_row,
        asked=asked,
        reached=reached,
        equal=min(equals) if equals else None,
        compared=max(result.compared for result in good),
    )


def searched_line(rounds: Sequence[Round], seconds: float) -> Line | None:
    """Wall clock of lm-eval as its users start it: the search, which every start makes, was measured once.

    Args:
        rounds: Of one contest, checkpoint and number of prompts.
        seconds: Of the search.
    """
    told = line(rounds, AUTO, "cpu")
    if told.wall_seconds is None:
        return None
    with_search = [
        (theirs.wall_seconds + seconds) / ours.wall_seconds
        for round_ in rounds
        if (ours := round_.results.get(OURS)) and (theirs := round_.results.get(AUTO))
        if ours.wall_seconds and theirs.wall_seconds
    ]
    wall = _ratio(with_search)
    return Line(
        key=AUTO,
        label="lm-eval `hf`, batch auto, as it is started, with its search",
        wall_seconds=told.wall_seconds + seconds,
        wall=wall,
        asked=told.asked,
        reached=None if wall is None or told.asked is None else wall.median >= told.asked,
    )


def ratio(rounds: Sequence[Round], key: str, measure: Measure, *, inverse: bool = False) -> Ratio | None:
    """Theirs by ours, round by round; `None` for ours and where a side is never known."""
    if key == OURS:
        return None
    values = []
    for round_ in rounds:
        sides = [round_.results.get(name) for name in (OURS, key)]
        ours, theirs = (measure(side) if side is not None and not side.error else None for side in sides)
        if ours and theirs:
            values.append(ours / theirs if inverse else theirs / ours)
    return _ratio(values)


def bound_line(rounds: Sequence[Round]) -> BoundLine | None:
    """Ours against the bound of the same rounds."""
    pairs = []
    for round_ in rounds:
        ours = round_.results.get(OURS)
        if round_.bound is not None and ours is not None and ours.generate_seconds:
            pairs.append((round_.bound, ours.generate_seconds))
    found = _ratio([seconds / bound.seconds for bound, seconds in pairs])
    if found is None:
        return None
    bounds = [bound for bound, _ in pairs]
    return BoundLine(
        kind=rounds[0].kind,
        size=rounds[0].size,
        peak_gflops=statistics.median(bound.peak_flops for bound in bounds) / 1e9,
        bandwidth_gbytes=statistics.median(bound.bandwidth for bound in bounds) / 1e9,
        flops_seconds=statistics.median(bound.flops_seconds for bound in bounds),
        bandwidth_seconds=statistics.median(bound.bandwidth_seconds for bound in bounds),
        generate_seconds=statistics.median(seconds for _, seconds in pairs),
        ratio=found,
        utilisation=statistics.median(bound.flops / seconds / bound.peak_flops for bound, seconds in pairs),
    )


def _throughput(result: Result) -> float | None:
    if not result.new_tokens or not result.generate_seconds:
        return None
    return result.new_tokens / result.generate_seconds


def _ratio(values: Sequence[float]) -> Ratio | None:
    return Ratio(median=statistics.median(values), low=min(values), high=max(values)) if values else None


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
