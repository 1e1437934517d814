"""Most main memory that this process has held."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_resident_bytes() -> int | None:
    """Most memory this process ever held; ``None`` where the system does not tell.

    Linux tells it of the program itself; ``getrusage`` there begins with what the parent held when it started this one.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return _by_getrusage()


def _by_getrusage() -> int | None:
    try:
        import resource
    except ImportError:  # not a Unix system
        return None
    peak = int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return peak if sys.platform == "darwin" else peak * 1024
