"""A sound upload before it is submitted: what will be scored of it, and what submitting takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard_site.numbers import NONE, bytes_, count, duration, number, plural
from leaderboard_site.pages.frame import Fact
from leaderboard_site.pages.submit_place import Place, TaskFacts

_LONG_PROMPT = 400


@dataclass(frozen=True, slots=True)
class PreviewTask:
    """A row of what will be scored."""

    title: str
    rows: str
    empty: str
    mean_words: str
    metrics: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A sound upload, before it is submitted.

    Attributes:
        upload: Its random name, which the button sends.
        first: The first row as it was read.
        button: What the button says.
        cost: What submitting takes, as text.
        is_allowed: Whether the account may submit; ``True`` before anybody has signed in.
    """

    upload: str
    title: str
    summary: str
    caption: str
    tasks: tuple[PreviewTask, ...]
    others: str
    notes: tuple[str, ...]
    first: tuple[Fact, ...]
    said: tuple[Fact, ...]
    button: str
    cost: str
    is_allowed: bool
    kept: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A sound upload as the preview needs it; ``tasks`` are name, rows, expected, empty, samples and mean words."""

    upload_id: str
    kind: str
    file_name: str
    size_bytes: int
    model: str
    revision: str
    rows: int
    tasks: Sequence[tuple[str, int, int, int, int, float | None]]
    first: tuple[str, str, str, str] | None
    said: Sequence[tuple[str, str]]
    notes: Sequence[str]
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left to the account that would submit."""

    scored: int
    scored_per_day: int


def preview_of(
    upload: Upload, place: Place, *, quota: Quota | None, seconds: float | None, ahead: int, may_submit: bool
) -> Preview:
    """What will be scored, and what submitting takes.

    Args:
        upload: The upload.
        place: The board.
        quota: Of the account; ``None`` before anybody has signed in.
        seconds: How long such a submission usually takes; ``None`` where none was scored yet.
        ahead: Jobs that wait or run.
        may_submit: Whether the account's role lets it submit.
    """
    name = upload.model or upload.file_name or "The file"
    absent = [task for task in place.tasks if task not in {one[0] for one in upload.tasks}]
    return Preview(
        upload=upload.upload_id,
        title=f"{name} is valid",
        summary=_summary(upload, place),
        caption=_lacks(upload, place),
        tasks=tuple(_task(one, place, is_model=upload.kind == "model") for one in upload.tasks),
        others=f"{count(len(absent))} other{'s' * (len(absent) != 1)}" if absent else "",
        notes=tuple(upload.notes),
        first=_first(upload, place),
        said=tuple(Fact(label, text) for label, text in upload.said if text),
        button="Submit" if quota else "Sign in and submit",
        cost=_cost(quota, seconds, ahead, may_submit=may_submit),
        is_allowed=quota is None or may_submit,
        kept=f"Kept for {plural(max(1, round(upload.seconds_left / 60)), 'minute')} in this browser.",
    )


def _lacks(upload: Upload, place: Place) -> str:
    """What is missing for a score over all tasks."""
    missing = [name for name in place.benchmark if name not in {one[0] for one in upload.tasks}]
    if not missing:
        return ""
    titles = [place.tasks[name].title if name in place.tasks else name for name in missing]
    listed = f"{', '.join(titles[:3])} and {count(len(titles) - 3)} more" if len(titles) > 4 else ", ".join(titles)
    return f"It will have no GRUE score: {listed} {'is' if len(titles) == 1 else 'are'} not in it."


def _summary(upload: Upload, place: Place) -> str:
    if upload.kind == "model":
        revision = f", revision {upload.revision[:12]}" if upload.revision else ""
        return f"{bytes_(upload.size_bytes)} of safetensors{revision}. Every task of {place.split} will be run."
    empty = sum(one[3] for one in upload.tasks)
    empties = ""
    if empty:
        empties = f" {count(empty)} {'is' if empty == 1 else 'are'} empty, which is allowed and counted."
    predictions = sum(one[1] * one[4] for one in upload.tasks)
    tasks = f"{count(len(upload.tasks))} of {plural(len(place.tasks), 'task')}"
    return f"{plural(predictions, 'prediction')} for {tasks}.{empties}"


def _task(one: tuple[str, int, int, int, int, float | None], place: Place, *, is_model: bool) -> PreviewTask:
    name, rows, expected, empty, samples, mean_words = one
    facts = place.tasks.get(name, TaskFacts(name))
    drawn = f", {count(samples)} each" if samples > 1 else ""
    return PreviewTask(
        title=facts.title,
        rows=count(expected) if is_model else f"{count(rows)} of {count(expected)}{drawn}",
        empty=NONE if is_model else count(empty),
        mean_words=number(mean_words, 1),
        metrics=_listed(facts.metrics),
    )


def _listed(metrics: Sequence[str]) -> str:
    if len(metrics) <= 4:
        return ", ".join(metrics)
    return f"{', '.join(metrics[:3])} and {count(len(metrics) - 3)} more"


def _first(upload: Upload, place: Place) -> tuple[Fact, ...]:
    if upload.first is None:
        return ()
    task, row_id, prompt, prediction = upload.first
    facts = [Fact("task", task, is_code=True), Fact("id", row_id, is_code=True)]
    known = place.tasks.get(task)
    if prompt and known and known.shows_texts:
        facts.append(Fact("prompt", _cut(prompt)))
    return (*facts, Fact("prediction", _cut(prediction) if prediction.strip() else "(empty)"))


def _cut(text: str) -> str:
    return text if len(text) <= _LONG_PROMPT else f"{text[:_LONG_PROMPT]}…"


def _cost(quota: Quota | None, seconds: float | None, ahead: int, *, may_submit: bool) -> str:
    if quota and not may_submit:
        return "Your account may read only: ask the host for the role of a submitter."
    parts = []
    if quota:
        left = max(0, quota.scored_per_day - quota.scored)
        parts.append(f"{count(left)} of {count(quota.scored_per_day)} scored submissions left today.")
    expected = f"Expected: {duration(seconds)}, " if seconds is not None else ""
    waiting = f"{count(ahead)} ahead of you." if ahead else "nobody ahead of you."
    parts.append(f"{expected}{waiting}" if expected else waiting.capitalize())
    return " ".join(parts)
