"""Generation against peers over one workload: `grue eval` beside lm-eval, plain `generate` and continuous batching.

One command makes checkpoints and prompts, runs all contestants in interleaved rounds, each in a fresh process, compares
their outputs with batch-of-one outputs, measures the machine's bound beside, and writes `docs/performance.md`. Rounds
are kept as they come: a stop writes the page of those there are, and the same command goes on from there, while
neither code nor setting changed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from generation_auto_batch import AutoBatch, auto_batch
from generation_contests import CONTESTS, sizes_of, taking_part
from generation_machine import load, machine, sources_sha256, versions
from generation_models import KINDS
from generation_page import Facts, page, unequal
from generation_peer_env import peer_python
from generation_process import ContestantFailedError
from generation_rounds import Ring
from generation_state import State
from generation_theirs import reference
from generation_values import Answer, Round, Setting
from generation_workload import Workload, workload

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "grue-bench"
CPU_SIZES, GPU_SIZES, QUICK_SIZES = (96, 256, 1024), (2000,), (24,)
GPU_REFERENCE_ROWS = 200


def main() -> int:
    """Measure what the arguments ask for; 1 where our outputs differ from batch-of-one outputs."""
    given = _arguments()
    if given.material is None:
        sys.exit("generation.py: give --material or set GRUE_TEST_MATERIAL")
    is_gpu = given.device == "cuda"
    setting = Setting(
        material=given.material.resolve(),
        cache=given.cache.resolve(),
        shape="base" if is_gpu else "small",
        device=given.device,
        dtype="bfloat16" if is_gpu else "float32",
        threads=given.threads,
        max_new_tokens=given.max_new_tokens,
        reference_rows=GPU_REFERENCE_ROWS if is_gpu else 0,
    )
    sizes = given.sizes or (QUICK_SIZES if given.quick else GPU_SIZES if is_gpu else CPU_SIZES)
    n_rounds = given.rounds or (1 if given.quick else 5)
    left_out = frozenset(given.without.split(",")) | ({"vllm"} if importlib.util.find_spec("vllm") is None else set())
    units = list(_units(given, setting, sizes, left_out))
    needs_lm_eval = any(CONTESTS[name].contestants[key].way == "lm-eval" for name, keys, _ in units for key in keys)
    python = peer_python(setting.cache) if needs_lm_eval else None
    used = versions(python)
    state = State.open(setting, used, sources_sha256(), fresh=given.fresh)
    ring = Ring(setting=setting, scratch=state.scratch, peer_python=python)
    stopped = None
    try:
        for number in range(1, n_rounds + 1):
            for name, keys, prompts in units:
                if not state.has(name, prompts.kind, prompts.size, number, keys):
                    wanted = _reference(ring, name, prompts, units, used)
                    state.add(ring.round(name, keys, prompts, number, wanted))
    except (KeyboardInterrupt, SystemExit) as stop:
        # The page is written of what was measured: each table says of how many rounds.
        stopped = stop
    searches = _searches(ring, units)
    shutil.rmtree(state.scratch, ignore_errors=True)
    rounds = state.rounds({(name, prompts.kind, prompts.size) for name, _, prompts in units}, n_rounds)
    facts = Facts(
        command=_command(),
        machine=machine(setting.device),
        versions=used,
        load=load(),
        is_quick=given.quick,
        searches=searches,
    )
    code = _report(given, rounds, page(rounds, setting, facts), state)
    if stopped is not None:
        raise stopped
    return code


def _units(
    given: argparse.Namespace, setting: Setting, sizes: tuple[int, ...], left_out: frozenset[str]
) -> Iterator[tuple[str, tuple[str, ...], Workload]]:
    """Contests with those who take part and their prompts, in the order in which a round runs them."""
    for name in given.contests:
        for kind in given.models:
            for size in sizes_of(CONTESTS[name], sizes):
                here = frozenset(key.removeprefix(f"{name}:") for key in left_out)
                keys = taking_part(CONTESTS[name], kind, size, setting.device, here)
                yield name, keys, workload(setting.material, setting.cache, setting.shape, kind, size)


def _reference(
    ring: Ring,
    name: str,
    prompts: Workload,
    units: Sequence[tuple[str, tuple[str, ...], Workload]],
    used: dict[str, str],
) -> tuple[Answer, ...] | None:
    """Batch-of-one outputs where the contest has them, made for the largest number of prompts at once."""
    contest = CONTESTS[name]
    if not contest.is_greedy or contest.max_new_tokens is not None:
        return None
    largest = max((other for one, _, other in units if one == name and other.kind == prompts.kind), key=_size)
    key = f"torch{used['torch']}-transformers{used['transformers']}"
    rows = reference(ring.setting, largest, contest.beams, ring.scratch, key)
    return rows[: prompts.size]


def _searches(ring: Ring, units: Sequence[tuple[str, tuple[str, ...], Workload]]) -> list[AutoBatch]:
    """What lm-eval's search found for each checkpoint that was measured with it."""
    if ring.peer_python is None:
        return []
    with_auto = {prompts.kind: prompts for _, keys, prompts in units if "lmeval-auto" in keys}
    return [auto_batch(ring.setting, prompts, ring.scratch, ring.peer_python) for prompts in with_auto.values()]


