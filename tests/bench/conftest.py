"""The bench's modules lie beside each other in `bench/` and import each other by name."""

from __future__ import annotations

import sys
from pathlib import Path

BENCH = str(Path(__file__).resolve().parents[2] / "bench")
if BENCH not in sys.path:
    sys.path.append(BENCH)  # last: nothing in it may hide a package
