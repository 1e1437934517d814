"""What a board shows, as it stands in the address: one value, one canonical address, and any text is some state."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final
from urllib.parse import urlencode

from grue.runs.published import MARKS
from leaderboard_site.numbers import size

VIEWS: Final = ("quality", "naturalness", "reward")
SCORED_HERE: Final = "scored-here"  # a mark's filter: verified or rescored
ROWS: Final = 200  # a view
MOST_PINS: Final = 20
MOST_METRICS: Final = 20
UNKNOWN: Final = "unknown"
_MOST_LETTERS = 100
_MOST_PARAMETERS = 10**15
_MOST_OF_A_NAME = 200
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,3})?)([kMBT]?)")
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SizeRange:
    """Parameters from ``low`` to less than ``high``; ``None`` leaves a side open, on both sides: size unknown."""

    low: int | None = None
    high: int | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether it asks for runs whose size nobody said."""
        return self.low is None and self.high is None

    def holds(self, parameters: int | None) -> bool:
        """Whether a run of so many parameters is in it."""
        if parameters is None or self.is_unknown:
            return parameters is None and self.is_unknown
        return (self.low is None or parameters >= self.low) and (self.high is None or parameters < self.high)

    def __str__(self) -> str:
        """As in addresses: ``1B-4B``, ``-1B``, ``10B-``, ``unknown``."""
        return UNKNOWN if self.is_unknown else f"{_written(self.low)}-{_written(self.high)}"

    @property
    def words(self) -> str:
        """As on pages: ``1 to 4 B``, ``under 1 B``."""
        low, high = (size(bound).replace(".0", "") for bound in (self.low, self.high))
        if self.low is None:
            return "size unknown" if self.high is None else f"under {high}"
        return f"{low} or more" if self.high is None else f"{low} to under {high}"


