"""The same checkpoints through vLLM's offline ``LLM``: prompts go in as our token ids, texts come out of our tokenizer.

Beam search and ``no_repeat_ngram_size`` are refused: vLLM's beam search knows no least length and weighs lengths in
another way, and numbers under one name would not mean one thing.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from grue.checkpoints.hub import Located
from grue.core.decoding import Decoding
from grue.core.errors import CheckpointError, MissingExtraError, UsageError
from grue.core.rows import Generation, Row
from grue.core.run import ModelInfo
from grue.core.text import Json
from grue.engine.batching import Item
from grue.engine.finished import finished
from grue.engine.hf import HFEngine, open_checkpoint
from grue.engine.null import row_seed
from grue.engine.options import EngineOptions
from grue.engine.protocol import Failure, Job, Portion, Request, Work

# Requests handed over at once: many times what vLLM decodes together, few enough to be stored now and then.
WINDOW_REQUESTS = 1024
SEED_BITS = 63
VISIBLE = "CUDA_VISIBLE_DEVICES"


def open_vllm(source: str, located: Located, options: EngineOptions) -> VLLMEngine:
    """Read and check a checkpoint's folder as for ``hf``; vLLM itself is imported by ``load``.

    Raises:
        MissingExtraError: where vLLM is not installed.
        CheckpointError: where the checkpoint cannot be used as it is, or not by vLLM.
        UsageError: for a device, number type or adapter that is not to be had.
    """
    if find_spec("vllm") is None:
        raise MissingExtraError("--engine vllm needs the 'vllm' extra.", "pip install 'grue[vllm]'")
    if options.adapter is not None:
        raise UsageError("--adapter is not for --engine vllm.", "Leave out --engine, or merge the adapter.")
    devices = options.devices or (options.device,)
    reading = open_checkpoint(source, located, replace(options, device=devices[0]))
    if reading.checkpoint.is_encoder_decoder:
        raise CheckpointError(
            "vLLM runs decoder-only models; this one has an encoder.",
            "Leave out --engine vllm.",
            place=str(located.folder),
        )
    return VLLMEngine(reading, devices, options)


class VLLMEngine:
    """Generates with one checkpoint by vLLM, on one device or split over several.

    Attributes:
        notes: What a user should know about the checkpoint.
    """

    def __init__(self, reading: HFEngine, devices: Sequence[str], options: EngineOptions) -> None:
        self.notes: Sequence[str] = reading.notes
        self._reading = reading
        self._devices = tuple(devices)
        self._options = options
        self._longest: int | None = None
        self._llm: Any = None

    @property
    def info(self) -> ModelInfo:
        """Who generates; waits until the weights are hashed."""
        return replace(self._reading.info, engine="vllm")

    @property
    def folder(self) -> Path:
        """Folder of the checkpoint."""
        return self._reading.folder

    def covered(self, rows: Sequence[Row]) -> list[Row]:
        """All rows, unchanged."""
        return list(rows)

    def prompt_lengths(self, rows: Sequence[Row], job: Job) -> list[int]:
        """Tokens of each row's prompt as the model would read it."""
        return self._reading.prompt_lengths(rows, job)

    def settings(self, job: Job) -> Mapping[str, Json]:
        """What ``hf`` says of the same checkpoint and job.

        Raises:
            UsageError: for decoding that vLLM does not do as ``hf`` does.
            CheckpointError: where no prompt fits.
        """
        _refuse_what_differs(job.decoding)
        self._longest = max(self._longest or 0, self._reading.prompt_limit(job) + job.decoding.max_new_tokens)
        return self._reading.settings(job)

    def environment(self) -> Mapping[str, Json]:
        """Devices, and the version of vLLM; no part of a run's identity."""
        return {**self._reading.environment(), "devices": list(self._devices), "vllm": _version()}

    def load(self) -> None:
        """Load the weights; a second call does nothing."""
        if self._llm is not None:
            return
        from vllm import LLM

        numbers = [device.partition(":")[2] for device in self._devices]
        if all(numbers):
            # vLLM's workers are processes that look at this when they begin.
            os.environ[VISIBLE] = visible_devices(numbers, os.environ.get(VISIBLE))
        self._llm = LLM(
            model=str(self.folder),
            dtype=str(self._reading.info.dtype),
            tensor_parallel_size=len(self._devices),
            max_model_len=self._longest,
            load_format="auto" if self._options.allow_pickle else "safetensors",
            trust_remote_code=self._options.trust_remote_code,
            # Settings in generation_config.json must not leak into a run.
            generation_config="vllm",
            seed=0,
        )

    def close(self) -> None:
        """Give the memory back: vLLM ends its workers with the object."""
        self._llm = None
        gc.collect()
        self._reading.close()

    def peak_memory_bytes(self) -> int | None:
        """``None``: vLLM takes a fixed share of the device, whatever the model needs."""
        return None

    def generate(self, requests: Sequence[Request], job: Job) -> Iterator[Portion]:
        """Yield windows of requests, the longest prompts first; deterministic decoding runs once a row."""
        self.load()
        groups: dict[tuple[str, int], list[Request]] = {}
        for request in requests:
            groups.setdefault((request.row.id, request.sample if job.decoding.do_sample else 0), []).append(request)
        answered = list(groups.values())
        items = self._reading.encode([group[0].row for group in answered], job)
        pairs = sorted(zip(items, answered, strict=True), key=lambda pair: -pair[0].n_tokens)
        size = job.batch_rows or WINDOW_REQUESTS
        pending = [pairs[start : start + size] for start in range(0, len(pairs), size)]
        while pending:
            window = pending.pop(0)
            try:
                outputs = self._outputs(window, job)
            except ValueError as error:
                # vLLM checks all requests of a call before it runs any, and refuses them together.
                if len(window) > 1:
                    middle = len(window) // 2
                    pending[:0] = [window[:middle], window[middle:]]
                    continue
                reason = f"vLLM refuses it: {' '.join(str(error).split())}"
                yield Portion(failures=[Failure(r.row.id, r.sample, reason) for r in window[0][1]])
            else:
                yield self._portion(window, outputs, job)

    def _outputs(self, window: Sequence[tuple[Item, list[Request]]], job: Job) -> list[Any]:
        from vllm import SamplingParams

        prompts = [{"prompt_token_ids": list(item.prompt.ids)} for item, _ in window]
        ends = list(self._reading.tokens.ends)
        settings = [SamplingParams(**sampling(job, group[0], ends)) for _, group in window]
        return list(self._llm.generate(prompts, settings, use_tqdm=False))

    def _portion(self, window: Sequence[tuple[Item, list[Request]]], outputs: Sequence[Any], job: Job) -> Portion:
        generations: list[Generation] = []
        failures: list[Failure] = []
        for (item, group), output in zip(window, outputs, strict=True):
            made = output.outputs[0]
            for request in group:
                if made.finish_reason in ("stop", "length"):
                    generations.append(
                        finished(
                            request, item, list(made.token_ids), str(made.finish_reason), self._reading.reader, job
                        )
                    )
                else:
                    failures.append(Failure(request.row.id, request.sample, f"vLLM ended it with {made.finish_reason}"))
        work = Work(
            worker="vllm",
            prefill_tokens=sum(item.n_tokens for item, _ in window),
            decode_tokens=sum(len(output.outputs[0].token_ids) for output in outputs),
            rows=len(window),
        )
        return Portion(generations, failures, [work])