def _size(prompts: Workload) -> int:
    return prompts.size


def _report(given: argparse.Namespace, rounds: Sequence[Round], text: str, state: State) -> int:
    # Figures that are not to be quoted never overwrite the page.
    target = given.page or (state.folder / "performance.md" if given.quick else PAGE)
    target.write_text(text, encoding="utf-8")
    print(text)
    print(f"Written: {target}", file=sys.stderr)
    different = unequal(rounds)
    for told in different:
        print(f"UNEQUAL: {told}", file=sys.stderr)
    return int(bool(different))


def _command() -> str:
    return shlex.join(["python", os.path.relpath(sys.argv[0], PAGE.parents[1]), *sys.argv[1:]])


def _arguments() -> argparse.Namespace:
    def counts(text: str) -> tuple[int, ...]:
        return tuple(sorted({int(part) for part in text.split(",")}))

    def names(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
        def read(text: str) -> tuple[str, ...]:
            asked = text.split(",")
            if wrong := [name for name in asked if name not in known]:
                raise argparse.ArgumentTypeError(f"{wrong[0]!r} is none of {', '.join(known)}")
            return tuple(name for name in known if name in asked)

        return read

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    material = os.environ.get("GRUE_TEST_MATERIAL")
    parser.add_argument("--material", type=Path, default=Path(material) if material else None, help="holds bench/")
    parser.add_argument("--quick", action="store_true", help="24 prompts, one round; the page is not overwritten")
    parser.add_argument("--sizes", type=counts, help="prompts; default 96,256,1024, on a GPU 2000")
    parser.add_argument("--rounds", type=int, help="default 5")
    parser.add_argument("--threads", type=int, default=1, help="threads a contestant")
    parser.add_argument("--max-new-tokens", type=int, default=128)
    parser.add_argument("--models", type=names(KINDS), default=KINDS, help=",".join(KINDS))
    parser.add_argument("--contests", type=names(tuple(CONTESTS)), default=tuple(CONTESTS), help=",".join(CONTESTS))
    parser.add_argument("--without", default="", help="contestants to leave out: lmeval-auto,greedy:sorted-8")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: larger checkpoints, bfloat16")
    parser.add_argument("--cache", type=Path, default=CACHE, help="checkpoints, prompts, the peers' environment, state")
    parser.add_argument("--page", type=Path, help="default docs/performance.md")
    parser.add_argument("--fresh", action="store_true", help="forget the rounds that were measured")
    return parser.parse_args()


if __name__ == "__main__":
    # A stop from outside takes the contestant that runs along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except ContestantFailedError as error:
        sys.exit(f"The batch-of-one outputs cannot be made: {error}")
