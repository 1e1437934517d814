"""The JSON documents of the board, in the shapes of the web addresses' contract."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from grue.comparison.bands_of import band_letter
from grue.comparison.standings import NO_RANK, BoardData
from grue.comparison.standings_places import Place
from grue.comparison.standings_runs import BoardRun, Score
from grue.comparison.standings_settings import Setting
from grue.comparison.standings_task import YARDSTICK, Entry, TaskBoard
from grue.runs.validity import Validity
from leaderboard_site.cards import Card
from leaderboard_site.costs import results_of, run_cost
from leaderboard_site.pages.panels import in_order, yardsticks
from leaderboard_site.pages.rows import TaskRows

SCHEMA_VERSION = 1


def dump(document: Mapping[str, Any]) -> str:
    """A document as text, ``schema_version`` first, one newline at the end."""
    return (
        json.dumps({"schema_version": SCHEMA_VERSION, **document}, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    )


def leaderboard(data: BoardData, settings: Sequence[Setting]) -> dict[str, Any]:
    """All runs of a setting, one number a task; the order of ``rows`` is that of the page."""
    rows = [_board_row(data, run) for run in _ordered(data)]
    return {**_head(data.setting, settings), "rows": rows, "next_cursor": None}


def task_leaderboard(board: TaskBoard, data: BoardData, settings: Sequence[Setting]) -> dict[str, Any]:
    """All runs of a task in a setting, with every metric they have."""
    rows = []
    entries = [entry for entry in board.entries.values() if not entry.run.is_yardstick]
    entries += [board.entries[run.id] for run in yardsticks(data.setting) if run.id in board.entries]
    for entry in entries:
        run = entry.run
        scores = {name: _value(score) for name, score in entry.result.scores.items()}
        scores["quality"] = entry.result.standing.quality.to_json()
        scores["naturalness"] = entry.result.standing.naturalness.to_json()
        rows.append({**_who(run), **_rank(entry), "scores": scores, "cost": _cost(run, board.task)})
        if entry.differs:
            rows[-1]["not_ranked"] = f"other {', other '.join(entry.differs)}"
    head = _head(data.setting, settings)
    return {**head, "task": board.task, "metric": board.metric, "rows": rows, "next_cursor": None}


def empty_leaderboard() -> dict[str, Any]:
    """The document of a board without runs."""
    return {"setting": None, "settings": [], "rows": [], "next_cursor": None}


def task_list(boards: Mapping[str, BoardData], cards: Mapping[str, Card]) -> dict[str, Any]:
    """The tasks of the board."""
    listed = []
    for name, data in boards.items():
        card, board = cards[name], data.tasks[name]
        listed.append(
            {
                "name": name,
                "title": card.title,
                "summary": card.summary,
                "language": card.language,
                "licence": card.licence,
                "citation": card.citation,
                "homepage": card.homepage,
                "shows_texts": card.shows_texts,
                "version": board.example.version,
                "setting": data.setting.slug,
                "metric": board.metric,
                "runs": sum(not entry.run.is_yardstick for entry in board.entries.values()),
            }
        )
    return {"tasks": listed}


def run_document(run: BoardRun, validity: Validity | None) -> dict[str, Any]:
    """The object of ``results.json`` with who made it, the manifest and the validity report."""
    published = run.stored.submission.to_json() if run.stored.submission else None
    added = {"name": run.name, "mark": run.mark, "submission": published, "manifest": dict(run.stored.manifest)}
    if (decision := run.superseded) is not None:
        by = {"run_id": decision.new, "reason": decision.reason, "decided_at": decision.decided_at}
        added["superseded_by"] = by
    report = validity.to_json()["tasks"] if validity is not None else None
    return {**run.stored.results, **added, "validity": report}


def samples(run: BoardRun, task: str, rows: TaskRows) -> dict[str, Any]:
    """The generations of one task of a run whose texts may be shown, in id order."""
    listed = [
        {
            "id": row.id,
            "sample": row.sample,
            "prompt": row.prompt,
            "references": list(row.references),
            "prediction": row.prediction,
            "finish_reason": row.finish_reason,
            "scores": dict(row.scores),
            "rewards": dict(row.rewards),
            "explanations": {name: one.to_json() for name, one in row.explanations.items()},
        }
        for row in rows.rows
    ]
    return {"run_id": run.id, "task": task, "rows": listed, "next_cursor": None}


def _head(setting: Setting, settings: Sequence[Setting]) -> dict[str, Any]:
    return {"setting": _setting(setting), "settings": [_setting(other) for other in settings]}


def _setting(setting: Setting) -> dict[str, Any]:
    return {
        "id": setting.slug,
        "label": setting.label,
        "split": setting.split,
        "rows": "whole" if setting.limit is None else setting.limit,
        "profile": setting.profile,
        "mini": setting.is_mini,
        "runs": len(setting.runs),
        "entries": len(setting.entries),
    }


def _ordered(data: BoardData) -> list[BoardRun]:
    return [*in_order(data), *yardsticks(data.setting)]


def _board_row(data: BoardData, run: BoardRun) -> dict[str, Any]:
    place, overall = data.places.get(run.id), data.overall[run.id]
    grue = {**overall.grue.to_json(), **({} if overall.sd is None else {"sd": overall.sd})}
    scores: dict[str, Any] = {"grue": grue, "naturalness": overall.naturalness.to_json()}
    for name, board in data.tasks.items():
        entry = board.entries.get(run.id)
        if entry:
            scores[name] = {"metric": board.metric, **_entry(entry)}
    nowhere = YARDSTICK if run.is_yardstick else NO_RANK
    rank = _rank(place, overall.lack or (nowhere if place is None else ""))
    order = {"mean_place": place.mean if place else None, **_first_share(data, run)}
    return {**_who(run), **rank, **order, "scores": scores, "cost": _cost(run)}


def _first_share(data: BoardData, run: BoardRun) -> dict[str, Any]:
    """How often the entry is first over random weightings of the primary metrics."""
    weighed = data.robustness
    if weighed is None or run.id not in {**weighed.shares, **weighed.left_out}:
        return {}
    lacking = weighed.left_out.get(run.id)
    why = {"first_share_reason": f"lacks {lacking}"} if lacking else {}
    return {"first_share": weighed.shares.get(run.id), **why}


def _entry(entry: Entry) -> dict[str, Any]:
    value = _value(entry.score) if entry.score else {"value": None, "ci95": None, "reason": entry.result.error}
    standing = entry.result.standing
    beside = {"quality": standing.quality.to_json(), "naturalness": standing.naturalness.to_json()}
    return {**value, **_rank(entry), **beside}


def _who(run: BoardRun) -> dict[str, Any]:
    """Who stands here; an entry of several runs lists them, and has the id of the earliest."""
    who = {"run_id": run.id, "name": run.name, "mark": run.mark, "yardstick": run.is_yardstick}
    runs = [{"run_id": single.id, "seed": single.manifest.seed} for single in run.singles]
    return {**who, "seeds": len(run.seeds), "runs": runs}


def _rank(standing: Place | Entry | None, reason: str = "") -> dict[str, Any]:
    """Rank, its 95 % interval and the band's letter; a ``rank_reason`` where one of them is missing."""
    if standing is None:
        return {"rank": None, "rank_ci95": None, "band": None, "rank_reason": reason}
    rank = standing.place if isinstance(standing, Place) else standing.rank
    interval = list(standing.rank_ci95) if standing.rank_ci95 else None
    found = {"rank": rank, "rank_ci95": interval, "band": band_letter(standing.band) if standing.band else None}
    why = reason if rank is None and reason else standing.reason
    return {**found, "rank_reason": why} if None in found.values() else found


def _value(score: Score) -> dict[str, Any]:
    bounds = None if score.low is None or score.high is None else [score.low, score.high]
    value: dict[str, Any] = {"value": score.value, "ci95": bounds}
    if score.reason:
        value["reason"] = score.reason
    return value if score.sd is None else {**value, "sd": score.sd, "seeds": score.seeds}


def _cost(run: BoardRun, task: str = "") -> dict[str, Any]:
    """What a run cost; of an entry of several, the mean of its runs."""
    results = results_of(run, [task] if task else run.tasks)
    tokens = sum(n for result in results if (n := result.cost.generated_tokens))
    return {
        "wall_seconds": sum(result.cost.wall_seconds or 0.0 for result in results) / len(run.singles),
        "generated_tokens": round(tokens / len(run.singles)) or None,
        **run_cost(run, results).to_json(),
    }
