"""The program that shows whether an enclosure can hold generation: imports what that needs, writes where it may."""

from __future__ import annotations

from pathlib import Path


def main(parent: int) -> None:  # noqa: ARG001 - as every program of ours is called
    """End without an error where all is there."""
    import numpy
    import tokenizers
    import torch

    import grue.engine.open

    numpy.zeros(1)
    if not (torch.__version__ and tokenizers.__version__ and grue.engine.open.DEMO_CHECKPOINTS):
        raise SystemExit(1)
    Path("probe").write_text("written")
    Path("probe").unlink()
