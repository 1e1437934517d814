"""How numbers are written on pages: fixed decimals a metric, narrow thousands, a real minus, units by name."""

from __future__ import annotations

import math
from datetime import UTC, datetime

# The decimals of a metric are those of `grue compare`.
from grue.comparison.numbers import MINUS as MINUS
from grue.comparison.numbers import NONE as NONE
from grue.comparison.numbers import decimals as decimals

THIN = "\u202f"  # narrow no-break space: between thousands, before a unit


def number(value: float | None, places: int) -> str:
    """A number with fixed decimals, or an en dash where there is none."""
    if value is None:
        return NONE
    text = f"{value:,.{places}f}"
    if not float(text.replace(",", "")):
        text = text.lstrip("-")
    return text.replace(",", THIN).replace("-", MINUS)


def half_width(value: float, low: float, high: float, places: int) -> str:
    """The larger side of an interval, rounded up to the shown decimal: ``±0.7``."""
    side = max(value - low, high - value)
    step = 10**places
    return f"±{number(math.ceil(side * step - 1e-9) / step, places)}"


def between(low: float, high: float, places: int) -> str:
    """Both bounds of an interval: ``60.2 to 61.6``."""
    return f"{number(low, places)} to {number(high, places)}"


def count(value: int | None) -> str:
    """A whole number with narrow thousands."""
    return number(value, 0)


def percent(fraction: float | None) -> str:
    """A share with one decimal: ``6.3 %``; exactly none is ``0 %``."""
    if fraction is None:
        return NONE
    return f"{number(100 * fraction, 1 if fraction else 0)}{THIN}%"


def size(parameters: int | None) -> str:
    """Number of parameters: ``3.1 B``, ``770 M``, ``412 k``."""
    if parameters is None:
        return NONE
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if parameters >= limit:
            share = parameters / limit
            return f"{number(share, 1 if share < 10 else 0)}{THIN}{unit}"
    return str(parameters)


def bytes_(value: int | None) -> str:
    """A size on disk or in memory: ``14 kB``, ``1.2 GB``."""
    if value is None:
        return NONE
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= limit:
            share = value / limit
            return f"{number(share, 1 if share < 10 else 0)}{THIN}{unit}"
    return f"{value}{THIN}B"


def rate(per_second: float | None) -> str:
    """Tokens a second, without decimals from ten on."""
    if per_second is None:
        return NONE
    return number(per_second, 0 if per_second >= 10 else 1)


def duration(seconds: float | None) -> str:
    """A time span in its two largest units: ``1 h 58 min``, ``3 min 20 s``, ``4.2 s``."""
    if seconds is None:
        return NONE
    if seconds < 60:
        return f"{number(seconds, 1)}{THIN}s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{count(hours)}{THIN}h {minutes}{THIN}min"
    return f"{minutes}{THIN}min {rest}{THIN}s"


def moment(value: datetime) -> str:
    """A point in time: ``2026-11-20 05:02 UTC``."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def day(value: datetime) -> str:
    """The date of a point in time, in UTC."""
    return value.astimezone(UTC).strftime("%Y-%m-%d")


def plural(n: int, one: str, many: str = "") -> str:
    """``1 run``, ``2 runs``."""
    return f"{count(n)} {one if n == 1 else many or one + 's'}"
