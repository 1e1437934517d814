"""A run: result in a sentence, warnings, scores, distributions, facts, how to do it again, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leaderboard_site.cards import Card
from leaderboard_site.charts import Histogram, Strip, histogram
from leaderboard_site.commands import command
from leaderboard_site.links import Page
from leaderboard_site.numbers import (
    NONE,
    between,
    bytes_,
    count,
    decimals,
    duration,
    moment,
    number,
    percent,
    plural,
    rate,
    size,
)
from leaderboard_site.pages.frame import Frame, score_cell
from leaderboard_site.pages.rows import TaskRows
from leaderboard_site.pages.task import Fact
from leaderboard_site.ranking import BoardData
from leaderboard_site.results import CEILING, FLOOR, BoardRun, Score, TaskResult

_FILES = {
    "manifest.json": "what was run",
    "samples": "generations with their scores",
    "statistics": "what intervals are made from",
    "events.jsonl": "log",
}
_ROLES = {
    FLOOR: "A yardstick: it answers with a reference of another row and marks the floor. It is never ranked.",
    CEILING: "A yardstick: a row's last reference against its others marks the ceiling. It is never ranked.",
}


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """The shown metric of one task."""

    title: str
    task: Page
    samples: Page
    metric: str
    value: str
    reason: str
    interval: str
    strip: Strip | None
    rank: str
    rows: str
    empty: str
    cut: str
    speed: str


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric of the whole suite."""

    name: str
    value: str
    interval: str
    n: str
    signature: str
    reason: str


