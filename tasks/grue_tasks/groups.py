"""Names that stand for several tasks, found by the entry point group ``grue.task_groups``."""

from __future__ import annotations

# The seven tasks of the paper; its translation task is IWSLT 2017.
GRUE = ("imdb", "commongen", "cnn_dailymail", "totto", "narrativeqa", "iwslt2017", "daily_dialog")
