"""IMDB: continue the first half of a film review so that it turns out positive.

Data: Maas et al. 2011 (ACL). Benchmark setting: Ramamurthy et al. 2023 (ICLR), section 4. Origin and licence: card.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grue.core.decoding import Decoding
from grue.core.record import Record
from grue.core.rows import Row
from grue.core.task import Quirk, Setting, Suite, Task, Truncation
from grue.core.text import content_id
from grue_tasks import judges, suites
from grue_tasks.imdb.source import SOURCE
from grue_tasks.reading import stated


def halves(text: str) -> tuple[str, str]:
    """First and second half of a review, cut between single spaces; the first has the smaller half of the pieces.

    >>> halves("a b c d e")
    ('a b', 'c d e')
    """
    pieces = text.split(" ")
    middle = len(pieces) // 2
    return " ".join(pieces[:middle]), " ".join(pieces[middle:])


def rows(records: Iterable[Record], *, whole_review: bool = False) -> Iterator[Row]:
    """One row a review; a review whose first half is blank has nothing to continue and gives none.

    Args:
        records: Records with ``text`` and ``label``.
        whole_review: Whether the reference is the whole review instead of its second half.
    """
    for record in records:
        text = record.string("text")
        label = record.integer("label")
        prompt, continuation = halves(text)
        if not prompt.strip():
            continue
        yield Row(
            id=content_id({"text": prompt}),
            prompt=prompt,
            references=stated([text if whole_review else continuation]),
            inputs={"source": prompt, "label": label},
        )


def suite(quirks: frozenset[str]) -> Suite:
    """The suite with the given quirks active."""
    paper = "metrics" in quirks
    whole = "references" in quirks
    perplexity = suites.metrics("perplexity_references", stride=512) if paper else suites.output_perplexity()
    judge: dict[str, Setting] = {
        "model": judges.IMDB_SENTIMENT,
        "label": judges.IMDB_POSITIVE,
        "prompt": "prompt" in quirks,
    }
    return Suite(
        rows=lambda records: rows(records, whole_review=whole),
        truncation=Truncation("left", 64),
        decoding=Decoding(max_new_tokens=48, min_new_tokens=48, do_sample=True, temperature=1.0, top_k=50),
        metrics=(
            *suites.metrics("sentiment", **judge),
            *perplexity,
            *suites.diversity(paper=paper),
        ),
        primary=("sentiment",),
        rewards=suites.rewards("learned_reward", paper=False, **judge),
    )


TASK = Task(
    name="imdb",
    version=1,
    title="IMDB continuation",
    summary="Continue the first half of a film review with positive sentiment.",
    suite=suite,
    package=__name__,
    quirks=(
        Quirk("references", "The reference is the whole review, not its second half."),
        Quirk("prompt", "The classifier reads the prompt before the continuation."),
        Quirk("metrics", "Perplexity is the evaluated model's own on the references; words are NLTK's."),
    ),
    source=SOURCE,
    repeated_ids="number",
    licence="No explicit licence; the reviews belong to their writers. Research use.",
    shows_texts=False,
    citation=(
        "Andrew L. Maas, Raymond E. Daly, Peter T. Pham, Dan Huang, Andrew Y. Ng, Christopher Potts. "
        "Learning Word Vectors for Sentiment Analysis. ACL 2011."
    ),
    homepage="https://ai.stanford.edu/~amaas/data/sentiment/",
)
