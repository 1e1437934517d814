"""METEOR 1.5 of the authors' Java program: weighted stages, paraphrases and function words, 0 to 1.

Denkowski and Lavie 2014; the jar is the user's own (``meteor_java.jar`` or ``GRUE_METEOR_JAR``), run with the English
defaults and its own normaliser (``-l en -norm -stdio``). Alignment is the program's; its statistics of a row (23 sums)
are kept, and the formula over them, which the program applies to a row and to sums of rows alike, is written here:
values equal the program's ``EVAL`` answers. The corpus value is of summed statistics and not the mean of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from grue.core.errors import MetricUnavailableError
from grue.core.metric import Explanation, Floats, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.text.jvm import JavaError, Program, digest, find_program, one_line

VARIABLE = "GRUE_METEOR_JAR"
_PROGRAM = "METEOR 1.5"
_ARGUMENTS = ("-", "-", "-stdio", "-l", "en", "-norm")
_SEPARATOR = "|||"
_STATISTICS = 23
# The program's beam search holds every pair of equal words of two texts: this bounds its time and memory.
MAX_WORDS = 5_000
_START_SECONDS, _SECONDS_PER_WORD = 60.0, 0.01
# English parameters of version 1.5: weights of the stages exact, stem, synonym, paraphrase; the formula's four.
_WEIGHTS = np.array([1.0, 0.6, 0.8, 0.6])
_ALPHA, _BETA, _GAMMA, _DELTA = 0.85, 0.2, 0.6, 0.75


@dataclass(frozen=True)
class MeteorJava:
    """METEOR 1.5 through a Java program.

    A row's statistics, in the program's order: length of prediction and reference, function words of both, then for
    each of four stages content words matched on both sides and function words matched on both sides, chunks, and
    matched words of both.
    """

    program: Program = field(repr=False)
    data: str
    tokenize: str
    name: str = "meteor_java"
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "segment"

    def signature(self) -> str:
        """Language, normaliser, tokeniser, and digests of the jar and its paraphrase table."""
        if self.tokenize == "ptb":
            from grue.metrics.text import ptb

            tokenizer = f"ptb-v{ptb.VERSION}"
        else:
            tokenizer = self.tokenize
        files = f"jar:{digest(self.program.jar)}|paraphrases:{self.data}"
        return f"{self.name}|lang:en|norm:yes|tok:{tokenizer}|refs:best|{files}|impl:meteor-1.5|v:1"

    def statistics(self, texts: Texts) -> Floats:
        """Shape (n, 23).

        Raises:
            ValueError: for a text of more than ``MAX_WORDS`` words.
            JavaError: where the program fails, takes too long or answers something else.
        """
        if not len(texts):
            return np.empty((0, _STATISTICS))
        rows = [
            [*(self._clean(reference) for reference in references), self._clean(prediction)]
            for prediction, references in zip(texts.predictions, texts.references, strict=True)
        ]
        n_words = 0
        for row in rows:
            longest = max(text.count(" ") + 1 for text in row)
            if longest > MAX_WORDS:
                raise ValueError(
                    f"meteor_java: a text has {longest:,} words; the program is given {MAX_WORDS:,} at most"
                )
            n_words += sum(text.count(" ") + 1 for text in row)
        lines = "".join(f" {_SEPARATOR} ".join(("SCORE", *row)) + "\n" for row in rows)
        limit = _START_SECONDS + _SECONDS_PER_WORD * n_words
        return _parse(self.program.run(_ARGUMENTS, lines=lines, timeout_seconds=limit), len(rows))

    def corpus_value(self, total: Floats) -> Floats:
        """METEOR of summed statistics, shape (..., 23) -> (...)."""
        stats = np.asarray(total, dtype=np.float64)
        stages = stats[..., 4:20].reshape(*stats.shape[:-1], 4, 4)
        lengths, function = stats[..., 0:2], stats[..., 2:4]
        whole = _DELTA * (lengths - function) + (1 - _DELTA) * function
        content, functional = stages[..., 0:2], stages[..., 2:4]
        weighted = (_WEIGHTS[:, None] * (_DELTA * content + (1 - _DELTA) * functional)).sum(axis=-2)
        with np.errstate(divide="ignore", invalid="ignore"):
            precision, recall = np.moveaxis(weighted / whole, -1, 0)
            mean = 1 / ((1 - _ALPHA) / precision + _ALPHA / recall)
            matched = stats[..., 21:23].sum(axis=-1) / 2
            score = mean * (1 - _GAMMA * (stats[..., 20] / matched) ** _BETA)
        value = np.where(np.isnan(score), 0.0, np.maximum(score, 0.0))
        return np.where(np.isnan(stats).any(axis=-1), np.nan, value)

    def sample_values(self, statistics: Floats) -> Floats:
        """The program's value of each row."""
        return self.corpus_value(statistics)

    def explain(self, texts: Texts) -> list[Explanation]:
        """How many words matched at each stage; the program does not say which."""
        statistics = self.statistics(texts)
        return [
            _explanation(row, float(value))
            for row, value in zip(statistics, self.sample_values(statistics), strict=True)
        ]

    def _clean(self, text: str) -> str:
        """One line without the protocol's separator, blanks as pycocoevalcap leaves them."""
        if self.tokenize == "ptb":
            from grue.metrics.text import ptb

            text = " ".join(ptb.tokenize(text))
        return one_line(text).replace(_SEPARATOR, "").replace("  ", " ")


