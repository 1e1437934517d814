"""From a checked folder to a model on its device."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grue.checkpoints.reading import first_line, quiet_transformers
from grue.checkpoints.weights import WeightFiles
from grue.core.errors import CheckpointError


def load_weights(
    auto: Any,
    folder: Path,
    config: Any,
    weights: WeightFiles,
    *,
    architecture: str,
    device: str,
    dtype: str,
    trust_remote_code: bool = False,
    optional: tuple[str, ...] = (),
    places: Mapping[str, Any] | None = None,
) -> Any:
    """The model with its weights, in memory.

    Args:
        auto: The library's class whose ``from_pretrained`` loads it.
        folder: The checkpoint.
        config: Its config object.
        weights: Its weight files.
        architecture: Class name, for messages.
        device: Where it will compute, for messages.
        dtype: Number type by torch's name.
        trust_remote_code: Whether code inside the checkpoint may run.
        optional: Beginnings of the names of weights that nothing reads and that may be missing.
        places: Module -> device, where several hold the model; ``None`` loads it into this machine's memory.

    Raises:
        CheckpointError: where a weight is missing or has another shape than the config says.
    """
    import torch

    place = str(folder)
    with quiet_transformers():
        try:
            model, report = auto.from_pretrained(
                folder,
                config=config,
                dtype=getattr(torch, dtype),
                use_safetensors=not weights.is_pickle,
                trust_remote_code=trust_remote_code,
                local_files_only=True,
                output_loading_info=True,
                **({"device_map": dict(places)} if places is not None else {}),
            )
        except torch.cuda.OutOfMemoryError as error:
            raise _too_large(device, place) from error
        except (RuntimeError, ValueError, OSError, KeyError, ImportError, TypeError, AttributeError) as error:
            raise CheckpointError(
                f"The weights cannot be loaded: {first_line(error)}",
                "Check that config and weights belong together.",
                place=place,
            ) from error
    missing = sorted(name for name in report.get("missing_keys") or () if not name.startswith(optional or ("\0",)))
    if missing:
        raise CheckpointError(
            f"{len(missing)} weights of {architecture} are missing, {missing[0]!r} first.",
            "Give the whole checkpoint; without them the model would be random.",
            place=place,
        )
    return model


def place_model(model: Any, device: str, folder: Path) -> Any:
    """The model on its device, ready to compute and never to learn.

    Raises:
        CheckpointError: where it does not fit.
    """
    import torch

    try:
        return ready(model.to(device))
    except torch.cuda.OutOfMemoryError as error:
        raise _too_large(device, str(folder)) from error


def ready(model: Any) -> Any:
    """The model, where it is, ready to compute and never to learn."""
    return model.eval().requires_grad_(False)


def laid_out(auto: Any, config: Any, *, trust_remote_code: bool = False) -> Any:
    """The model as its config lays it out, without weights or memory for them.

    Raises:
        RuntimeError, ValueError, TypeError, KeyError, AttributeError, ImportError: where the library cannot do so.
    """
    import torch

    with quiet_transformers(), torch.device("meta"):
        return auto.from_config(config, trust_remote_code=trust_remote_code)


def _too_large(device: str, place: str) -> CheckpointError:
    return CheckpointError(
        f"The weights do not fit into the memory of {device}.", "Give --device cpu or --dtype bfloat16.", place=place
    )
