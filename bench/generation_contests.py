"""Who runs against whom, in which order a page shows them, and what factor is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OURS = "ours"
LARGE = 512
SAMPLES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One side of a contest.

    Attributes:
        label: Its name in the tables.
        way: `ours`, `bare`, or a key of the peers' ways.
        batch: A peer's rows a batch; `auto` for what lm-eval's search finds.
        flags: Ours: flags after the command's own.
        runs: Ours: so many runs, one after the other, with seeds from 0.
        kinds: Checkpoints that it can do.
        large: On a CPU, it also runs above `LARGE` prompts.
        asked: The factor asked for on a CPU, theirs by ours in wall clock: at fewer than 256 prompts and from there on.
        asked_on_gpu: The factor asked for on a GPU, in new tokens a second.
        device: Only there; empty for everywhere.
    """

    label: str
    way: str = OURS
    batch: str = "8"
    flags: tuple[str, ...] = ()
    runs: int = 1
    kinds: tuple[str, ...] = ("causal", "seq2seq")
    large: bool = True
    asked: tuple[float, float] | None = None
    asked_on_gpu: float | None = None
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Contestants that are compared with the first of them.

    Attributes:
        title: Heading of its table.
        contestants: By key; the first is ours.
        beams: Beams of all contestants.
        is_greedy: Outputs can be compared with batch-of-one outputs.
        sizes: Prompts, where they are not the user's sizes; -1 stands for the smallest of those.
        max_new_tokens: Where it is not everybody's.
        first_row: Compared is the time to the first row, and asked is at most this times theirs.
        has_bound: The machine's bound is measured in every round.
    """

    title: str
    contestants: Mapping[str, Contestant]
    beams: int = 1
    is_greedy: bool = True
    sizes: tuple[int, ...] = ()
    max_new_tokens: int | None = None
    first_row: float | None = None
    has_bound: bool = False


def _startup(max_new_tokens: int) -> Contest:
    return Contest(
        title=f"Start-up: to the first row of at most {max_new_tokens} new token{'s' * (max_new_tokens > 1)}",
        contestants={OURS: Contestant(label="grue eval"), "bare": Contestant(label="bare script", way="bare")},
        sizes=(1,),
        max_new_tokens=max_new_tokens,
        first_row=1.3,
    )


_HARNESS = (2.0, 2.5)
CONTESTS: Mapping[str, Contest] = {
    "greedy": Contest(
        title="Greedy decoding",
        contestants={
            OURS: Contestant(label="grue eval"),
            "lmeval-8": Contestant(label="lm-eval `hf`, batch 8", way="lm-eval", asked=_HARNESS, asked_on_gpu=3.0),
            "lmeval-auto": Contestant(
                label="lm-eval `hf`, batch auto, told what its search finds",
                way="lm-eval",
                batch="auto",
                asked=_HARNESS,
                asked_on_gpu=3.0,
                large=False,
            ),
            "order-8": Contestant(
                label="`generate`, file order, batch 8", way="order", asked=_HARNESS, asked_on_gpu=3.0, large=False
            ),
            "sorted-8": Contestant(label="`generate`, sorted, batch 8", way="sorted", large=False),
            "continuous": Contestant(
                label="transformers' continuous batching", way="continuous", kinds=("causal",), asked=(1.1, 1.1)
            ),
            "vllm": Contestant(label="vLLM", way="vllm", kinds=("causal",), asked_on_gpu=0.8, device="cuda"),
        },
        has_bound=True,
    ),
    "beams": Contest(
        title="Beam search, 5 beams",
        contestants={
            OURS: Contestant(label="grue eval -g num_beams=5", flags=("-g", "num_beams=5")),
            "sorted-8": Contestant(label="`generate`, sorted, batch 8, 5 beams", way="sorted", asked=(1.5, 1.5)),
        },
        beams=5,
        sizes=(-1,),
    ),
    "samples": Contest(
        title=f"Sampling, {SAMPLES} samples a prompt",
        contestants={
            OURS: Contestant(
                label=f"grue eval --samples {SAMPLES} -g do_sample=true",
                flags=("--samples", str(SAMPLES), "-g", "do_sample=true"),
            ),
            "runs": Contestant(
                label=f"{SAMPLES} runs of grue eval -g do_sample=true, seeds 0 to {SAMPLES - 1}",
                flags=("-g", "do_sample=true"),
                runs=SAMPLES,
                asked=(2.0, 2.0),
            ),
        },
        is_greedy=False,
        sizes=(-1,),
    ),
    "startup-1": _startup(1),
    "startup-16": _startup(16),
}


def sizes_of(contest: Contest, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The numbers of prompts that a contest runs with."""
    return tuple(min(sizes) if size == -1 else size for size in contest.sizes or sizes)


def taking_part(contest: Contest, kind: str, size: int, device: str, left_out: frozenset[str]) -> tuple[str, ...]:
    """Keys of those who run for a checkpoint and a number of prompts, ours first."""
    return tuple(
        key
        for key, one in contest.contestants.items()
        if kind in one.kinds
        and (one.large or size <= LARGE or device != "cpu")
        and one.device in ("", device)
        and key not in left_out
    )


def asked_factor(one: Contestant, size: int, device: str) -> float | None:
    """The factor asked for at a number of prompts: of wall clocks on a CPU, of generation alone on a GPU."""
    if device == "cuda":
        return one.asked_on_gpu
    return None if one.asked is None else one.asked[size >= 256]
