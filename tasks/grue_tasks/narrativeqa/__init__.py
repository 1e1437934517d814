r"""NarrativeQA: answer a question about a story from its summary.

Data: Kočiský et al. 2018 (TACL). Prompt: the form of UnifiedQA (Khashabi et al. 2020), question first, then the two
characters backslash and n, then the summary. Origin and licence: card.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grue.core.decoding import Decoding
from grue.core.record import Record
from grue.core.rows import Row
from grue.core.task import Quirk, Suite, Task, Truncation
from grue.core.text import content_id
from grue_tasks import suites
from grue_tasks.narrativeqa.source import SOURCE
from grue_tasks.reading import stated


def prompt_of(question: str, summary: str) -> str:
    r"""UnifiedQA's input, lower-cased: newlines of the summary are deleted, one space ends the prompt.

    >>> prompt_of("Who is Ann?", "Ann is\na spy.")
    'who is ann? \\n ann isa spy. '
    """
    flat = summary.replace("\n", "")
    return f"{question} \\n {flat} ".lower()


def rows(records: Iterable[Record]) -> Iterator[Row]:
    """One row a question; the answers are lower-cased and stripped, as the prompt is lower-cased."""
    for record in records:
        question = record.string("question.text")
        summary = record.string("document.summary.text")
        answers = stated(answer.string("text") for answer in record.records("answers"))
        yield Row(
            id=content_id({"question": question, "summary": summary}),
            prompt=prompt_of(question, summary),
            references=tuple(answer.lower().strip() for answer in answers),
            inputs={"source": f"{question} {summary}", "question": question},
        )


def suite(quirks: frozenset[str]) -> Suite:
    """The suite with the given quirks active."""
    paper = "metrics" in quirks
    return Suite(
        rows=rows,
        truncation=Truncation("right", 512),
        decoding=Decoding(max_new_tokens=50, min_new_tokens=0 if "decoding" in quirks else 1, num_beams=4),
        metrics=(
            *suites.rouge(paper=paper, printed_list=True),
            *suites.metrics("f1", "exact_match"),
            *(suites.metrics("rougeL_max") if paper else ()),
            *suites.meteor(paper=paper),
            *suites.bleu(paper=paper),
            *suites.bertscore(),
            *suites.diversity(paper=paper),
        ),
        primary=("rougeL", "f1"),
        rewards=suites.rewards("rouge_l_max", "meteor", "bleu", "rouge_combined", paper=paper),
    )


TASK = Task(
    name="narrativeqa",
    version=1,
    title="NarrativeQA",
    summary="Answer a question about a book or film from its plot summary.",
    suite=suite,
    package=__name__,
    quirks=(
        Quirk("decoding", "No minimum of new tokens."),
        Quirk("metrics", "METEOR, ROUGE, BLEU and words as the paper's library computes them, and ROUGE-L-max."),
    ),
    source=SOURCE,
    repeated_ids="number",
    licence="Apache-2.0 (questions, answers); the summaries are Wikipedia text, CC BY-SA 3.0.",
    shows_texts=True,
    citation=(
        "Tomáš Kočiský, Jonathan Schwarz, Phil Blunsom, Chris Dyer, Karl Moritz Hermann, Gábor Melis, "
        "Edward Grefenstette. The NarrativeQA Reading Comprehension Challenge. TACL 2018."
    ),
    homepage="https://github.com/google-deepmind/narrativeqa",
)
