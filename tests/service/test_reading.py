"""The JSON API: the documents of the static board, by page, with clear refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leaderboard_site.export import build_board
from tests.service.serving import Served

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, board_runs: Path) -> Path:
    """``api/v1`` of the static board of the same runs."""
    out = tmp_path_factory.mktemp("static") / "board"
    build_board([board_runs], out)
    return out / "api" / "v1"


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_leaderboard_is_that_of_the_static_board(board: Served, exported: Path) -> None:
    whole = board.get("/api/v1/leaderboard").json()
    assert whole == _json(exported / "leaderboard.json")
    n_tasks = 0
    for setting in whole["settings"][1:]:
        slug = setting["id"]
        assert board.get(f"/api/v1/leaderboard?setting={slug}").json() == _json(exported / f"leaderboard/{slug}.json")
    for setting in whole["settings"]:
        for path in sorted((exported / "leaderboard" / setting["id"]).glob("*.json")):
            n_tasks += 1
            found = board.get("/api/v1/leaderboard", params={"setting": setting["id"], "task": path.stem})
            assert found.json() == _json(path)
    assert n_tasks > 3


def test_tasks_and_runs_are_those_of_the_static_board(board: Served, exported: Path) -> None:
    assert board.get("/api/v1/tasks").json() == _json(exported / "tasks.json")
    paths = sorted((exported / "runs").glob("*.json"))
    assert len(paths) > 3
    for path in paths:
        assert board.get(f"/api/v1/runs/{path.stem}").json() == _json(path)


def test_samples_are_those_of_the_static_board_and_no_others(board: Served, exported: Path, board_runs: Path) -> None:
    shown = {(path.parent.parent.name, path.stem): path for path in exported.glob("runs/*/samples/*.json")}
    found = sorted((path.parent.parent.name, path.stem) for path in board_runs.glob("*/samples/*.parquet"))
    hidden = [key for key in found if key not in shown]
    assert shown
    for (run, task), path in shown.items():
        assert board.get(f"/api/v1/runs/{run}/samples/{task}?limit=1000").json() == _json(path)
    answers = {board.get(f"/api/v1/runs/{run}/samples/{task}").status_code for run, task in hidden}
    assert answers <= {403, 404}
    assert 403 in answers


def test_pages_by_cursor_hold_each_row_once(board: Served, exported: Path) -> None:
    whole = _json(exported / "leaderboard.json")["rows"]
    rows, cursor, n_pages = [], None, 0
    while cursor is not None or not n_pages:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        part = board.get("/api/v1/leaderboard", params=params).json()
        assert len(part["rows"]) <= 2
        rows += part["rows"]
        cursor, n_pages = part["next_cursor"], n_pages + 1
    assert rows == whole
    assert n_pages == -(-len(whole) // 2)


def test_samples_by_cursor_hold_each_row_once(board: Served, exported: Path) -> None:
    path = next(iter(sorted(exported.glob("runs/*/samples/*.json"))))
    address = f"/api/v1/runs/{path.parent.parent.name}/samples/{path.stem}"
    rows, params = [], {"limit": "3"}
    while True:
        part = board.get(address, params=params).json()
        rows += part["rows"]
        if part["next_cursor"] is None:
            break
        # Another limit on the way changes nothing: no row is passed over.
        params = {"limit": "5", "cursor": part["next_cursor"]}
    assert rows == _json(path)["rows"]


def test_a_task_is_ranked_by_the_metric_asked_for(board: Served) -> None:
    plain = board.get("/api/v1/leaderboard", params={"task": "wmt16"}).json()
    names = {name for row in plain["rows"] for name, score in row["scores"].items() if score["value"] is not None}
    metric = "chrf"
    assert metric in names
    assert plain["metric"] != metric
    found = board.get("/api/v1/leaderboard", params={"task": "wmt16", "metric": metric}).json()
    assert found["metric"] == metric
    ranked = [row["scores"][metric]["value"] for row in found["rows"] if row["rank"]]
    assert len(ranked) > 1
    assert ranked == sorted(ranked, reverse=True)


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/api/v1/leaderboard?setting=nowhere", 422, "setting"),
        ("/api/v1/leaderboard?task=nothing", 422, "task"),
        ("/api/v1/leaderboard?task=wmt16&metric=nothing", 422, "metric"),
        ("/api/v1/leaderboard?metric=chrf", 422, "name the task"),
        ("/api/v1/leaderboard?limit=1001", 422, "limit"),
        ("/api/v1/leaderboard?limit=0", 422, "limit"),
        ("/api/v1/leaderboard?limit=many", 422, "limit"),
        ("/api/v1/leaderboard?cursor=%E2%82%AC", 422, "next_cursor"),
        ("/api/v1/leaderboard?cursor=AAAA", 422, "next_cursor"),
        ("/api/v1/runs/NONE", 404, "not public"),
        ("/api/v1/runs/NONE/samples/wmt16", 404, "not public"),
        ("/api/v1/runs/01CAUSAL/samples/nothing", 404, "no task"),
        ("/api/v1/nothing", 404, ""),
    ],
)
def test_what_is_not_there_is_said_as_a_problem(board: Served, address: str, status: int, said: str) -> None:
    # A browser too gets a document below the API.
    found = board.get(address, headers={"Accept": "text/html"})
    document = found.json()
    assert (found.status_code, found.headers["content-type"]) == (status, PROBLEM)
    assert document["status"] == status
    assert document["title"]
    assert said in document["detail"]
    assert document["request_id"] == found.headers["x-request-id"]


def test_the_queue_of_an_idle_board_is_empty(board: Served) -> None:
    assert board.get("/api/v1/queue").json() == {"schema_version": 1, "workers": [], "jobs": []}
