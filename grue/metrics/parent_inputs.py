"""What PARENT reads of a row: tokens of texts, and the values of its table, titles and highlighted cells.

The ToTTo evaluation lower-cases every text, joins its tokens by the Moses detokeniser and only then splits it by
SacreBLEU's 13a; a table goes through the detokeniser as one line, its values between tabs and bars, so that a vertical
bar inside a value counts as a hyphen. All cells, both titles and the section's text may be said; the highlighted cells
and the titles should be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from grue.core.text import Json
from grue.metrics.parent_score import Facts
from grue.metrics.text.detokenize import detokenize
from grue.metrics.text.kept import kept

_BREAKS = re.compile(r"[\t\r\n]+")
_LINE_BREAKS = re.compile(r"[\r\n]+")
NULL = "<null>"
N_REFERENCES = 3
TITLES = ("table_page_title", "table_section_title")
SECTION_TEXT = "table_section_text"
NEEDED = ("table", "highlighted_cells")
# Characters of a text or value whose words are kept.
LONGEST_KEPT = 2**12
SUBSETS = {"": None, "_overlap": True, "_nonoverlap": False}


def in_subset(inputs: Mapping[str, Json], subset: str) -> bool:
    """Whether a row belongs to ``""`` (all), ``"_overlap"`` or ``"_nonoverlap"``; ``none`` belongs to neither."""
    wanted = SUBSETS[subset]
    return wanted is None or str(inputs.get("overlap_subset")).lower() == str(wanted).lower()


def padded(references: Sequence[str]) -> list[str]:
    """At least three references, as the evaluation's files hold them; blank ones are the null text too."""
    given = [one_line(text) for text in references]
    return given + [NULL] * (N_REFERENCES - len(given))


def one_line(text: str) -> str:
    """A prediction as a file of one line each can hold it; the null text where it is blank."""
    return _LINE_BREAKS.sub(" ", text).strip() if text.strip() else NULL


@kept(2**14, longest=LONGEST_KEPT)
def plain(text: str) -> str:
    """A text lower-cased and with its tokens joined: what the evaluation's BLEU and PARENT read."""
    return detokenize(text.lower())


def tokens(text: str) -> list[str]:
    """13a tokens of the lower-cased, joined text."""
    return _split(plain(text))


def _split(text: str) -> list[str]:
    return str(_tokenizer()(text.strip())).split()


def facts_of(inputs: Mapping[str, Json]) -> Facts | None:
    """What the table says; ``None`` where the row has no table or no list of highlighted cells."""
    table, highlighted = (inputs.get(key) for key in NEEDED)
    if not isinstance(table, (list, tuple)) or not isinstance(highlighted, (list, tuple)):
        return None
    titles = [value for key in TITLES if (value := _clean(inputs.get(key)))]
    cells = [[_value(cell) for cell in row] for row in table]
    said = [value for row in cells for value in row if value]
    section = _clean(inputs.get(SECTION_TEXT))
    recalled = [value for position in highlighted if (value := _at(cells, position))]
    # Blanks on both sides of each value keep 13a from seeing past its ends.
    whole = "  ".join(_through_line([*said, *titles, *([section] if section else [])]))
    return Facts(
        words=frozenset(_split(whole)),
        recalled=tuple(words for value in _through_line([*recalled, *titles]) if (words := _value_tokens(value))),
    )


def _through_line(values: Sequence[str]) -> list[str]:
    """Values after the detokeniser saw them as one line, where quotes turn from one value to the next."""
    line = "\t".join(f"cell|||{value}" for value in values)
    return [part.partition("|||")[2] for part in detokenize(line.lower()).split("\t")]


def cell_texts(inputs: Mapping[str, Json]) -> list[str]:
    """The highlighted values and titles as they read, in the order of ``facts_of``'s recalled values."""
    table, highlighted = (inputs.get(key) for key in NEEDED)
    if not isinstance(table, (list, tuple)) or not isinstance(highlighted, (list, tuple)):
        return []
    cells = [[_value(cell) for cell in row] for row in table]
    values = [_at(cells, position) for position in highlighted] + [_clean(inputs.get(key)) for key in TITLES]
    values = [value for value in values if value]
    return [value for value, joined in zip(values, _through_line(values), strict=bool(values)) if _value_tokens(joined)]


def _value(cell: Any) -> str:
    return _clean(cell.get("value") if isinstance(cell, Mapping) else cell)


def _clean(value: Any) -> str:
    return _BREAKS.sub(" ", value.replace("|", "-")).strip() if isinstance(value, str) else ""


def _at(cells: list[list[str]], position: Any) -> str:
    """The value of a highlighted cell; nothing where the position lies outside the table."""
    try:
        row, column = (int(part) for part in position)
    except (TypeError, ValueError):
        return ""
    return cells[row][column] if 0 <= row < len(cells) and 0 <= column < len(cells[row]) else ""


@kept(2**14, longest=LONGEST_KEPT)
def _value_tokens(value: str) -> tuple[str, ...]:
    return tuple(_split(value))


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    return Tokenizer13a()
