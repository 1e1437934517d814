"""DailyDialog: give the next utterance of an everyday conversation.

Data: Li et al. 2017 (IJCNLP). Origin and licence: card.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from grue.core.decoding import Decoding
from grue.core.record import Record
from grue.core.rows import Row
from grue.core.task import Quirk, Suite, Task, Truncation
from grue.core.text import content_id
from grue_tasks import judges, suites
from grue_tasks.daily_dialog.source import SOURCE
from grue_tasks.reading import stated

END = "<EOU>"
CONTEXT_UTTERANCES = 5


def prompt_of(context: Sequence[str]) -> str:
    """The utterances as they stand, joined by the mark without blanks; a space and the mark end the prompt.

    >>> prompt_of(["u1", "u2"])
    'u1<EOU>u2 <EOU>'
    """
    return f"{END.join(context)} {END}"


def first_utterance(text: str) -> str:
    """What stands before the first mark, stripped."""
    return text.partition(END)[0].strip()


def rows(records: Iterable[Record], *, keep_separator: bool = False) -> Iterator[Row]:
    """One row for every utterance with five before it in its dialogue.

    Args:
        records: Records with ``dialog``, ``act`` and ``emotion``, lists of one length.
        keep_separator: Whether the reference keeps its blanks and ends in the mark.

    Raises:
        TaskDataError: where the three lists differ in length.
    """
    for record in records:
        dialog = record.strings("dialog")
        acts, emotions = record.integers("act"), record.integers("emotion")
        if not len(dialog) == len(acts) == len(emotions):
            raise record.fault(
                f"'dialog', 'act' and 'emotion' have {len(dialog)}, {len(acts)} and {len(emotions)} entries.",
                "Give each utterance one act and one emotion.",
            )
        for index in range(CONTEXT_UTTERANCES, len(dialog)):
            context = list(dialog[index - CONTEXT_UTTERANCES : index])
            reply = dialog[index] if keep_separator else first_utterance(dialog[index])
            yield Row(
                id=content_id({"context": context}),
                prompt=prompt_of(context),
                references=tuple(text + END if keep_separator else text for text in stated([reply])),
                inputs={
                    "source": " ".join(utterance.strip() for utterance in context),
                    "last_utterance": context[-1],
                    "act": acts[index],
                    "emotion": emotions[index],
                },
            )


def suite(quirks: frozenset[str]) -> Suite:
    """The suite with the given quirks active."""
    paper = "metrics" in quirks
    kept = "separator" in quirks
    return Suite(
        rows=lambda records: rows(records, keep_separator=kept),
        truncation=Truncation("left", 128),
        decoding=Decoding(max_new_tokens=20, min_new_tokens=2, do_sample=True, top_k=20),
        metrics=(
            *suites.meteor(paper=paper),
            *suites.metrics("intent_accuracy", model=judges.DIALOG_INTENT, paper=paper),
            *suites.rouge(paper=paper),
            *(suites.metrics("bleu", tokenize="whitespace") if paper else ()),
            *suites.sacrebleu(paper=paper),
            *suites.bertscore(),
            *(suites.metrics("perplexity_references", stride=128) if paper else suites.output_perplexity()),
            *suites.diversity(paper=paper),
        ),
        primary=("meteor", "intent_accuracy"),
        rewards=(
            *suites.rewards("intent_accuracy", model=judges.DIALOG_INTENT, a=0.5, b=0.5, paper=paper),
            *suites.rewards("meteor", paper=paper),
        ),
        postprocess=None if kept else first_utterance,
    )


TASK = Task(
    name="daily_dialog",
    version=1,
    title="DailyDialog",
    summary="Give the next utterance of an everyday conversation after five others.",
    suite=suite,
    package=__name__,
    quirks=(
        Quirk("separator", "References keep their blanks and the mark <EOU>, and predictions are not cut at it."),
        Quirk("metrics", "METEOR, ROUGE, BLEU and words as the paper's library computes them; SacreBLEU with intl."),
    ),
    source=SOURCE,
    repeated_ids="number",
    licence="CC BY-NC-SA 4.0",
    shows_texts=False,
    citation=(
        "Yanran Li, Hui Su, Xiaoyu Shen, Wenjie Li, Ziqiang Cao, Shuzi Niu. "
        "DailyDialog: A Manually Labelled Multi-turn Dialogue Dataset. IJCNLP 2017."
    ),
    homepage="http://yanran.li/dailydialog",
)
