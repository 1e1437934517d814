"""One round of a contest: every contestant once, in turn, each in a fresh process, outputs compared."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from generation_auto_batch import auto_batch
from generation_contests import CONTESTS, OURS, Contest, Contestant
from generation_ours import Taken, ours
from generation_process import ContestantFailedError, Spent, environment
from generation_theirs import bare, equal_rows, theirs
from generation_values import Answer, Bound, Result, Round, Setting
from generation_workload import Workload

BOUND = Path(__file__).with_name("generation_bound.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Where rounds take place.

    Attributes:
        setting: The same for all.
        scratch: Folder for outputs and logs.
        peer_python: The interpreter with lm-eval; `None` where it is not to be had.
    """

    setting: Setting
    scratch: Path
    peer_python: Path | None

    def round(
        self, name: str, keys: Sequence[str], workload: Workload, number: int, wanted: Sequence[Answer] | None
    ) -> Round:
        """Run a round.

        Args:
            name: The contest.
            keys: Who takes part, ours first.
            workload: Prompts and checkpoint.
            number: The round's number; the order of contestants turns with it.
            wanted: Batch-of-one outputs; `None` where outputs are compared with ours (or not at all).
        """
        contest = CONTESTS[name]
        taken: dict[str, Taken] = {}
        results: dict[str, Result] = {}
        turn = (number - 1) % len(keys)
        for key in (*keys[turn:], *keys[:turn]):
            try:
                taken[key] = self._run(contest, contest.contestants[key], workload)
            except ContestantFailedError as error:
                results[key] = Result(error=str(error))
            _say(name, workload, number, key, taken.get(key), results.get(key))
        for key, one in taken.items():
            others = wanted if wanted is not None or key == OURS else _first_samples(taken.get(OURS))
            results[key] = _result(one, others)
        bound = self._bound(workload, taken[OURS].answers) if contest.has_bound and OURS in taken else None
        ordered = {key: results[key] for key in keys}
        return Round(contest=name, kind=workload.kind, size=workload.size, number=number, results=ordered, bound=bound)

    def _run(self, contest: Contest, one: Contestant, workload: Workload) -> Taken:
        limit = contest.max_new_tokens or self.setting.max_new_tokens
        if one.way == "bare":
            return bare(self.setting, workload, limit, self.scratch)
        if one.way != OURS:
            python = self.peer_python if one.way == "lm-eval" else Path(sys.executable)
            if python is None:
                raise ContestantFailedError("lm-eval is not installed")
            batch = one.batch
            if batch == "auto":
                batch = str(auto_batch(self.setting, workload, self.scratch, python).rows)
            return theirs(self.setting, workload, one.way, batch, contest.beams, self.scratch, python=python)
        flags = ("-g", f"max_new_tokens={limit}", *one.flags)
        if one.runs == 1:
            return ours(self.setting, workload, flags, self.scratch)
        runs = [ours(self.setting, workload, (*flags, "--seed", str(n)), self.scratch) for n in range(one.runs)]
        return _joined(runs)

    def _bound(self, workload: Workload, answers: Sequence[Answer]) -> Bound:
        lengths = self.scratch / "lengths.json"
        lengths.write_text(json.dumps([(one.prompt_tokens, one.n_tokens) for one in answers]), encoding="utf-8")
        command = [sys.executable, str(BOUND), str(workload.model), str(lengths), self.setting.device]
        done = subprocess.run(
            [*command, self.setting.dtype, str(self.setting.threads)],
            check=True,
            env=environment(self.setting.threads, self.scratch / "home"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        found: Mapping[str, float] = json.loads(done.stdout)
        return Bound(**{key: found[key] for key in ("peak_flops", "bandwidth", "flops", "bytes_read")})


def _joined(runs: Sequence[Taken]) -> Taken:
    """Runs one after the other as one: times added, answers those of the first, tokens of all."""
    spent = Spent(
        began=runs[0].spent.began,
        wall_seconds=sum(run.spent.wall_seconds for run in runs),
        cpu_seconds=sum(run.spent.cpu_seconds for run in runs),
    )
    return Taken(
        spent=spent,
        answers=tuple(answer for run in runs for answer in run.answers),
        generate_seconds=sum(run.generate_seconds or 0.0 for run in runs),
        first_row_seconds=runs[0].first_row_seconds,
    )


def _first_samples(taken: Taken | None) -> list[Answer] | None:
    """The first sample of every row: a run with one sample and the same seed draws just these."""
    if taken is None:
        return None
    return [answer for answer in taken.answers if answer.sample == 0]


def _result(taken: Taken, wanted: Sequence[Answer] | None) -> Result:
    counts = [answer.n_tokens for answer in taken.answers]
    known = [count for count in counts if count is not None]
    return Result(
        wall_seconds=taken.spent.wall_seconds,
        cpu_seconds=taken.spent.cpu_seconds,
        generate_seconds=taken.generate_seconds,
        first_row_seconds=taken.first_row_seconds,
        new_tokens=sum(known) if len(known) == len(counts) else None,
        equal=None if wanted is None else equal_rows(taken.answers, wanted),
        compared=0 if wanted is None else min(len(wanted), len(taken.answers)),
    )


def _say(name: str, workload: Workload, number: int, key: str, taken: Taken | None, failed: Result | None) -> None:
    told = f"failed: {failed.error}" if failed else ""
    if taken:
        told = f"{taken.spent.wall_seconds:.1f} s, CPU {taken.spent.cpu_seconds:.1f} s"
    print(
        f"round {number}, {name}, {workload.kind}, {workload.size} prompts, {key}: {told}", file=sys.stderr, flush=True
    )
