"""The other views of the static board, and the picture of reward against naturalness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from grue.core.run import ScoreValue, TaskScore
from leaderboard_site.collect import collect
from leaderboard_site.export import build_board
from leaderboard_site.pages.board_entries import BoardEntries
from leaderboard_site.pages.pictures import Picture
from leaderboard_site.pages.reward import reward_picture, reward_pictures
from leaderboard_site.scatter import MOST_NUMBERS, MOST_POINTS, Point, scatter, worth_drawing
from leaderboard_site.tables import export_board
from tests.site.fake_runs import FakeTask, write_run


def _task(reward: float | None, natural: float | None, name: str = "bleu") -> FakeTask:
    none = ScoreValue.none("not computed")
    return FakeTask(
        {"sacrebleu": 20.0},
        rewards={} if reward is None else {name: reward},
        standing=TaskScore(
            quality=none, naturalness=none if natural is None else ScoreValue(natural, None, "no interval")
        ),
    )


def _picture(folder: Path, runs: Mapping[str, Mapping[str, FakeTask]]) -> tuple[Picture | None, tuple[Picture, ...]]:
    from grue.comparison.standings import rank_board
    from grue.comparison.standings_settings import settings
    from leaderboard_site.cards import card

    for number, (name, tasks) in enumerate(runs.items()):
        write_run(folder, f"R{number}", name, tasks, source=name)
    found = collect([folder])
    assert found.skipped == ()
    data = rank_board(settings(found.runs)[0], ["wmt16", "imdb"])
    entries = BoardEntries(data, {name: card(name) for name in data.tasks}, lambda _: None)
    return reward_picture(entries, entries.ranked), reward_pictures(entries, entries.ranked)


def _gamed(picture: Picture | None) -> set[str]:
    assert picture is not None
    assert picture.plot is not None
    named = {row.name for row in picture.rows if row.is_alarm}
    assert {point.title for point in picture.plot.points if point.is_alarm} == named
    return named


@pytest.mark.parametrize(
    ("runs", "gamed"),
    [
        # Reward and naturalness of each run; the medians are beside each case.
        ({"a": (0.5, 90), "b": (0.6, 88), "c": (0.9, 50)}, {"c"}),  # 0.6, 88
        ({"a": (0.5, 90), "b": (0.6, 88), "c": (0.9, 74)}, set()),  # 74 is 14 below 88
        ({"a": (0.5, 90), "b": (0.6, 88), "c": (0.9, 73)}, {"c"}),  # 15 below
        ({"a": (0.5, 20), "b": (0.6, 88), "c": (0.9, 90)}, set()),  # low, and no reward for it
        ({"a": (0.9, 90), "b": (0.9, 20), "c": (0.9, 90)}, set()),  # none earns more than the median
        ({"a": (0.1, 90), "b": (0.9, 20)}, set()),  # of two no median tells
        ({"a": (0.2, 90), "b": (0.3, 80), "c": (0.8, 30), "d": (0.9, 20), "e": (0.1, 85)}, {"c", "d"}),  # 0.3, 80
    ],
)
def test_a_gamed_reward_is_above_the_median_with_texts_far_from_the_references(
    tmp_path: Path, runs: Mapping[str, tuple[float, float]], gamed: set[str]
) -> None:
    picture, each = _picture(tmp_path, {name: {"wmt16": _task(*values)} for name, values in runs.items()})
    assert _gamed(picture) == gamed
    assert [_gamed(one) for one in each] == [gamed]
    assert picture is not None
    for name in gamed:
        assert name in picture.note
        assert name in picture.label


def test_rewards_of_several_tasks_are_means_over_the_same_tasks(tmp_path: Path) -> None:
    picture, each = _picture(
        tmp_path,
        {
            "both": {"wmt16": _task(0.2, 80), "imdb": _task(0.6, 90, "rouge1")},
            "also": {"wmt16": _task(0.4, 70), "imdb": _task(0.8, 60, "rouge1")},
            "one task": {"wmt16": _task(0.9, 10)},
        },
    )
    assert picture is not None
    assert {(row.name, row.against, row.score.text) for row in picture.rows} == {
        ("both", "0.400", "85.0"),  # (0.2 + 0.6) / 2 and (80 + 90) / 2
        ("also", "0.600", "65.0"),  # (0.4 + 0.8) / 2 and (70 + 60) / 2
    }
    assert "Means over 2 tasks" in picture.note
    assert sorted(len(one.rows) for one in each) == [2, 3]


def test_without_rewards_there_is_no_picture_of_them(tmp_path: Path) -> None:
    picture, each = _picture(tmp_path, {name: {"wmt16": _task(None, 80)} for name in "abc"})
    assert picture is None
    assert each == ()


def test_a_large_chart_draws_the_frontier_warnings_and_the_first(tmp_path: Path) -> None:
    points = [Point(number=n, name=f"run {n}", x=100 + n, y=200 - n) for n in range(1, 501)]
    points[400] = Point(number=401, name="best", x=50, y=999)
    points[450] = Point(number=451, name="gamed", x=300, y=1, is_alarm=True)
    points[460] = Point(number=461, name="pinned", x=310, y=2, is_named=True)
    drawn = worth_drawing(points, more_is_cheaper=False, higher_is_better=True)
    assert len(drawn) == MOST_POINTS
    assert {"best", "gamed", "pinned", "run 1", "run 40"} <= {point.name for point in drawn}
    placed = scatter(drawn, more_is_cheaper=False, higher_is_better=True, places=1)
    labels = [point.label for point in placed.points if point.label]
    assert sorted(labels) == ["best", "gamed", "pinned"]
    assert worth_drawing(points[:MOST_NUMBERS], more_is_cheaper=False, higher_is_better=True) == points[:MOST_NUMBERS]


def test_static_views_hold_naturalness_and_rewards_and_link_each_other(
    scored_site: Any, read_html: Callable[[Path], Any]
) -> None:
    board = scored_site.board
    tabs = read_html(board / "index.html").one("nav", aria_label="View")
    assert tabs.text.split() == ["Quality", "Naturalness", "Reward"]
    natural = read_html(board / "view/naturalness/index.html")
    assert "88.8" in natural.one("table", class_="leaderboard").text
    assert natural.find("a", href="../../index.html")
    reward = read_html(board / "view/reward/index.html")
    assert reward.find("a", href="../../view/naturalness/index.html")
    assert "0.250" in reward.one("table", class_="leaderboard").text
    for path in sorted(board.rglob("index.html")):
        for link in read_html(path).find("a"):
            href = link.attributes["href"].partition("#")[0]
            if href and "://" not in href:
                assert (path.parent / href).exists(), (path, href)


def test_static_and_exported_ranks_agree_in_every_view(scored_site: Any, read_html: Callable[[Path], Any]) -> None:
    rows = export_board(collect([scored_site.runs]).runs).document["rows"]
    wanted = {row["name"]: str(row["rank"] or "–") for row in rows}
    for place in ("index.html", "view/naturalness/index.html", "view/reward/index.html"):
        html = read_html(scored_site.board / place)
        heads = html.find("th", scope="row", class_="stick")
        cells = html.find("td", class_="n rank")
        found = {
            next(name for name in wanted if head.text.strip().startswith(name)): cell.text.split()[0]
            for head, cell in zip(heads, cells, strict=True)
        }
        assert found == wanted


def test_a_board_without_scores_or_rewards_has_one_view(tmp_path: Path, read_html: Callable[[Path], Any]) -> None:
    write_run(tmp_path / "runs", "A", "a", {"wmt16": FakeTask()})
    build_board([tmp_path / "runs"], tmp_path / "board")
    assert not read_html(tmp_path / "board" / "index.html").find("nav", aria_label="View")
    assert not (tmp_path / "board" / "view").exists()
