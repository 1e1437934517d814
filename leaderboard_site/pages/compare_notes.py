"""What a comparison says in words: the answer, whether it may be asked, and in what the runs differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grue.comparison.numbers import between, signed
from grue.comparison.standings_runs import BoardRun
from grue.comparison.values import Verdict
from leaderboard_site.cards import Card
from leaderboard_site.comparing import FIELDS, Compared, Unlike
from leaderboard_site.numbers import count

_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Note:
    """Whether a candidate may be compared with the baseline, and in what they differ.

    Attributes:
        run: Name of the candidate.
        lines: Sentences.
        unlike: Task and metric, field, value of the baseline and of the candidate, of what is left out.
        differing: Task, setting, value of the baseline and of the candidate, of what may differ.
    """

    run: str
    title: str
    is_whole: bool
    lines: tuple[str, ...]
    unlike: tuple[tuple[str, str, str, str], ...]
    differing: tuple[tuple[str, str, str, str], ...]


def task_title(cards: Mapping[str, Card], name: str) -> str:
    """The title of a task; its name where there is no card."""
    return cards[name].title if name in cards else name


def lead(runs: Sequence[BoardRun], compared: Sequence[Compared], cards: Mapping[str, Card]) -> str:
    """The answer: on how many tasks each run is better, worse or undecided."""
    sentences = []
    for run, one in zip(runs[1:], compared, strict=True):
        words = _pair_words(one, cards)
        sentences.append(words if len(compared) == 1 else f"{run.name}: {words[:1].lower()}{words[1:]}")
    return " ".join(sentences)


def _pair_words(one: Compared, cards: Mapping[str, Card]) -> str:
    pair = one.pair
    if pair is None:
        return f"Not comparable. {one.reason}"
    if pair.is_equal:
        return "No difference on any task, in any value or row."
    n_tasks = len(pair.tasks)
    parts = []
    for verdict, words in (
        (Verdict.BETTER, "better on"),
        (Verdict.WORSE, "worse on"),
        (Verdict.DIFFERENT, "different on"),
        (Verdict.NONE_SHOWN, "no difference shown on"),
        (Verdict.EQUAL, "equal on"),
    ):
        names = [task_title(cards, name) for name in pair.with_verdict(verdict)]
        if names:
            parts.append(_on(words, names, n_tasks))
    untested = [task_title(cards, task.name) for task in pair.tasks if task.headline is None]
    if untested:
        parts.append(_on("not tested on", untested, n_tasks))
    text = ", ".join(parts)
    score = ""
    if pair.grue.value is not None:
        bounds = f", interval {between(pair.grue.ci95, 1)}" if pair.grue.ci95 else ""
        score = f" GRUE score {signed(pair.grue.value, 1)}{bounds}."
    return f"{text[:1].upper()}{text[1:]}.{score}"


def _on(words: str, names: Sequence[str], n_tasks: int) -> str:
    if len(names) == n_tasks:
        return f"{words} {f'all {count(n_tasks)} tasks' if n_tasks > 1 else names[0]}"
    if len(names) <= 2:
        return f"{words} {' and '.join(names)}"
    return f"{words} {count(len(names))} of {count(n_tasks)} tasks"


def note_of(name: str, one: Compared, cards: Mapping[str, Card], *, is_only: bool) -> Note:
    """Whether a candidate may be compared, and in what it differs from the baseline."""
    lines = []
    n_tasks = len(one.pair.tasks) if one.pair else 0
    who = "" if is_only else f" with {name}"
    if one.pair is None:
        title = f"Not comparable{who}."
        lines.append(one.reason)
    elif one.unlike:
        title = f"Partly comparable{who}."
        lines.append(f"Equal rows, prompts, task versions and metric signatures on {count(n_tasks)} of the tasks.")
    else:
        title = f"Comparable{who}."
        all_of = "the one task" if n_tasks == 1 else f"all {count(n_tasks)} tasks"
        lines.append(f"Same rows, prompts, task versions and metric signatures on {all_of} that both have.")
    if one.unlike and one.pair is not None:
        lines.append(f"Left out for other {', other '.join(dict.fromkeys(FIELDS[x.field] for x in one.unlike))}.")
    for task, reason in one.lacking:
        lines.append(f"{task_title(cards, task)}: {reason}.")
    if one.pair is not None:
        groups = dict.fromkeys(setting.name.split(".")[0] for setting in one.pair.differing)
        lines.append(f"They differ in: {', '.join(groups)}." if groups else "Their settings do not differ.")
    return Note(
        run=name,
        title=title,
        is_whole=one.pair is not None and not one.unlike,
        lines=tuple(lines),
        unlike=tuple(_unlike(x, cards) for x in one.unlike),
        differing=tuple(
            (task_title(cards, x.task) if x.task else "", x.name, x.baseline, x.candidate)
            for x in (one.pair.differing if one.pair else ())
        ),
    )


def _unlike(one: Unlike, cards: Mapping[str, Card]) -> tuple[str, str, str, str]:
    what = " ".join(part for part in (task_title(cards, one.task), one.metric) if part)
    return what, FIELDS[one.field], _short(one.baseline), _short(one.candidate)


def _short(value: str) -> str:
    is_hash = len(value) == 64 and set(value) <= set("0123456789abcdef")
    return f"{value[:_DIGITS]}…" if is_hash else value
