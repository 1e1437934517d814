"""A reward under its name and settings, as a formula names it."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from grue.core.metric import Floats
from grue.core.task import Setting
from grue.rewards.rules import Range, number

LOAD = "load"


@dataclass(frozen=True, slots=True)
class Named:
    """A rule that changes nothing and gives its one part a name.

    Attributes:
        name: The reward's name, or ``PATH.py:NAME``.
        settings: Those that differ from the defaults.
        from_path: Whether the name is a path, which a formula loads.
    """

    name: str
    settings: tuple[tuple[str, Setting], ...] = ()
    from_path: bool = False
    whole: ClassVar[bool] = False

    def apply(self, values: Sequence[Floats]) -> Floats:
        """The part's values."""
        return values[0]

    def range(self, parts: Sequence[Range]) -> Range:
        """The part's."""
        return parts[0]

    def formula(self, parts: Sequence[str]) -> str:  # noqa: ARG002
        """``rouge(type='rougeL')``, or ``load('mine.py:REWARD')``."""
        words = [repr(self.name)] if self.from_path else []
        words += [f"{written(key)}={_literal(value)}" for key, value in self.settings]
        head = LOAD if self.from_path else self.name
        return f"{head}({', '.join(words)})" if words else head

    def signature(self, parts: Sequence[str]) -> str:
        """The name, and what it stands for."""
        return f"{self.name}={parts[0]}"


def written(key: str) -> str:
    """A setting's key as Python takes it: ``lambda`` is a word of the language and gets an underscore."""
    return f"{key}_" if keyword.iskeyword(key) else key


def read(key: str) -> str:
    """The setting that a keyword argument names."""
    bare = key.removesuffix("_")
    return bare if bare != key and keyword.iskeyword(bare) else key


def _literal(value: Setting) -> str:
    return number(value) if isinstance(value, float) else repr(value)
