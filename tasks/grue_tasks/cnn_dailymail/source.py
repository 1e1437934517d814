"""Where the rows are published."""

from __future__ import annotations

from grue.core.source import HubSource

SOURCE: HubSource | None = HubSource(
    id="abisee/cnn_dailymail",
    revision="96df5e686bee6baa90b8bee7c28b81fa3fa6223d",
    files={
        "train": tuple(f"3.0.0/train-0000{shard}-of-00003.parquet" for shard in range(3)),
        "validation": ("3.0.0/validation-00000-of-00001.parquet",),
        "test": ("3.0.0/test-00000-of-00001.parquet",),
    },
    columns=("article", "highlights", "id"),
    counts={"train": 287_113, "validation": 13_368, "test": 11_490},
    sha256={
        "3.0.0/validation-00000-of-00001.parquet": "65a5ccce932b08f050114ce6e3c39355d563fa24f194052bb2f27d1c6c499c91",
    },
    notes="Configuration 3.0.0.",
)
