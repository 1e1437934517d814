"""Where the rows are published, and which of them are the benchmark's.

The benchmark shuffles the publisher's train split with seed 42 and takes 80 % for training and 20 % for validation; its
test split is the first 5,000 of the publisher's test split, shuffled with the same seed (Ramamurthy et al. 2023, code).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grue.core.record import Record
from grue.core.source import HubSource

SEED = 42
TEST_ROWS = 5000


def benchmark_positions(split: str, n_records: int) -> list[int]:
    """Positions of the benchmark's records in the publisher's file, ascending.

    The permutation is the one of ``datasets.Dataset.shuffle(seed=42)``: NumPy's default generator, PCG64.
    """
    shuffled = np.random.default_rng(SEED).permutation(n_records)
    train_rows = int(0.8 * n_records)
    chosen = {"train": shuffled[:train_rows], "validation": shuffled[train_rows:], "test": shuffled[:TEST_ROWS]}[split]
    return sorted(int(position) for position in chosen)


def keep(split: str, records: Sequence[Record]) -> Sequence[Record]:
    """The benchmark's records, in file order."""
    return [records[position] for position in benchmark_positions(split, len(records))]


SOURCE: HubSource | None = HubSource(
    id="stanfordnlp/imdb",
    revision="e6281661ce1c48d982bc483cf8a173c1bbeb5d31",
    files={
        "train": ("plain_text/train-00000-of-00001.parquet",),
        "validation": ("plain_text/train-00000-of-00001.parquet",),
        "test": ("plain_text/test-00000-of-00001.parquet",),
    },
    columns=("text", "label"),
    counts={"train": 25_000, "validation": 25_000, "test": 25_000},
    sha256={
        "plain_text/train-00000-of-00001.parquet": "db47d16b5c297cc0dd625e519c81319c24c9149e70e8496de5475f6fa928342c",
        "plain_text/test-00000-of-00001.parquet": "b52e26e2f872d282ffac460bf9770b25ac6f102cda0e6ca7158df98c94e8b3da",
    },
    keep=keep,
    notes=(
        "train and validation are 80 % and 20 % of the publisher's train split, test is 5,000 of its 25,000 test "
        "reviews; all drawn with seed 42. The texts may not be redistributed."
    ),
)
