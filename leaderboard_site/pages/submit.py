"""The form of a submission: empty, with what is wrong with its file, or with a preview of what will be scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leaderboard_site.links import Page
from leaderboard_site.numbers import bytes_, count, plural
from leaderboard_site.pages.frame import Frame, Tab
from leaderboard_site.pages.submit_place import Place, retention
from leaderboard_site.pages.submit_preview import Preview

KINDS = {"predictions": "Predictions", "run": "Run directory", "model": "Checkpoint"}
SCRIPT = "submit.js"
_FIELDS = ("name", "description", "url", "licence", "trained_on", "contamination", "model", "revision", "file")


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


def _page(kind: str) -> Page:
    return Page(kind="submit", query=() if kind == "predictions" else (("kind", kind),))


def _asks(place: Place) -> str:
    if not place.rows:
        return ""
    rows = f"{plural(place.rows, 'row')} in {plural(len(place.tasks), 'task')}"
    return f"Scored are the tasks in the file, each complete for the split {place.split}: {rows} in all."


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
