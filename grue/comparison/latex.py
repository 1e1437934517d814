r"""A comparison as LaTeX: one ``booktabs`` table a candidate, the better value in bold, intervals as subscripts."""

from __future__ import annotations

from grue.comparison.numbers import MINUS, decimals, p_value, signed
from grue.comparison.numbers import number as plain
from grue.comparison.values import Comparison, MetricComparison, Pair, Verdict
from grue.comparison.words import METHOD, lead, title
from grue.core.metric import MetricValue
from grue.exchange.text import latex_text

_NOTHING = "--"


def latex(comparison: Comparison, *, every: bool = False) -> str:
    """One table a candidate; ``every`` holds all metrics, not only primary ones."""
    return "\n".join(_table(comparison, pair, every=every) for pair in comparison.pairs)


def _table(comparison: Comparison, pair: Pair, *, every: bool) -> str:
    heads = ("Task", "Metric", comparison.baseline.label, pair.candidate.label, "Difference", "$p$")
    lines = [
        "% needs \\usepackage{booktabs}",
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{latex_text(f'{title(comparison, pair)}. {lead(pair)} {METHOD}')}}}",
        "\\begin{tabular}{llrrrr}",
        "\\toprule",
        " & ".join(head if head == "$p$" else latex_text(head) for head in heads) + r" \\",
        "\\midrule",
    ]
    for task in pair.tasks:
        shown = [metric for metric in task.metrics if every or metric.is_primary or metric.is_headline]
        for at, metric in enumerate(shown):
            lines.append(" & ".join((latex_text(task.name) if not at else "", *_cells(metric))) + r" \\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", "\\end{table}", ""])


def _cells(metric: MetricComparison) -> tuple[str, ...]:
    places = decimals(metric.name, metric.scale)
    arrow = r" $\downarrow$" if metric.higher_is_better is False else ""
    return (
        latex_text(metric.name) + arrow,
        _value(metric.baseline, places, is_best=_is_best(metric, metric.baseline, metric.candidate)),
        _value(metric.candidate, places, is_best=_is_best(metric, metric.candidate, metric.baseline)),
        _difference(metric, places),
        p_value(metric.p_randomization_holm).replace("< 0.001", r"$<$ 0.001").replace("–", _NOTHING),
    )


def _is_best(metric: MetricComparison, one: MetricValue, other: MetricValue) -> bool:
    """Whether a value is the better of the two; equal ones share it, and where a metric has no direction none is."""
    if one.value is None or other.value is None or metric.higher_is_better is None:
        return False
    return one.value == other.value or (one.value > other.value) == metric.higher_is_better


def _value(value: MetricValue, places: int, *, is_best: bool) -> str:
    if value.value is None:
        return _NOTHING
    text = _number(plain(value.value, places))
    bounds = [_number(plain(bound, places), in_math=True) for bound in value.ci95 or ()]
    return (f"\\textbf{{{text}}}" if is_best else text) + _subscript(bounds)


def _difference(metric: MetricComparison, places: int) -> str:
    if metric.difference is None:
        return _NOTHING
    text = _number(signed(metric.difference, places))
    bounds = [_number(signed(bound, places), in_math=True) for bound in metric.ci95 or ()]
    is_shown = metric.verdict in (Verdict.BETTER, Verdict.WORSE, Verdict.DIFFERENT)
    return text + _subscript(bounds, "^{*}" if is_shown else "")


def _number(text: str, *, in_math: bool = False) -> str:
    return text.replace(MINUS, "-" if in_math else "$-$").replace("+", "+" if in_math else "$+$")


def _subscript(bounds: list[str], mark: str = "") -> str:
    return f"${mark}_{{[{bounds[0]},\\,{bounds[1]}]}}$" if bounds else f"${mark}$" if mark else ""
