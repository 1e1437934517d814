"""A comparison as the text of a file, in any of the formats."""

from __future__ import annotations

import json

from grue.comparison.document import document
from grue.comparison.values import Comparison
from grue.core.run import SCHEMA_VERSION

FORMATS = ("json", "markdown", "html", "latex", "csv")


def report(comparison: Comparison, form: str, *, every: bool = False) -> str:
    """The comparison in one of ``FORMATS``.

    Args:
        comparison: What to write.
        form: Name of the format.
        every: Whether Markdown and LaTeX hold all metrics, not only primary ones; the other formats always do.

    Raises:
        ValueError: for an unknown format.
    """
    if form == "json":
        content = {"schema_version": SCHEMA_VERSION, **document(comparison)}
        return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    if form == "csv":
        from grue.comparison.tables import long_table
        from grue.exchange.formats import csv_table

        return csv_table(long_table(comparison))
    if form == "markdown":
        from grue.comparison.markdown import markdown

        return markdown(comparison, every=every)
    if form == "latex":
        from grue.comparison.latex import latex

        return latex(comparison, every=every)
    if form == "html":
        from grue.comparison.page import html

        return html(comparison)
    raise ValueError(f"unknown format {form!r}")
