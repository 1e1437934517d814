"""Writes `docs/performance.md` from measured rounds."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from generation_auto_batch import AutoBatch
from generation_contests import CONTESTS, OURS, Contest
from generation_figures import AUTO, BoundLine, Line, Ratio, bound_line, line, searched_line
from generation_values import Round, Setting

KIND_NAMES = {"causal": "causal (GPT-2-like)", "seq2seq": "encoder-decoder (T5-like)"}
QUICK = "**A quick run: it shows that the bench works. None of its figures is to be quoted.**\n"
METHOD = """## How to read this

- Every contestant is a fresh process with the same checkpoint, prompts, bound of new tokens, number type and threads.
  A round runs each of them once, in turn, and the order turns from round to round. A factor is the median of the
  rounds' own ratios, theirs by ours, so that a slow minute of the machine hits both sides; the range stands behind it.
- *Wall clock* goes from process start to the process's end with its results on disk: imports, loading, generation,
  and, for `grue eval` alone, hashing weights, scoring, validity report and tables. Peers write one file of texts.
  *Generation* starts when the model is loaded. *CPU* is user and system time of a process and its children: it changes
  least on a machine that others use too.
- lm-eval is favoured: only its `hf` model type runs, without loading tasks, metrics or results. `batch auto` stands
  twice: told the size that its search finds, and as its users start it, with the search, minutes on a CPU at every
  start, which was measured once and added to each round's wall clock. On encoder-decoder
  checkpoints it gets two things that its users would not give it: the bound of new tokens, which it raises by the
  source's length, and a loaded model that is kept from tying its output matrix to its embeddings, without which it
  writes empty texts here. transformers' continuous batching is given sizes, since it makes none up on a CPU; it does
  decoder-only models.
- We are favoured in one way: `grue eval` scores in a second process, which can use another core. Its CPU seconds count
  it. With `OMP_NUM_THREADS` set nobody computes with more threads than that.
- *Equal* counts rows whose text and number of tokens equal those that `generate` writes for one unpadded prompt at a
  time, the fewest of any round. For sampling it compares the first sample of every row with the run of one sample with
  the same seed. lm-eval is compared by text alone. A factor with unequal outputs is a factor between different works.
