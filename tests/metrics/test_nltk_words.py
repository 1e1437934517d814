"""The short way to NLTK's words gives NLTK's words."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from grue.metrics.text.nltk_words import plain_words, word_tokenize

PIECES = (
    *(
        "dog",
        "Dog's",
        "don't",
        "DON'T",
        "can't",
        "it's",
        "I'm",
        "we'll",
        "they've",
        "n't",
        "'t",
        "'s",
        "cannot",
        "Gonna",
    ),
    *(
        "wan-na",
        "gonna-be",
        "well-known",
        "a--b",
        "-",
        "a-",
        ",",
        ", ",
        ".",
        ". ",
        "! ",
        "?",
        " ",
        "  ",
        "3,000",
        "3.5",
    ),
    *("10", "Mr.", "U.S.", "é", "Ünd", "e\u0301", "'", "''", '"', "犬", "x's-y", "dogs'", "d'ye", "O'Neil", "'tis"),
    *("rock'n'roll", "_a", "a_b", "\n", "\t", "…", "–", "(", ")", "[", "]", "$", "%", "@", "http://a.b/c", "more'n"),
    *("ISN'T", "isN't", "'ll", "y'all're", "wanna", "lemme", "\ud800", "\x00", "\x85", "\u2028"),
    *(
        ":",
        ";",
        "?",
        "!",
        "“",
        "”",
        "’",
        "‘",
        "it’s",
        "–",
        "—",
        "*",
        "&",
        "/",
        "=",
        "3:15",
        ",5",
        ".5",
        "e.g",
        "a.b.",
        "...",
    ),
    *(
        '" ',
        ' "',
        '."',
        "dogs' ",
        ".)",
        ".”",
        "]",
        "<b>",
        "{",
        "}",
        "#tag",
        "x@y.z",
        "-5",
        "+",
        "|",
        "~",
        "„Ja“",
        "«oui»",
        "%",
        "\n\n",
        "`",
    ),
)


def generated(n: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    lines = []
    for _ in range(n):
        if draw.random() < 0.5:  # mostly plain
            pieces, joints = (*PIECES[:13], PIECES[14], *PIECES[50:52]), (" ", ", ")
            lines.append("".join(draw.choice(pieces) + draw.choice(joints) for _ in range(4)).strip(", ") + ".")
        else:
            joints = (" ", "", "", "  ")
            lines.append("".join(draw.choice(PIECES) + draw.choice(joints) for _ in range(draw.randrange(7))))
    return lines


def check(lines: list[str]) -> int:
    """Compare all; the number of lines that took the short way."""
    import nltk

    for line in lines:
        assert word_tokenize(line) == nltk.word_tokenize(line), repr(line)
    return sum(plain_words(line) is not None for line in lines)


@pytest.mark.usefixtures("punkt")
def test_generated_lines_have_nltks_words() -> None:
    assert check(generated(3000, 0)) > 100


@pytest.mark.usefixtures("punkt")
def test_real_lines_have_nltks_words_and_mostly_take_the_short_way(material: Path) -> None:
    rows = (material / "golden/inputs/commongen_human.jsonl").read_text(encoding="utf-8").split("\n")
    lines = [text for row in rows if row for text in (json.loads(row)["prediction"], *json.loads(row)["references"])]
    assert check(lines) > len(lines) / 2


@pytest.mark.long
@pytest.mark.usefixtures("punkt")
def test_many_generated_lines_have_nltks_words() -> None:
    assert check(generated(60_000, 1)) > 1000


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Don't stop, it's fine!", ["Don't", "stop", ",", "it's", "fine", "!"]),
        ("I cannot", None),
        ("a 3,000 b.", ["a", "3,000", "b", "."]),
        ("Is (it) – ‘5:30’?", ["Is", "(", "it", ")", "–", "‘", "5:30", "’", "?"]),
        ("One. Two.", None),
        ("a -- b", None),
        ('Say "a (dogs\' "b" ).', ["Say", "``", "a", "(", "dogs", "'", "``", "b", "''", ")", "."]),
        ('He said "No."', ["He", "said", "``", "No", ".", "''"]),
        ('Why? "a"\n"b"', None),
        ('Why?"a"', None),
        ('""', None),
        ("rock'n'roll", None),
        ("", None),
    ],
)
def test_what_is_plain(line: str, words: list[str] | None) -> None:
    cut = {"Don't": ["Do", "n't"], "it's": ["it", "'s"]}
    assert plain_words(line) == (None if words is None else [part for word in words for part in cut.get(word, [word])])


def test_long_lines_are_judged_at_once() -> None:
    assert plain_words("ab-" * 300_000 + "-") is None
    assert plain_words("a, " * 300_000 + "'") is None
    assert plain_words("a." + " " * 300_000 + "b") is None
    assert plain_words("a." + " )" * 300_000 + "b") is None
    assert plain_words("a " * 300_000 + "b") == ["a"] * 300_000 + ["b"]
