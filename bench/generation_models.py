"""Makes the bench's checkpoints through the material's own script, in a process of its own.

`small` is what the script makes by default. `base` has the shapes of GPT-2 small and of T5 v1.1 base, for a GPU.
Weights are arranged, not trained: outputs end at very different steps and depend on the whole prompt.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from pathlib import Path
from types import ModuleType

KINDS = ("causal", "seq2seq")
# The script builds two thirds of `layers` for the encoder-decoder: 18 gives T5 base's 12 in each half.
BASE = {
    "causal": {"vocab": 50257, "d": 768, "layers": 12, "heads": 12, "ff": 3072},
    "seq2seq": {"vocab": 32128, "d": 768, "layers": 18, "heads": 12, "ff": 2048},
}


def material_module(material: Path, name: str) -> ModuleType:
    """A module of the material's `bench` folder."""
    path = material / "bench" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SystemExit(f"{path} is not there: give --material the folder that holds bench/{name}.py.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def vocabulary(shape: str, kind: str) -> int:
    """How many tokens the language of a checkpoint was made for; prompts are written in the same one."""
    return 12_000 if shape == "small" else BASE[kind]["vocab"]


def main() -> None:
    """Write one checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--material", type=Path, required=True)
    parser.add_argument("--shape", choices=("small", "base"), default="small")
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    script = material_module(given.material, "make_models")
    if given.shape == "base":
        script.SIZES["bench"] = BASE[given.kind]
    made = script.make(given.kind, str(given.out), 0, "small" if given.shape == "small" else "bench")
    print(json.dumps(made))


if __name__ == "__main__":
    main()