def sampling(job: Job, request: Request, ends: Sequence[int]) -> dict[str, Any]:
    """Arguments of vLLM's ``SamplingParams`` for one draw.

    Args:
        job: How the task is generated.
        request: Whose seed is taken.
        ends: Token ids that end a text.
    """
    decoding = job.decoding
    return {
        "temperature": decoding.temperature if decoding.do_sample else 0.0,
        "top_k": decoding.top_k if decoding.do_sample and decoding.top_k else -1,
        "top_p": decoding.top_p if decoding.do_sample else 1.0,
        "seed": row_seed(job.seed, request.row.id, request.sample) >> (128 - SEED_BITS) if decoding.do_sample else None,
        "max_tokens": decoding.max_new_tokens,
        "min_tokens": decoding.min_new_tokens,
        "repetition_penalty": decoding.repetition_penalty,
        "stop": list(decoding.stop),
        "stop_token_ids": list(ends),
        # Text is needed there only to look for stop strings.
        "detokenize": bool(decoding.stop),
    }


def visible_devices(numbers: Sequence[str], seen: str | None) -> str:
    """The value of ``CUDA_VISIBLE_DEVICES`` that leaves these devices, counted among those seen now."""
    names = seen.split(",") if seen else None
    return ",".join(names[int(number)] if names else number for number in numbers)


def _refuse_what_differs(decoding: Decoding) -> None:
    if decoding.num_beams > 1:
        raise UsageError(
            f"--engine vllm does no beam search as the task asks for it (num_beams={decoding.num_beams}).",
            "Add --decoding greedy, or leave out --engine vllm.",
        )
    if decoding.no_repeat_ngram_size:
        raise UsageError(
            f"vLLM knows no no_repeat_ngram_size (here {decoding.no_repeat_ngram_size}).",
            "Add -g no_repeat_ngram_size=0, or leave out --engine vllm.",
        )


def _version() -> str | None:
    try:
        return version("vllm")
    except PackageNotFoundError:
        return None
