"""Metrics: one file a metric, and one table of all names; nothing heavy is imported before a metric is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a metric before it is built.

    Attributes:
        family: Name before the dot in ``--set FAMILY.key=value``.
        maker: ``"module:callable"`` that takes name and settings; empty for a metric that is absent.
        summary: One line for ``grue metrics list``.
        needs_model: Whether a checkpoint computes it; its maker then also takes a ``Judging``.
        toy: The checkpoint inside the package that judges the embedded rows; empty where there is none.
    """

    family: str
    maker: str
    summary: str
    needs_model: bool = False
    toy: str = ""


ABSENT_REASON = "this version of grue does not compute it yet"

_SACRE = "grue.metrics.sacre_bleu:make"
_BLEU = "grue.metrics.nmt_bleu:make"
_CHRF = "grue.metrics.chrf:make"
_TER = "grue.metrics.ter:make"
_ROUGE = "grue.metrics.rouge:make"
_SQUAD = "grue.metrics.squad:make"
_DIVERSITY = "grue.metrics.diversity:make"
_LENGTH = "grue.metrics.length:make"
_REPETITION = "grue.metrics.repetition:make"
_COPY = "grue.metrics.copying:make"
_PARENT = "grue.metrics.parent:make"
_TOTTO = "grue.metrics.bleu_totto:make"
_JUDGE = "grue.metrics.neural."
_COCO_BLEU = "grue.metrics.coco_bleu:make"
_CIDER = "grue.metrics.cider:make"
_COVERAGE = "grue.metrics.coverage:make"

