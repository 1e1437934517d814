"""``grue verify``: is a run what it claims to be?"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from grue.core.errors import GrueError, UsageError
from grue.core.rows import Row
from grue.core.run import Manifest
from grue.engine.open import open_engine
from grue.engine.options import EngineOptions
from grue.evaluation.call import at_least_one
from grue.evaluation.from_run import texts_of
from grue.evaluation.progress import Progress, Silent
from grue.evaluation.selection import working_settings
from grue.runs.read import StoredRun
from grue.runs.rows import IMPORTED, check_columns
from grue.verification.documents import open_run
from grue.verification.findings import FAILED, NOT_ASKED, NOT_CHECKED, Finding, Verification
from grue.verification.regeneration import StoredTask, regenerated, same_checkpoint
from grue.verification.rescoring import rescored
from grue.verification.rows import prediction_file, process_of, real_data, stored_rows, true_rows, wrongly_processed
from grue.verification.systems import rule_texts

if TYPE_CHECKING:
    from grue.engine.hf import HFEngine

ROWS = 8
BY_RULE = ("null", "oracle")
# Why no checkpoint can be asked for the texts of a run.
NO_CHECKPOINT = {
    "predictions": "from a prediction file, which says nothing of a model or of decoding",
    "endpoint": "from behind an endpoint, whose weights nobody saw",
    IMPORTED: "from another program, whose prompts and decoding are its own",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyCall:
    """What a user asks for.

    Attributes:
        path: The run directory.
        model: Checkpoint whose texts the run claims; ``None`` generates nothing again.
        adapter: Folder of a PEFT adapter.
        device: Where to generate.
        rows: Rows a task that are generated again.
        seed: Chooses them; ``None`` draws one, so that nobody can know the rows beforehand.
        data: ``mini``, ``hub`` or a folder to compare the rows with; ``None`` compares embedded rows alone.
        allow_pickle: Whether weights in pickle files may be read.
        trust_remote_code: Whether code inside the checkpoint may run.
        offline: Look at local files only.
        include: Task plugins outside the installed packages.
    """

    path: Path
    model: str | None = None
    adapter: Path | None = None
    device: str = "auto"
    rows: int = ROWS
    seed: int | None = None
    data: str | None = None
    allow_pickle: bool = False
    trust_remote_code: bool = False
    offline: bool = False
    include: tuple[Path, ...] = field(default=())

    def __post_init__(self) -> None:
        at_least_one("--rows", self.rows)


def verify(call: VerifyCall, progress: Progress | None = None) -> Verification:
    """Check a run: files and documents, rows, scores, and with a checkpoint its texts.

    Args:
        call: What is asked for.
        progress: Watches; ``None`` watches in silence.

    Raises:
        RunDirectoryError: where there is no finished run, or it is of a newer version.
        UsageError: for a checkpoint that the run says nothing of, or one that is not to be had.
        CheckpointError: where the checkpoint cannot be used.
        TaskDataError: for a fault in data that were named.
    """
    opened = open_run(call.path)
    if opened.stored is None:
        return Verification(path=call.path, run_id=None, identity=None, findings=opened.findings)
    manifest = opened.stored.manifest_value()
    seed = (secrets.randbits(32) if call.seed is None else call.seed) if call.model is not None else None
    with ExitStack() as stack:
        engine = _engine(call, manifest)
        if engine is not None:
            stack.callback(engine.close)
        run = _Run(opened.stored, manifest, call, engine, progress or Silent(), seed or 0)
        findings = (*opened.findings, *run.findings())
    return Verification(
        path=call.path, run_id=manifest.run_id, identity=manifest.identity, findings=findings, spot_seed=seed
    )


def _engine(call: VerifyCall, manifest: Manifest) -> HFEngine | None:
    """The checkpoint, opened as the run says it was; its weights are not loaded."""
    if call.model is None or manifest.model.kind in BY_RULE:
        return None
    if manifest.model.kind in NO_CHECKPOINT:
        raise UsageError(
            f"-m: the run's texts came {NO_CHECKPOINT[manifest.model.kind]}.", "Leave out -m.", place=str(call.path)
        )
    if call.model.startswith(("null:", "oracle:", "openai:")):
        raise UsageError(
            f"-m {call.model} is no checkpoint, and the run claims one.", "Give its folder or hub id.", place="-m"
        )
    from grue.engine.hf import HFEngine

    templates = [task.generation.get("chat_template_sha256") for task in manifest.tasks.values()]
    options = EngineOptions(
        device=call.device,
        dtype=manifest.model.dtype or "auto",
        engine="hf",
        chat_template="auto" if any(templates) else "off",
        adapter=call.adapter,
        allow_pickle=call.allow_pickle,
        trust_remote_code=call.trust_remote_code,
        offline=call.offline,
        home=working_settings().home,
    )
    engine = open_engine(call.model, options)
    if not isinstance(engine, HFEngine):
        raise UsageError(f"-m {call.model} is no checkpoint.", "Give a folder, a hub id or demo:….", place="-m")
    return engine


class _Run:
    """One run that could be read, and all that is asked of it."""

    def __init__(
        self,
        stored: StoredRun,
        manifest: Manifest,
        call: VerifyCall,
        engine: HFEngine | None,
        progress: Progress,
        seed: int,
    ) -> None:
        self._stored, self._manifest, self._call = stored, manifest, call
        self._engine, self._progress, self._seed = engine, progress, seed
        self._tasks: dict[str, StoredTask] = {}

    def findings(self) -> Iterator[Finding]:
        """Everything, cheap checks first."""
        names = [name for name in self._stored.results["tasks"] if name in self._manifest.tasks]
        for name in names:
            if self._manifest.model.kind == IMPORTED and f"samples/{name}.parquet" not in self._stored.results["files"]:
                message = "its values were imported without samples: nothing can be scored again"
                yield Finding(check="scores", status=NOT_CHECKED, task=name, message=message)
            else:
                yield from self._rows(name)
        texts = {name: list(task.generations.values()) for name, task in self._tasks.items()}
        if len(texts) == len(names):
            by_hash = prediction_file(self._manifest.model, self._manifest.arguments, texts)
            if by_hash is not None:
                yield by_hash
        is_same = True
        if self._engine is not None:
            found = same_checkpoint(self._manifest, self._engine)
            is_same = all(finding.status != FAILED for finding in found)
            yield from found
        evaluated = self._engine.folder if self._engine is not None and is_same else None
        yield from rescored(
            self._stored,
            list(self._tasks),
            self._call.include,
            self._progress,
            offline=self._call.offline,
            evaluated=evaluated,
        )
        yield from self._texts()
        message = "time, memory and energy were measured once and cannot be measured again"
        yield Finding(check="costs", status=NOT_ASKED, message=message)

    def _rows(self, name: str) -> Iterator[Finding]:
        yield from stored_rows(self._stored, name)
        try:
            check_columns(self._stored, name)
            rows, generations = texts_of(self._stored, name)
        except (GrueError, TypeError, ValueError, AttributeError):
            message = "cannot be read, so that nothing else of the task can be checked"
            place = str(self._stored.path / "samples" / f"{name}.parquet")
            yield Finding(check="rows", status=FAILED, task=name, place=place, message=message)
            return
        task = StoredTask(
            name=name,
            manifest=self._manifest.tasks[name],
            rows=rows,
            generations={(made.id, made.sample): made for made in generations},
            place=str(self._stored.path / "samples" / f"{name}.parquet"),
        )
        self._tasks[name] = task
        yield from wrongly_processed(self._stored, name, generations, self._call.include)
        yield from real_data(self._stored, name, rows, self._call.data, self._call.include, offline=self._call.offline)

    def _texts(self) -> Iterator[Finding]:
        kind = self._manifest.model.kind
        if kind in BY_RULE:
            if self._call.model not in (None, self._manifest.model.source):
                message = f"the run is of {self._manifest.model.source}, not of {self._call.model}"
                yield Finding(check="checkpoint", status=FAILED, place="manifest.json: model.source", message=message)
            for task in self._tasks.values():
                yield from rule_texts(self._manifest, task, self._true_rows(task), self._process(task))
        elif self._engine is not None:
            self._progress.phase(f"loading {self._engine.info.name}")
            self._engine.load()
            for task in self._tasks.values():
                self._progress.phase(f"generating rows of {task.name} again")
                yield from regenerated(self._manifest, self._engine, task, self._call.rows, self._seed)
        elif kind in NO_CHECKPOINT:
            message = f"no text can be generated again: they came {NO_CHECKPOINT[kind]}"
            yield Finding(check="texts", status=NOT_ASKED, message=message)
        else:
            message = "no text was generated again; -m CHECKPOINT does that with random rows"
            yield Finding(check="texts", status=NOT_ASKED, message=message)

    def _true_rows(self, task: StoredTask) -> tuple[Row, ...] | None:
        call = self._call
        return true_rows(self._stored, task.name, call.data, call.include, offline=call.offline)

    def _process(self, task: StoredTask) -> Callable[[str], str]:
        return process_of(self._stored, task.name, self._call.include)
