"""TER's search against sacrebleu's: edits, distances within the beam, and the alignment that shifts start from."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import TER, lib_ter

import grue
from grue.metrics.text.beam import Table
from grue.metrics.text.edits import MOST_WORDS, Reference

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
# Lengths on both sides of the beam's 25 words, words few enough to repeat; the seed makes the rest.
SMALL = st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from([2, 4, 12, 60]), st.integers(0, 10**6))
SHAPE = st.tuples(st.integers(0, 55), st.integers(0, 55), st.sampled_from([2, 4, 12, 60]), st.integers(0, 10**6))


def _pair(shape: tuple[int, int, int, int]) -> tuple[list[str], list[str]]:
    n, m, words, seed = shape
    generator = random.Random(seed)
    reference = [str(generator.randrange(words)) for _ in range(m)]
    if seed % 3 == 0:
        return [str(generator.randrange(words)) for _ in range(n)], reference
    text = list(reference)
    for _ in range(generator.randint(0, 4)):
        start, length, target = (generator.randint(0, len(text)) for _ in range(3))
        run = text[start : start + length % 13]
        rest = text[:start] + text[start + length % 13 :]
        text = rest[:target] + run + rest[target:]
    return [word if generator.random() > 0.15 else str(generator.randrange(words)) for word in text], reference


def _same_edits(shape: tuple[int, int, int, int]) -> None:
    text, reference = _pair(shape)
    assert Reference(reference).edited(text).edits == lib_ter.translation_edit_rate(text, reference)[0]


def _same_table(shape: tuple[int, int, int, int]) -> None:
    text, reference = _pair(shape)
    if not text or not reference:
        return
    distance, trace = lib_ter.BeamEditDistance(reference)(text)
    align, unmet, wrong = lib_ter.trace_to_alignment(lib_ter._flip_trace(trace))
    masks = [sum(1 << place for place, other in enumerate(reference) if other == word) for word in text]
    table = Table(len(text), len(reference))
    assert table.beam_distance(masks) == distance
    plain = table.distance((), table.rows(masks)[-1])
    assert plain <= distance
    for is_plain in (False, True):
        if is_plain and not table.is_plain(plain):
            continue
        found = table.alignment(masks, plain=is_plain)
        assert (found.align, found.unmet, found.wrong) == ([align[i] for i in range(len(reference))], unmet, wrong)


@QUICK
@given(shape=SMALL)
def test_edits_are_the_librarys(shape: tuple[int, int, int, int]) -> None:
    _same_edits(shape)


@QUICK
@given(shape=SHAPE)
def test_the_table_within_the_beam_is_the_librarys(shape: tuple[int, int, int, int]) -> None:
    _same_table(shape)


@pytest.mark.long
@LONG
@given(shape=SHAPE)
def test_edits_are_the_librarys_in_many_cases(shape: tuple[int, int, int, int]) -> None:
    _same_edits(shape)


@pytest.mark.long
@LONG
@given(
    shape=st.tuples(st.integers(1, 300), st.integers(1, 300), st.sampled_from([2, 5, 50, 1000]), st.integers(0, 9**6))
)
def test_the_table_within_the_beam_is_the_librarys_in_many_cases(shape: tuple[int, int, int, int]) -> None:
    _same_table(shape)


@pytest.mark.parametrize(("n", "m"), [(6, 296), (6, 300), (5, 249), (296, 6), (1, 400), (400, 1), (3, 151), (90, 90)])
def test_beams_at_their_edges_are_the_librarys(n: int, m: int) -> None:
    # At 50 reference words a word the window moves by all its width: a row begins where the one above ends.
    generator = random.Random(n * 1000 + m)
    for words in (2, 30, 5000):
        reference = [str(generator.randrange(words)) for _ in range(m)]
        for text in (reference[-n:], [str(generator.randrange(words)) for _ in range(n)]):
            distance, _ = lib_ter.BeamEditDistance(reference)(text)
            masks = [sum(1 << place for place, other in enumerate(reference) if other == word) for word in text]
            assert Table(len(text), m).beam_distance(masks) == distance


def test_a_moved_run_is_one_edit() -> None:
    # "b c" goes behind "d e": one shift, nothing else.
    found = Reference([*"adebcf"]).edited([*"abcdef"])
    assert (found.edits, len(found.moved), found.words) == (1, 1, [*"adebcf"])


@pytest.mark.parametrize(
    ("text", "reference", "edits"),
    [
        ("x", "y " * 200_000, 200_000),  # no word in common: every word of the longer side
        ("x " * 300_000, "x " * 300_000, 0),
        ("", "y " * 300_000, 300_000),
        ("x" * 10**6, "x" * 10**6, 0),
    ],
)
def test_long_texts_with_an_exact_answer_have_it(text: str, reference: str, edits: int) -> None:
    built = grue.metric("ter")
    score = built.compute([text], [[reference]])
    words = len(reference.split())
    assert score.value == pytest.approx(100 * edits / words)


@pytest.mark.parametrize("text", ["it's\u00a0so", "x &amp;lt; y", "1-&amp;amp;quot;z"])
def test_normalised_references_are_cut_twice_as_the_library_does(text: str) -> None:
    theirs = TER(normalized=True).corpus_score([text], [[text]])
    score = grue.metric("ter", normalized=True).compute([text], [[text]])
    assert score.value == pytest.approx(theirs.score)


def test_a_text_can_differ_from_itself_once_normalised() -> None:
    # Text: it's so; reference: it 's so. One word replaced, one inserted, of three.
    score = grue.metric("ter", normalized=True).compute(["it's\u00a0so"], [["it's\u00a0so"]])
    assert score.value == pytest.approx(100 * 2 / 3)


def test_texts_beyond_reach_are_refused_with_their_size() -> None:
    long = "a b c " * MOST_WORDS
    with pytest.raises(ValueError, match=rf"{3 * MOST_WORDS} and 2 words .* TER.* {MOST_WORDS}"):
        grue.metric("ter").compute([long], [["b a"]])
