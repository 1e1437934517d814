"""A draw depends on the seed, the row and its number alone, and follows the model's own probabilities."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from grue.core.decoding import Decoding
from grue.core.rows import Row
from grue.core.task import Truncation
from grue.engine.hf import HFEngine
from grue.engine.protocol import Job, Request
from tests.engine.families import FOUR, POSITIONS, build, opened, prompts
from tests.engine.reference import Alone, fitting, rows_of, run, written
from tests.long_marks import long_except

NEW = 10
SAMPLES = 8
DECODING = Decoding(max_new_tokens=NEW, do_sample=True, temperature=1.4, top_k=60, top_p=0.97)


@pytest.fixture(scope="module", params=long_except(FOUR, ("gpt2", "t5")))
def engine(request, tmp_path_factory) -> HFEngine:
    return opened(build(request.param, tmp_path_factory.mktemp("families") / request.param))


def test_eight_samples_are_the_same_in_any_batch_order_and_choice(engine):
    rows = rows_of(fitting(Alone(engine), prompts(12, seed=13, longest=20), POSITIONS - NEW))
    whole = written(run(engine, rows, DECODING, samples=SAMPLES, seed=7))
    different = [len({whole[row.id, sample] for sample in range(SAMPLES)}) for row in rows]
    assert sum(different) / len(different) > 4

    @settings(
        max_examples=6,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )
    @given(
        keys=st.lists(st.sampled_from(sorted(whole)), min_size=1, max_size=30, unique=True),
        batch_rows=st.sampled_from([None, 1, 3, 11]),
        batch_tokens=st.sampled_from([None, 1, 150, 900]),
    )
    def some_of_them(keys, batch_rows, batch_tokens):
        by_id = {row.id: row for row in rows}
        job = Job(
            decoding=DECODING,
            truncation=Truncation("right", 512),
            seed=7,
            rows=rows,
            samples=SAMPLES,
            batch_rows=batch_rows,
            batch_tokens=batch_tokens,
        )
        portions = list(engine.generate([Request(by_id[row_id], sample) for row_id, sample in keys], job))
        assert written(portions) == {key: whole[key] for key in keys}

    some_of_them()
    other = written(run(engine, rows, DECODING, samples=SAMPLES, seed=8))
    assert sum(other[key] != whole[key] for key in whole) > len(whole) / 2


def test_eight_samples_of_shared_prompts_follow_the_exact_probabilities(engine):
    """Two tokens a draw, three choices each: nine pairs whose probabilities the library's logits give exactly."""
    stats = pytest.importorskip("scipy.stats")
    if engine.tokens.forced_first is not None:
        pytest.skip("the first token is forced")
    prompt, n_rows = "the old grey cat", 250
    decoding = Decoding(max_new_tokens=2, min_new_tokens=2, do_sample=True, temperature=3.0, top_k=3)
    made = written(
        run(engine, [Row(id=f"x{i}", prompt=prompt) for i in range(n_rows)], decoding, samples=SAMPLES, seed=5)
    )
    ids = Alone(engine).ids(prompt)
    expected: Counter[str] = Counter()
    for first, p in _choices(engine, ids, (), decoding):
        for second, q in _choices(engine, ids, (first,), decoding):
            expected[engine.reader.decode([first, second])] += p * q
    assert sum(expected.values()) == pytest.approx(1, abs=1e-6)
    seen = Counter(text for text, *_ in made.values())
    assert seen.keys() <= expected.keys()
    n = n_rows * SAMPLES
    assert stats.chisquare([seen[text] for text in expected], [n * p for p in expected.values()]).pvalue > 1e-4
    # Draws of one row are independent: pairs of neighbours follow the product.
    texts = list(expected)
    table = [[0] * len(texts) for _ in texts]
    for row, sample in itertools.product(range(n_rows), range(0, SAMPLES, 2)):
        table[texts.index(made[f"x{row}", sample][0])][texts.index(made[f"x{row}", sample + 1][0])] += 1
    common = [place for place, text in enumerate(texts) if expected[text] > 0.08]
    if len(common) > 1:
        assert stats.chi2_contingency([[table[a][b] for b in common] for a in common]).pvalue > 1e-4


def _choices(engine: HFEngine, ids, new, decoding) -> list[tuple[int, float]]:
    with torch.inference_mode():
        if engine.checkpoint.is_encoder_decoder:
            start = torch.tensor([[engine.tokens.decoder_start, *new]])
            logits = engine.model(input_ids=torch.tensor([ids]), decoder_input_ids=start).logits[0, -1]
        else:
            logits = engine.model(torch.tensor([[*ids, *new]])).logits[0, -1]
    logits = logits.double()
    logits[list(engine.tokens.ends)] = float("-inf")
    top = torch.topk(logits / decoding.temperature, decoding.top_k)
    return list(zip(top.indices.tolist(), torch.softmax(top.values, 0).tolist(), strict=True))
