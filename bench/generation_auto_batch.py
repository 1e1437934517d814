"""What lm-eval's `batch_size=auto` settles on here, searched for once: on a CPU the search takes minutes."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from generation_process import ContestantFailedError
from generation_theirs import theirs
from generation_values import Setting
from generation_workload import Workload

FOUND = re.compile(r"Determined Largest batch size: (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoBatch:
    """The outcome of the search for one checkpoint.

    Attributes:
        kind: `causal` or `seq2seq`.
        rows: The batch size that it found.
        seconds: How long the search and one prompt took.
    """

    kind: str
    rows: int
    seconds: float


def auto_batch(setting: Setting, workload: Workload, scratch: Path, python: Path) -> AutoBatch:
    """The batch size, from the cache where it was searched for already.

    Raises:
        ContestantFailedError: where lm-eval fails or does not say.
    """
    name = f"{workload.kind}-{setting.dtype}-{setting.device}-{setting.max_new_tokens}.json"
    kept = setting.cache / "auto-batch" / setting.shape / name
    if not kept.is_file():
        taken = theirs(setting, workload, "lm-eval", "auto", 1, scratch, python=python, rows=1)
        said = FOUND.search((scratch / "peer.log").read_text(encoding="utf-8", errors="replace"))
        if said is None:
            raise ContestantFailedError("lm-eval does not say which batch size it found")
        found = AutoBatch(kind=workload.kind, rows=int(said[1]), seconds=taken.generate_seconds or 0.0)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(asdict(found)), encoding="utf-8")
    return AutoBatch(**json.loads(kept.read_text(encoding="utf-8")))
