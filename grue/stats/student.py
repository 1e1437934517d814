"""Student's t distribution (1908): tail and quantile, from the incomplete beta function's continued fraction.

The fraction is Lentz's evaluation of DLMF 8.17.22; it agrees with SciPy to 1e-9 up to 100,000 degrees of freedom.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from grue.core.metric import Floats

_TINY = 1e-300
_MOST_TERMS = 10_000
_ROUNDING = 1e-14  # of many terms, below which a fraction may never come
_MOST_T = 1e150  # its square is finite


def t_tail(t: float, df: float) -> float:
    """P(T ≥ t).

    Args:
        t: Any number, infinite ones too.
        df: Degrees of freedom, above 0; infinite for the normal distribution.
    """
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    if math.isinf(df):
        return 0.5 * math.erfc(t / math.sqrt(2))
    half = 0.5 * _incomplete_beta(df / (df + t * t), t * t / (df + t * t), df / 2, 0.5)
    return half if t >= 0 else 1.0 - half


def t_tails(t: Floats, df: Floats) -> Floats:
    """P(T ≥ t) of many at once.

    Args:
        t: Above 0 and finite, shape (n,).
        df: Degrees of freedom, above 0 and finite, shape (n,).

    Returns:
        Shape (n,); equal to ``t_tail`` of each but for rounding.
    """
    squares = np.minimum(t, _MOST_T) ** 2
    x, rest = df / (df + squares), squares / (df + squares)
    a = df / 2
    with np.errstate(divide="ignore"):  # of the side that is not taken
        log_x = np.where(x < 0.5, np.log(x), np.log1p(-rest))
        log_rest = np.where(rest < 0.5, np.log(rest), np.log1p(-x))
    known, places = np.unique(a, return_inverse=True)
    gammas = np.array([math.lgamma(one + 0.5) - math.lgamma(one) for one in known.tolist()]) - math.lgamma(0.5)
    front = np.exp(gammas[places] + a * log_x + 0.5 * log_rest)
    half = np.full(len(t), 0.5)
    by_symmetry = x > (a + 1) / (a + 2.5)
    left, right = ~by_symmetry, by_symmetry
    tail = np.empty(len(t))
    tail[left] = front[left] * _fractions(x[left], a[left], half[left]) / a[left]
    tail[right] = 1.0 - front[right] * _fractions(rest[right], half[right], a[right]) / 0.5
    # A value so near to 0 that its square is none.
    return np.where(squares == 0.0, 0.5, 0.5 * tail)


def t_quantile(p: float, df: float) -> float:
    """The t that a share ``p`` of the distribution lies below, by bisection.

    Args:
        p: Above 0.5 and below 1.
        df: Degrees of freedom, above 0.
    """
    low, high = 0.0, 1.0
    while t_tail(high, df) > 1 - p:
        high *= 2
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_tail(middle, df) > 1 - p else (low, middle)
    return (low + high) / 2


def _incomplete_beta(x: float, rest: float, a: float, b: float) -> float:
    """I_x(a, b), 0 ≤ x ≤ 1; ``rest`` is 1 - x, whose digits a subtraction would lose where x is near 1."""
    if x == 0.0 or rest == 0.0:
        return 1.0 if rest == 0.0 else 0.0
    # log1p keeps the digits of whichever of the two is near 1.
    log_x = math.log(x) if x < 0.5 else math.log1p(-rest)
    log_rest = math.log(rest) if rest < 0.5 else math.log1p(-x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * log_x + b * log_rest)
    # The fraction converges fast on this side; the other one by symmetry.
    if x > (a + 1) / (a + b + 2):
        return 1.0 - front * _fraction(rest, b, a) / b
    return front * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / _away_from_0(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _away_from_0(1 + term * d)
            c = _away_from_0(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _fractions(x: Floats, a: Floats, b: Floats) -> Floats:
    """``_fraction`` of many at once; each stops at its own term."""
    out = np.empty(len(x))
    going: npt.NDArray[np.intp] = np.arange(len(x))
    c: Floats = np.ones(len(x))
    d: Floats = 1.0 / _all_away_from_0(1 - (a + b) * x / (a + 1))
    value = d.copy()
    m = 0
    while len(going) and m < _MOST_TERMS:
        m += 1
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _all_away_from_0(1 + term * d)
            c = _all_away_from_0(1 + term / c)
            value = value * c * d
        is_done = np.abs(c * d - 1) < _ROUNDING
        if is_done.any():
            out[going[is_done]] = value[is_done]
            on = ~is_done
            going = going[on]
            x, a, b, c, d, value = x[on], a[on], b[on], c[on], d[on], value[on]
    out[going] = value
    return out


def _all_away_from_0(values: Floats) -> Floats:
    return np.where(np.abs(values) > _TINY, values, _TINY)


def _away_from_0(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
