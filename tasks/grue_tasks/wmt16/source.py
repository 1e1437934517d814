"""Where the rows are published."""

from __future__ import annotations

from grue.core.source import HubSource

SOURCE: HubSource | None = HubSource(
    id="wmt/wmt16",
    revision="41d8a4013aa1489f28fea60ec0932af246086482",
    files={
        "train": tuple(f"de-en/train-0000{shard}-of-00003.parquet" for shard in range(3)),
        "validation": ("de-en/validation-00000-of-00001.parquet",),
        "test": ("de-en/test-00000-of-00001.parquet",),
    },
    columns=("translation",),
    counts={"train": 4_548_885, "validation": 2_169, "test": 2_999},
    notes="Configuration de-en, read from English to German; validation is newstest2015, test newstest2016.",
)
