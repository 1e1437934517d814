"""Our Porter stemmer gives the stem that NLTK's gives, for every string."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.stem.porter import PorterStemmer

from grue.metrics.text import porter as rules
from grue.metrics.text.stems import porter

NLTK = PorterStemmer()
# Suffixes of all steps of Porter 1980 and of NLTK's extensions, and ends that only look like one.
SUFFIXES = (
    *(
        "",
        "s",
        "ss",
        "es",
        "ies",
        "sses",
        "ed",
        "eed",
        "ied",
        "ing",
        "y",
        "e",
        "ll",
        "at",
        "bl",
        "iz",
        "*d",
        "yy",
        "tt",
    ),
    *("ational", "tional", "enci", "anci", "izer", "bli", "abli", "alli", "entli", "eli", "ousli", "ization", "ation"),
    *("ator", "alism", "iveness", "fulness", "ousness", "aliti", "iviti", "biliti", "fulli", "logi", "icate", "ative"),
    *(
        "alize",
        "iciti",
        "ical",
        "ful",
        "ness",
        "al",
        "ance",
        "ence",
        "er",
        "ic",
        "able",
        "ible",
        "ant",
        "ement",
        "ment",
    ),
    *("tt", "ment", "ent", "ion", "sion", "tion", "ou", "ism", "ate", "iti", "ous", "ive", "ize", "ogi", "li", "ng"),
)
HEADS = st.text("aeiouybdlstwxz", max_size=5) | st.text("ayYüßİΣé'*0\n\ud800", max_size=5) | st.text(max_size=4)
MADE = st.builds("{}{}{}{}".format, HEADS, *[st.sampled_from(SUFFIXES)] * 3)


def check(words: Iterable[str]) -> int:
    wrong = [(word, rules.stem(word), known) for word in words if rules.stem(word) != (known := NLTK.stem(word))]
    assert wrong == []
    return len(list(words))


@settings(max_examples=400, deadline=None)
@given(MADE)
def test_made_up_words_have_nltks_stems(word: str) -> None:
    assert porter(word) == NLTK.stem(word)
    assert porter(word.upper()) == NLTK.stem(word.upper())


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=12))
def test_any_text_has_nltks_stem(word: str) -> None:
    assert porter(word) == NLTK.stem(word)


def test_all_short_heads_before_one_suffix_have_nltks_stems() -> None:
    heads = ["".join(letters) for size in range(3) for letters in itertools.product("aylst", repeat=size)]
    assert check([head + suffix for head in heads for suffix in SUFFIXES]) == 31 * len(SUFFIXES)


def test_irregular_words_have_nltks_stems() -> None:
    assert check([*NLTK.pool, *(word.upper() for word in NLTK.pool), *(word + "s" for word in NLTK.pool)]) > 40


def test_words_of_two_characters_keep_their_lower_case_form_however_long() -> None:
    # The lower case of a capital I with a dot has two characters.
    assert porter("İS") == NLTK.stem("İS") == "i\u0307s"
    assert porter("AS") == "as"


def test_a_word_of_a_million_letters_is_stemmed_at_once() -> None:
    for part in ("y", "a", "b", "ab", "ba", "aab", "sy", "yys", "alli", "ing"):
        # Only the last letters change, and twenty parts have all that the rules ask of the letters before.
        assert rules.stem(part * 300_000 + "ing") == part * 299_980 + NLTK.stem(part * 20 + "ing")


def test_words_of_real_texts_have_nltks_stems(material: Path) -> None:
    assert check(sorted(real_words(material))[::25]) > 1500


def real_words(material: Path) -> set[str]:
    """Every run of word characters and every piece between blanks in all tasks' rows."""
    found: set[str] = set()
    for file in sorted((material / "data").glob("*/*.jsonl")):
        text = file.read_text(encoding="utf-8")
        found.update(re.findall(r"\w+", text), text.split())
    return found


@pytest.mark.long
def test_all_words_of_real_texts_and_of_wordnet_have_nltks_stems(material: Path) -> None:
    import zipfile

    assert check(sorted(real_words(material))) > 50_000
    (archive,) = (material / "nltk_data" / "corpora").rglob("wordnet.zip")
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if "/index." in name]
        lines = [line for name in names for line in opened.read(name).decode().splitlines() if line[:1] != " "]
    assert check(sorted({line.split(" ", 1)[0] for line in lines})) > 100_000


@pytest.mark.long
def test_a_hundred_thousand_made_up_words_have_nltks_stems() -> None:
    draw = random.Random(0)
    letters = "aeiouybdlstwxz"
    heads = ["".join(draw.choices(letters, k=draw.randrange(7))) for _ in range(100_000)]
    assert check([head + draw.choice(SUFFIXES) + draw.choice(SUFFIXES) for head in heads]) == 100_000
