"""The form above a board's ranking: what can be asked for, what is chosen, and the pages of the matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from leaderboard_site.board_state import ROWS, SCORED_HERE, SIZES, BoardState, words_of
from leaderboard_site.links import Page
from leaderboard_site.numbers import count, plural
from leaderboard_site.pages.board_columns import PRIMARY
from leaderboard_site.pages.board_entries import BoardEntries
from leaderboard_site.pages.board_filter import MARK_WORDS, Chip, chips, service_page

MOST_LICENCES = 60


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a field."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A field with a fixed list of choices; the first chooses nothing."""

    name: str
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """What only a server can do.

    Attributes:
        text: Letters looked for in names.
        fields: Lists to choose from.
        metrics: Metrics of the task columns, each with what is chosen; empty where the view has none to choose.
        more: The state that no visible field holds, as hidden fields.
        found: How many runs match, and what that does to ranks.
        chips: Active filters.
        clear: The page without any; ``None`` where none is active.
        notes: What of the address was not understood; empty where all was.
        span: Which of the matches are shown; empty where all are.
        before: The view before this one.
        after: The next view.
        charts: The page with the charts hidden or shown.
        has_charts: Whether they are shown.
        unpin: The page without pins; ``None`` where there are none.
    """

    text: str
    fields: tuple[Field, ...]
    metrics: tuple[Option, ...]
    more: tuple[tuple[str, str], ...]
    found: str
    chips: tuple[Chip, ...]
    clear: Page | None
    notes: str
    span: str
    before: Page | None
    after: Page | None
    charts: Page
    has_charts: bool
    unpin: Page | None

    @property
    def has_more(self) -> bool:
        """Whether anything in the folded part is chosen."""
        return any(option.is_chosen for option in self.metrics)


def controls_of(entries: BoardEntries, state: BoardState, n_found: int, ignored: Sequence[str]) -> Controls:
    """The form and its neighbours.

    Args:
        entries: All entries of the setting.
        state: What is shown, as fitted.
        n_found: Matches.
        ignored: What of the address was left out.
    """
    n_all = len(entries.ranked)
    found = f"{count(n_found)} of {plural(n_all, 'run')}"
    if state.has_filter:
        found += " match. Ranks, ranges and bands stay those of all runs"
    last = min(state.offset + ROWS, n_found)
    return Controls(
        text=state.text,
        fields=_fields(entries, state),
        metrics=_metrics(entries, state),
        more=_hidden(state),
        found=f"{found}.",
        chips=chips(entries, state),
        clear=service_page(state.without_filters()) if state.has_filter else None,
        notes=words_of(ignored),
        span=f"Runs {count(state.offset + 1)} to {count(last)} of {count(n_found)}" if n_found > ROWS else "",
        before=service_page(replace(state, offset=state.offset - ROWS)) if state.offset else None,
        after=service_page(replace(state, offset=state.offset + ROWS)) if last < n_found else None,
        charts=service_page(replace(state, has_charts=not state.has_charts)),
        has_charts=state.has_charts,
        unpin=service_page(replace(state, pins=())) if state.pins else None,
    )


def _fields(entries: BoardEntries, state: BoardState) -> tuple[Field, ...]:
    data = entries.data
    tasks = [(name, entries.cards[name].title) for name in data.tasks]
    own = [state.size] if state.size is not None and state.size not in SIZES else []
    sizes = [(str(one), one.words) for one in (*SIZES, *own)]
    marks = [(key, words) for key, words in MARK_WORDS.items() if key in entries.marks or key == SCORED_HERE]
    licences = list(entries.licences[:MOST_LICENCES])
    licences += [pair for pair in entries.licences[MOST_LICENCES:] if pair[0] == state.licence]
    fields = [
        _field("task", "Has task", "any task", tasks, state.task),
        _field("size", "Size", "any size", sizes, str(state.size or "")),
        _field("licence", "Licence", "any licence", licences, state.licence),
        _field("mark", "Mark", "any mark", marks, state.mark),
    ]
    if len(entries.kinds) > 1 or state.kind:
        fields.append(_field("kind", "Kind", "any kind", [(kind, kind) for kind in entries.kinds], state.kind))
    return tuple(fields)


def _field(name: str, label: str, none: str, choices: Sequence[tuple[str, str]], chosen: str) -> Field:
    options = (Option("", none, is_chosen=not chosen), *(Option(key, text, key == chosen) for key, text in choices))
    return Field(name, label, options)


def _metrics(entries: BoardEntries, state: BoardState) -> tuple[Option, ...]:
    if state.view != "quality":
        return ()
    names = dict.fromkeys(name for metrics in entries.metrics.values() for name in metrics)
    return (
        Option(PRIMARY, "all primary ones", PRIMARY in state.metrics),
        *(Option(name, name, name in state.metrics) for name in names),
    )


def _hidden(state: BoardState) -> tuple[tuple[str, str], ...]:
    """What the form hands on beside its fields: all but filters, and the offset, which a new filter ends."""
    kept = replace(state.without_filters(), metrics=() if state.view == "quality" else state.metrics)
    return kept.to_query()
