"""The form of a submission: empty, with what is wrong with its file, or with a preview of what will be scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leaderboard_site.links import Page
from leaderboard_site.numbers import NONE, bytes_, count, duration, number, plural
from leaderboard_site.pages.frame import Fact, Frame, Tab

KINDS = {"predictions": "Predictions", "run": "Run directory", "model": "Checkpoint"}
SCRIPT = "submit.js"
_LONG_PROMPT = 400


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What the preview says of a task beside the counts.

    Attributes:
        metrics: Those that will be computed, primary ones first.
        shows_texts: Whether its prompts may be shown publicly.
    """

    title: str
    metrics: tuple[str, ...] = ()
    shows_texts: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A field of the form: its value as it was typed, and what is wrong with it."""

    value: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class FileFault:
    """A line of the table of errors."""

    line: str
    id: str
    problem: str
    fix: str


@dataclass(frozen=True, slots=True)
class Faults:
    """All that is wrong with an upload."""

    title: str
    caption: str
    field: str
    lines: tuple[FileFault, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that was not carried out, and why."""

    title: str
    detail: str


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
class SubmitView:
    """Page value of ``submit.html``.

    Attributes:
        closed: Why nothing can be submitted now, as title and what the host has to do; ``None`` where it can.
        entries: Field -> what was typed.
        is_public: Which answer to who may see the result is chosen.
        most_bytes: Largest file, or all files of a checkpoint; ``most_shown`` in words.
        most_at_once: The most that one form sends, which is less than a checkpoint may have.
        asks: What a file has to answer; empty where nothing can be submitted.
        may_upload_files: Whether the viewer may send the files of a checkpoint.
    """

    frame: Frame
    lead: str
    kind: str
    tabs: tuple[Tab, ...]
    closed: Refused | None
    refused: Refused | None
    faults: Faults | None
    preview: Preview | None
    entries: Mapping[str, Entry]
    is_public: bool
    asks: str
    most_bytes: int
    most_shown: str
    most_at_once: str
    retention: str
    terms: str
    hub: bool
    may_upload_files: bool
    sign_in: Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What every state of the form says: of the board, not of the upload.

    Attributes:
        split: Split that is scored.
        rows: Rows of it; 0 where they are not published.
        tasks: Task -> what is known of it.
        benchmark: Tasks that a GRUE score takes.
        model_bytes: Largest checkpoint.
        withdrawn_days: After how many days the texts of a withdrawn submission are deleted.
        hub: Whether checkpoints may be named by their hub id.
        may_upload_files: Whether the viewer may send the files of a checkpoint.
    """

    split: str
    rows: int
    tasks: Mapping[str, TaskFacts]
    benchmark: tuple[str, ...]
    file_bytes: int
    model_bytes: int
    withdrawn_days: float
    is_hidden: bool
    terms: str
    hub: bool
    may_upload_files: bool


def submit_view(
    place: Place,
    kind: str,
    *,
    entries: Mapping[str, Entry] | None = None,
    is_public: bool = False,
    closed: Refused | None = None,
    refused: Refused | None = None,
    faults: Faults | None = None,
    preview: Preview | None = None,
) -> SubmitView:
    """The page in one of its states."""
    most = place.model_bytes if kind == "model" else place.file_bytes
    state = " · valid" if preview else " · errors" if faults else ""
    return SubmitView(
        frame=Frame(
            _page(kind),
            f"Submit{state}",
            "submit",
            scripts=("sha256.js", SCRIPT) if kind == "model" else (SCRIPT,),
            is_indexed=not (preview or faults),
        ),
        lead="A file is checked at once, before you sign in. A file with errors costs nothing.",
        kind=kind,
        tabs=tuple(Tab(label, _page(one), one == kind) for one, label in KINDS.items()),
        closed=closed,
        refused=refused,
        faults=faults,
        preview=preview,
        entries={**dict.fromkeys(_FIELDS, Entry()), **(entries or {})},
        is_public=is_public,
        asks=_asks(place),
        most_bytes=most,
        most_shown=bytes_(most),
        most_at_once=bytes_(place.file_bytes),
        retention=retention(place.withdrawn_days, is_hidden=place.is_hidden),
        terms=place.terms,
        hub=place.hub,
        may_upload_files=place.may_upload_files,
        sign_in=Page(kind="signin", query=(("next", "/submit?kind=model"),)),
    )


_FIELDS = ("name", "description", "url", "licence", "trained_on", "contamination", "model", "revision", "file")


def _page(kind: str) -> Page:
    return Page(kind="submit", query=() if kind == "predictions" else (("kind", kind),))


def _asks(place: Place) -> str:
    if not place.rows:
        return ""
    rows = f"{plural(place.rows, 'row')} in {plural(len(place.tasks), 'task')}"
    return f"Scored are the tasks in the file, each complete for the split {place.split}: {rows} in all."


def retention(withdrawn_days: float, *, is_hidden: bool) -> str:
    """What is kept of a submission, and for how long, as text."""
    shown = (
        "no text and no score of a single row is shown to anybody"
        if is_hidden
        else "its texts are shown with a public result, where the licence of the task's data lets them be"
    )
    return (
        f"The upload and its result are kept until you withdraw them; {shown}. "
        f"Withdrawing takes a result off the board at once and deletes its texts {deleted_after(withdrawn_days)}."
    )


def deleted_after(days: float) -> str:
    """``after 30 days``: when the texts of a withdrawn submission go."""
    if not days:
        return "at once"
    return f"after {plural(round(days), 'day')}" if days >= 1 else f"after {duration(days * 86400)}"


def faults_of(file_name: str, problems: Sequence[FileFault], n_problems: int) -> Faults:
    """The table of errors of a file."""
    name = file_name or "the file"
    errors = plural(n_problems, "error")
    more = n_problems - len(problems)
    caption = f"The first {count(len(problems))} of {errors}." if more > 0 else f"All {errors}."
    if n_problems == 1:
        caption = "The error."
    listed = f"{name} has {errors}, listed above."
    return Faults(f"{errors} in {name}, nothing was submitted", caption, listed, tuple(problems))


def file_fault(line: int | None, row_id: str | None, problem: str, fix: str) -> FileFault:
    """A line of that table."""
    return FileFault("" if line is None else str(line), row_id or "", problem, fix)


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
