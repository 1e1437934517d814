"""Hugging Face checkpoints: opened and checked first, loaded once, then decoded batch by batch."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from grue.checkpoints.device import choose_device, choose_dtype, settle_threads
from grue.checkpoints.hashing import tokenizer_sha256
from grue.checkpoints.hub import Located
from grue.checkpoints.reading import quiet_transformers
from grue.core.errors import CheckpointError
from grue.core.rows import Generation, Row
from grue.core.run import ModelInfo
from grue.core.text import Json
from grue.engine.batching import Item, batches
from grue.engine.beams import beam_batch, sees_padding
from grue.engine.checkpoint import Checkpoint, load_model, read_checkpoint
from grue.engine.token_ids import TokenIds
from grue.engine.decode import Output, cut_at_stop, decode_batch
from grue.engine.estimate import default_budget
from grue.engine.loading import Loading
from grue.engine.options import EngineOptions
from grue.engine.protocol import Failure, Job, Portion, Request
from grue.engine.tokenization import PromptReader, read_tokenizer


def open_checkpoint(source: str, located: Located, options: EngineOptions) -> HFEngine:
    """Read and check a checkpoint's folder; its weights are hashed in a thread and not loaded.

    Raises:
        CheckpointError: where it cannot be used as it is.
        UsageError: for a device or number type that is not to be had.
    """
    # First, so that the weights are hashed while libraries are imported.
    checkpoint = read_checkpoint(located.folder, options)
    device = choose_device(options.device)
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
        self.tokens = tokens
        self.device = device
        self.notes: Sequence[str] = reader.notes
        self.model: Any = None
        self._options = options
        self._threads: int | None = None

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
        return {
            "device": self.device,
            "device_name": torch.cuda.get_device_name(self.device) if on_gpu else None,
            "dtype": self.dtype,
            "threads": self._threads if self._threads is not None else int(torch.get_num_threads()),
            "notes": list(self.notes),
        }

    def load(self) -> None:
        """Load the weights; a second call does nothing.

        Raises:
            CheckpointError: where config and weights do not belong together, or memory is short.
        """
        if self.model is not None:
            return
        if self.device == "cpu":
            self._threads = settle_threads()
        self.model = self.loading.take()

    def close(self) -> None:
        """Give the model's memory back."""
        self.model = None
        self.loading.drop()
        _free()

    def peak_memory_bytes(self) -> int | None:
        """The most device memory that was taken so far; ``None`` on a CPU, where it is the process's own."""
        if not self.device.startswith("cuda"):
            return None
        import torch

        return int(torch.cuda.max_memory_allocated(self.device))

    def prompt_lengths(self, rows: Sequence[Row], job: Job) -> list[int]:
        """Tokens of each row's prompt as the model would read it."""
        return [item.n_tokens for item in self.encode(rows, job)]

    def encode(self, rows: Sequence[Row], job: Job) -> list[Item]:
        """One item a row with its prompt read and cut, for a single draw."""
        prompts = self.reader.encode([row.prompt for row in rows], job.truncation, self.prompt_limit(job))
        return [Item(prompt, (Request(row, 0),)) for row, prompt in zip(rows, prompts, strict=True)]

    def generate(self, requests: Sequence[Request], job: Job) -> Iterator[Portion]:
        """Yield a batch's generations at a time, longest prompts first.

        Where a batch does not fit into memory it is halved, and so are later ones as large. Deterministic decoding
        runs once a row, whatever the number of samples.
        """
        self.load()
        decoding = job.decoding
        pending = batches(
            self._items(requests, job),
            default_budget(self.checkpoint, self.device, self.dtype, job),
            new_tokens=decoding.max_new_tokens,
            beams=decoding.num_beams,
            equal_lengths=decoding.num_beams > 1 and sees_padding(decoding, self.checkpoint.is_encoder_decoder),
        )
        pending.reverse()
        too_large: int | None = None
        while pending:
            batch = pending.pop()
            size = len(batch) * (batch[0].n_tokens + decoding.max_new_tokens)
            outputs: list[Output] | None = None
            if len(batch) == 1 or too_large is None or size < too_large:
                outputs = self._attempt(batch, job)
                if outputs is None and len(batch) == 1:
                    # What was freed may be enough now.
                    outputs = self._attempt(batch, job)
            if outputs is not None:
                yield Portion(
                    [
                        self._generation(item, request, output, job)
                        for item, output in zip(batch, outputs, strict=True)
                        for request in item.requests
                    ]
                )
            elif len(batch) == 1:
                reason = f"it did not fit into the memory of {self.device}"
                yield Portion((), [Failure(request.row.id, request.sample, reason) for request in batch[0].requests])
            else:
                too_large = size if too_large is None else min(size, too_large)
                middle = len(batch) // 2
                pending += [batch[middle:], batch[:middle]]

    def _items(self, requests: Sequence[Request], job: Job) -> list[Item]:
        groups: dict[tuple[str, int], list[Request]] = {}
        for request in requests:
            groups.setdefault((request.row.id, request.sample if job.decoding.do_sample else 0), []).append(request)
        answered = list(groups.values())
        prompts = self.reader.encode(
            [group[0].row.prompt for group in answered], job.truncation, self.prompt_limit(job)
        )
        return [Item(prompt, tuple(group)) for prompt, group in zip(prompts, answered, strict=True)]

    def _attempt(self, batch: Sequence[Item], job: Job) -> list[Output] | None:
        """Outputs of a batch, or ``None`` where memory was short."""
        try:
            return self._decode(batch, job)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Outside the handler: the error's traceback holds the batch's tensors.
        _free()
        return None

    def _decode(self, batch: Sequence[Item], job: Job) -> list[Output]:
        prompts = [item.prompt.ids for item in batch]
        encoder = self.checkpoint.is_encoder_decoder
        if job.decoding.num_beams > 1:
            return beam_batch(
                self.model, prompts, decoding=job.decoding, tokens=self.tokens, is_encoder_decoder=encoder
            )
        randoms = None
        if job.decoding.do_sample:
            from grue.engine.sampling import RowRandom

            firsts = [item.requests[0] for item in batch]
            randoms = [RowRandom(job.seed, first.row.id, first.sample) for first in firsts]
        return decode_batch(
            self.model,
            prompts,
            decoding=job.decoding,
            tokens=self.tokens,
            is_encoder_decoder=encoder,
            randoms=randoms,
            text_of=self.reader.decode,
        )

    def _generation(self, item: Item, request: Request, output: Output, job: Job) -> Generation:
        text, reason = self.reader.decode(output.ids), output.finish_reason
        before = cut_at_stop(text, job.decoding.stop)
        if before is not None:
            text, reason = before, "stop"
        return Generation(
            id=request.row.id,
            sample=request.sample,
            prediction=text,
            prompt=item.prompt.text,
            finish_reason=reason,
            prompt_tokens=item.n_tokens,
            generated_tokens=len(output.ids),
            prompt_cut=item.prompt.is_cut,
            latency_seconds=output.seconds,
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory was short, and nothing else."""
    import torch

    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in message or "can't allocate memory" in message or "not enough memory" in message
    )


def _free() -> None:
    import torch

    # The younger generations hold what a failed batch left.
    gc.collect(1)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def token_ids(checkpoint: Checkpoint, reader: PromptReader, own: Any = None) -> TokenIds:
    """The token ids of a checkpoint: its generation config's (``own``), else its config's, else its tokenizer's."""
    from transformers import GenerationConfig

    place = str(checkpoint.folder)
    if own is None and (checkpoint.folder / "generation_config.json").is_file():
        try:
            with quiet_transformers():
                own = GenerationConfig.from_pretrained(checkpoint.folder, local_files_only=True)
        except (OSError, ValueError, TypeError) as error:
            raise CheckpointError(
                f"generation_config.json cannot be read: {error}", "Mend or remove the file.", place=place
            ) from error

    def named(name: str) -> Any:
        value = getattr(own, name, None)
        return value if value is not None else getattr(checkpoint.config, name, None)

    tokenizer = reader.tokenizer
    ends = named("eos_token_id")
    ends = tokenizer.eos_token_id if ends is None else ends
    ends = () if ends is None else tuple(ends) if isinstance(ends, (list, tuple)) else (ends,)
    pad = tokenizer.pad_token_id
    pad = named("pad_token_id") if pad is None else pad
    pad = (ends[0] if ends else 0) if pad is None or isinstance(pad, (list, tuple)) or pad < 0 else pad
    start = forced = None
    if checkpoint.is_encoder_decoder:
        start = next((v for v in (named("decoder_start_token_id"), named("bos_token_id")) if v is not None), None)
        if isinstance(start, (list, tuple)):
            start = start[0]
        if start is None:
            raise CheckpointError("The config names no decoder_start_token_id.", "Add it to config.json.", place=place)
        forced = named("forced_bos_token_id")
    return TokenIds(ends=tuple(int(end) for end in ends), pad=int(pad), decoder_start=start, forced_first=forced)
