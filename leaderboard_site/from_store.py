"""Finds the runs of a board in the results store; what the index does not hold is read from their directories."""

from __future__ import annotations

from grue.comparison.standings_runs import BoardRun, board_run
from grue.core.errors import GrueError, RunDirectoryError, UsageError
from grue.runs.read import MANIFEST, RESULTS, read_run
from grue.runs.row_counts import check_row_counts
from grue.store import queries
from grue.store.database import Store, open_store
from grue.store.service.submissions import hidden_run_ids
from grue.store.values import Location
from leaderboard_site.collect import Collection, Skipped, one_line, with_decisions

_FIX = "Run 'grue db rebuild --results DIR'."


def collect_stored(url: str | None = None) -> Collection:
    """All runs of the store that public pages show, each as its directory says and the index has it.

    Args:
        url: Address of the database; that of the settings where nothing is said.

    Raises:
        UsageError: where the store holds no runs.
        StoreError: where the database fails.
    """
    with open_store(url) as store:
        return _collected(store)


def _collected(store: Store) -> Collection:
    hidden = hidden_run_ids(store)
    locations = [location for location in queries.locations(store) if location.run_id not in hidden]
    if not locations:
        raise UsageError(
            f"The store {store.shown} holds no runs.",
            "Index them with 'grue db rebuild --results DIR', or name --results.",
        )
    runs: dict[str, BoardRun] = {}
    skipped: list[Skipped] = []
    for location in locations:
        try:
            runs[location.run_id] = _run(location)
        except GrueError as error:
            skipped.append(Skipped(location.path, f"{one_line(error)} {_FIX}"))
    decisions = [one for one in queries.supersessions(store) if one.new not in hidden]
    return Collection(with_decisions(runs, decisions), tuple(skipped))


def _run(location: Location) -> BoardRun:
    stored = read_run(location.path)
    run = board_run(stored)
    check_row_counts(stored)
    found = {"run_id": run.id, "checksum": stored.results["checksum"]}
    for key, indexed in (("run_id", location.run_id), ("checksum", location.checksum)):
        if found[key] != indexed:
            cause = f"{key} is {found[key][:26]}, but the index has {indexed[:26]}: it was changed since."
            raise RunDirectoryError(cause, place=MANIFEST if key == "run_id" else RESULTS)
    return run
