"""SacreBLEU, chrF, TER: statistics equal those of sacrebleu's own functions on generated text, in every setting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU, CHRF, TER

from grue.core.metric import Texts
from grue.core.task import MetricSpec
from grue.metrics.build import build

_PUNCTUATION = [
    "1,5",
    "3.14",
    "...",
    ",",
    ".",
    "-",
    "-\n",
    "\n",
    "'s",
    "(",
    '"',
    "x-1",
    "1-x",
    "$5",
    "a.b",
    "U.S.",
    "]",
    "~",
]
_MARKUP = ["&amp;", "&quot;x", "<skipped>", "\u00a0", "\x1c", "\t", "\ud800", "\x00"]
_SCRIPTS = ["e\u0301", "中", "文,", "日本語", "カナ。", "한국", "ไทย", "😀", "€", "½", "٣", "—", "„", "«"]
PIECES = st.sampled_from([*"aábßΣ1", "the", "cat", "Der", "2017", *_PUNCTUATION, *_MARKUP, *_SCRIPTS])
FREE = st.text(max_size=12)
TEXT = st.lists(st.one_of(PIECES, PIECES, FREE, st.just(" ")), max_size=14).flatmap(
    lambda pieces: st.sampled_from(["", " "]).map(lambda blank: blank.join(pieces))
)
ROWS = st.lists(st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=3)), min_size=1, max_size=5)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))

_BLEU = st.fixed_dictionaries(
    {
        "tokenize": st.sampled_from(["13a", "intl", "none", "char", "zh"]),
        "lowercase": st.booleans(),
        "max_ngram_order": st.sampled_from([1, 2, 4, 6]),
    }
)
_CHRF = st.fixed_dictionaries(
    {
        "char_order": st.sampled_from([1, 2, 6, 12]),
        "word_order": st.sampled_from([0, 1, 2]),
        "beta": st.sampled_from([1, 2, 3]),
        "lowercase": st.booleans(),
        "whitespace": st.booleans(),
        "eps_smoothing": st.booleans(),
    }
)
_FLAGS = ("normalized", "no_punct", "asian_support", "case_sensitive")
_TER = st.fixed_dictionaries({flag: st.booleans() for flag in _FLAGS})
FAMILIES = {
    "sacrebleu": (BLEU, _BLEU),
    "chrf": (CHRF, _CHRF),
    "chrf++": (CHRF, _CHRF.map(lambda chosen: {**chosen, "word_order": 2})),
    "ter": (TER, _TER),
}


def _same(name: str, rows: list[tuple[str, list[str]]], chosen: dict[str, Any]) -> None:
    library = FAMILIES[name][0](**chosen)
    built: Any = build(MetricSpec(name, chosen))
    ours = built.statistics(Texts([row[0] for row in rows], [row[1] for row in rows], [{}] * len(rows)))
    for mine, (text, references) in zip(ours, rows, strict=True):
        held = library._extract_reference_info([library._preprocess_segment(one) for one in references])
        theirs = library._compute_segment_statistics(library._preprocess_segment(text), held)
        assert mine.tolist() == theirs


@pytest.mark.parametrize("name", FAMILIES)
@QUICK
@given(data=st.data(), rows=ROWS)
def test_statistics_are_the_librarys(name: str, data: st.DataObject, rows: list[tuple[str, list[str]]]) -> None:
    _same(name, rows, data.draw(FAMILIES[name][1]))


@pytest.mark.long
@pytest.mark.parametrize("name", FAMILIES)
@LONG
@given(data=st.data(), rows=ROWS)
def test_statistics_are_the_librarys_in_many_cases(
    name: str, data: st.DataObject, rows: list[tuple[str, list[str]]]
) -> None:
    _same(name, rows, data.draw(FAMILIES[name][1]))


@QUICK
@given(line=st.lists(PIECES, max_size=8).flatmap(lambda p: st.sampled_from(["", " "]).map(lambda b: b.join(p))))
@example(line="(5 2017.")
@example(line=" (5 2017. ")
@example(line="1, .5 ,. 3-4 .")
@pytest.mark.parametrize("tokenizer", ["13a", "intl"])
def test_words_cut_piece_by_piece_are_the_librarys(tokenizer: str, line: str) -> None:
    built: Any = build(MetricSpec("sacrebleu", {"tokenize": tokenizer}))
    library = BLEU(tokenize=tokenizer)
    assert built.words()(line) == library._preprocess_segment(line).split()


@pytest.mark.parametrize("alphabet", [200, 600, 40_000])
def test_many_rows_and_wide_alphabets_count_as_single_rows_do(alphabet: int) -> None:
    # Alphabets too wide to pack make the counting take rows apart, at last to one row.
    rows = []
    for index in range(300):
        text = "".join(chr(0x3400 + (index * 977 + place * place * 31) % alphabet) for place in range(60))
        rows.append((text, [text[7:] + text[:5], text[::-1]][: 1 + index % 2]))
    _same("chrf", rows, {})
    wide = "".join(chr(0x3400 + place % 6_000) for place in range(9_000))
    _same("chrf", [(wide, [wide[40:], wide[::2]])], {"word_order": 2})


@pytest.mark.parametrize("name", FAMILIES)
def test_real_rows_with_several_references_are_the_librarys(name: str, golden: Any) -> None:
    _, cases = golden({"sacrebleu": "sacrebleu_corpus", "chrf++": "chrf"}.get(name, name))
    several = [case for case in cases if len(case.predictions) > 10 and any(len(row) > 1 for row in case.references)]
    assert several
    for case in several:
        rows = list(zip(case.predictions, case.references, strict=True))[:40]
        _same(name, rows, {"word_order": 2} if name == "chrf++" else {})


_TER_VARIANTS = {
    "ter_default": {},
    "ter_norm": {"normalized": True},
    "ter_norm_nopunct": {"normalized": True, "no_punct": True},
    "ter_norm_asian": {"normalized": True, "asian_support": True},
    "ter_norm_asian_nopunct_case": dict.fromkeys(_FLAGS, True),
}
_WORDS = {
    **{name: ("sacrebleu", {"tokenize": name}) for name in ("13a", "intl", "char", "zh", "none")},
    **{name: ("ter", chosen) for name, chosen in _TER_VARIANTS.items()},
}


@pytest.mark.parametrize("variant", _WORDS)
def test_words_are_those_that_the_library_gave(material: Path, variant: str) -> None:
    cases = json.loads((material / "golden" / "tokenizers.json").read_text(encoding="utf-8"))["cases"]
    name, chosen = _WORDS[variant]
    built: Any = build(MetricSpec(name, chosen))
    for case in cases:
        words = built.words() if name == "sacrebleu" else built.words
        assert words(case["predictions"][0]) == case["expected"]["tokens"][variant].split(), case["id"]
    assert len(cases) > 50
