"""A virtual environment for peers: their own packages, and below them ours, so that all use one torch and transformers.

lm-eval brings packages along that transformers imports where it finds them; in our own environment they would slow
everybody's start.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

# What decides speed stays at our versions whatever a peer would like.
HELD = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "accelerate", "huggingface_hub", "datasets")
LM_EVAL = "lm-eval>=0.4.9"


def peer_python(cache: Path) -> Path | None:
    """The interpreter that can import lm-eval: this one, or one of an environment made in the cache.

    Returns:
        `None` where lm-eval is not to be had; why is on standard error.
    """
    if importlib.util.find_spec("lm_eval") is not None:
        return Path(sys.executable)
    folder = cache / "peers"
    python = folder / "bin" / "python"
    if not _has_lm_eval(python):
        print("making an environment for lm-eval", file=sys.stderr, flush=True)
        venv.create(folder, clear=True, with_pip=False)
        packages = Path(sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})["purelib"])
        (packages / "ours.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
        held = folder / "held.txt"
        held.write_text("".join(f"{name}=={importlib.metadata.version(name)}\n" for name in HELD), encoding="utf-8")
        done = subprocess.run(
            [str(python), "-m", "pip", "install", "-qq", "-c", str(held), LM_EVAL], check=False, stdout=sys.stderr
        )
        if done.returncode or not _has_lm_eval(python):
            print("lm-eval cannot be installed: its rows stay empty", file=sys.stderr, flush=True)
            return None
    return python


def _has_lm_eval(python: Path) -> bool:
    if not python.is_file():
        return False
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('lm_eval') is None)"
    return subprocess.run([str(python), "-c", look], check=False).returncode == 0


def version_of(python: Path | None, package: str) -> str:
    """The version that an interpreter sees, or that it sees none."""
    look = f"import importlib.metadata as m; print(m.version({package!r}))"
    done = subprocess.run([str(python or sys.executable), "-c", look], check=False, capture_output=True, text=True)
    return done.stdout.strip() or "not installed"
