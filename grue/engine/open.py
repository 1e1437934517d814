"""From what a user writes after ``-m`` to something that generates."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from grue.checkpoints.spread import SPREAD
from grue.core.errors import CheckpointError, UsageError
from grue.core.text import nearest
from grue.engine.null import ORACLE, open_null
from grue.engine.options import CHAT_TEMPLATE_CHOICES, CLUSTERS, ENGINES, EngineOptions
from grue.engine.protocol import Engine

__all__ = ["DEMO_CHECKPOINTS", "EngineOptions", "open_engine"]

DEMO_CHECKPOINTS = ("causal", "seq2seq")


def open_engine(model: str, options: EngineOptions) -> Engine:
    """Find, read and check a model, without loading its weights.

    Args:
        model: ``demo:causal``, ``demo:seq2seq``, a null system, ``oracle:reference``, an existing folder, a hub
            id ``org/name[@revision]``, or ``openai:NAME``, a model behind an endpoint.
        options: How to open it.

    Raises:
        UsageError: for an unknown name, device, dtype or engine.
        CheckpointError: for a checkpoint that cannot be used as it is; it names the file and the fix.
        MissingExtraError: for an engine of an extra that is not there.
    """
    _check_choices(options)
    if not model.strip():
        raise UsageError("-m is empty.", "Give a checkpoint folder, a hub id org/name or a null system.")
    prefix, colon, rest = model.partition(":")
    if colon and prefix in ("null", "oracle") and not Path(model).is_dir():
        if prefix == "oracle" and model != ORACLE:
            raise UsageError(f"-m: unknown system {model!r}.{nearest(model, [ORACLE])}", f"The oracle is {ORACLE}.")
        return open_null(model, options)
    if (colon and prefix == "openai") or options.engine == "openai":
        from grue.engine.endpoint import open_endpoint

        return open_endpoint(model, options)
    if options.base_url is not None:
        raise UsageError(
            f"--base-url is for models behind an endpoint, and -m {model} is none.", f"Write -m openai:{model}."
        )
    if options.cluster is not None:
        from grue.engine.cluster import open_cluster

        return open_cluster(model, options)
    # vLLM splits a model over several devices by itself.
    if len(options.devices) > 1 and options.engine != "vllm":
        from grue.engine.pool import open_pool

        return open_pool(model, options)
    # The libraries behind checkpoints are imported only where a model runs.
    from grue.checkpoints.hub import Located, locate

    if colon and prefix == "demo" and not Path(model).is_dir():
        located = Located(folder=_demo_folder(rest), kind="demo", revision=None, name=model)
    else:
        located = locate(
            model,
            offline=options.offline,
            allow_pickle=options.allow_pickle,
            trust_remote_code=options.trust_remote_code,
        )
    if options.engine == "vllm":
        from grue.engine.vllm import open_vllm

        return open_vllm(model, located, options)
    from grue.engine.hf import open_checkpoint

    return open_checkpoint(model, located, options)


def _demo_folder(name: str) -> Path:
    if name not in DEMO_CHECKPOINTS:
        known = [f"demo:{checkpoint}" for checkpoint in DEMO_CHECKPOINTS]
        raise UsageError(
            f"-m: unknown demo checkpoint 'demo:{name}'.{nearest(f'demo:{name}', known)}",
            f"Demo checkpoints: {', '.join(known)}.",
        )
    folder = Path(str(files("grue.engine") / "demo" / name))
    if not folder.is_dir():
        raise CheckpointError(
            f"The demo checkpoint demo:{name} is not in this installation.", "Install grue again.", place=str(folder)
        )
    return folder


def _check_choices(options: EngineOptions) -> None:
    for flag, value, known in (
        ("--engine", options.engine, ENGINES),
        ("--chat-template", options.chat_template, CHAT_TEMPLATE_CHOICES),
    ):
        if value not in known:
            raise UsageError(f"{flag}: unknown value {value!r}.{nearest(value, known)}", f"One of: {', '.join(known)}.")
    if options.device == SPREAD and options.engine == "vllm":
        raise UsageError(f"--device {SPREAD} is not for --engine vllm.", "Name the devices: --devices 0,1.")
    if options.cluster is not None and options.cluster not in CLUSTERS:
        raise UsageError(
            f"--cluster: unknown value {options.cluster!r}.{nearest(options.cluster, CLUSTERS)}", "One of: ray."
        )
