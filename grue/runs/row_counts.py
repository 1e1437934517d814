"""Whether the tables of a run hold as many generations as its documents say: the check that is cheap enough for every
run of a board. ``grue.runs.rows`` reads the rows themselves.
"""

from __future__ import annotations

from grue.core.errors import RunDirectoryError
from grue.runs.read import MANIFEST, RESULTS, StoredRun


def check_row_counts(stored: StoredRun) -> None:
    """Compare the footer of each table with what was asked; tasks that failed have fewer rows and are passed over.

    Raises:
        RunDirectoryError: names the first table that holds other rows.
    """
    manifest, results = stored.manifest_value(), stored.results_value()
    for task, result in results.tasks.items():
        asked = manifest.tasks.get(task)
        if asked is None or result.error is not None or not stored.has_samples(task):
            continue
        name = f"samples/{task}.parquet"
        found = _n_rows(stored, name)
        if found is not None and found != result.expected * asked.samples:
            raise RunDirectoryError(
                f"holds {found} generations, other rows than the run has: {RESULTS} says tasks.{task}.n.expected "
                f"{result.expected}, {MANIFEST} says tasks.{task}.samples {asked.samples}.",
                "Restore the file, or run again with --fresh.",
                place=str(stored.path / name),
            )


def _n_rows(stored: StoredRun, name: str) -> int | None:
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(stored.path / name).num_rows)
    except (OSError, ValueError):
        # Its bytes are what was written; whoever needs its rows says that it cannot be read.
        return None
