"""How a metric's value is made anew from drawn rows, in words: for its interval and for paired tests."""

from __future__ import annotations

from grue.core.metric import CorpusMetric, Metric

SUMS = "each row's statistics are summed and the value is made from the sums"
MEAN = "mean of the rows"


def how_resampled(metric: Metric) -> str:
    """What an interval of this metric rests on, or why it has none."""
    if isinstance(metric, CorpusMetric):
        return metric.no_interval
    if hasattr(metric, "corpus_value"):
        return f"rows are drawn; {SUMS}"
    return f"rows are drawn; {how_averaged(metric.name, metric.signature())}"


def how_averaged(name: str, signature: str) -> str:
    """What stays as it is while the rows of a mean are drawn.

    Args:
        name: Of the metric.
        signature: Its signature.
    """
    if name in ("cider", "cider_d"):
        fixed = "those of all rows' references" if "df:corpus" in signature else "those of the file that it names"
        return f"{MEAN}; document frequencies are held fixed ({fixed})"
    if "idf:yes" in signature:
        return f"{MEAN}; idf weights are held fixed"
    if "agg:bootstrap-mid" in signature:
        return f"{MEAN}, moved to the median of resampled means that the value is"
    return MEAN
