"""Hugging Face checkpoints: opened and checked first, loaded once, then decoded in a thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from grue.checkpoints.device import choose_device, choose_dtype
from grue.checkpoints.hashing import tokenizer_sha256
from grue.checkpoints.hub import Located
from grue.checkpoints.spread import SPREAD, layers_by_device
from grue.checkpoints.threads import Threads, apply_threads, settle_threads, sleep_at_barriers
from grue.core.errors import CheckpointError
from grue.core.rows import Generation, Row
from grue.core.run import ModelInfo
from grue.core.text import Json
from grue.engine.ahead import PromptsAhead
from grue.engine.batching import Item, longest_first
from grue.engine.checkpoint import Checkpoint, load_model, read_checkpoint
from grue.engine.estimate import room
from grue.engine.finished import finished
from grue.engine.generator_thread import GeneratorThread
from grue.engine.loading import Loading
from grue.engine.memory import free_cached
from grue.engine.options import EngineOptions
from grue.engine.protocol import Failure, Job, Portion, Request, Work
from grue.engine.slots.loop import Turn
from grue.engine.token_ids import TokenIds, token_ids
from grue.engine.tokenization import PromptReader, read_tokenizer
from grue.engine.turns import Turns, fixed_groups
from grue.engine.wanted import Wanted

# Rows that end within so many seconds are stored together.
PAUSE = 0.2


def open_checkpoint(source: str, located: Located, options: EngineOptions) -> HFEngine:
    """Read and check a checkpoint's folder; its weights are hashed in a thread and not loaded.

    Raises:
        CheckpointError: where it cannot be used as it is.
        UsageError: for a device or number type that is not to be had.
    """
    sleep_at_barriers()
    # First, so that the weights are hashed while libraries are imported.
    checkpoint = read_checkpoint(located.folder, options)
    device = choose_device(options.device, options.devices)
    dtype = choose_dtype(options.dtype, device)
    reader = read_tokenizer(checkpoint, options)
    tokens = token_ids(checkpoint, reader)
    info = ModelInfo(
        name=options.name or located.name,
        source=source,
        kind=located.kind,
        revision=located.revision,
        tokenizer_sha256=tokenizer_sha256(checkpoint.folder),
        architecture=checkpoint.architecture,
        parameters=checkpoint.parameters,
        dtype=dtype,
        engine="hf",
        meta=options.meta,
    )
    return HFEngine(info, checkpoint, reader, tokens, device, options)


class HFEngine:
    """Generates with one checkpoint on one device.

    Attributes:
        notes: What a user should know about the checkpoint.
        checkpoint: What is known of it without its weights.
        reader: Its tokenizer.
        tokens: Its token ids that steer decoding.
        device: Where it computes.
        dtype: Number type by torch's name.
        loading: Loads the weights, beforehand where that was asked for.
        model: The library's model; ``None`` until ``load``.
    """

    def __init__(
        self,
        info: ModelInfo,
        checkpoint: Checkpoint,
        reader: PromptReader,
        tokens: TokenIds,
        device: str,
        options: EngineOptions,
    ) -> None:
        self._info = info
        self.dtype = str(info.dtype)
        self.loading = Loading(partial(load_model, checkpoint, device, self.dtype, options))
        self.checkpoint = checkpoint
        self.reader = reader
        self._ahead = PromptsAhead(reader)
        self.tokens = tokens
        self.device = device
        self.notes: Sequence[str] = reader.notes
        self.model: Any = None
        self._options = options
        self._threads: Threads | None = None

    @property
    def info(self) -> ModelInfo:
        """Who generates; waits until the weights are hashed.

        Raises:
            CheckpointError: where their files cannot be read.
        """
        digest = self.checkpoint.weights_hash
        if digest is not None and self._info.weights_sha256 is None:
            self._info = replace(self._info, weights_sha256=digest.value())
        return self._info

    def load_ahead(self) -> None:
        """Begin to load in a thread where ``info`` has to wait anyway; ``load`` then waits for it.

        Where the hash is known already nothing is loaded before it is needed: the run may be finished.
        """
        digest = self.checkpoint.weights_hash
        if self.model is None and digest is not None and not digest.is_known:
            self.loading.start()

    def covered(self, rows: Sequence[Row]) -> list[Row]:
        """All rows, unchanged."""
        return list(rows)

    def prompt_limit(self, job: Job) -> int:
        """Tokens of a prompt, specials included: the task's cut, or what fits where that is less.

        Raises:
            CheckpointError: where no prompt fits, or an encoder-decoder model cannot write that many new tokens.
        """
        checkpoint, new = self.checkpoint, job.decoding.max_new_tokens
        place = str(checkpoint.folder)
        if checkpoint.output_positions is not None and new > checkpoint.output_positions:
            raise CheckpointError(
                f"The decoder has {checkpoint.output_positions} positions, and {new} new tokens are asked for.",
                f"Give -g max_new_tokens={checkpoint.output_positions}.",
                place=place,
            )
        limit = job.truncation.max_tokens
        if checkpoint.input_positions is not None:
            written = 0 if checkpoint.is_encoder_decoder else new
            limit = min(limit, checkpoint.input_positions - written)
        if limit <= self.reader.overhead_tokens:
            context = checkpoint.input_positions
            raise CheckpointError(
                f"No prompt fits: the context of {context} tokens takes {new} new ones"
                f" and {self.reader.overhead_tokens} tokens beside the prompt."
                if context is not None and limit < job.truncation.max_tokens
                else f"No prompt fits: {job.truncation.max_tokens} tokens are allowed,"
                f" {self.reader.overhead_tokens} of them taken by special tokens or the chat template.",
                "Give a smaller -g max_new_tokens=N, --chat-template off, or a model with a longer context.",
                place=place,
            )
        return limit

    def settings(self, job: Job) -> Mapping[str, Json]:
        """Decoding, cut, chat template and the config's hash; nothing that leaves the texts alone.

        Raises:
            CheckpointError: where no prompt fits, or one would begin with two begin-of-sequence tokens.
        """
        self.reader.refuse_double_bos([row.prompt for row in job.rows])
        return {
            **job.decoding.to_json(),
            "truncation": {
                "side": job.truncation.side,
                "max_tokens": job.truncation.max_tokens,
                "limit_tokens": self.prompt_limit(job),
            },
            **self.reader.describe(),
            "config_sha256": self.checkpoint.config_sha256,
        }

    @property
    def folder(self) -> Path:
        """Folder of the checkpoint."""
        return self.checkpoint.folder

    def environment(self) -> Mapping[str, Json]:
        """Where it computes; no part of a run's identity."""
        import torch

        on_gpu = self.device.startswith("cuda")
        self._settle_threads()
        return {
            "device": self.device,
            **({"devices": self._gpus()} if on_gpu and self._options.device == SPREAD else {}),
            "device_name": torch.cuda.get_device_name(self.device) if on_gpu else None,
            "dtype": self.dtype,
            "threads": self._threads.count if self._threads else int(torch.get_num_threads()),
            "threads_chosen": self._threads.chosen if self._threads else None,
            "notes": list(self.notes),
        }

    def load(self) -> None:
        """Load the weights; a second call does nothing.

        Raises:
            CheckpointError: where config and weights do not belong together, or memory is short.
        """
        if self.model is not None:
            return
        self._settle_threads()
        self.model = self.loading.take()

    def close(self) -> None:
        """Give the model's memory back."""
        self.model = None
        self.loading.drop()
        free_cached()

    def peak_memory_bytes(self) -> int | None:
        """The most device memory that was taken so far, that of all GPUs together where the layers lie on several;
        ``None`` on a CPU, where it is the process's own.
        """
        if not self.device.startswith("cuda"):
            return None
        import torch

        devices = self._gpus() if self._options.device == SPREAD else [self.device]
        return sum(int(torch.cuda.max_memory_allocated(device)) for device in devices)

    @property
    def layers(self) -> Mapping[str, int]:
        """Layers by the device they lie on; one on each of all GPUs while a model that will be spread is not loaded."""
        if self._options.device != SPREAD:
            return {self.device: 1}
        if self.model is not None:
            return layers_by_device(self.model)
        return dict.fromkeys(self._gpus(), 1)

    def _gpus(self) -> list[str]:
        import torch

        return [f"cuda:{number}" for number in range(torch.cuda.device_count())]

    def prompt_lengths(self, rows: Sequence[Row], job: Job) -> list[int]:
        """Tokens of each row's prompt as the model would read it."""
        return [item.n_tokens for item in self.encode(rows, job)]

    def read_ahead(self, requests: Sequence[Request], job: Job) -> None:
        """Begin to tokenise what ``generate`` will be asked for; returns at once."""
        prompts = [row.prompt for row in Wanted(requests, job).rows]
        self._ahead.start(prompts, job.truncation, self.prompt_limit(job))

    def encode(self, rows: Sequence[Row], job: Job) -> list[Item]:
        """One item a row with its prompt read and cut, for a single draw."""
        prompts = self._ahead.take([row.prompt for row in rows], job.truncation, self.prompt_limit(job))
        return [Item(prompt, index) for index, prompt in enumerate(prompts)]

    def generate(self, requests: Sequence[Request], job: Job) -> Iterator[Portion]:
        """Yield generations as rows end; the model goes on in a thread of its own meanwhile.

        Deterministic decoding runs once a row, whatever the number of samples. Where memory is short fewer rows are
        decoded together; a row that does not fit alone is a failure.
        """
        self.load()
        wanted = Wanted(requests, job)
        items = [
            replace(item, draws=wanted.draws(row))
            for item, row in zip(self.encode(wanted.rows, job), wanted.rows, strict=True)
        ]
        groups = [longest_first(items)]
        if job.deterministic:
            groups = [group for group in fixed_groups(items) if any(wanted.asks(item.index) for item in group)]
        turns = Turns(
            self.model,
            job,
            self.tokens,
            is_encoder_decoder=self.checkpoint.is_encoder_decoder,
            room=room(self.checkpoint, self.layers, self.dtype, job),
            row_ids=[row.id for row in wanted.rows],
            text_of=self.reader.decode,
        )
        for some in GeneratorThread(
            lambda is_stopped: self._in_thread(turns.run(groups, is_stopped)), pause_seconds=PAUSE
        ):
            yield self._portion(some, items, wanted, job)

    def _in_thread(self, turns: Iterator[Turn]) -> Iterator[Turn]:
        if self._threads is not None:
            apply_threads(self._threads.count)
        yield from turns

    def _settle_threads(self) -> None:
        """Choose threads once, on a CPU; whoever gave a model that is in memory has chosen."""
        if self.device == "cpu" and self._threads is None and self.model is None:
            # A measurement beside a model that is being loaded would measure that.
            self.loading.wait()
            self._threads = settle_threads(int(getattr(self.checkpoint.config, "hidden_size", 0) or 0))

    def _portion(self, turns: Sequence[Turn], items: Sequence[Item], wanted: Wanted, job: Job) -> Portion:
        generations: list[Generation] = []
        failures: list[Failure] = []
        for ended in [ended for turn in turns for ended in turn.ended]:
            for request in wanted.requests(ended.index, ended.draw):
                if ended.fault:
                    failures.append(Failure(request.row.id, request.sample, ended.fault))
                else:
                    generations.append(
                        finished(
                            request, items[ended.index], ended.ids, ended.finish_reason, self.reader, job, ended.seconds
                        )
                    )
        work = Work(
            worker=self.device,
            prefill_tokens=sum(turn.prefill_tokens for turn in turns),
            prefill_seconds=sum(turn.prefill_seconds for turn in turns),
            decode_tokens=sum(turn.decode_tokens for turn in turns),
            decode_seconds=sum(turn.decode_seconds for turn in turns),
            rows=max(turn.rows for turn in turns),
        )
        return Portion(generations, failures, (work,), [event for turn in turns for event in turn.events])
