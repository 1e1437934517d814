"""PARENT of a description against its table and its references: precision, recall and F, 0 to 1.

Dhingra et al. 2019 (ACL), as the ToTTo evaluation (Parikh et al. 2020) runs it; the arithmetic is in
``parent_score``. References are padded to three with the null text, as in that evaluation's files; with more than
three all count. A prediction's scores are those against the reference with the best F; the corpus value is the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grue.core.errors import UsageError
from grue.core.metric import Explanation, Floats, Part, Texts
from grue.core.task import Setting
from grue.metrics.card import Card
from grue.metrics.parent_inputs import SUBSETS, TITLES, cell_texts, facts_of, in_subset, one_line, padded, tokens
from grue.metrics.parent_score import Facts, Parent, Rule, Side, best

MAX_WORDS = 200_000  # beyond it, positions as bits of whole numbers take minutes
_PARTS = ("", "_precision", "_recall")
_MOST = 40


@dataclass(frozen=True)
class ParentMetric:
    """One of precision, recall and F, over all rows or one subset.

    Attributes:
        part: ``precision``, ``recall`` or ``f``.
        subset: ``""``, ``"_overlap"`` or ``"_nonoverlap"``; rows outside it have no value.
    """

    name: str
    part: str
    subset: str
    rule: Rule
    scale: float | None = 1.0
    higher_is_better: bool | None = True
    needs_references: bool = True
    kind: ClassVar[str] = "mean"

    @property
    def undefined(self) -> str:
        """Why no row has a value."""
        of = {"": "", "_overlap": " of the overlap subset", "_nonoverlap": " of the non-overlap subset"}[self.subset]
        needs = "'table', 'highlighted_cells'" + (" and 'overlap_subset'" if self.subset else "")
        return f"no row{of} has a table (inputs {needs})"

    def signature(self) -> str:
        """Weight of the table, order, smoothing and tokens."""
        weight = "reference" if self.rule.weight is None else repr(self.rule.weight)
        return (
            f"{self.name}|lambda:{weight}|order:{self.rule.max_order}|smooth:{self.rule.smoothing!r}|tok:13a|case:lc|"
            "refs:max-padded-3|impl:totto|v:1"
        )

    def per_sample(self, texts: Texts) -> Floats:
        """Shape (n,), NaN for rows without a table or outside the subset.

        Raises:
            ValueError: for a text of more than 200,000 words.
        """
        scores = texts.derived(("parent", self.rule), lambda: _scores(texts, self.rule))
        inside = [in_subset(inputs, self.subset) for inputs in texts.inputs]
        return np.array(
            [
                getattr(score, self.part) if score is not None and is_in else np.nan
                for score, is_in in zip(scores, inside, strict=True)
            ],
            dtype=np.float64,
        )

    def explain(self, texts: Texts) -> list[Explanation]:
        """Highlighted values mentioned or not, and words that neither table nor reference has."""
        return [
            self._explain(prediction, list(references), inputs)
            for prediction, references, inputs in zip(texts.predictions, texts.references, texts.inputs, strict=True)
        ]

    def _explain(self, prediction: str, references: list[str], inputs: Mapping[str, object]) -> Explanation:
        facts = facts_of(inputs)  # type: ignore[arg-type]
        if facts is None or not in_subset(inputs, self.subset):  # type: ignore[arg-type]
            return Explanation(None, self.undefined)
        words = tokens(one_line(prediction))
        said = Side.of(words, self.rule.max_order)
        sides = [Side.of(tokens(text), self.rule.max_order) for text in padded(references)]
        found, index = best(said, sides, facts, self.rule)
        named = list(zip(cell_texts(inputs), facts.recalled, strict=True))  # type: ignore[arg-type]
        mentioned = [text for text, value in named if said.mentioned(value) >= 1.0]
        missed = [text for text, value in named if said.mentioned(value) < 1.0]
        known = facts.words.union(*(side.places for side in sides[: len(references)]))
        supported = [word for word in words if word in known]
        unsupported = [word for word in words if word not in known]
        return Explanation(
            value=getattr(found, self.part),
            summary=(
                f"Precision {found.precision:.3f}: words and n-grams that table or reference bear out. Recall "
                f"{found.recall:.3f}: of the reference's facts and of {len(named)} highlighted values and titles."
            ),
            reference=index if index < len(references) else None,
            parts=(
                Part("table cells", matched=tuple(mentioned[:_MOST]), missing=tuple(missed[:_MOST])),
                Part("words", matched=tuple(supported[:_MOST]), extra=tuple(unsupported[:_MOST])),
            ),
        )


def _scores(texts: Texts, rule: Rule) -> list[Parent | None]:
    """Scores of every row, made once for all names; tables and references once for all samples of a row."""
    facts: dict[tuple[object, ...], Facts | None] = {}
    sides: dict[str, Side] = {}

    def side(text: str) -> Side:
        known = sides.get(text)
        if known is None:
            words = tokens(text)
            if len(words) > MAX_WORDS:
                raise ValueError(f"parent: a text has {len(words):,} words; {MAX_WORDS:,} are the most it compares")
            known = sides[text] = Side.of(words, rule.max_order)
        return known

    out: list[Parent | None] = []
    for prediction, references, inputs in zip(texts.predictions, texts.references, texts.inputs, strict=True):
        # All samples of a row hold the same objects, which live as long as the texts.
        table = (id(inputs.get("table")), id(inputs.get("highlighted_cells")), *map(inputs.get, TITLES))
        if table not in facts:
            facts[table] = facts_of(inputs)
        known = facts[table]
        if known is None:
            out.append(None)
        else:
            out.append(best(side(one_line(prediction)), [side(text) for text in padded(references)], known, rule)[0])
    return out


def make(name: str, settings: Mapping[str, Setting | None]) -> ParentMetric:
    """Build from the settings of the family ``parent``.

    Raises:
        UsageError: where ``lambda`` is neither ``reference`` nor a number from 0 to 1.
    """
    subset = next(s for s in reversed(SUBSETS) if name.endswith(s))
    part = name.removesuffix(subset).removeprefix("parent").removeprefix("_") or "f"
    rule = Rule(_weight(settings["lambda"]), int(settings["max_order"] or 4), float(settings["smoothing"] or 0.0))
    return ParentMetric(name=name, part=part, subset=subset, rule=rule)


def _weight(value: Setting | None) -> float | None:
    if value == "reference":
        return None
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise UsageError(f"--set: parent.lambda={value!r} is not allowed.", "parent.lambda is reference, or 0 to 1.")
    return number


def _card(part: str, subset: str) -> Card:
    what = {
        "": "Mean of precision and recall (F) of a description",
        "_precision": "Share of a description's n-grams that its table or reference bears out",
        "_recall": "Share of the reference's facts and of the highlighted cells that a description has",
    }[part]
    on = {
        "": "",
        "_overlap": " On rows whose table headers occur in training.",
        "_nonoverlap": " On rows whose table headers do not occur in training.",
    }[subset]
    return Card(
        measures=f"{what}, held against its table and its references.{on}",
        low=0.0,
        high=1.0,
        source="Dhingra et al. 2019 (ACL); Parikh et al. 2020 (EMNLP): the ToTTo evaluation scripts.",
        failings=(
            "Overlap of words, not of meaning: a paraphrase that neither table nor reference words counts as invented.",
            "Words of the whole table count as borne out, also from cells that are not highlighted.",
            "With fewer than three references the null text is one of them: an empty description matches it.",
        ),
    )


CARDS: Mapping[str, Card] = {f"parent{part}{subset}": _card(part, subset) for part in _PARTS for subset in SUBSETS}
