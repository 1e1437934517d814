"""The fact sheet of a task page."""

from __future__ import annotations

from collections.abc import Sequence

from grue.comparison.standings_runs import TaskResult
from grue.comparison.standings_task import TaskBoard
from leaderboard_site.cards import Card
from leaderboard_site.numbers import count
from leaderboard_site.pages.frame import Fact


def task_facts(board: TaskBoard, card: Card, result: TaskResult, others: Sequence[str]) -> tuple[Fact, ...]:
    """The fact sheet of a task, from its card and one of its results."""
    found = [Fact("Task", f"{board.task}, version {result.version}")]
    if board.metric:
        shown = next((e.score for e in board.entries.values() if e.score and e.score.value is not None), None)
        found.append(Fact("Metric shown", (shown and shown.signature) or board.metric, is_code=True))
        if board.wanted:
            found.append(Fact("Primary", f"{board.wanted}, absent: {_absence(result, board.wanted)}"))
    if others:
        found.append(Fact("Also", ", ".join(others)))
    generation = result.generation
    if generation.get("max_new_tokens"):
        found.append(Fact("Output", f"up to {generation['max_new_tokens']} new tokens"))
    revision = f" at {result.data.revision[:10]}" if result.data.revision else ""
    found.append(
        Fact(
            "Data", f"{result.data.id or result.data.source}{revision}, {result.split}, {count(result.data.rows)} rows"
        )
    )
    found.append(Fact("Data hash", result.data.sha256[:16], is_code=True))
    if card.language:
        found.append(Fact("Language", card.language))
    if card.licence:
        found.append(Fact("Licence", card.licence))
    if card.citation:
        found.append(Fact("Cite", card.citation))
    if card.homepage.startswith(("https://", "http://")):
        found.append(Fact("Publisher", card.homepage, href=card.homepage))
    return tuple(found)


def _absence(result: TaskResult, metric: str) -> str:
    score = result.scores.get(metric)
    return (score and score.reason) or "not in the results"
