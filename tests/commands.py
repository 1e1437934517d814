"""The command line in the test's own process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest


@dataclass(frozen=True)
class Answer:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)


A = TypeVar("A", bound=Answer)


def in_process(capsys: pytest.CaptureFixture[str], answer: type[A]) -> Callable[..., A]:
    """Runs a command line and catches what it prints."""
    from grue.cli.main import run

    def command(*arguments: object) -> A:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return answer(code, captured.out, captured.err)

    return command
