"""What a user may say about opening a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ENGINES = ("auto", "hf", "vllm", "openai")
CLUSTERS = ("ray",)
CHAT_TEMPLATE_CHOICES = ("auto", "on", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How a model is opened; no field but ``adapter``, ``dtype`` and ``chat_template`` changes what it writes.

    Attributes:
        name: Display name; ``None`` takes it from the source.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N``, ``mps``, or ``spread``: a model's layers over all GPUs.
        devices: Devices that work on one queue, a process each, or the only one as ``device`` has it; empty where they
            were not named so.
        dtype: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        engine: ``auto``, ``hf``, ``vllm`` or ``openai``.
        base_url: Address of an OpenAI-compatible endpoint, up to and with ``/v1``.
        cluster: ``ray`` for workers in a cluster; ``None`` for this machine.
        workers: How many workers a cluster is asked for.
        chat_template: ``auto`` uses the tokenizer's template where it has one.
        adapter: Folder of a PEFT adapter.
        allow_pickle: Whether weights in pickle files may be read (still without running their code).
        trust_remote_code: Whether code inside the checkpoint may run.
        offline: Look at local files only.
        meta: What the user declares about the model.
        home: Folder of caches and local state.
    """

    name: str | None = None
    device: str = "auto"
    devices: tuple[str, ...] = ()
    dtype: str = "auto"
    engine: str = "auto"
    chat_template: str = "auto"
    adapter: Path | None = None
    allow_pickle: bool = False
    trust_remote_code: bool = False
    base_url: str | None = None
    cluster: str | None = None
    workers: int = 1
    offline: bool = False
    meta: Mapping[str, str] = field(default_factory=dict)
    home: Path | None = None
