"""Quality against naturalness: a reward can raise the one and lower the other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from grue.comparison.standings import BoardData
from grue.comparison.standings_runs import BoardRun
from grue.comparison.standings_task import TaskBoard
from grue.core.run import ScoreValue
from leaderboard_site.links import Page
from leaderboard_site.numbers import number, plural
from leaderboard_site.pages.frame import SCORE_PLACES, overall_cell
from leaderboard_site.pages.panels import in_order
from leaderboard_site.pages.pictures import Picture, PictureRow, legend
from leaderboard_site.scatter import Point, scatter, worth_drawing

FEWEST = 2  # points of a picture


def natural_picture(
    data: BoardData, shown: Sequence[BoardRun] | None = None, pins: Collection[str] = ()
) -> Picture | None:
    """GRUE score against naturalness; ``None`` where fewer than two entries have both.

    Args:
        data: The setting, ranked.
        shown: Entries that are drawn, in the order of the board; all where nothing is said.
        pins: Ids of entries that are named.
    """
    found = (
        (run, one.grue, one.naturalness)
        for run in (in_order(data) if shown is None else shown)
        if not (one := data.overall[run.id]).lack and data.by_score
    )
    return _picture(found, "GRUE score against naturalness", "GRUE score", pins)


def natural_picture_of_task(board: TaskBoard, data: BoardData) -> Picture | None:
    """Quality against naturalness on a task."""
    found = (
        (run, entry.result.standing.quality, entry.result.standing.naturalness)
        for run in in_order(data)
        if (entry := board.entries.get(run.id)) and not entry.differs
    )
    return _picture(found, "Quality against naturalness", "Quality")


def _picture(
    found: Iterable[tuple[BoardRun, ScoreValue, ScoreValue]], title: str, quality: str, pins: Collection[str] = ()
) -> Picture | None:
    points: list[Point] = []
    shown: dict[int, tuple[BoardRun, ScoreValue, ScoreValue]] = {}
    for run, score, natural in found:
        if score.value is None or natural.value is None:
            continue
        low, high = score.ci95 or (None, None)
        shown[len(points) + 1] = run, score, natural
        points.append(
            Point(
                number=len(points) + 1, name=run.name, x=natural.value, y=score.value, low=low, high=high,
                is_named=run.id in pins,
            )
        )  # fmt: skip
    if len(points) < FEWEST:
        return None
    drawn = [
        replace(point, is_open=shown[point.number][0].mark != "verified")
        for point in worth_drawing(points, more_is_cheaper=True, higher_is_better=True)
    ]
    plot = scatter(drawn, more_is_cheaper=True, higher_is_better=True, places=SCORE_PLACES, is_linear=True)
    first = set(plot.first)
    names = ", ".join(point.name for point in drawn if point.number in first)
    return Picture(
        title=title,
        name=quality,
        note=(
            "Up is better, right varies and runs as long as the references. High and far left: a metric was pleased "
            "by texts that people do not write. No run lies beyond the dashed line. Bars: 95 % intervals."
            f"{legend(len(points), len(drawn), len(first))}"
        ),
        label=f"{quality} of {plural(len(drawn), 'run')} against naturalness. On the frontier: {names}.",
        plot=plot,
        reason="",
        rows=tuple(
            PictureRow(
                number=str(point.number),
                name=run.name,
                page=Page(kind="run", run=run.id),
                score=overall_cell(score),
                against=number(natural.value, SCORE_PLACES),
                is_first=point.number in first,
            )
            for point in drawn
            for run, score, natural in [shown[point.number]]
        ),
        across="naturalness, 100 as the references",
        against="Naturalness",
        unit="0 to 100",
        quality=quality,
    )
