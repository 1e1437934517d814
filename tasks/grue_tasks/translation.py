"""English to German translation: what the two translation tasks share.

Benchmark setting: Ramamurthy et al. 2023 (ICLR); prompt of T5 (Raffel et al. 2020).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grue.core.decoding import Decoding
from grue.core.record import Record
from grue.core.rows import Row
from grue.core.task import Quirk, Suite, Truncation
from grue.core.text import content_id
from grue_tasks import judges, suites
from grue_tasks.reading import stated

QUIRKS = (
    Quirk("decoding", "No minimum of new tokens."),
    Quirk("metrics", "METEOR, ROUGE, BLEU and words as the paper's library computes them; SacreBLEU with intl tokens."),
)


def prompt_of(sentence: str) -> str:
    """T5's instruction before the sentence."""
    return f"translate English to German: {sentence}"


def rows(records: Iterable[Record]) -> Iterator[Row]:
    """One row a sentence pair, both sides as they stand."""
    for record in records:
        english = record.string("translation.en")
        yield Row(
            id=content_id({"en": english}),
            prompt=prompt_of(english),
            references=stated([record.string("translation.de")]),
            inputs={"source": english},
        )


def suite(quirks: frozenset[str]) -> Suite:
    """The suite with the given quirks active."""
    paper = "metrics" in quirks
    return Suite(
        rows=rows,
        truncation=Truncation("right", 128),
        decoding=Decoding(
            max_new_tokens=128, min_new_tokens=0 if "decoding" in quirks else 1, num_beams=4, length_penalty=0.6
        ),
        metrics=(
            *suites.sacrebleu(paper=paper),
            *suites.metrics("chrf", "chrf++", "ter"),
            *(suites.metrics("bleu", tokenize="whitespace") if paper else ()),
            *suites.meteor(paper=paper, language="de"),
            *suites.rouge(paper=paper),
            *suites.bertscore("de"),
            *suites.diversity(paper=paper),
        ),
        primary=("sacrebleu", "chrf"),
        rewards=(
            *suites.rewards("ter", "sacre_bleu", "chrf", paper=paper),
            *suites.rewards("bert_score", model=judges.MULTILINGUAL_BERT, layer=9, paper=paper),
        ),
    )
