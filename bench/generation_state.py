"""Rounds as they come, in a file: a stopped run goes on, and figures of other code or settings stay apart."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from generation_values import Round, Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The folder of a run of the bench.

    Attributes:
        folder: In the cache, named by all that figures depend on.
    """

    folder: Path

    @classmethod
    def open(cls, setting: Setting, versions: Mapping[str, str], sources: str, *, fresh: bool) -> State:
        """The state of this setting, these versions and this code; made where there is none."""
        what = {key: str(value) for key, value in asdict(setting).items() if key not in ("material", "cache")}
        said = json.dumps([what, dict(versions), sources], sort_keys=True)
        state = cls(folder=setting.cache / "rounds" / hashlib.sha256(said.encode()).hexdigest()[:16])
        state.scratch.mkdir(parents=True, exist_ok=True)
        if fresh:
            state._file.unlink(missing_ok=True)
        return state

    @property
    def scratch(self) -> Path:
        """Folder for outputs and logs of contestants, this process's own: several may measure at a time."""
        return self.folder / f"scratch-{os.getpid()}"

    @property
    def _file(self) -> Path:
        return self.folder / "rounds.jsonl"

    def add(self, round_: Round) -> None:
        """Keep a round."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(round_.to_line() + "\n")
            file.flush()
            os.fsync(file.fileno())

    def has(self, contest: str, kind: str, size: int, number: int, keys: Sequence[str]) -> bool:
        """Whether a round was measured with all who are to take part."""
        found = self._all().get((contest, kind, size, number))
        return found is not None and set(keys) <= set(found.results)

    def rounds(self, units: Collection[tuple[str, str, int]], count: int) -> list[Round]:
        """The first `count` rounds of the units that were asked for."""
        return [
            round_
            for (contest, kind, size, number), round_ in sorted(self._all().items())
            if (contest, kind, size) in units and number <= count
        ]

    def _all(self) -> dict[tuple[str, str, int, int], Round]:
        """The last line of a round counts; a line that was cut off by a stop does not."""
        if not self._file.is_file():
            return {}
        rounds = {}
        for line in self._file.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                found = Round.from_line(line)
                rounds[found.contest, found.kind, found.size, found.number] = found
        return rounds
