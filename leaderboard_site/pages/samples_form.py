"""The filters of a samples page: what an address asks for, and the form that shows it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leaderboard_site.links import Page
from leaderboard_site.pages.rows import REWARD
from leaderboard_site.sample_files import TOKENS
from leaderboard_site.sample_store import FINISHES, SampleColumns, SampleQuery

MOST_TEXT = 200  # letters of a search
FINISH_LABELS = {"stop": "stopped by itself", "length": "cut at the limit", "empty": "empty output"}
_NAMES = ("q", "id", "metric", "min", "max", "finish", "sort", "diff")


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a select box."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class OptionGroup:
    """Choices under one heading."""

    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force; ``page`` is the view without it."""

    label: str
    page: Page


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesForm:
    """The filters as they stand.

    Attributes:
        problems: Field -> what is wrong with it; such a filter is not used.
        chips: Filters in force, each removable.
        clear: The view without any.
    """

    page: Page
    text: str
    low: str
    high: str
    metrics: tuple[Option, ...]
    finishes: tuple[Option, ...]
    sorts: tuple[OptionGroup, ...]
    others: tuple[Option, ...]
    problems: Mapping[str, str]
    chips: tuple[Chip, ...]
    clear: Page


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for.

    Attributes:
        given: The parameters that were given, without the page's number.
        diff: Id of the run that words are compared with; empty for none.
    """

    given: Mapping[str, str]
    query: SampleQuery
    diff: str
    problems: Mapping[str, str]


def read_asked(given: Mapping[str, str], columns: SampleColumns, metric: str | None) -> Asked:
    """Read the filters of an address; what is wrong is told and left out.

    Args:
        given: Name and value of each parameter.
        columns: What the rows can be filtered and sorted by.
        metric: The score that bounds are of where none is named.
    """
    kept = {name: given[name].strip() for name in _NAMES if given.get(name, "").strip()}
    problems: dict[str, str] = {}

    def one_of(name: str, value: str, known: Sequence[str], what: str) -> str:
        if value and value not in known:
            problems[name] = f"There is no {what} {value[:60]!r} here; it was left out."
            return ""
        return value

    named = one_of("metric", kept.get("metric", ""), columns.scores, "score")
    low, high = (_bound(name, kept.get(name, ""), problems) for name in ("min", "max"))
    if low is not None and high is not None and low > high:
        problems["max"] = "The upper bound is below the lower one: no row can match."
    finish = one_of("finish", kept.get("finish", ""), FINISHES, "kind of output")
    sort = kept.get("sort", "")
    by = one_of("sort", sort.removeprefix("-"), columns.scores, "score")
    text = kept.get("q", "")
    if len(text) > MOST_TEXT:
        problems["q"] = f"Only the first {MOST_TEXT} letters are searched for."
        text = text[:MOST_TEXT]
    if "metric" in problems:
        low = high = None
    elif (low is not None or high is not None) and not named:
        named = metric or next(iter(columns.scores), "")
    if low is None and high is None and "metric" not in problems:
        kept.pop("metric", None)  # the form always sends one
    page = given.get("page", "")
    query = SampleQuery(
        text=text,
        id=kept.get("id", ""),
        metric=named,
        low=low if named else None,
        high=high if named else None,
        finish=finish,
        sort=by,
        descending=sort.startswith("-"),
        number=int(page) if page.isascii() and page.isdecimal() and len(page) < 10 else 1,
    )
    return Asked(kept, query, kept.get("diff", ""), problems)


def form_of(
    asked: Asked, columns: SampleColumns, base: Page, metric: str | None, others: Sequence[tuple[str, str]]
) -> SamplesForm:
    """The form with what was asked for chosen.

    Args:
        asked: What was asked for.
        columns: What the rows can be filtered and sorted by.
        base: The page without filters.
        metric: The score that is chosen where none is named.
        others: Id and name of the runs that words can be compared with.
    """
    given, query = asked.given, asked.query
    chosen = query.metric or metric or ""
    sort = ("-" if query.descending else "") + query.sort
    finishes = [name for name in FINISHES if columns.has_finish or name == "empty"]
    return SamplesForm(
        page=base,
        text=given.get("q", ""),
        low=given.get("min", ""),
        high=given.get("max", ""),
        metrics=tuple(Option(name, label_of(name), name == chosen) for name in columns.scores),
        finishes=tuple(Option(name, FINISH_LABELS[name], name == query.finish) for name in finishes),
        sorts=tuple(
            OptionGroup(
                label_of(name),
                (
                    Option(f"-{name}", f"{label_of(name)}, highest first", sort == f"-{name}"),
                    Option(name, f"{label_of(name)}, lowest first", sort == name),
                ),
            )
            for name in columns.scores
        ),
        others=tuple(Option(run_id, name, run_id == asked.diff) for run_id, name in others),
        problems=asked.problems,
        chips=tuple(_chips(asked, base, dict(others))),
        clear=base,
    )


def page_of(base: Page, given: Mapping[str, str], number: int = 1) -> Page:
    """The page of some filters."""
    return Page(
        kind=base.kind,
        run=base.run,
        task=base.task,
        number=number,
        query=tuple((name, given[name]) for name in _NAMES if given.get(name)),
    )


def label_of(name: str) -> str:
    """A score as people read it."""
    if name == TOKENS:
        return "output tokens"
    return f"{name.removeprefix(REWARD)} (reward)" if name.startswith(REWARD) else name


def _bound(name: str, text: str, problems: dict[str, str]) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", ".").replace("\u2212", "-"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        problems[name] = f"{text[:30]!r} is no number; it was left out."
        return None
    return value


def _chips(asked: Asked, base: Page, others: Mapping[str, str]) -> list[Chip]:
    given, query = asked.given, asked.query
    found: list[tuple[tuple[str, ...], str]] = []
    if query.text:
        found.append((("q",), f"contains “{query.text}”"))
    if query.id:
        found.append((("id",), f"row {query.id}"))
    if query.low is not None or query.high is not None:
        found.append((("min", "max"), f"{label_of(query.metric)} {_range(query, given)}"))
    if query.finish:
        found.append((("finish",), FINISH_LABELS[query.finish]))
    if asked.diff in others:
        found.append((("diff",), f"words against {others[asked.diff]}"))
    chips = []
    for names, label in found:
        left = {name: value for name, value in given.items() if name not in names}
        chips.append(Chip(label, page_of(base, left)))
    return chips


def _range(query: SampleQuery, given: Mapping[str, str]) -> str:
    if query.high is None:
        return f"from {given['min']}"
    return f"up to {given['max']}" if query.low is None else f"{given['min']} to {given['max']}"
