"""From a metric's name and signature to its formula over sums of statistics, without its data or checkpoint.

A run directory holds the statistics of each row; the formula that makes a value from their sum needs only what the
signature says. So that a run can be compared where its tokeniser, jar or language model is not installed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grue.core.metric import Floats
from grue.metrics.bleu_totto import TottoBleu
from grue.metrics.chrf import Chrf
from grue.metrics.coco_bleu import CocoBleu
from grue.metrics.meteor_java import MeteorJava
from grue.metrics.nmt_bleu import NmtBleu
from grue.metrics.sacre_bleu import SacreBleu
from grue.metrics.ter import Ter

Formula = Callable[[Floats], Floats]

_SMOOTH = re.compile(r"(?P<method>[a-z-]+)(?:\[(?P<value>[^\]]+)\])?")
_DEFAULT_ORDER = "4"


@dataclass(frozen=True, slots=True)
class _ChrfSettings:
    """What chrF's formula asks of the library's object."""

    char_order: int
    word_order: int
    beta: float
    eps_smoothing: bool

    @property
    def order(self) -> int:
        return self.char_order + self.word_order


def formula(name: str, signature: str) -> Formula | None:
    """The function from summed statistics, shape (..., k), to values, shape (...).

    Args:
        name: Name of a metric whose statistics add up.
        signature: As the run stores it.

    Returns:
        ``None`` for a metric or signature that is not known here.
    """
    settings = dict(part.partition(":")[::2] for part in signature.split("|"))
    try:
        return _formula(name, settings)
    except (KeyError, ValueError):
        return None


def _formula(name: str, settings: dict[str, str]) -> Formula | None:
    if name == "sacrebleu":
        return _sacrebleu(settings).corpus_value
    if name.startswith("bleu_totto"):
        return TottoBleu(name=name, subset="", bleu=_sacrebleu(settings)).corpus_value
    if name == "bleu":
        smooth = settings["smooth"] == "lin"
        return NmtBleu(tokenize=settings["tok"], order=int(settings["order"]), smooth=smooth).corpus_value
    if re.fullmatch(r"bleu_[1-4]", name):
        return CocoBleu(name, int(name[-1]), "ptb").corpus_value
    if name in ("chrf", "chrf++"):
        beta = float(settings.get("beta", "2"))
        # SacreBLEU's key says whether the effective order counts, which is the opposite of smoothing by epsilon.
        orders = int(settings["nc"]), int(settings["nw"])
        return Chrf(library=_ChrfSettings(*orders, beta, settings["eff"] == "no"), name=name).corpus_value
    if name == "ter":
        return Ter(library=None).corpus_value
    if name == "meteor_java":
        return MeteorJava(program=None, data="", tokenize="raw").corpus_value  # type: ignore[arg-type]
    return _perplexity if name == "perplexity" else None


def _sacrebleu(settings: dict[str, str]) -> SacreBleu:
    found = _SMOOTH.fullmatch(settings["smooth"])
    if found is None:
        raise ValueError(settings["smooth"])
    return SacreBleu(
        library=None,
        order=int(settings.get("order", _DEFAULT_ORDER)),
        smooth_method=found["method"],
        smooth_value=float(found["value"] or 0.0),
        effective_order=settings["eff"] == "yes",
    )


def _perplexity(total: Floats) -> Floats:
    """Exponential of negative log-likelihoods by tokens, shape (..., 2) -> (...); NaN where there is no token."""
    stats = np.asarray(total, dtype=np.float64)
    mean = np.divide(stats[..., 0], stats[..., 1], out=np.full(stats.shape[:-1], np.nan), where=stats[..., 1] > 0)
    with np.errstate(over="ignore"):
        value: Floats = np.exp(mean)
    return value
