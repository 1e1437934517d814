"""CNN/DailyMail: summarise a news article in a few sentences.

Data: Hermann et al. 2015, See et al. 2017 (version 3.0.0, not anonymised). Origin and licence: card.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grue.core.decoding import Decoding
from grue.core.record import Record
from grue.core.rows import Row
from grue.core.task import Quirk, Suite, Task, Truncation
from grue_tasks import judges, suites
from grue_tasks.cnn_dailymail.source import SOURCE
from grue_tasks.reading import own_id, stated


def prompt_of(article: str) -> str:
    """The instruction before the article, with the capital S of the paper's set-up."""
    return f"Summarize: {article}"


def rows(records: Iterable[Record]) -> Iterator[Row]:
    """One row an article; the reference is its highlights as they stand, one a line."""
    for record in records:
        article = record.string("article")
        yield Row(
            id=own_id(record, "id"),
            prompt=prompt_of(article),
            references=stated([record.string("highlights")]),
            inputs={"source": article},
        )


def suite(quirks: frozenset[str]) -> Suite:
    """The suite with the given quirks active."""
    paper = "metrics" in quirks
    sampling = Decoding(max_new_tokens=100, min_new_tokens=50, do_sample=True, temperature=0.7)
    beams = Decoding(max_new_tokens=100, min_new_tokens=50, num_beams=4)
    return Suite(
        rows=rows,
        truncation=Truncation("right", 512),
        decoding=sampling if "decoding" in quirks else beams,
        metrics=(
            *suites.rouge(paper=paper),
            *suites.meteor(paper=paper),
            *suites.bleu(paper=paper),
            *suites.bertscore(),
            *(
                suites.metrics("summac_zs", model=judges.MNLI, label=judges.MNLI_ENTAILMENT, paper=True)
                if paper
                else suites.metrics("summac_zs", model=judges.VITAMINC, label=judges.VITAMINC_SUPPORTS)
            ),
            *suites.diversity(paper=paper),
        ),
        primary=("rougeLsum", "rouge2"),
        rewards=(
            *suites.rewards("rouge", type="rouge1", paper=paper),
            *suites.rewards("rouge_combined", "meteor", paper=paper),
        ),
    )


TASK = Task(
    name="cnn_dailymail",
    version=1,
    title="CNN/DailyMail",
    summary="Summarise a news article as its editors' highlights do.",
    suite=suite,
    package=__name__,
    quirks=(
        Quirk("decoding", "Sampling at temperature 0.7 without top-k instead of beam search."),
        Quirk("metrics", "METEOR, ROUGE, BLEU and words as the paper's library computes them."),
    ),
    source=SOURCE,
    licence="Apache-2.0 for the processing; the articles remain copyright of CNN and the Daily Mail. Research use.",
    shows_texts=False,
    citation=(
        "Abigail See, Peter J. Liu, Christopher D. Manning. Get To The Point: Summarization with "
        "Pointer-Generator Networks. ACL 2017."
    ),
    homepage="https://github.com/abisee/cnn-dailymail",
)
