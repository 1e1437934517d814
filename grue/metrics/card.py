"""What a user should know of a metric before trusting its number; each metric's module holds its own ``CARDS``."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from importlib.resources import files

from grue.metrics.build import entry

COSTS = "costs.json"


@dataclass(frozen=True, slots=True)
class Card:
    """Words for ``grue metrics show``.

    Attributes:
        measures: What the number says, one or two sentences.
        low: Smallest possible value; ``None`` where unbounded.
        high: Largest possible value; ``None`` where unbounded.
        source: Paper with authors and year, and the implementation that ours equals, with its version.
        failings: Known failings, a sentence each.
    """

    measures: str
    low: float | None
    high: float | None
    source: str
    failings: tuple[str, ...]


def card(name: str) -> Card | None:
    """The card of a metric; ``None`` where its module has none (metrics of Hugging Face evaluate).

    Raises:
        UsageError: for an unknown name.
    """
    maker = entry(name).maker
    if not maker:
        return None
    cards = getattr(importlib.import_module(maker.partition(":")[0]), "CARDS", {})
    found: Card | None = cards.get(name)
    return found


def cost(name: str) -> dict[str, float | str | None]:
    """Measured seconds a thousand rows and where they were measured; ``None`` for a metric that was not.

    ``bench/metrics.py --costs`` writes the table that this reads.
    """
    table = json.loads((files("grue.metrics") / COSTS).read_text(encoding="utf-8"))
    return {"seconds_per_1000_rows": table["seconds_per_1000_rows"].get(name), "cost_where": table["where"]}
