"""Pages of 50 samples of a task with 100,000 rows: cold, and again, by clock and by processor.

Prompts have about 590 letters of random words, which compress badly: real texts of that length read faster. ``cold`` is
the first such page that a store reads; ``again`` is the same page after it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import tempfile
import time
from pathlib import Path
from types import MappingProxyType

import numpy as np

from grue.core.rows import Generation, Row
from grue.runs.read import StoredRun
from grue.runs.tables import parquet_bytes, samples_table
from leaderboard_site.sample_store import SampleQuery, SampleStore

TASK = "wmt16"
METRICS = ("sacrebleu", "chrf", "ter", "rouge1", "rouge2", "rougeL", "meteor", "distinct_1", "mean_length", "copy_rate")
QUERIES = {
    "first": SampleQuery(),
    "middle": SampleQuery(number=1000),
    "sorted": SampleQuery(sort="chrf", descending=True),
    "sorted, page 900": SampleQuery(sort="chrf", number=900),
    "score range, sorted": SampleQuery(metric="sacrebleu", low=0.1, high=0.11, sort="ter"),
    "cut outputs": SampleQuery(finish="length"),
    "text": SampleQuery(text="abc"),
    "text, sorted": SampleQuery(text="abc", sort="chrf"),
    "one row": SampleQuery(id=f"{777:016x}"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stored = _written(Path(folder), asked.rows)
        figures = {name: _measured(stored, query) for name, query in QUERIES.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"rows": asked.rows, "pages": figures, "peak_mb_with_writing": peak}, indent=1))


def _measured(stored: StoredRun, query: SampleQuery) -> dict[str, float]:
    store, found = SampleStore(), {}
    for name in ("cold", "again"):
        clock, processor = time.perf_counter(), time.process_time()
        page = store.page(stored, TASK, query, shows_texts=True)
        found[f"{name}_seconds"] = round(time.perf_counter() - clock, 3)
        found[f"{name}_processor_seconds"] = round(time.process_time() - processor, 3)
    return {**found, "matches": page.n_matches}


def _written(folder: Path, n_rows: int) -> StoredRun:
    draw, numbers = random.Random(0), np.random.default_rng(0)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 10))) for _ in range(20_000)]

    def text(n_words: int) -> str:
        return " ".join(draw.choices(words, k=n_words))

    rows, generations = {}, []
    for at in range(n_rows):
        row = Row(f"{at:016x}", text(90), (text(22), text(22)))
        finish = "stop" if at % 17 else "length"
        rows[row.id] = row
        generations.append(Generation(row.id, 0, text(22), prompt=row.prompt, finish_reason=finish))
    content = parquet_bytes(samples_table(rows, generations, {name: numbers.random(n_rows) for name in METRICS}, {}))
    (folder / "samples").mkdir()
    (folder / "samples" / f"{TASK}.parquet").write_bytes(content)
    files = {f"samples/{TASK}.parquet": hashlib.sha256(content).hexdigest()}
    return StoredRun(folder, MappingProxyType({}), {"files": files})


if __name__ == "__main__":
    main()
