"""A real row of a task, and what all its prompts share, where its texts may be shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from grue.comparison.standings import BoardData
from grue.core.errors import GrueError
from leaderboard_site.cards import Card
from leaderboard_site.pages.rows import read_rows
from leaderboard_site.pages.samples import may_show_texts

_PROMPTS = 40  # enough that what they share is no accident
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Example:
    """A real row, where its texts may be shown.

    Attributes:
        before: How every prompt begins; empty where they share nothing.
        after: How every prompt ends.
    """

    prompt: str
    reference: str | None
    before: str = ""
    after: str = ""

    @property
    def has_template(self) -> bool:
        """Whether prompts share words around what is a row's own."""
        return bool(_WORD.search(self.before) or _WORD.search(self.after))


def example_of(data: BoardData, name: str, card: Card) -> Example | None:
    """The first row of the first run that can be read."""
    for run in data.setting.runs:
        result = run.tasks.get(name)
        if result is None or not run.stored.has_samples(name) or may_show_texts(card, result):
            continue
        try:
            rows = read_rows(run, result, None, limit=_PROMPTS).rows
        except GrueError:
            continue
        prompts = list(dict.fromkeys(row.prompt for row in rows if row.prompt))
        if rows and rows[0].prompt:
            before, after = shared(prompts)
            return Example(rows[0].prompt, rows[0].references[0] if rows[0].references else None, before, after)
    return None


def shared(prompts: Sequence[str]) -> tuple[str, str]:
    """How all prompts begin and end, at whole words; nothing where there are fewer than three to compare.

    >>> shared(["translate: a cat.", "translate: the dog.", "translate: it rains."])
    ('translate: ', '.')
    """
    if len(prompts) < 3:
        return "", ""
    before = _common(prompts)
    rest = [prompt[len(before) :] for prompt in prompts]
    after = _common([text[::-1] for text in rest])[::-1]
    # A word that only begins or ends alike is the row's own.
    before = re.sub(r"\w+\Z", "", before) if any(_WORD.match(text) for text in rest) else before
    heads = [text[: len(text) - len(after)] for text in rest]
    after = re.sub(r"\A\w+", "", after) if any(text and _WORD.match(text[-1]) for text in heads) else after
    return before, after


def _common(texts: Sequence[str]) -> str:
    low, high = min(texts), max(texts)
    n = next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return low[:n]
