"""Which rows a call asks for, and which draws of them."""

from __future__ import annotations

from collections.abc import Sequence

from grue.core.rows import Row
from grue.engine.protocol import Job, Request


class Wanted:
    """The requests of a call by row.

    Where composition is fixed by the job, all of its rows and draws are decoded, also those that nobody asks for.

    Attributes:
        rows: The rows to decode, each once.
    """

    def __init__(self, requests: Sequence[Request], job: Job) -> None:
        self._samples = job.decoding.do_sample
        self._all_draws = tuple(range(job.samples)) if job.deterministic else ()
        rows = {request.row.id: request.row for request in requests}
        if job.deterministic:
            rows = {row.id: row for row in job.rows} | rows
        self.rows: Sequence[Row] = list(rows.values())
        place = {row_id: index for index, row_id in enumerate(rows)}
        self._requests: dict[tuple[int, int], list[Request]] = {}
        self._draws: dict[str, set[int]] = {}
        for request in requests:
            draw = request.sample if self._samples else 0
            self._requests.setdefault((place[request.row.id], draw), []).append(request)
            self._draws.setdefault(request.row.id, set()).add(draw)

    def draws(self, row: Row) -> tuple[int, ...]:
        """Draws of a row that are decoded; one where decoding is deterministic."""
        if not self._samples:
            return (0,)
        return tuple(sorted(self._draws.get(row.id, set()).union(self._all_draws)))

    def asks(self, index: int) -> bool:
        """Whether anything of a row is asked for."""
        return self.rows[index].id in self._draws

    def requests(self, index: int, draw: int) -> Sequence[Request]:
        """The requests that a text answers; none where it was decoded for the sake of its neighbours."""
        return self._requests.get((index, draw), ())