SIZES: Final = (
    SizeRange(None, 10**9),
    SizeRange(10**9, 4 * 10**9),
    SizeRange(4 * 10**9, 10**10),
    SizeRange(10**10, None),
    SizeRange(),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardState:
    """Everything that an address says of a board; equal states have equal addresses.

    Attributes:
        setting: Slug; empty for the setting shown by default.
        view: What the task columns hold.
        sort: Key of a column; empty for the view's own order.
        is_reversed: Whether that order runs backwards.
        text: Letters that a name contains.
        task: A task that a run must have.
        size: How large a model must be; ``None`` for any.
        licence: As declared, case folded; ``unknown`` for none declared.
        mark: One of the marks, or ``scored-here``.
        kind: What was run, as the manifest names it.
        metrics: Metrics of the task columns, by name; ``primary`` for all primary ones; empty for the first of them.
        pins: Run ids on top, sorted.
        has_charts: Whether the charts are shown.
        offset: Matches passed over, whole views of ``ROWS``.
    """

    setting: str = ""
    view: str = VIEWS[0]
    sort: str = ""
    is_reversed: bool = False
    text: str = ""
    task: str = ""
    size: SizeRange | None = None
    licence: str = ""
    mark: str = ""
    kind: str = ""
    metrics: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    has_charts: bool = True
    offset: int = 0

    def __post_init__(self) -> None:
        """Bring what has several spellings into one."""
        object.__setattr__(self, "text", _line(self.text))
        object.__setattr__(self, "licence", _line(self.licence).casefold()[:_MOST_LETTERS].strip())
        object.__setattr__(self, "metrics", tuple(sorted(set(self.metrics)))[:MOST_METRICS])
        object.__setattr__(self, "pins", tuple(sorted(set(self.pins)))[:MOST_PINS])
        object.__setattr__(self, "offset", max(0, self.offset) // ROWS * ROWS)

    def to_query(self) -> tuple[tuple[str, str], ...]:
        """The canonical address, as pairs; what is as by default is left out."""
        pairs = [
            ("setting", self.setting),
            ("view", "" if self.view == VIEWS[0] else self.view),
            ("sort", self.sort),
            ("reverse", "yes" if self.is_reversed else ""),
            ("q", self.text),
            ("task", self.task),
            ("size", str(self.size) if self.size else ""),
            ("licence", self.licence),
            ("mark", self.mark),
            ("kind", self.kind),
            *(("metric", name) for name in self.metrics),
            *(("pin", run_id) for run_id in self.pins),
            ("charts", "" if self.has_charts else "no"),
            ("offset", str(self.offset) if self.offset else ""),
        ]
        return tuple((key, value) for key, value in pairs if value)

    def to_address(self) -> str:
        """``/`` with the query, percent-encoded."""
        query = urlencode(self.to_query())
        return f"/?{query}" if query else "/"

    @property
    def has_filter(self) -> bool:
        """Whether any run may be left out."""
        return bool(self.text or self.task or self.size or self.licence or self.mark or self.kind)

    def without_filters(self) -> BoardState:
        """The same with all runs."""
        return replace(self, text="", task="", size=None, licence="", mark="", kind="", offset=0)

    def from_start(self, **changes: object) -> BoardState:
        """The same with something changed, from the first match on."""
        return replace(self, **{"offset": 0, **changes})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for.

    Attributes:
        ignored: What was not understood, in words, for the page to say.
        is_form: Whether a form wrote it, with empty fields and fields of its own: the canonical address is nicer.
    """

    state: BoardState
    ignored: tuple[str, ...] = ()
    is_form: bool = False


def parse(pairs: Pairs) -> Asked:
    """Read an address; whatever is not understood is left out and said.

    Args:
        pairs: Keys and values of the query, decoded, in any order.
    """
    known: dict[str, list[str]] = {}
    ignored: list[str] = []
    is_form = False
    for key, value in pairs:
        if key not in _KEYS:
            ignored.append(f"‘{_short(key)}’ is nothing that a board can be asked")
        elif value.strip():
            known.setdefault(key, []).append(value.strip())
            is_form |= key in _FORM_KEYS
        else:
            is_form = True

    def first(key: str, fits: Callable[[str], bool]) -> str:
        values = known.get(key, [])
        ignored.extend(f"{key} ‘{_short(value)}’" for value in values[:1] if not fits(value))
        return values[0] if values and fits(values[0]) else ""

    def several(key: str) -> list[str]:
        ignored.extend(f"{key} ‘{_short(value)}’" for value in known.get(key, []) if not _is_name(value))
        return [value for value in known.get(key, []) if _is_name(value)]

    offset = first("offset", lambda text: text.isascii() and text.isdigit() and len(text) < 10)
    pins = set(several("pin")) - set(known.get("unpin", []))
    found_size = _size(known, ignored)
    state = BoardState(
        setting=first("setting", _is_name),
        view=first("view", VIEWS.__contains__) or VIEWS[0],
        sort=first("sort", _is_name),
        is_reversed=first("reverse", {"yes", "no"}.__contains__) == "yes",
        text=first("q", lambda _: True),
        task=first("task", _is_name),
        size=found_size,
        licence=first("licence", lambda _: True),
        mark=first("mark", (*MARKS, SCORED_HERE).__contains__),
        kind=first("kind", _is_name),
        metrics=tuple(several("metric")),
        pins=tuple(pins),
        has_charts=first("charts", {"yes", "no"}.__contains__) != "no",
        offset=int(offset or 0),
    )
    return Asked(state, tuple(dict.fromkeys(ignored)), is_form)


def _size(known: dict[str, list[str]], ignored: list[str]) -> SizeRange | None:
    """A range by its own key, or by the two fields of the form, which win."""
    low, high = known.get("size_from", [""])[0], known.get("size_to", [""])[0]
    given = f"{low}-{high}" if low or high else known.get("size", [""])[0]
    if not given:
        return None
    found = size_range(given)
    if found is None:
        ignored.append(f"size ‘{_short(given)}’")
    return found


def size_range(text: str) -> SizeRange | None:
    """A range as in addresses, ``None`` where it is none: ``700M-3B``, ``-1B``, ``10B-``, ``unknown``."""
    if text == UNKNOWN:
        return SizeRange()
    low, dash, high = text.replace(" ", "").partition("-")
    if not dash or not (low or high):
        return None
    bounds = [_parameters(low), _parameters(high)]
    if any(bound is None and side for bound, side in zip(bounds, (low, high), strict=True)):
        return None
    if bounds[0] is not None and bounds[1] is not None and bounds[0] >= bounds[1]:
        return None
    return SizeRange(*bounds)


def _parameters(text: str) -> int | None:
    match = _SIZE.fullmatch(text)
    if match is None:
        return None
    whole, _, part = match[1].partition(".")
    value = (int(whole) * 1000 + int(part.ljust(3, "0") or 0)) * _UNITS[match[2]] // 1000
    return value if value <= _MOST_PARAMETERS else None


def _written(parameters: int | None) -> str:
    if parameters is None:
        return ""
    for unit, factor in sorted(_UNITS.items(), key=lambda pair: -pair[1]):
        if factor > 1 and parameters >= factor and parameters * 1000 % factor == 0:
            thousandths = parameters * 1000 // factor
            return f"{thousandths // 1000}.{thousandths % 1000:03d}".rstrip("0").rstrip(".") + unit
    return str(parameters)


def _is_name(text: str) -> bool:
    return bool(text) and text == _line(text, _MOST_OF_A_NAME)


def _line(text: str, most: int = _MOST_LETTERS) -> str:
    """Words of one line, without what no name holds: control characters and halves of a surrogate pair."""
    kept = "".join(" " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in text)
    return " ".join(kept.split())[:most].strip()


def _short(text: str) -> str:
    line = _line(text)
    return line if len(line) <= 40 else f"{line[:39]}…"


def words_of(ignored: Iterable[str]) -> str:
    """One sentence about what was left out; empty for nothing."""
    listed = list(ignored)
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
    return f"Left out of the address, as it is not known here: {'; '.join(listed[:5])}{more}." if listed else ""


_FORM_KEYS = ("unpin", "size_from", "size_to")
_NAMES_IN_ADDRESSES = {
    "text": "q", "is_reversed": "reverse", "metrics": "metric", "pins": "pin", "has_charts": "charts"
}  # fmt: skip
_KEYS = frozenset([_NAMES_IN_ADDRESSES.get(field.name, field.name) for field in fields(BoardState)] + list(_FORM_KEYS))
