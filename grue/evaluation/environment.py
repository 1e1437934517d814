"""Where and with what a run is made, as its manifest records it."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import grue
from grue.core.text import Json

# Packages whose version can touch a generation or a number.
PACKAGES = ("numpy", "torch", "transformers", "tokenizers", "peft", "sacrebleu", "rouge-score", "nltk", "evaluate")
GIT_SECONDS = 5


def environment(device: Mapping[str, Json]) -> dict[str, Json]:
    """Interpreter, machine, package versions and what the engine says of its device."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "packages": {name: found for name in PACKAGES if (found := _version(name)) is not None},
        **device,
    }


def grue_version() -> dict[str, str | None]:
    """This version of grue, and the commit where it runs from a checkout."""
    return {"version": grue.__version__, "commit": _commit(Path(grue.__file__).resolve().parents[1])}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit(folder: Path) -> str | None:
    if not (folder / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=GIT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
