"""What a plugin gives, as a reward: checked, made from settings, or wrapped round a batch function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np

from grue.core.errors import GrueError, UsageError
from grue.core.metric import Floats, Texts
from grue.core.reward import Reward
from grue.core.task import Setting

BATCH_ARGUMENTS = ("prompts", "predictions", "references", "meta")
_ATTRIBUTES = ("name", "low", "high", "needs_references", "signature", "rewards")


@dataclass(frozen=True)
class FunctionReward:
    """A batch function under a name.

    Its range and whether it needs references are its attributes ``low``, ``high`` and ``needs_references`` where it
    has them; else it is unbounded and needs none.
    """

    function: Callable[..., Any]
    name: str
    settings: tuple[tuple[str, Setting], ...]
    wanted: tuple[str, ...] = field(repr=False)
    low: float | None = None
    high: float | None = None
    needs_references: bool = False

    def signature(self) -> str:
        """Name, settings, and the hash of the function's source or byte code."""
        settings = "".join(f"|{key}:{value}" for key, value in self.settings)
        return f"{self.name}{settings}|code:{_code_hash(self.function)}"

    def rewards(self, texts: Texts) -> Floats:
        """Shape (n,).

        Raises:
            ValueError: where the function does not give one number a prediction.
        """
        columns: dict[str, Any] = {
            "prompts": [row.get("prompt") for row in texts.inputs],
            "predictions": list(texts.predictions),
            "references": [list(row) for row in texts.references],
            "meta": [dict(row) for row in texts.inputs],
        }
        given = self.function(**{key: columns[key] for key in self.wanted}, **dict(self.settings))
        try:
            return np.asarray([np.nan if value is None else float(value) for value in given], dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"reward {self.name!r} must give a number for each prediction: {error}") from error


def as_reward(found: Any, name: str, settings: Mapping[str, Setting], origin: str) -> Reward:
    """Turn what a plugin gives into a reward.

    Raises:
        UsageError: where it is none and makes none, or does not take the settings.
    """
    if hasattr(found, "rewards") and not isinstance(found, type):
        if settings:
            raise UsageError(f"Reward {name!r} of {origin} takes no settings.", f"Leave out: {', '.join(settings)}.")
        return _checked(found, name, origin)
    if not callable(found):
        raise UsageError(f"{name!r} of {origin} is a {type(found).__name__}, not a reward.", "Mend the plugin.")
    parameters = inspect.signature(found).parameters
    if isinstance(found, type) or "predictions" not in parameters:
        return _checked(_called(found, name, settings, origin), name, origin)
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    unknown = [key for key in settings if key not in parameters and not takes_all]
    required = [
        key
        for key, parameter in parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]
    missing = [key for key in required if key not in BATCH_ARGUMENTS and key not in settings]
    if unknown or missing:
        words = [f"does not take {', '.join(unknown)}"] * bool(unknown) + [f"needs {', '.join(missing)}"] * bool(
            missing
        )
        raise UsageError(f"Reward {name!r} of {origin} {' and '.join(words)}.", "Change its settings.")
    return FunctionReward(
        found,
        name,
        tuple(sorted(settings.items())),
        tuple(key for key in BATCH_ARGUMENTS if key in parameters),
        getattr(found, "low", None),
        getattr(found, "high", None),
        bool(getattr(found, "needs_references", False)),
    )


def _called(found: Callable[..., Any], name: str, settings: Mapping[str, Setting], origin: str) -> Any:
    try:
        return found(**settings)
    except GrueError:
        raise
    except Exception as error:
        raise UsageError(
            f"Reward {name!r} of {origin} cannot be made from its settings: {type(error).__name__}: {error}",
            "Change its settings, or mend the plugin.",
        ) from error


def _checked(made: Any, name: str, origin: str) -> Reward:
    missing = [attribute for attribute in _ATTRIBUTES if not hasattr(made, attribute)]
    if missing:
        raise UsageError(
            f"{name!r} of {origin} is a {type(made).__name__} that lacks {', '.join(missing)}.",
            f"A reward has {', '.join(_ATTRIBUTES)}.",
        )
    reward: Reward = made
    return reward


def _code_hash(function: Callable[..., Any]) -> str:
    try:
        text = inspect.getsource(function).encode()
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        text = code.co_code if code else repr(function).encode()
    return sha256(text).hexdigest()[:16]
