"""At least two thousand varied prompts a family: greedy texts are those that the library writes for each alone."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from grue.core.decoding import Decoding
from tests.engine.families import FOUR, POSITIONS, build, opened, prompts
from tests.engine.reference import Alone, Comparison, fitting, rows_of, run

pytestmark = pytest.mark.long

NEW = 20
PROMPTS = 2000
# The prompts come in jobs of very different sizes and budgets.
JOB_SIZES = (1, 7, 60, 132, 300)
BEAMS = (
    Decoding(max_new_tokens=12, num_beams=2, no_repeat_ngram_size=3),
    Decoding(max_new_tokens=12, num_beams=3, length_penalty=0.6, min_new_tokens=3),
    Decoding(max_new_tokens=12, num_beams=4, length_penalty=2.0, early_stopping=True),
    Decoding(max_new_tokens=12, num_beams=5, repetition_penalty=1.2),
)


@pytest.mark.parametrize("family", FOUR)
def test_two_thousand_varied_prompts(family: str, tmp_path: Path) -> None:
    alone = Alone(opened(build(family, tmp_path / family)))
    texts = fitting(alone, prompts(PROMPTS, seed=31, longest=60), POSITIONS - NEW)
    lengths = {len(alone.ids(text)) for text in texts}
    assert min(lengths) <= 3
    assert max(lengths) > POSITIONS - NEW - 6
    rng, found, begin = random.Random(5), Comparison(), 0
    decoding = Decoding(max_new_tokens=NEW)
    while begin < len(texts):
        rows = rows_of(texts[begin : begin + rng.choice(JOB_SIZES)])
        bounds = {"batch_rows": rng.choice([None, 1, 5, 64]), "batch_tokens": rng.choice([None, 90, 700, 4000])}
        found.add(alone.compare(rows, decoding, run(alone.engine, rows, decoding, **bounds)))
        begin += len(rows)
    assert not found.wrong, f"{len(found.wrong)} of {found.rows}\n" + "\n".join(found.wrong[:5])
    assert found.rows >= PROMPTS
    assert len(found.texts) > PROMPTS // 3
    print(f"{family}: {found.rows} texts compared, ties: {len(found.ties)}", *found.ties, sep="\n")
    assert len(found.ties) <= PROMPTS // 500


@pytest.mark.parametrize("family", FOUR)
def test_beams_of_many_prompts(family: str, tmp_path: Path) -> None:
    """Prompts of all lengths in one job: beams end, leave and are replaced by the next prompt's."""
    alone = Alone(opened(build(family, tmp_path / family)))
    rows = rows_of(fitting(alone, prompts(60, seed=32, longest=50), POSITIONS - NEW))
    for decoding in BEAMS:
        found = alone.compare(rows, decoding, run(alone.engine, rows, decoding, batch_rows=7))
        assert not found.wrong, "\n".join(found.wrong[:5])
        assert len(found.ties) <= 1, "\n".join(found.ties)