METRICS: Mapping[str, Entry] = {
    "sacrebleu": Entry("sacrebleu", _SACRE, "SacreBLEU, corpus level, 0 to 100."),
    "bleu": Entry("bleu", _BLEU, "BLEU of the TensorFlow NMT script on white-space tokens, 0 to 1."),
    "bleu_1": Entry("coco", _COCO_BLEU, "BLEU-1 of the COCO caption evaluation."),
    "bleu_2": Entry("coco", _COCO_BLEU, "BLEU-2 of the COCO caption evaluation."),
    "bleu_3": Entry("coco", _COCO_BLEU, "BLEU-3 of the COCO caption evaluation."),
    "bleu_4": Entry("coco", _COCO_BLEU, "BLEU-4 of the COCO caption evaluation."),
    "chrf": Entry("chrf", _CHRF, "chrF2 of SacreBLEU: character n-gram F-score, 0 to 100."),
    "chrf++": Entry("chrf", _CHRF, "chrF2++ of SacreBLEU: chrF with words and word pairs, 0 to 100."),
    "ter": Entry("ter", _TER, "Translation edit rate of SacreBLEU in percent; lower is better."),
    "rouge1": Entry("rouge", _ROUGE, "ROUGE-1 F of rouge-score, 0 to 1."),
    "rouge2": Entry("rouge", _ROUGE, "ROUGE-2 F of rouge-score, 0 to 1."),
    "rougeL": Entry("rouge", _ROUGE, "ROUGE-L F of rouge-score, 0 to 1."),
    "rougeLsum": Entry("rouge", _ROUGE, "Summary-level ROUGE-L F of rouge-score, 0 to 1."),
    "rougeL_max": Entry(
        "rougeL_max",
        "grue.metrics.rouge_l_max:make",
        "ROUGE-L by py-rouge's rule, as the paper used it for NarrativeQA.",
    ),
    "rougeL_coco": Entry("coco", "grue.metrics.rouge_coco:make", "ROUGE-L of the COCO caption evaluation (beta 1.2)."),
    "meteor": Entry("meteor", "grue.metrics.meteor:make", "METEOR of NLTK: words by form, stem and synonym, 0 to 1."),
    "meteor_java": Entry(
        "meteor_java", "grue.metrics.meteor_java:make", "METEOR 1.5 by the authors' Java program, 0 to 1."
    ),
    "cider": Entry("coco", _CIDER, "CIDEr, the authors' plain scorer, 0 to 10."),
    "cider_d": Entry("coco", _CIDER, "CIDEr-D, what the COCO caption evaluation calls CIDEr, 0 to 10."),
    "spice": Entry("spice", "grue.metrics.spice:make", "SPICE 1.0 by the authors' Java program, 0 to 1."),
    "coverage": Entry("coverage", _COVERAGE, "Share of a row's concepts that the prediction mentions."),
    "coverage_all": Entry("coverage", _COVERAGE, "Share of predictions that mention all concepts of their row."),
    "parent": Entry("parent", _PARENT, "PARENT F against table and references."),
    "parent_overlap": Entry("parent", _PARENT, "PARENT F on tables whose titles occur in training."),
    "parent_nonoverlap": Entry("parent", _PARENT, "PARENT F on tables whose titles do not occur in training."),
    "parent_precision": Entry("parent", _PARENT, "PARENT precision."),
    "parent_precision_overlap": Entry("parent", _PARENT, "PARENT precision on overlapping tables."),
    "parent_precision_nonoverlap": Entry("parent", _PARENT, "PARENT precision on non-overlapping tables."),
    "parent_recall": Entry("parent", _PARENT, "PARENT recall."),
    "parent_recall_overlap": Entry("parent", _PARENT, "PARENT recall on overlapping tables."),
    "parent_recall_nonoverlap": Entry("parent", _PARENT, "PARENT recall on non-overlapping tables."),
    "bleu_totto": Entry("parent", _TOTTO, "BLEU of the ToTTo evaluation scripts."),
    "bleu_totto_overlap": Entry("parent", _TOTTO, "ToTTo's BLEU on overlapping tables."),
    "bleu_totto_nonoverlap": Entry("parent", _TOTTO, "ToTTo's BLEU on non-overlapping tables."),
    "exact_match": Entry("squad", _SQUAD, "Exact match of SQuAD v1.1, best reference, 0 to 1."),
    "f1": Entry("squad", _SQUAD, "Word F1 of SQuAD v1.1, best reference, 0 to 1."),
    "bertscore": Entry("bertscore", _JUDGE + "bertscore:make", "BERTScore F1.", needs_model=True),
    "bleurt": Entry("bleurt", _JUDGE + "bleurt:make", "BLEURT.", needs_model=True),
    "summac_zs": Entry("summac_zs", _JUDGE + "summac:make", "SummaC zero-shot consistency.", needs_model=True),
    "sentiment": Entry(
        "sentiment", _JUDGE + "sentiment:make", "Mean probability of the positive class.", True, "demo:sentiment"
    ),
    "perplexity": Entry(
        "perplexity", _JUDGE + "perplexity:make", "Perplexity of the outputs under a fixed model.", True, "demo:lm"
    ),
    "perplexity_references": Entry(
        "perplexity_references",
        _JUDGE + "perplexity_references:make",
        "Perplexity of the references under the evaluated model.",
        True,
    ),
    "intent_accuracy": Entry(
        "intent_accuracy",
        _JUDGE + "intent:make",
        "Share of replies whose predicted act is the reference's.",
        True,
        "demo:intent",
    ),
    "msttr": Entry("diversity", _DIVERSITY, "Mean segmental type-token ratio over blocks of 100 words, 0 to 1."),
    "distinct_1": Entry("diversity", _DIVERSITY, "Distinct words by all words, 0 to 1."),
    "distinct_2": Entry("diversity", _DIVERSITY, "Distinct word pairs by all word pairs, 0 to 1."),
    "distinct_3": Entry("diversity", _DIVERSITY, "Distinct word triples by all word triples, 0 to 1."),
    "unique_1": Entry("diversity", _DIVERSITY, "Words that occur once in all outputs."),
    "unique_2": Entry("diversity", _DIVERSITY, "Word pairs that occur once in all outputs."),
    "unique_3": Entry("diversity", _DIVERSITY, "Word triples that occur once in all outputs."),
    "entropy_1": Entry("diversity", _DIVERSITY, "Shannon entropy of words, in bits."),
    "entropy_2": Entry("diversity", _DIVERSITY, "Shannon entropy of word pairs, in bits."),
    "entropy_3": Entry("diversity", _DIVERSITY, "Shannon entropy of word triples, in bits."),
    "cond_entropy_2": Entry("diversity", _DIVERSITY, "Entropy of a word given the one before it, in bits."),
    "cond_entropy_3": Entry("diversity", _DIVERSITY, "Entropy of a word given the two before it, in bits."),
    "vocab_size": Entry("diversity", _DIVERSITY, "Number of distinct words in all outputs."),
    "mean_length": Entry("diversity", _LENGTH, "Mean number of words a prediction."),
    "repetition_rate": Entry("diversity", _REPETITION, "Share of predictions in which a word 4-gram occurs twice."),
    "copy_rate": Entry("diversity", _COPY, "Mean share of a prediction's word 4-grams found in the row's input."),
}
