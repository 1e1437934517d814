"""How numbers of a comparison are written for people: fixed decimals a metric, a sign on differences."""

from __future__ import annotations

NONE = "–"
MINUS = "\u2212"
_COUNTS = ("vocab_size", "unique_")
_SMALLEST_P = 0.001


def decimals(metric: str, scale: float | None) -> int:
    """Decimals of a metric: scale 100 one, scale 1 three, CIDEr two, counts none."""
    if metric.startswith(_COUNTS):
        return 0
    if scale is None or metric.startswith("cider"):
        return 2
    return {100.0: 1, 1.0: 3}.get(float(scale), 2)


def number(value: float | None, places: int) -> str:
    """A number with fixed decimals; what rounds to nothing has no sign."""
    if value is None:
        return NONE
    text = f"{value:.{places}f}"
    return (text if float(text) else text.lstrip("-")).replace("-", MINUS)


def signed(value: float | None, places: int) -> str:
    """A difference: ``+0.013``; exactly none is ``0.000``, one that rounds to nothing keeps its sign."""
    if value is None:
        return NONE
    if not value:
        return number(0.0, places)
    return ("+" if value > 0 else MINUS) + f"{abs(value):.{places}f}"


def between(bounds: tuple[float, float] | None, places: int) -> str:
    """Bounds of a difference: ``+0.100 to +0.119``."""
    return NONE if bounds is None else f"{signed(bounds[0], places)} to {signed(bounds[1], places)}"


def interval(bounds: tuple[float, float] | None, places: int) -> str:
    """Bounds of a value: ``60.2 to 61.6``."""
    return NONE if bounds is None else f"{number(bounds[0], places)} to {number(bounds[1], places)}"


def p_value(value: float | None) -> str:
    """A p-value with three decimals, ``< 0.001`` below that."""
    if value is None:
        return NONE
    return f"< {_SMALLEST_P}" if value < _SMALLEST_P else f"{value:.3f}"


def count(value: float | None) -> str:
    """A whole number with thousands apart."""
    return NONE if value is None else f"{value:,.0f}".replace(",", "\u202f")


def duration(seconds: float | None) -> str:
    """A time span in its two largest units: ``1 h 58 min``, ``3 min 20 s``, ``4.2 s``."""
    if seconds is None:
        return NONE
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 0.05 or not seconds else "< 0.1 s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def size(value: float | None) -> str:
    """Bytes: ``412 MB``, ``1.2 GB``."""
    if value is None:
        return NONE
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= limit:
            share = value / limit
            return f"{share:.{1 if share < 10 else 0}f} {unit}"
    return f"{value:.0f} B"


def percent(share: float | None) -> str:
    """A share with one decimal: ``6.3 %``."""
    return NONE if share is None else f"{100 * share:.1f} %"
