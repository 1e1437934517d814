"""ToTTo: describe the highlighted cells of a table in one sentence.

Data: Parikh et al. 2020 (EMNLP). Origin and licence: card.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grue.core.decoding import Decoding
from grue.core.record import Record
from grue.core.rows import Row
from grue.core.task import Quirk, Suite, Task, Truncation
from grue_tasks import judges, suites
from grue_tasks.reading import own_id
from grue_tasks.totto.linearise import linearise
from grue_tasks.totto.reading import final_sentences, highlighted, overlap_subset, placed, read_cells, table_json
from grue_tasks.totto.source import SOURCE

TITLES = ("table_page_title", "table_section_title")
SCORES = ("parent", "bleu_totto", "parent_precision", "parent_recall")
SUBSETS = ("", "_overlap", "_nonoverlap")


def rows(records: Iterable[Record], *, doubled: bool = False) -> Iterator[Row]:
    """One row a table.

    Args:
        records: Records in the columns of ``totto`` or ``GEM/totto``.
        doubled: Whether the cells stand in the prompt twice, first without titles and joined without a blank.

    Raises:
        TaskDataError: where a cell lacks a key or a highlighted cell lies outside the table.
    """
    for record in records:
        cells = read_cells(record)
        table = placed(cells)
        positions = highlighted(record, table)
        page, section = (record.string(column) for column in TITLES)
        titled = linearise(table, positions, page_title=page, section_title=section)
        yield Row(
            id=own_id(record, "example_id"),
            prompt=linearise(table, positions) + titled if doubled else titled,
            references=final_sentences(record),
            inputs={
                "source": titled,
                "table": table_json(cells),
                "highlighted_cells": [list(position) for position in positions],
                "table_page_title": page,
                "table_section_title": section,
                "table_section_text": record.string("table_section_text"),
                "overlap_subset": overlap_subset(record),
            },
        )


def suite(quirks: frozenset[str]) -> Suite:
    """The suite with the given quirks active."""
    paper = "metrics" in quirks
    doubled = "prompt" in quirks
    return Suite(
        rows=lambda records: rows(records, doubled=doubled),
        truncation=Truncation("left" if "truncation" in quirks else "right", 512),
        decoding=Decoding(max_new_tokens=50, min_new_tokens=10, num_beams=5),
        metrics=(
            *suites.metrics(*(score + subset for subset in SUBSETS for score in SCORES)),
            *suites.meteor(paper=paper),
            *suites.rouge(paper=paper, printed_list=True),
            *suites.sacrebleu(paper=paper),
            *suites.bertscore(),
            *suites.metrics("bleurt", model=judges.BLEURT),
            *suites.diversity(paper=paper),
        ),
        primary=("parent", "bleu_totto"),
        rewards=suites.rewards("meteor", "parent", "bleu", "sacre_bleu", paper=paper),
    )


TASK = Task(
    name="totto",
    version=1,
    title="ToTTo",
    summary="Describe the highlighted cells of a Wikipedia table in one sentence.",
    suite=suite,
    package=__name__,
    quirks=(
        Quirk("prompt", "The highlighted cells stand in the prompt twice, first without titles."),
        Quirk("truncation", "Prompts lose their start, not their end."),
        Quirk("metrics", "METEOR, ROUGE and words as the paper's library computes them; SacreBLEU with intl tokens."),
    ),
    source=SOURCE,
    licence="CC BY-SA 3.0",
    shows_texts=True,
    citation=(
        "Ankur P. Parikh, Xuezhi Wang, Sebastian Gehrmann, Manaal Faruqui, Bhuwan Dhingra, Diyi Yang, Dipanjan Das. "
        "ToTTo: A Controlled Table-To-Text Generation Dataset. EMNLP 2020."
    ),
    homepage="https://github.com/google-research-datasets/ToTTo",
)
