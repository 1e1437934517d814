"""Each task's whole string suite against the sum of the reference packages, on the same texts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import metric_references as references
from metric_texts import TASKS, TaskTexts, load
from nltk import word_tokenize

from grue.core.metric import Texts
from grue.evaluation.chunks import Chunk, score_chunk
from grue.evaluation.scoring import finish
from grue.metrics.build import entry

PORTION = 2000
# Ours alone: no package computes them (the lemmas of the official coverage need spaCy's model).
ALONE = ("repetition_rate", "copy_rate", "coverage", "coverage_all")
_SUBSETS = {"": None, "_overlap": "True", "_nonoverlap": "False"}


# On NLTK's words both sides have the same numbers; `standard` has words of its own for these.
NLTK_WORDS = {"meteor": {"tokenize": "nltk"}, "diversity": {"tokenize": "nltk"}}


def suites(material: Path, limit: int | None) -> Iterator[tuple[str, Suite]]:
    """Two contests a task: the suite as it stands, and with METEOR and diversity on NLTK's words."""
    for task in TASKS:
        yield f"suite {task}, as it stands", Suite(load(material, task, limit), same_words=False)
        yield f"suite {task}, NLTK words", Suite(load(material, task, limit, settings=NLTK_WORDS), same_words=True)


class Suite:
    """A task's string metrics: ours through the evaluation's scoring, theirs package by package.

    Args:
        given: The task and its texts.
        same_words: Whether ours is set to NLTK's words, on which NLTK's METEOR and GEM-metrics' statistics stand;
            else these are timed and not compared.
    """

    def __init__(self, given: TaskTexts, *, same_words: bool) -> None:
        self.given = given
        self.same_words = same_words
        self.names = tuple(given.rows.built.metrics)

    def ours(self) -> dict[str, float | None]:
        """All values, in portions as an evaluation scores them, without intervals."""
        texts = self.given.fresh()
        suite = self.given.rows.built.only(self.names)
        # The scoring joins in id order, and msttr depends on it.
        keys = [(f"{index:09d}", 0) for index in range(len(texts))]
        chunks = []
        for start in range(0, len(texts), PORTION):
            part = slice(start, start + PORTION)
            portion = Texts(texts.predictions[part], texts.references[part], texts.inputs[part])
            chunks.append(score_chunk(suite, Chunk(keys[part], portion)))
        scores = finish(suite, chunks, keys, intervals=False)
        failed = [name for name, value in scores.values.items() if value.failed]
        if failed:
            raise RuntimeError(f"failed: {failed}")
        return {name: value.value for name, value in scores.values.items()}

    def reference(self) -> dict[str, float]:
        """The packages' values for the metrics that the suite has."""
        texts, has = self.given.texts, set(self.names)
        values: dict[str, float] = {}
        if "rougeLsum" in has:
            values |= references.rouge(texts, split=True)
        if "meteor" in has:
            values |= references.meteor(texts, word_tokenize)
        for name in ("sacrebleu", "chrf", "chrf++", "ter"):
            if name in has:
                values |= references.sacre(texts, name)
        wanted = [name for name in ("bleu_4", "cider_d", "rougeL_coco") if name in has]
        if wanted:
            split = references.java_tokens(texts) if shutil.which("java") else references.own_tokens(texts)
            values |= references.coco(split, wanted)
        if "parent" in has:
            values |= _totto(texts)
        if "exact_match" in has or "f1" in has:
            values |= references.squad(texts)
        if "distinct_1" in has:
            values |= references.diversity(texts, _lower_words)
        return {name: value for name, value in values.items() if name in has}

    def is_compared(self, name: str) -> bool:
        """Whether both sides should have the same number."""
        return self.same_words or entry(name).family not in NLTK_WORDS


def _lower_words(text: str) -> list[str]:
    return [word.lower() for word in word_tokenize(text)]


def _totto(texts: Texts) -> dict[str, float]:
    values: dict[str, float] = {}
    for ending, flag in _SUBSETS.items():
        kept = [i for i, row in enumerate(texts.inputs) if flag in (None, _flag(row))]
        if not kept:
            continue
        part = Texts(*([side[i] for i in kept] for side in (texts.predictions, texts.references, texts.inputs)))
        found = references.parent_script(part) | references.bleu_totto(part)
        values |= {name + ending: value for name, value in found.items()}
    return values


def _flag(row: Mapping[str, Any]) -> str:
    return str(row.get("overlap_subset"))
