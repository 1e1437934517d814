"""Where the rows are published."""

from __future__ import annotations

from grue.core.source import HubSource

SOURCE: HubSource | None = HubSource(
    id="OpenRL/daily_dialog",
    revision="1668faf0c0dc44664f108c489fd0666128db2c48",
    files={
        "train": ("data/train-00000-of-00001-f151c79abb2c1fd5.parquet",),
        "validation": ("data/validation-00000-of-00001-2407eb323af19881.parquet",),
        "test": ("data/test-00000-of-00001-66dc7d981b70c918.parquet",),
    },
    columns=("dialog", "act", "emotion"),
    counts={"train": 11_118, "validation": 1_000, "test": 1_000},
    notes="A Parquet mirror: the publisher's own repository holds a loading script whose archive is gone.",
)
