"""On what machine and with which versions a run of the bench was made."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from generation_peer_env import version_of

VECTOR_FLAGS = ("avx512f", "avx512_bf16", "amx_bf16", "avx2", "asimd")


def machine(device: str) -> dict[str, str]:
    """What decides speed here, in words."""
    import psutil

    told = {
        "processor": f"{_cpu_name()}, {_cores()} cores usable, {_vector_units()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": platform.platform(),
    }
    if device == "cuda":
        asked = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
        told["GPU"] = subprocess.run(asked, check=False, capture_output=True, text=True).stdout.strip()
    return told


def versions(peer_python: Path | None) -> dict[str, str]:
    """Versions of what takes part."""
    ours = {name: importlib.metadata.version(name) for name in ("torch", "transformers", "tokenizers", "numpy")}
    own = {"Python": platform.python_version(), "grue": f"{version_of(None, 'grue')} (sources {sources_sha256()[:12]})"}
    peers = {"lm-eval": version_of(peer_python, "lm-eval")} if peer_python else {}
    if importlib.util.find_spec("vllm"):
        peers["vLLM"] = importlib.metadata.version("vllm")
    return {**own, **ours, **peers}


# Modules that only write down what was measured.
SHOWING = ("generation_figures.py", "generation_page.py")


def sources_sha256() -> str:
    """Hash of the package and of what measures: figures of different code are never joined."""
    found = importlib.util.find_spec("grue")
    if found is None or found.origin is None:
        sys.exit("grue is not installed here.")
    digest = hashlib.sha256()
    package, bench = Path(found.origin).parent, Path(__file__).parent
    measuring = (file for file in sorted(bench.glob("generation*.py")) if file.name not in SHOWING)
    files = [*sorted(package.rglob("*.py")), *measuring]
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def load() -> float:
    """Processes that wanted a core in the last minute, on average."""
    return os.getloadavg()[0]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu_name() -> str:
    return _cpu_fields().get("model name") or platform.processor() or platform.machine()


def _vector_units() -> str:
    flags = _cpu_fields().get("flags", "").split()
    return ", ".join(flag for flag in VECTOR_FLAGS if flag in flags) or platform.machine()


def _cpu_fields() -> Mapping[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return {}
    pairs = (line.split(":", 1) for line in path.read_text(encoding="utf-8").splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}
