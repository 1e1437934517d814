"""The state of a board and its address: one writes the other, and any text is some state."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard_site.board_state import (
    MOST_PINS,
    ROWS,
    SIZES,
    VIEWS,
    BoardState,
    SizeRange,
    parse,
    size_range,
    words_of,
)

_NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.+:-]{0,30}", fullmatch=True)
_BOUNDS = st.one_of(st.none(), st.integers(0, 10**15))


@st.composite
def _sizes(draw: st.DrawFn) -> SizeRange | None:
    low, high = draw(_BOUNDS), draw(_BOUNDS)
    if low is not None and high is not None and low >= high:
        return None
    return SizeRange(low, high)


_STATES = st.builds(
    BoardState,
    setting=st.one_of(st.just(""), _NAMES),
    view=st.sampled_from(VIEWS),
    sort=st.one_of(st.just(""), _NAMES),
    is_reversed=st.booleans(),
    text=st.text(max_size=130),
    task=st.one_of(st.just(""), _NAMES),
    size=st.one_of(st.none(), st.sampled_from(SIZES), _sizes()),
    licence=st.text(max_size=130),
    mark=st.sampled_from(["", "verified", "imported", "scored-here"]),
    kind=st.one_of(st.just(""), _NAMES),
    metrics=st.lists(_NAMES, max_size=25).map(tuple),
    pins=st.lists(_NAMES, max_size=25).map(tuple),
    has_charts=st.booleans(),
    offset=st.integers(-5, 10**6),
)


@given(_STATES)
def test_an_address_gives_back_the_state_that_wrote_it(state: BoardState) -> None:
    asked = parse(state.to_query())
    assert asked.state == state
    assert (asked.ignored, asked.is_form) == ((), False)


@given(_STATES)
def test_an_address_survives_being_percent_encoded(state: BoardState) -> None:
    query = state.to_address().partition("?")[2]
    assert parse(parse_qsl(query, keep_blank_values=True)).state == state


@given(_STATES, st.randoms())
def test_equal_states_have_equal_addresses_in_whatever_order_they_are_asked(state: BoardState, random: object) -> None:
    pairs = list(state.to_query())
    random.shuffle(pairs)  # type: ignore[attr-defined]
    assert parse(pairs).state.to_address() == state.to_address()


_KEYS = ["setting", "view", "sort", "reverse", "q", "task", "size", "licence", "mark", "kind", "metric", "pin", "unpin"]
_MORE = ["charts", "offset", "size_from", "size_to", "utm_source", "", "__proto__"]
_GARBAGE = st.lists(st.tuples(st.one_of(st.sampled_from(_KEYS + _MORE), st.text()), st.text(max_size=400)), max_size=30)


@given(_GARBAGE)
def test_any_garbage_is_some_valid_state(pairs: list[tuple[str, str]]) -> None:
    asked = parse(pairs)
    again = parse(asked.state.to_query())
    assert again.state == asked.state
    assert again.ignored == ()
    assert len(asked.state.to_address()) < 40_000
    assert asked.state.offset % ROWS == 0
    urlencode(asked.state.to_query()).encode("ascii")
    words_of(asked.ignored).encode("utf-8")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("view", "loud"),
        ("reverse", "1"),
        ("size", "big"),
        ("size", "4B-1B"),
        ("size", "-"),
        ("mark", "golden"),
        ("offset", "-1"),
        ("offset", "ten"),
        ("offset", "\u0663"),
        ("pin", "a\nb"),
        ("colour", "red"),
    ],
)
def test_what_is_not_understood_is_left_out_and_said(key: str, value: str) -> None:
    asked = parse([(key, value)])
    assert asked.state == BoardState()
    assert len(asked.ignored) == 1
    assert key in asked.ignored[0]


def test_a_long_list_of_unknown_things_is_said_in_short() -> None:
    said = words_of(parse([(f"key{n}", "x" * 500) for n in range(300)]).ignored)
    assert said.startswith("Left out of the address, as it is not known here: ‘key0’")
    assert said.endswith("and 295 more.")
    assert len(said) < 500


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("1B-4B", 10**9, 4 * 10**9),
        ("-1B", None, 10**9),
        ("10B-", 10**10, None),
        ("770M-3.1B", 770 * 10**6, 3_100_000_000),
        ("1500M-2T", 1_500_000_000, 2 * 10**12),
        ("0-12", 0, 12),
    ],
)
def test_sizes_are_read_with_their_units(text: str, low: int | None, high: int | None) -> None:
    assert size_range(text) == SizeRange(low, high)


def test_a_range_of_sizes_holds_its_lower_bound_and_not_its_upper() -> None:
    found = SizeRange(10**9, 4 * 10**9)
    assert [found.holds(n) for n in (10**9 - 1, 10**9, 4 * 10**9 - 1, 4 * 10**9, None)] == [
        False, True, True, False, False,
    ]  # fmt: skip
    assert SizeRange().holds(None)
    assert not SizeRange().holds(5)


def test_the_classes_of_sizes_hold_every_size_once() -> None:
    for parameters in (None, 0, 999_999_999, 10**9, 4 * 10**9, 10**10, 10**13):
        assert sum(one.holds(parameters) for one in SIZES) == 1


def test_a_form_with_empty_fields_has_a_nicer_address() -> None:
    asked = parse([("q", ""), ("task", ""), ("size_from", "1B"), ("size_to", ""), ("pin", "A"), ("unpin", "A")])
    assert asked.is_form
    assert asked.state.to_address() == "/?size=1B-"


def test_pins_are_bounded_and_said_once() -> None:
    state = BoardState(pins=tuple(f"R{n:03d}" for n in range(50)) * 2)
    assert len(state.pins) == MOST_PINS
    assert state.to_address().count("pin=") == MOST_PINS
