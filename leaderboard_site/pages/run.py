"""A run: result in a sentence, warnings, scores, distributions, facts, how to do it again, files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from grue.comparison.standings import BoardData
from grue.comparison.standings_overall import known
from grue.comparison.standings_runs import CEILING, FLOOR, BoardRun, Score, TaskResult
from grue.runs.validity import Validity
from leaderboard_site.cards import Card
from leaderboard_site.charts import Strip
from leaderboard_site.commands import command
from leaderboard_site.links import Page
from leaderboard_site.numbers import (
    NONE,
    between,
    count,
    decimals,
    number,
    percent,
    plural,
    rate,
)
from leaderboard_site.pages.frame import Fact, Frame, ScoreCell, overall_cell, score_cell
from leaderboard_site.pages.rows import RowNumbers
from leaderboard_site.pages.run_cost import CostTable, cost_table
from leaderboard_site.pages.run_downloads import Download
from leaderboard_site.pages.run_entry import EntryNote, corrected_by, entry_note, successor
from leaderboard_site.pages.run_facts import DecodingRow, decoding, facts, files, machine
from leaderboard_site.pages.run_figures import Figure, LengthRow, figures, length_rows
from leaderboard_site.pages.run_scores import OTHER_NULL_SYSTEMS, Standing, standings
from leaderboard_site.pages.run_submission import SubmittedFacts
from leaderboard_site.pages.run_validity import HEADS, KINDS, TaskSection, sections
from leaderboard_site.pages.run_warnings import Caveat, caveats
from leaderboard_site.pages.standing import RankCell, range_in_words, rank_cell

SCORES_CAPTION = (
    "The shown metric of each task with its 95 % interval; strip from floor to ceiling. Rank with its 95 % range over "
    "resampled rows, and its band."
)
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
    rank: RankCell
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """Page value of ``run.html``."""

    frame: Frame
    name: str
    mark: str
    lead: str
    board: Page
    entry: EntryNote | None
    superseded_by: Page | None
    corrects: tuple[tuple[str, Page, str], ...]
    grue: ScoreCell | None
    naturalness: ScoreCell | None
    warnings: tuple[Caveat, ...]
    caption: str
    scores: tuple[ScoreRow, ...]
    standings: tuple[Standing, ...]
    null_systems: tuple[str, ...]
    odd_kinds: tuple[tuple[str, str], ...]
    validity: tuple[TaskSection, ...]
    suites: tuple[Suite, ...]
    figures: tuple[Figure, ...]
    lengths: tuple[LengthRow, ...]
    facts: tuple[Fact, ...]
    machine: tuple[Fact, ...]
    decoding: tuple[DecodingRow, ...]
    cost: CostTable | None
    command: str
    files: tuple[tuple[str, str, str], ...]
    manifest: str
    downloads: tuple[Download, ...] = ()
    submitted: SubmittedFacts | None = None
    compare: Page | None = None


def run_view(
    run: BoardRun,
    data: BoardData,
    board: Page,
    cards: Mapping[str, Card],
    numbers: Mapping[str, RowNumbers],
    validity: Validity | None,
    *,
    downloads: tuple[Download, ...] = (),
    submitted: SubmittedFacts | None = None,
    compare: Page | None = None,
) -> RunView:
    """The page of one run.

    Args:
        run: The run.
        data: The setting it stands in, ranked.
        board: The board of that setting.
        cards: Task name -> card.
        numbers: Task name -> numbers of its generations.
        validity: Its validity report, where it has one.
        downloads: Its files, as a server hands them out.
        submitted: What is said of it where it was sent in.
        compare: Where it is compared with other runs.
    """
    overall = data.overall_of_run(run.id)
    has_scores = known(overall.grue) or known(overall.naturalness)
    results = [run.tasks[name] for name in data.tasks if name in run.tasks]
    return RunView(
        frame=Frame(Page(kind="run", run=run.id), run.name, "board", Page(kind="json", name=f"runs/{run.id}")),
        name=run.name,
        mark="" if run.is_yardstick else run.mark,
        lead=_lead(run, data),
        board=board,
        entry=entry_note(run, data),
        superseded_by=successor(run, data),
        corrects=corrected_by(run, data),
        grue=overall_cell(overall.grue, lack=overall.lack) if has_scores else None,
        naturalness=overall_cell(overall.naturalness) if has_scores else None,
        warnings=caveats(run, results, cards, validity),
        caption=f"{SCORES_CAPTION} {data.setting.label.capitalize()}.",
        scores=tuple(_score_row(run, result, data, cards[result.name]) for result in results),
        standings=standings(results, cards),
        null_systems=OTHER_NULL_SYSTEMS,
        odd_kinds=tuple((head, KINDS[kind]) for kind, head in HEADS.items()),
        validity=sections(run, validity, results, cards),
        suites=tuple(_suite(result, cards[result.name]) for result in results),
        figures=tuple(figures(results, numbers, cards)),
        lengths=length_rows(results, numbers, cards),
        facts=facts(run),
        machine=machine(run),
        decoding=tuple(decoding(result, cards[result.name]) for result in results),
        cost=cost_table(run, results, data, board, cards),
        command=command(run.manifest.arguments),
        files=files(run),
        manifest=json.dumps(run.stored.manifest, ensure_ascii=False, indent=1),
        downloads=downloads,
        submitted=submitted,
        compare=compare,
    )


def _lead(run: BoardRun, data: BoardData) -> str:
    if run.is_yardstick:
        return _ROLES.get(run.source, "A null system: a yardstick without a model. It is never ranked.")
    if run.superseded is not None:
        return f"Superseded, so without a rank: {run.superseded.reason}"
    ranks = [rank for name in run.tasks if (rank := data.tasks[name].of_run(run.id).rank)]
    n_runs = sum(place.place is not None for place in data.places.values())
    where = data.setting.label
    if not ranks:
        return f"Not ranked on any task, {where}."
    if len(data.places) == 1:
        return f"The only run so far, {where}: {plural(len(ranks), 'task')}."
    place = data.places[data.entry_of[run.id]]
    start = range_in_words(place, n_runs) if place.place else "No rank by GRUE score"
    return (
        f"{start}, {where}: best number on {sum(rank == 1 for rank in ranks)} of "
        f"{plural(len(ranks), 'task')}, mean place {number(place.mean, 1)}."
    )


def _score_row(run: BoardRun, result: TaskResult, data: BoardData, card: Card) -> ScoreRow:
    board = data.tasks[result.name]
    entry = board.of_run(run.id)
    cell = score_cell(entry, board)
    rank = rank_cell(entry, len(board.ranked), f"of {count(len(board.ranked))}")
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
    summary = plural(len(metrics), "metric") + (f", {count(absent)} absent" if absent else "")
    summary += f", {plural(len(result.rewards), 'reward')}" if result.rewards else ""
    return Suite(card.title, summary, metrics, tuple(_metric_row(score) for score in result.rewards.values()))


def _metric_row(score: Score) -> MetricRow:
    places = decimals(score.metric, score.scale)
    interval = NONE
    if score.low is not None and score.high is not None:
        interval = between(score.low, score.high, places)
    return MetricRow(
        score.metric, number(score.value, places), interval, count(score.n), score.signature or "", score.reason or ""
    )
