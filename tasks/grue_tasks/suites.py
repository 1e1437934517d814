"""Groups of metrics that several tasks name, in the settings of a profile."""

from __future__ import annotations

from collections.abc import Mapping

from grue.core.task import MetricSpec, RewardSpec, Setting
from grue_tasks import judges

DIVERSITY = (
    "msttr",
    "distinct_1",
    "distinct_2",
    "distinct_3",
    "unique_1",
    "unique_2",
    "unique_3",
    "entropy_1",
    "entropy_2",
    "entropy_3",
    "cond_entropy_2",
    "cond_entropy_3",
    "vocab_size",
    "mean_length",
    "repetition_rate",
    "copy_rate",
)
ROUGE = ("rouge1", "rouge2", "rougeL", "rougeLsum")
ENGLISH_STEMS = "METEOR's stems are English: not computed for German outside the profile grue-paper"


def rewards(*names: str, paper: bool, **settings: Setting) -> tuple[RewardSpec, ...]:
    """Rewards that share their settings, with the right value of each quirk or the paper's."""
    return tuple(RewardSpec(name, {**settings, "paper": True} if paper else settings) for name in names)


def metrics(*names: str, **settings: Setting) -> tuple[MetricSpec, ...]:
    """Metrics that share their settings."""
    return tuple(MetricSpec(name, settings) for name in names)


def diversity(*, paper: bool) -> tuple[MetricSpec, ...]:
    """The naturalness family; the paper counts words with NLTK's English tokeniser for every language."""
    return metrics(*DIVERSITY, paper=paper)


def rouge(*, paper: bool, printed_list: bool = False) -> tuple[MetricSpec, ...]:
    """ROUGE-1, 2, L and Lsum with the Porter stemmer.

    Args:
        paper: Score reference 0 alone, split no sentences and take the middle of the library's bootstrap for the
            corpus value; else the best reference counts, Lsum sees sentences and the value is the mean.
        printed_list: In the paper, score against the printed list of all references instead of reference 0.
    """
    settings: Mapping[str, Setting]
    if not paper:
        settings = {"use_stemmer": True, "references": "max", "lsum_split": "sentence"}
    elif printed_list:
        settings = {"use_stemmer": True, "paper": True, "references": "max", "printed_list": True}
    else:
        settings = {"use_stemmer": True, "paper": True}
    return metrics(*ROUGE, **settings)


def meteor(*, paper: bool, language: str = "en") -> tuple[MetricSpec, ...]:
    """METEOR by exact and stem stages; the paper adds WordNet and scores against the printed reference list."""
    if paper:
        return metrics("meteor", paper=True)
    return metrics("meteor") if language == "en" else (MetricSpec("meteor", absent=ENGLISH_STEMS),)


def sacrebleu(*, paper: bool) -> tuple[MetricSpec, ...]:
    """SacreBLEU with 13a tokens; the paper splits internationally."""
    return metrics("sacrebleu", paper=True) if paper else metrics("sacrebleu", tokenize="13a")


def bleu(*, paper: bool) -> tuple[MetricSpec, ...]:
    """SacreBLEU with 13a tokens; the paper's BLEU is unsmoothed on white-space tokens."""
    return metrics("bleu", tokenize="whitespace") if paper else sacrebleu(paper=False)


def bertscore(language: str = "en") -> tuple[MetricSpec, ...]:
    """BERTScore with the model that the metric's authors choose for the language."""
    if language == "de":
        return metrics("bertscore", model=judges.MULTILINGUAL_BERT, layer=9)
    return metrics("bertscore", model=judges.ROBERTA_LARGE, layer=17)


def output_perplexity() -> tuple[MetricSpec, ...]:
    """Perplexity of the outputs under a fixed language model."""
    return metrics("perplexity", model=judges.GPT2)
