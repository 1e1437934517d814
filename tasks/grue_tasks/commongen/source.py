"""Where the rows are published."""

from __future__ import annotations

from grue.core.source import HubSource

SPLITS = (
    "train",
    "validation",
    "test",
    "challenge_train_sample",
    "challenge_validation_sample",
    "challenge_test_scramble",
)

SOURCE: HubSource | None = HubSource(
    id="GEM/common_gen",
    # The commit of the hub's Parquet conversion; the main branch holds a loading script alone.
    revision="62063f847b090959b6fd342f9c8582f61a6bbb53",
    files={split: (f"default/{split}/0000.parquet",) for split in SPLITS},
    columns=("concept_set_id", "concepts", "target", "references"),
    counts={"train": 67_389, "validation": 993, "test": 1_497, **dict.fromkeys(SPLITS[3:], 500)},
    default_split="validation",
    notes="The references of the test split are withheld.",
)
