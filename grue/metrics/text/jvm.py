"""Runs a metric's own Java program, where a user has one: found by setting or variable, bounded in time."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from grue.core.errors import GrueError, MetricUnavailableError

_STDERR_LINES = 3
_MAX_SAID = 500


class JavaError(GrueError):
    """A metric's Java program was started and did not give what it should."""


@dataclass(frozen=True, slots=True)
class Program:
    """A jar and the Java that runs it.

    Attributes:
        name: What it is, for messages.
        java: The ``java`` command.
        jar: The program; it runs in the jar's folder, where its data stand.
        memory: Java's heap, such as ``2G``.
    """

    name: str
    java: str
    jar: Path
    memory: str

    def run(self, arguments: Sequence[str], *, lines: str = "", timeout_seconds: float) -> str:
        """Start the program, hand it text and wait for its end.

        Args:
            arguments: What follows the jar's name.
            lines: Standard input; lone surrogates become question marks.
            timeout_seconds: When to give up and end it.

        Returns:
            Its standard output.

        Raises:
            JavaError: where it cannot be started, takes too long or ends with an error; the cause has its last words.
        """
        command = [self.java, f"-Xmx{self.memory}", "-jar", str(self.jar), *arguments]
        try:
            ended = subprocess.run(
                command,
                input=lines.encode("utf-8", "replace"),
                capture_output=True,
                cwd=self.jar.parent,
                timeout=timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise JavaError(
                f"{self.name} gave no answer within {timeout_seconds:.0f} seconds and was ended",
                "Score fewer or shorter texts, or leave the metric out.",
            ) from error
        except OSError as error:
            raise JavaError(
                f"{self.name} cannot be started: {error.strerror or error}", f"Check {self.java} and {self.jar}."
            ) from error
        if ended.returncode != 0:
            raise JavaError(
                f"{self.name} ended with exit code {ended.returncode}: {_last_words(ended.stderr or ended.stdout)}",
                f"Run it by hand to see more: {' '.join(command)}",
            )
        return ended.stdout.decode("utf-8", "replace")


def find_program(name: str, setting: str, given: str | None, variable: str, memory: str) -> Program:
    """The program that a user has.

    Args:
        name: What it is, for messages.
        setting: Name of the setting that gives the jar.
        given: Its value; ``None`` looks at the variable.
        variable: Environment variable that gives the jar.
        memory: Java's heap.

    Raises:
        MetricUnavailableError: where the jar or Java is missing; the cause names the fix.
    """
    where, origin = (given, setting) if given else (os.environ.get(variable, ""), variable)
    if not where:
        raise MetricUnavailableError(
            f"{name} is a Java program that you get from its authors: name its jar by --set {setting}=PATH or by the "
            f"environment variable {variable}"
        )
    jar = Path(where).expanduser().absolute()
    if not jar.is_file():
        raise MetricUnavailableError(f"{origin}: there is no file {where!r}; it should be the jar of {name}")
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    java = java or shutil.which("java")
    if java is None:
        raise MetricUnavailableError(
            f"{name} needs Java, and there is no 'java' on the PATH: install a Java runtime or set JAVA_HOME"
        )
    return Program(name, java, jar, memory)


def digest(path: Path) -> str:
    """The first 12 hex digits of a file's SHA-256, read again only where the file has changed.

    Raises:
        MetricUnavailableError: where it cannot be read.
    """
    try:
        facts = path.stat()
        return _digest(str(path), facts.st_mtime_ns, facts.st_size)
    except OSError as error:
        raise MetricUnavailableError(f"{path} cannot be read: {error.strerror or error}") from error


def one_line(text: str) -> str:
    """A text on one line: line breaks become blanks."""
    return " ".join(text.splitlines())


@lru_cache(maxsize=16)
def _digest(path: str, _modified: int, _size: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _last_words(output: bytes) -> str:
    """The line that names an exception where there is one, else the last lines."""
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    named = [line for line in lines if line.startswith(("Exception", "Error"))]
    return " / ".join(named[:1] or lines[-_STDERR_LINES:])[:_MAX_SAID] or "it said nothing"
