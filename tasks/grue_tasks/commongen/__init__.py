"""CommonGen: write one sentence that mentions every given concept.

Data: Lin et al. 2020 (Findings of EMNLP). Origin and licence: card.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grue.core.decoding import Decoding
from grue.core.record import Record
from grue.core.rows import Row
from grue.core.task import Quirk, Suite, Task, Truncation
from grue.core.text import content_id
from grue_tasks import suites
from grue_tasks.commongen.source import SOURCE
from grue_tasks.reading import own_id, stated

ID_COLUMNS = ("concept_set_idx", "concept_set_id")


def prompt_of(concepts: Iterable[str]) -> str:
    """The instruction with the concepts in their order.

    >>> prompt_of(["coral", "fish", "island"])
    'generate a sentence with: coral fish island.'
    """
    return f"generate a sentence with: {' '.join(concepts)}."


def set_id(record: Record) -> str:
    """Id of a record's concept set: its own, or a hash of the ordered concepts where it has none."""
    for column in ID_COLUMNS:
        if column in record.columns:
            return own_id(record, column)
    return content_id({"concepts": list(record.strings("concepts"))})


def sentences(record: Record, *, target_only: bool = False) -> tuple[str, ...]:
    """References of one record: the list ``references``, or ``target`` where that is empty or not there.

    Args:
        record: A record of either column layout.
        target_only: Whether ``target`` is taken although there is a list.
    """
    listed = stated(record.strings("references")) if record.has("references") else ()
    if listed and not (target_only and record.has("target")):
        return listed
    if "target" not in record.columns and "references" in record.columns:
        return ()
    return stated([record.string("target")])


def rows(records: Iterable[Record], *, single_reference: bool = False) -> Iterator[Row]:
    """One row a concept set, in the order in which the sets first occur; references in file order.

    Args:
        records: Records in the columns of ``allenai/common_gen`` or ``GEM/common_gen``.
        single_reference: Whether only a set's first target is a reference.

    Raises:
        TaskDataError: where records of one id name different concepts.
    """
    sets: dict[str, tuple[tuple[str, ...], list[str]]] = {}
    for record in records:
        identifier, concepts = set_id(record), record.strings("concepts")
        if not concepts:
            raise record.fault("Column 'concepts' is an empty list.", "Give each record at least one concept.")
        known, references = sets.setdefault(identifier, (concepts, []))
        if known != concepts:
            raise record.fault(
                f"Concept set {identifier} is {list(concepts)} here and {list(known)} in an earlier record.",
                "Records with one id are references of one concept set: give this one an id of its own.",
            )
        references.extend(sentences(record, target_only=single_reference))
    for identifier, (concepts, references) in sets.items():
        yield Row(
            id=identifier,
            prompt=prompt_of(concepts),
            references=tuple(references[:1] if single_reference else references),
            inputs={"source": " ".join(concepts), "concepts": list(concepts)},
        )


def suite(quirks: frozenset[str]) -> Suite:
    """The suite with the given quirks active."""
    paper = "metrics" in quirks
    single = "references" in quirks
    return Suite(
        rows=lambda records: rows(records, single_reference=single),
        truncation=Truncation("right", 20 if "truncation" in quirks else 64),
        decoding=Decoding(max_new_tokens=20, min_new_tokens=5, num_beams=5),
        metrics=(
            *suites.metrics("cider_d", "cider"),
            *suites.metrics("coverage", "coverage_all"),
            *suites.metrics("spice"),
            *suites.meteor(paper=paper),
            *suites.rouge(paper=paper),
            *suites.metrics("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rougeL_coco"),
            *suites.bleu(paper=paper),
            *suites.bertscore(),
            *suites.diversity(paper=paper),
        ),
        primary=("cider_d", "coverage"),
        rewards=(
            *suites.rewards("meteor", "rouge_combined", "common_gen_repeat_penalty", paper=paper),
            *suites.rewards("rouge", type="rouge1", paper=paper),
            *suites.rewards("spider", a=0.5, b=0.5, paper=paper),
            *suites.rewards("common_gen_preference_model", paper=paper),
        ),
    )


TASK = Task(
    name="commongen",
    version=1,
    title="CommonGen",
    summary="Write one plausible sentence that mentions all given everyday concepts.",
    suite=suite,
    package=__name__,
    quirks=(
        Quirk("references", "A concept set has one reference, its first target."),
        Quirk("truncation", "Prompts are cut to 20 tokens, not 64."),
        Quirk("metrics", "METEOR, ROUGE, BLEU and words as the paper's library computes them."),
    ),
    source=SOURCE,
    folders=("common_gen",),
    licence="MIT",
    shows_texts=True,
    citation=(
        "Bill Yuchen Lin, Wangchunshu Zhou, Ming Shen, Pei Zhou, Chandra Bhagavatula, Yejin Choi, Xiang Ren. "
        "CommonGen: A Constrained Text Generation Challenge for Generative Commonsense Reasoning. "
        "Findings of EMNLP 2020."
    ),
    homepage="https://inklab.usc.edu/CommonGen/",
)
