"""One generation as text: prompt, references, prediction, scores, and what differs from another run's prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grue.comparison.numbers import signed
from grue.comparison.standings_runs import TaskResult
from grue.comparison.word_diff import Piece, word_diff
from leaderboard_site.links import Page
from leaderboard_site.numbers import count, decimals, number, plural
from leaderboard_site.pages.explained import Why, why
from leaderboard_site.pages.rows import SampleRow

LONG_PROMPT = 600  # letters above which a prompt folds
FOLD_AT = 350
REWARD_PLACES = 3
SCORES_SHOWN = 5  # lines before the others fold
FINISH_WORDS = {"length": "length (cut)"}


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """A score of a row; ``change`` is its distance from the other run's, ``way`` says ``up`` or ``down``."""

    name: str
    value: str
    change: str = ""
    way: str = ""


@dataclass(frozen=True, slots=True)
class DiffText:
    """Two predictions, the words that the other lacks marked; ``reason`` where there is nothing to compare."""

    ours: tuple[Piece, ...] = ()
    theirs: tuple[Piece, ...] = ()
    is_same: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One generation as text.

    Attributes:
        rest: The folded part of a long prompt.
        scores: The first scores, and how the output ended; ``more`` are the others, which fold.
        link: The page of this row alone; ``None`` where its anchor is all there is.
        diff: Against the prediction of another run.
    """

    anchor: str
    id: str
    number: str
    prompt: str | None
    rest: str
    rest_letters: str
    references: tuple[str, ...]
    prediction: str
    scores: tuple[ScoreLine, ...]
    more: tuple[ScoreLine, ...]
    rewards: tuple[ScoreLine, ...]
    why: Why | None
    link: Page | None = None
    diff: DiffText | None = None


@dataclass(frozen=True, slots=True)
class Scales:
    """The names of a task's scores that stand first, and how each is written."""

    first: tuple[str, ...]
    places: Mapping[str, int]
    higher: Mapping[str, bool | None]

    @classmethod
    def of(cls, result: TaskResult, *first: str | None) -> Scales:
        """Those of a task; ``first`` stand first, then its primary metrics."""
        return cls(
            tuple(dict.fromkeys(name for name in (*first, *result.primary) if name)),
            {name: decimals(name, score.scale) for name, score in result.scores.items()},
            {name: score.higher_is_better for name, score in result.scores.items()},
        )


def sample_of(
    row: SampleRow,
    place: int,
    n_rows: int,
    result: TaskResult,
    scales: Scales,
    *,
    shows_texts: bool,
    link: Page | None = None,
    other: SampleRow | None = None,
    is_compared: bool = False,
) -> Sample:
    """A row as its page shows it.

    Args:
        row: The generation.
        place: From 1, in id order.
        n_rows: Generations of the task.
        result: The task.
        scales: How its scores are written.
        shows_texts: Whether prompts and references may be seen.
        link: The page of this row alone.
        other: The same row of another run.
        is_compared: Whether another run is asked for, so that a row that it lacks says so.
    """
    prompt, rest = (row.prompt, "") if shows_texts else (None, "")
    if prompt and len(prompt) > LONG_PROMPT:
        prompt, rest = prompt[:FOLD_AT], prompt[FOLD_AT:]
    scores = _scores(row, scales, other)
    n_shown = len(scores) if len(scores) <= SCORES_SHOWN + 1 else SCORES_SHOWN
    draw = f", sample {row.sample + 1}" if result.samples > 1 else ""
    return Sample(
        anchor=f"row-{place}",
        id=row.id,
        number=f"{count(place)} of {count(n_rows)}{draw}",
        prompt=prompt,
        rest=rest,
        rest_letters=count(len(rest)),
        references=row.references if shows_texts else (),
        prediction=row.prediction,
        scores=(*scores[:n_shown], *_output(row, other)),
        more=tuple(scores[n_shown:]),
        rewards=tuple(_rewards(row, other)),
        # What is missing from a prediction stands in its references.
        why=why(row, result) if shows_texts else None,
        link=link,
        diff=_diff(row, other) if is_compared else None,
    )


def samples_lead(result: TaskResult, metric: str | None, n_rows: int, n_empty: int, n_cut: int) -> str:
    """How many rows there are and how many of them are odd."""
    if not n_rows:
        return "The samples of this task are not published."
    parts = [plural(n_rows, "row" if result.samples == 1 else "generation")]
    score = result.scores.get(metric or "")
    if metric and score and score.value is not None:
        parts[0] += f", {metric} {number(score.value, decimals(metric, score.scale))} over all"
    odd = []
    if n_empty:
        odd.append(f"{count(n_empty)} {'prediction is' if n_empty == 1 else 'predictions are'} empty")
    if n_cut:
        odd.append(f"{count(n_cut)} stopped at the token limit")
    parts.append(", ".join(odd).capitalize() if odd else "No prediction is empty or cut")
    return ". ".join(parts) + "."


def _scores(row: SampleRow, scales: Scales, other: SampleRow | None) -> list[ScoreLine]:
    found = []
    for name in dict.fromkeys([*scales.first, *row.scores]):
        value = row.scores.get(name)
        if value is not None:
            places = scales.places.get(name, decimals(name, None))
            theirs = other.scores.get(name) if other else None
            found.append(_line(name, value, places, theirs, scales.higher.get(name)))
    return found


def _output(row: SampleRow, other: SampleRow | None) -> list[ScoreLine]:
    """How long the output is and how it ended."""
    found = []
    if row.generated_tokens is not None:
        theirs = float(other.generated_tokens) if other and other.generated_tokens is not None else None
        found.append(_line("tokens", row.generated_tokens, 0, theirs, None))
    if row.finish_reason:
        found.append(ScoreLine("finish", FINISH_WORDS.get(row.finish_reason, row.finish_reason)))
    if row.prompt_cut:
        found.append(ScoreLine("prompt", "cut"))
    return found


def _rewards(row: SampleRow, other: SampleRow | None) -> list[ScoreLine]:
    return [
        _line(name, value, REWARD_PLACES, other.rewards.get(name) if other else None, True)
        for name, value in row.rewards.items()
        if value is not None
    ]


def _line(name: str, value: float, places: int, theirs: float | None, higher: bool | None) -> ScoreLine:
    text = number(value, places)
    if theirs is None or value == theirs:
        return ScoreLine(name, text)
    way = "" if higher is None else "up" if (value > theirs) == higher else "down"
    return ScoreLine(name, text, signed(value - theirs, places), way)


def _diff(row: SampleRow, other: SampleRow | None) -> DiffText:
    if other is None:
        return DiffText(reason="The other run does not have this row.")
    if other.prediction == row.prediction:
        return DiffText(is_same=True)
    ours, theirs = word_diff(row.prediction, other.prediction)
    return DiffText(trimmed(ours), trimmed(theirs))


def trimmed(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The pieces with marks on words alone, not on the blanks around them; the text stays as it is."""
    found: list[Piece] = []
    for piece in pieces:
        inner = piece.text.strip()
        if not piece.differs or not inner:
            found.append(Piece(piece.text, False))
            continue
        start = piece.text.index(inner)
        parts = (Piece(piece.text[:start], False), Piece(inner, True), Piece(piece.text[start + len(inner) :], False))
        found += [part for part in parts if part.text]
    return tuple(found)
