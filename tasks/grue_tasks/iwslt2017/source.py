"""Where the rows are published."""

from __future__ import annotations

from grue.core.source import HubSource

SOURCE: HubSource | None = HubSource(
    id="IWSLT/iwslt2017",
    # The commit of the hub's Parquet conversion; the main branch holds a loading script alone.
    revision="9ca48082a7aae6d0a9d18efb292c50eacd10d2e8",
    files={split: (f"iwslt2017-de-en/{split}/0000.parquet",) for split in ("train", "validation", "test")},
    columns=("translation",),
    counts={"train": 206_112, "validation": 888, "test": 8_079},
    notes="Configuration iwslt2017-de-en, read from English to German; test is tst2010 to tst2015.",
)