- A shared machine varies by a factor of two; the ranges show it, and the load is named. Factors below 1.1 mean little.
"""
BOUND_CAPTION = """*Arithmetic* is what the workload needs by the speed of a large matrix product, measured in the
same round with the same threads: twice the matrix weights that each token passes (prompt tokens all but the head;
each new token the head, and all but a row's last one the rest; in an encoder-decoder model sources pass the encoder
and the cross-attention's keys and values, new tokens the decoder), and 4 x width for each pair of positions and layer
of attention. *Reading* is the bytes of weights, once for the prompts and once for each step of the longest row (there
can be no fewer steps), by the speed of a large read. The bound is the larger; nothing that computes the same outputs
on this machine is faster. *Utilisation* is needed arithmetic by time and peak.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What stands above the tables.

    Attributes:
        command: What was typed.
        machine: Name -> words.
        versions: Name -> version.
        searches: What lm-eval's search for a batch size found.
        load: Load of the machine at the end of the run.
        is_quick: Not to be quoted.
    """

    command: str
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    load: float
    is_quick: bool
    searches: Sequence[AutoBatch] = ()


def page(rounds: Sequence[Round], setting: Setting, facts: Facts, now: datetime | None = None) -> str:
    """The whole page as Markdown."""
    parts = ["# Performance\n", _origin(facts, setting, now or datetime.now(UTC)), METHOD]
    units = _units(rounds)
    for name, contest in CONTESTS.items():
        tables = [_table(unit, contest, setting.device, facts.searches) for unit in units if unit[0].contest == name]
        if tables:
            parts += [f"## {contest.title}\n", *tables]
    bounds = [found for unit in units if CONTESTS[unit[0].contest].has_bound and (found := bound_line(unit))]
    if bounds:
        parts.append(_bound_table(bounds))
    if setting.device == "cuda" and importlib.util.find_spec("vllm") is None:
        parts.append("vLLM is not installed here and did not take part.\n")
    return "\n".join(parts)


def lines_of(unit: Sequence[Round], device: str) -> list[Line]:
    """The lines of one table."""
    keys = dict.fromkeys(key for round_ in unit for key in round_.results)
    return [line(unit, key, device) for key in CONTESTS[unit[0].contest].contestants if key in keys]


def _units(rounds: Sequence[Round]) -> list[list[Round]]:
    units: dict[tuple[str, str, int], list[Round]] = {}
    for round_ in rounds:
        units.setdefault((round_.contest, round_.kind, round_.size), []).append(round_)
    return [units[key] for key in sorted(units)]


def _origin(facts: Facts, setting: Setting, now: datetime) -> str:
    told = {
        "Made by": f"`{facts.command}`",
        "Finished": f"{now:%Y-%m-%d %H:%M} UTC, load of the machine then {facts.load:.1f}",
        **{name.capitalize() if name.islower() else name: text for name, text in facts.machine.items()},
        "Versions": ", ".join(f"{name} {version}" for name, version in facts.versions.items()),
        "Setting": f"{setting.device}, {setting.dtype}, {setting.threads} "
        f"thread{'s' * (setting.threads != 1)} a contestant, at most {setting.max_new_tokens} new tokens a row",
    }
    if facts.searches:
        told["lm-eval's search for a batch size"] = ", ".join(
            f"{KIND_NAMES[one.kind]} {one.rows} rows after {one.seconds:.0f} s" for one in facts.searches
        )
    lines = "\n".join(f"- {name}: {text}" for name, text in told.items())
    return f"{QUICK if facts.is_quick else ''}\nWritten by the bench's command, never by hand.\n\n{lines}\n"


def _table(unit: Sequence[Round], contest: Contest, device: str, searches: Sequence[AutoBatch]) -> str:
    lines = _with_search(lines_of(unit, device), unit, device, searches)
    n_rounds, size = len(unit), unit[0].size
    prompts = "1 prompt" if size == 1 else f"{size:,} prompts"
    head = f"### {KIND_NAMES[unit[0].kind]}, {prompts}, {n_rounds} round{'s' * (n_rounds != 1)}\n"
    if contest.first_row:
        columns = ("contestant", "first row s", "ours by theirs", "at most", "met", "wall s", "equal")
        rows = [_startup_cells(one) for one in lines]
    else:
        columns = (
            "contestant", "wall s", "generation s", "CPU s", "new tokens/s", "wall: ours is faster by",
            "generation alone", "CPU", "asked", "met", "equal",
        )  # fmt: skip
        rows = [_cells(one) for one in lines]
    failures = [f"- {one.label} failed: {' '.join(one.error.split())[-300:]}" for one in lines if one.error]
    return "\n".join([head, _markdown(columns, rows), *failures, ""])


def _with_search(
    lines: Sequence[Line], unit: Sequence[Round], device: str, searches: Sequence[AutoBatch]
) -> list[Line]:
    """Below the line of batch auto, what its users wait for. On a GPU generation alone is judged."""
    seconds = next((one.seconds for one in searches if one.kind == unit[0].kind), None)
    out: list[Line] = []
    for one in lines:
        out.append(one)
        if one.key == AUTO and seconds is not None and device != "cuda" and (found := searched_line(unit, seconds)):
            out.append(found)
    return out


def _cells(one: Line) -> tuple[str, ...]:
    return (
        one.label, _seconds(one.wall_seconds), _seconds(one.generate_seconds), _seconds(one.cpu_seconds),
        "" if one.tokens_per_second is None else f"{one.tokens_per_second:,.0f}", _factor(one.wall),
        _factor(one.generate), _factor(one.cpu), _asked(one.asked), _met(one), _equal(one),
    )  # fmt: skip


def _startup_cells(one: Line) -> tuple[str, ...]:
    return (
        one.label, _seconds(one.first_row_seconds), _factor(one.first_row), _asked(one.asked), _met(one),
        _seconds(one.wall_seconds), _equal(one),
    )  # fmt: skip


def _bound_table(bounds: Sequence[BoundLine]) -> str:
    columns = (
        "checkpoint", "prompts", "peak GFLOP/s", "read GB/s", "arithmetic s", "reading s", "our generation s",
        "our generation by the bound", "utilisation",
    )  # fmt: skip
    rows = [
        (
            KIND_NAMES[one.kind], f"{one.size:,}", f"{one.peak_gflops:,.1f}", f"{one.bandwidth_gbytes:,.1f}",
            _seconds(one.flops_seconds), _seconds(one.bandwidth_seconds), _seconds(one.generate_seconds),
            _factor(one.ratio), f"{100 * one.utilisation:.1f} %",
        )
        for one in bounds
    ]  # fmt: skip
    asked = "At most 2.5 is asked for on the causal workload on a CPU.\n"
    return "\n".join(["## Distance to the machine's bound\n", BOUND_CAPTION, _markdown(columns, rows), "", asked])


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(columns) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows))


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _factor(found: Ratio | None) -> str:
    return "" if found is None else f"{found.median:.2f} ({found.low:.2f}–{found.high:.2f})"


def _asked(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _met(one: Line) -> str:
    return "" if one.reached is None else "yes" if one.reached else "no"


def _equal(one: Line) -> str:
    return "" if one.equal is None else f"{one.equal:,} of {one.compared:,}"


def unequal(rounds: Sequence[Round]) -> list[str]:
    """Where our own outputs differ from the reference, in words."""
    return [
        f"{round_.contest}, {round_.kind}, {round_.size} prompts, round {round_.number}: "
        f"{ours.equal} of {ours.compared} rows equal"
        for round_ in rounds
        if (ours := round_.results.get(OURS)) is not None and ours.equal is not None and ours.equal < ours.compared
    ]
