"""How numbers are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from leaderboard_site import numbers

THIN = "\u202f"


@pytest.mark.parametrize(
    ("metric", "scale", "places"),
    [
        ("sacrebleu", 100.0, 1),
        ("rougeL", 1.0, 3),
        ("cider_d", 10.0, 2),
        ("cider", 10.0, 2),
        ("perplexity", None, 2),
        ("vocab_size", None, 0),
        ("unique_2", None, 0),
    ],
)
def test_decimals_follow_the_metric(metric: str, scale: float | None, places: int) -> None:
    assert numbers.decimals(metric, scale) == places


def test_thousands_are_parted_by_a_narrow_space_and_minus_is_a_real_one() -> None:
    assert numbers.number(-11490.0, 1) == f"\u221211{THIN}490.0"


def test_a_rounded_zero_has_no_sign() -> None:
    assert numbers.number(-0.0001, 2) == "0.00"


def test_what_is_missing_is_a_dash_and_never_zero() -> None:
    assert numbers.number(None, 1) == numbers.percent(None) == numbers.size(None) == numbers.rate(None) == "–"


def test_half_width_is_the_larger_side_rounded_up() -> None:
    assert numbers.half_width(61.8, 61.2, 62.45, 1) == "±0.7"
    assert numbers.half_width(0.5, 0.48, 0.51, 3) == "±0.020"
    assert numbers.half_width(3.0, 3.0, 3.0, 1) == "±0.0"


def test_shares_sizes_and_times() -> None:
    assert numbers.percent(0.0628) == f"6.3{THIN}%"
    assert numbers.percent(0.0) == f"0{THIN}%"
    assert numbers.size(3_090_000_000) == f"3.1{THIN}B"
    assert numbers.size(770_000_000) == f"770{THIN}M"
    assert numbers.size(412) == "412"
    assert numbers.bytes_(38_000_000) == f"38{THIN}MB"
    assert numbers.duration(4.21) == f"4.2{THIN}s"
    assert numbers.duration(200.0) == f"3{THIN}min 20{THIN}s"
    assert numbers.duration(7080.0) == f"1{THIN}h 58{THIN}min"


def test_times_are_shown_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    assert numbers.moment(datetime(2026, 11, 20, 0, 30, tzinfo=berlin)) == "2026-11-19 23:30 UTC"
    assert numbers.day(datetime(2026, 11, 20, 5, 2, tzinfo=UTC)) == "2026-11-20"


def test_one_run_and_two_runs() -> None:
    assert (numbers.plural(1, "run"), numbers.plural(2, "run")) == ("1 run", "2 runs")