@dataclass(frozen=True, slots=True)
class Suite:
    """All metrics and rewards of one task, absent ones with their reason."""

    title: str
    summary: str
    metrics: tuple[MetricRow, ...]
    rewards: tuple[MetricRow, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A histogram with its title and how to read it."""

    title: str
    note: str
    label: str
    unit: str
    histogram: Histogram
    is_length: bool


@dataclass(frozen=True, slots=True)
class DecodingRow:
    """How one task was generated."""

    title: str
    new_tokens: str
    method: str
    prompt: str
    time: str
    latency: str
    memory: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """Page value of ``run.html``."""

    frame: Frame
    name: str
    mark: str
    lead: str
    board: Page
    warnings: tuple[tuple[str, Page | None], ...]
    caption: str
    scores: tuple[ScoreRow, ...]
    suites: tuple[Suite, ...]
    figures: tuple[Figure, ...]
    facts: tuple[Fact, ...]
    machine: tuple[Fact, ...]
    decoding: tuple[DecodingRow, ...]
    command: str
    files: tuple[tuple[str, str, str], ...]


def run_view(
    run: BoardRun, data: BoardData, board: Page, cards: Mapping[str, Card], rows: Mapping[str, TaskRows]
) -> RunView:
    """The page of one run.

    Args:
        run: The run.
        data: The setting it stands in, ranked.
        board: The board of that setting.
        cards: Task name -> card.
        rows: Task name -> its generations.
    """
    results = [run.tasks[name] for name in data.tasks if name in run.tasks]
    return RunView(
        frame=Frame(Page(kind="run", run=run.id), run.name, "board", Page(kind="json", name=f"runs/{run.id}")),
        name=run.name,
        mark="" if run.is_yardstick else run.mark,
        lead=_lead(run, data),
        board=board,
        warnings=_warnings(run, results, cards),
        caption=f"The shown metric of each task with its 95 % interval; strip from floor to ceiling. {data.setting.label.capitalize()}.",
        scores=tuple(_score_row(run, result, data, cards[result.name]) for result in results),
        suites=tuple(_suite(result, cards[result.name]) for result in results),
        figures=tuple(_figures(results, rows, cards)),
        facts=_facts(run),
        machine=_machine(run),
        decoding=tuple(_decoding(result, cards[result.name]) for result in results),
        command=command(run.manifest.arguments),
        files=_files(run),
    )


def _lead(run: BoardRun, data: BoardData) -> str:
    if run.is_yardstick:
        return _ROLES.get(run.source, "A null system: a yardstick without a model. It is never ranked.")
    ranks = [entry.rank for board in data.tasks.values() if (entry := board.entries.get(run.id)) and entry.rank]
    n_runs = len(data.setting.ranked)
    where = data.setting.label
    if not ranks:
        return f"Not ranked on any task, {where}."
    if n_runs == 1:
        return f"The only run so far, {where}: {plural(len(ranks), 'task')}."
    place = data.places[run.id]
    return (
        f"Place {place.place} of {n_runs}, {where}: best number on {sum(rank == 1 for rank in ranks)} of "
        f"{plural(len(ranks), 'task')}, mean place {number(place.mean, 1)}."
    )


def _warnings(
    run: BoardRun, results: Sequence[TaskResult], cards: Mapping[str, Card]
) -> tuple[tuple[str, Page | None], ...]:
    found: list[tuple[str, Page | None]] = []
    for result in results:
        title = cards[result.name].title
        worst = Page(kind="samples", run=run.id, task=result.name)
        if result.status != "finished":
            found.append((f"{title}: not finished. {result.error or ''}".strip(), None))
        if result.failed:
            found.append((f"{title}: {plural(result.failed, 'row')} of {count(result.expected)} failed.", None))
        found += [
            (f"{title}: {score.metric} failed: {score.reason}", None)
            for score in result.scores.values()
            if score.failed
        ]
        if run.is_yardstick:
            continue
        repeated = result.scores.get("repetition_rate")
        share = repeated.value / (repeated.scale or 1.0) if repeated and repeated.value is not None else None
        for fraction, limit, text in (
            (result.rates.empty, 0.01, "of outputs are empty."),
            (result.rates.cut_output, 0.05, "of outputs stop at the token limit, so their ends are missing."),
            (share, 0.1, "of outputs repeat a run of four words."),
            (result.rates.cut_prompt, 0.1, "of prompts were cut to fit."),
        ):
            if fraction is not None and fraction >= limit:
                found.append((f"{title}: {percent(fraction)} {text}", worst))
    return tuple(found)


def _score_row(run: BoardRun, result: TaskResult, data: BoardData, card: Card) -> ScoreRow:
    board = data.tasks[result.name]
    entry = board.entries[run.id]
    cell = score_cell(entry, board)
    rank = NONE
    if entry.rank:
        rank = f"{entry.rank} of {len(board.ranked)}"
    return ScoreRow(
        title=card.title,
        task=Page(kind="task", task=result.name),
        samples=Page(kind="samples", run=run.id, task=result.name),
        metric=board.metric or "",
        value=cell.text,
        reason=cell.reason or cell.lack,
        interval=cell.interval if cell.pm else NONE,
        strip=cell.strip,
        rank=rank,
        rows=count(entry.score.n if entry.score else result.scored),
        empty=percent(result.rates.empty),
        cut=percent(result.rates.cut_output),
        speed=rate(result.cost.tokens_per_second),
    )


def _suite(result: TaskResult, card: Card) -> Suite:
    metrics = tuple(_metric_row(score) for score in result.scores.values())
    absent = sum(score.value is None for score in result.scores.values())
    summary = f"{plural(len(metrics), 'metric')}, {count(absent)} absent" if absent else plural(len(metrics), "metric")
    return Suite(card.title, summary, metrics, tuple(_metric_row(score) for score in result.rewards.values()))


def _metric_row(score: Score) -> MetricRow:
    places = decimals(score.metric, score.scale)
    interval = NONE
    if score.low is not None and score.high is not None:
        interval = between(score.low, score.high, places)
    return MetricRow(
        score.metric, number(score.value, places), interval, count(score.n), score.signature or "", score.reason or ""
    )


def _figures(results: Sequence[TaskResult], rows: Mapping[str, TaskRows], cards: Mapping[str, Card]) -> list[Figure]:
    scores, lengths = [], []
    for result in results:
        title, found = cards[result.name].title, rows[result.name]
        if found.metric:
            places = decimals(found.metric, found.scale)
            values = [v for row in found.rows if (v := row.scores.get(found.metric)) is not None]
            drawn = histogram(values, max(places, 1), upper=found.scale if found.scale in (1.0, 100.0) else None)
            if drawn:
                middle = sorted(values)[len(values) // 2]
                zeros = sum(value == 0 for value in values)
                note = f"{plural(drawn.n, 'row')}; median {number(middle, places)}; {count(zeros)} at 0."
                label = f"Histogram of per-sample {found.metric}, {title}"
                scores.append(Figure(f"{found.metric}, {title}", note, label, found.metric, drawn, is_length=False))
        tokens = [float(row.generated_tokens) for row in found.rows if row.generated_tokens is not None]
        limit = result.generation.get("max_new_tokens")
        upper = float(limit) if isinstance(limit, int) else None
        drawn = histogram(tokens, 0, upper=upper)
        if drawn:
            cut = f" {percent(result.rates.cut_output)} stopped there." if result.rates.cut_output else ""
            note = f"Limit {count(limit)}.{cut}" if isinstance(limit, int) else plural(drawn.n, "row")
            label = f"Histogram of output tokens, {title}"
            lengths.append(Figure(f"Output tokens, {title}", note, label, "tokens", drawn, is_length=True))
    return scores + lengths


def _facts(run: BoardRun) -> tuple[Fact, ...]:
    manifest, model = run.manifest, run.manifest.model
    facts = [Fact("Run", run.id, is_code=True), Fact("Model", run.source, is_code=True)]
    if model.revision:
        facts.append(Fact("Revision", model.revision, is_code=True))
    parameters = f"{size(run.parameters)} parameters" if run.parameters is not None else None
    if shape := ", ".join(part for part in (model.architecture, parameters, model.dtype) if part):
        facts.append(Fact("Architecture", shape))
    if model.weights_sha256:
        name = "Predictions" if run.kind == "predictions" else "Weights"
        facts.append(Fact(name, f"sha256:{model.weights_sha256}", is_code=True))
    facts += [
        Fact(name.replace("_", " ").capitalize(), value)
        for name, value in sorted(model.meta.items())
        if name not in ("licence", "license")
    ]
    if run.licence:
        facts.append(Fact("Licence", f"{run.licence}, as declared"))
    facts.append(Fact("Engine", f"{model.engine or 'none'}, seed {manifest.seed}"))
    seconds = sum(result.cost.wall_seconds for result in run.tasks.values())
    facts.append(Fact("Made", f"{moment(run.created_at)}, {duration(seconds)}"))
    commit = manifest.grue.get("commit")
    facts.append(Fact("grue", (manifest.grue.get("version") or "unknown") + (f" at {commit[:10]}" if commit else "")))
    facts.append(Fact("Identity", manifest.identity, is_code=True))
    return tuple(facts)


def _machine(run: BoardRun) -> tuple[Fact, ...]:
    facts = []
    for name, value in run.manifest.environment.items():
        if isinstance(value, Mapping):
            text = ", ".join(f"{key} {item}" for key, item in value.items() if item is not None)
        elif isinstance(value, list):
            text = ", ".join(str(item) for item in value)
        elif value is None:
            continue
        else:
            text = bytes_(value) if name.endswith("_bytes") and isinstance(value, int) else str(value)
        facts.append(Fact(name.removesuffix("_bytes").replace("_", " ").capitalize(), text))
    return tuple(facts)


def _decoding(result: TaskResult, card: Card) -> DecodingRow:
    settings = result.generation

    def value(key: str, otherwise: float) -> float:
        found = settings.get(key)
        return found if isinstance(found, int | float) else otherwise

    if not settings:
        method = "no model ran"
    elif settings.get("do_sample"):
        parts = [f"T {value('temperature', 1.0):g}"]
        parts += [f"top-k {value('top_k', 0):g}"] if value("top_k", 0) else []
        parts += [f"top-p {value('top_p', 1):g}"] if value("top_p", 1) < 1 else []
        method = f"sampling, {', '.join(parts)}"
    else:
        beams = value("num_beams", 1)
        method = f"beam {beams:g}" if beams > 1 else "greedy"
    low, high = value("min_new_tokens", 0), settings.get("max_new_tokens")
    tokens = f"{low:g}–{high}" if low and high else (str(high) if high else NONE)
    truncation = settings.get("truncation")
    cut = truncation if isinstance(truncation, Mapping) else settings
    prompt = NONE
    if cut.get("side") and cut.get("max_tokens"):
        prompt = f"{cut['side']} {cut['max_tokens']}"
    return DecodingRow(
        card.title,
        tokens,
        method,
        prompt,
        duration(result.cost.wall_seconds),
        number(result.cost.latency_ms_p50, 0),
        bytes_(result.cost.peak_memory_bytes),
    )


def _files(run: BoardRun) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (path, next((meaning for start, meaning in _FILES.items() if path.startswith(start)), ""), digest)
        for path, digest in sorted(run.results.files.items())
    )