def _parse(output: str, n: int) -> Floats:
    lines = output.splitlines()
    try:
        if len(lines) != n:
            raise ValueError
        stats = np.array([line.split() for line in lines], dtype=np.float64).reshape(n, _STATISTICS)
    except ValueError as error:
        found = next((line for line in lines if len(line.split()) != _STATISTICS), lines[-1] if lines else "nothing")
        raise JavaError(
            f"{_PROGRAM} answered {len(lines)} lines for {n} rows, among them {found[:120]!r}; {_STATISTICS} numbers a "
            "row are expected",
            "Check that the jar is meteor-1.5.jar.",
        ) from error
    # A prediction that is matched whole in one piece has no fragments: the program leaves its chunk out of its sums.
    matched = stats[:, 4:20].reshape(n, 4, 2, 2).sum(axis=(1, 2))
    stats[(matched == stats[:, 0:2]).all(axis=1) & (stats[:, 20] == 1), 20] = 0
    return stats


def _explanation(row: Floats, value: float) -> Explanation:
    stages = row[4:20].reshape(4, 2, 2).sum(axis=1)
    names = ("by form", "by stem", "by synonym", "by paraphrase")
    matched = ", ".join(f"{int(stage[0])} {name}" for stage, name in zip(stages, names, strict=True))
    summary = f"{int(row[0])} words against {int(row[1])} of the reference; matched: {matched}; {int(row[20])} chunks."
    return Explanation(value, summary)


CARDS: Mapping[str, Card] = {
    "meteor_java": Card(
        measures=(
            "Words of prediction and reference paired by form, stem, synonym and paraphrase, content words weighing "
            "more than function words, less a penalty for broken order."
        ),
        low=0.0,
        high=1.0,
        source=(
            "Denkowski and Lavie 2014, METEOR 1.5; the authors' own jar with English defaults and -norm, as "
            "pycocoevalcap 1.2 calls it."
        ),
        failings=(
            "Needs Java and a jar with its paraphrase table that grue does not bring: absent without.",
            "English only here; texts of more than 5,000 words are refused.",
            "The corpus value is not the mean of the rows.",
        ),
    )
}


def make(name: str, settings: Mapping[str, Setting | None]) -> MeteorJava:
    """Build from the settings of the family ``meteor_java``.

    Raises:
        MetricUnavailableError: where the jar, its paraphrase table or Java is missing.
    """
    given = settings["jar"]
    program = find_program(_PROGRAM, "meteor_java.jar", str(given) if given else None, VARIABLE, "2G")
    table = program.jar.parent / "data" / "paraphrase-en.gz"
    if not table.is_file():
        raise MetricUnavailableError(f"{_PROGRAM} needs its paraphrase table at {table}, beside the jar")
    return MeteorJava(program, digest(table), str(settings["tokenize"]), name=name)
