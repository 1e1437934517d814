"""Checkpoints of strangers: files with wrong names, weights, settings or tokenizers."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.hostile import hostile_settings, hostile_weights
from tests.hostile.json_texts import PICKLE
from tests.hostile.packing import NAMES
from tests.hostile.sound_model import Files, sound_checkpoint
from tests.hostile.value import Hostile, Rows, can_be_written


def checkpoint(rng: random.Random, turn: int, rows: Rows) -> Hostile:
    """The next hostile checkpoint; families take turns."""
    family = _ALL[turn % len(_ALL)]
    files, is_wrong = family(rng)
    return Hostile(f"model/{family.__name__.strip('_')}", "model", files=files, is_wrong=is_wrong)


def _names(rng: random.Random) -> tuple[Files, bool]:
    name = rng.choice(
        [
            *NAMES,
            "modeling_evil.py",
            "pytorch_model.bin",
            "model.bin",
            "training_args.bin",
            "chat_template.jinja",
            "setup.py",
            "README.md",
            ".hidden",
            "model.safetensors.py",
            "config.json.bak",
            "tokenizer.pkl",
            "adapter_model.safetensors",
            "\u202e.json",
        ]
    )
    return {**sound_checkpoint(), name: rng.choice([PICKLE, b"import os", b"{}"])}, can_be_written(name)


def _lacking(rng: random.Random) -> tuple[Files, bool]:
    files = sound_checkpoint()
    if rng.random() < 0.3:
        files = dict.fromkeys(files, b"")
    else:
        del files[rng.choice(["config.json", "model.safetensors"])]
    return files, True


_ALL: tuple[Callable[[random.Random], tuple[Files, bool]], ...] = (
    _names,
    _lacking,
    *hostile_weights.FAMILIES,
    *hostile_settings.FAMILIES,
)
