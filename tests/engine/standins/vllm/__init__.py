"""A stand-in for vLLM with the signatures of its documented offline API, where vLLM itself cannot be installed.

Made from the documentation of ``vllm.LLM``, ``vllm.SamplingParams`` and ``vllm.RequestOutput`` (0.11 and later):
arguments that those do not name are refused, values they refuse are refused. It decodes by the transformers library,
a prompt at a time, so that texts can be compared with those of ``--engine hf``; it says nothing of vLLM's own numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

ENGINE_ARGUMENTS = {
    "disable_log_stats", "enable_lora", "enable_prefix_caching", "generation_config", "load_format", "max_model_len",
    "max_num_batched_tokens", "max_num_seqs", "pipeline_parallel_size",
}  # fmt: skip


@dataclass(kw_only=True)
class SamplingParams:
    n: int = 1
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int | None = None
    stop: str | list[str] | None = None
    stop_token_ids: list[int] | None = None
    ignore_eos: bool = False
    max_tokens: int | None = 16
    min_tokens: int = 0
    detokenize: bool = True
    skip_special_tokens: bool = True
    include_stop_str_in_output: bool = False

    def __post_init__(self) -> None:
        if self.top_k < -1:
            raise ValueError("top_k must be 0 (disable), or at least 1")
        if not 0 < self.top_p <= 1:
            raise ValueError("top_p must be in (0, 1]")
        if self.min_tokens > (self.max_tokens or 0):
            raise ValueError("min_tokens must be less than or equal to max_tokens")
        if self.stop and not self.detokenize:
            raise ValueError("stop strings are only supported when detokenize is True")


@dataclass
class CompletionOutput:
    index: int
    text: str
    token_ids: list[int]
    cumulative_logprob: float | None
    logprobs: None
    finish_reason: str | None = None
    stop_reason: int | str | None = None


@dataclass
class RequestOutput:
    request_id: str
    prompt: str | None
    prompt_token_ids: list[int]
    outputs: list[CompletionOutput]
    finished: bool = True
    metrics: Any = None


@dataclass
class Calls:
    """What was asked of the stand-in, for tests to look at."""

    engines: list[dict[str, Any]] = field(default_factory=list)
    windows: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)  # a prompt that begins with these ids is refused
    aborted: list[int] = field(default_factory=list)  # one that begins with these is given up


CALLS = Calls()


class LLM:
    def __init__(
        self,
        model: str,
        *,
        tokenizer: str | None = None,
        tokenizer_mode: str = "auto",
        skip_tokenizer_init: bool = False,
        trust_remote_code: bool = False,
        tensor_parallel_size: int = 1,
        dtype: str = "auto",
        quantization: str | None = None,
        revision: str | None = None,
        seed: int = 0,
        gpu_memory_utilization: float = 0.9,
        enforce_eager: bool = False,
        **kwargs: Any,
    ) -> None:
        unknown = set(kwargs) - ENGINE_ARGUMENTS
        if unknown:
            raise TypeError(f"EngineArgs.__init__() got an unexpected keyword argument {sorted(unknown)}")
        CALLS.engines.append(
            {"model": model, "dtype": dtype, "tensor_parallel_size": tensor_parallel_size, "seed": seed, **kwargs}
        )
        self._longest = kwargs.get("max_model_len")
        self._tokenizer = AutoTokenizer.from_pretrained(model, local_files_only=True)
        self._model = AutoModelForCausalLM.from_pretrained(
            model, local_files_only=True, dtype=getattr(torch, dtype)
        ).eval()

    def generate(
        self,
        prompts: list[dict[str, Any]],
        sampling_params: list[SamplingParams],
        *,
        use_tqdm: bool = True,
        lora_request: Any = None,
        priority: list[int] | None = None,
    ) -> list[RequestOutput]:
        if len(prompts) != len(sampling_params):
            raise ValueError("The lengths of prompts and params must be the same.")
        CALLS.windows.append(len(prompts))
        for prompt, params in zip(prompts, sampling_params, strict=True):
            ids = prompt["prompt_token_ids"]
            if self._longest is not None and len(ids) + params.max_tokens > self._longest + 1:
                raise ValueError(f"The decoder prompt (length {len(ids)}) is longer than the maximum model length")
            if CALLS.refused and ids[: len(CALLS.refused)] == CALLS.refused:
                raise ValueError("this prompt is refused")
        return [
            self._one(str(number), prompt["prompt_token_ids"], params)
            for number, (prompt, params) in enumerate(zip(prompts, sampling_params, strict=True))
        ]

    def _one(self, name: str, ids: list[int], params: SamplingParams) -> RequestOutput:
        new: list[int] = []
        text, reason = "", "length"
        ends = set(params.stop_token_ids or ())
        random = torch.Generator().manual_seed(params.seed) if params.seed is not None else None
        with torch.inference_mode():
            while len(new) < params.max_tokens:
                scores = self._model(torch.tensor([ids + new])).logits[0, -1].float()
                if params.repetition_penalty != 1:
                    seen = torch.tensor(sorted(set(ids + new)))
                    some = scores[seen]
                    scores[seen] = torch.where(
                        some > 0, some / params.repetition_penalty, some * params.repetition_penalty
                    )
                if len(new) < params.min_tokens:
                    scores[list(ends)] = float("-inf")
                new.append(self._draw(scores, params, random))
                if new[-1] in ends:
                    reason = "stop"
                    break
                if params.detokenize:
                    text = self._tokenizer.decode(new, skip_special_tokens=params.skip_special_tokens)
                    marks = [params.stop] if isinstance(params.stop, str) else params.stop or []
                    if found := next((mark for mark in marks if mark in text), None):
                        text, reason = text[: text.index(found)], "stop"
                        break
        if CALLS.aborted and ids[: len(CALLS.aborted)] == CALLS.aborted:
            reason = "abort"
        return RequestOutput(name, None, ids, [CompletionOutput(0, text, new, None, None, reason)])

    def _draw(self, scores: torch.Tensor, params: SamplingParams, random: torch.Generator | None) -> int:
        if params.temperature == 0:
            return int(scores.argmax())
        if params.top_k > 0:
            least = scores.topk(params.top_k).values[-1]
            scores = scores.masked_fill(scores < least, float("-inf"))
        return int(torch.multinomial(torch.softmax(scores / params.temperature, -1), 1, generator=random))
