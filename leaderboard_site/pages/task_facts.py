"""The fact sheet of a task page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grue.comparison.standings_runs import Score, TaskResult
from grue.comparison.standings_task import TaskBoard
from leaderboard_site.cards import Card
from leaderboard_site.numbers import NONE, count
from leaderboard_site.pages.frame import Fact, scale_note


@dataclass(frozen=True, slots=True)
class SignatureRow:
    """A metric of the suite: what it is, and every setting that can change its number.

    Attributes:
        signature: Empty where it is absent, which ``reason`` explains.
    """

    name: str
    role: str
    scale: str
    direction: str
    signature: str
    reason: str


def signatures(board: TaskBoard, result: TaskResult) -> tuple[SignatureRow, ...]:
    """All metrics of the suite, primary ones first."""
    known: dict[str, Score] = {}
    for one in (result, *(entry.result for entry in board.entries.values() if not entry.differs)):
        for name, score in one.scores.items():
            if name not in known or (known[name].signature is None and score.signature):
                known[name] = score
    names = dict.fromkeys([*(name for name in result.primary if name in known), *known])
    return tuple(_signature(name, known[name], is_primary=name in result.primary) for name in names)


def _signature(name: str, score: Score, *, is_primary: bool) -> SignatureRow:
    directions = {True: "higher is better", False: "lower is better", None: "no direction"}
    return SignatureRow(
        name=name,
        role="primary" if is_primary else "",
        scale=scale_note(score.scale) if score.signature else NONE,
        direction=directions[score.higher_is_better] if score.signature else NONE,
        signature=score.signature or "",
        reason="" if score.signature else score.reason or "absent",
    )


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
