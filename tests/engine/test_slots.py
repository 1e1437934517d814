"""Shelves keep each row's content whatever moves; slots read prompts once and leave the model as it was."""

from __future__ import annotations

import random
import threading
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grue.core.decoding import Decoding
from grue.core.rows import Row
from grue.core.task import Truncation
from grue.engine.batching import common_prefix
from grue.engine.generator_thread import GeneratorThread
from grue.engine.protocol import Job, Request
from grue.engine.slots.shelves import Layout, Shelves, Tenant, widths
from grue.engine.stops import Stops

LAYOUT = Layout((torch.device("cpu"),) * 2, heads=1, width=2, dtype=torch.float32)


def content(tenant: Tenant, lane: int, lanes: int) -> list[float]:
    assert tenant.shelf is not None
    keys = tenant.shelf.keys[1][tenant.slot * lanes + lane, 0, : tenant.length, 0]
    values = tenant.shelf.values[0][tenant.slot * lanes + lane, 0, : tenant.length, 1]
    assert torch.equal(keys, -values)
    return keys.tolist()


def write(tenant: Tenant, lane: int, lanes: int, column: int, number: float) -> None:
    assert tenant.shelf is not None
    for layer in range(2):
        tenant.shelf.keys[layer][tenant.slot * lanes + lane, :, column] = number
        tenant.shelf.values[layer][tenant.slot * lanes + lane, :, column] = -number


@settings(max_examples=60, deadline=None)
@given(
    lanes=st.integers(1, 3),
    steps=st.lists(st.tuples(st.sampled_from(["add", "grow", "grow", "grow", "remove", "branch"]), st.integers(0, 99))),
)
def test_every_tenant_keeps_what_was_written_for_it(lanes, steps):
    """A plain table of lists goes through the same moves."""
    shelves = Shelves(LAYOUT, (2, 4, 8), lanes)
    expected: dict[Tenant, list[list[float]]] = {}
    for number, (what, pick) in enumerate(steps):
        chosen = list(expected)[pick % len(expected)] if expected else None
        if what == "add" or chosen is None:
            tenant = Tenant()
            shelves.place(tenant, 1)
            expected[tenant] = [[] for _ in range(lanes)]
        elif what == "grow":
            shelves.widen(chosen, chosen.length + 1)
            for lane in range(lanes):
                write(chosen, lane, lanes, chosen.length, 100 * number + lane)
                expected[chosen][lane].append(100 * number + lane)
            chosen.length += 1
        elif what == "remove":
            chosen.shelf.remove(chosen)
            del expected[chosen]
        elif lanes > 1:
            base = chosen.slot * lanes
            chosen.shelf.branch([(base, base + lanes - 1)], 0, chosen.length)
            expected[chosen][lanes - 1] = list(expected[chosen][0])
    for tenant, rows in expected.items():
        assert [content(tenant, lane, lanes) for lane in range(lanes)] == rows
        assert tenant.shelf.tenants[tenant.slot] is tenant
    assert sum(len(shelf.tenants) for shelf in shelves.used) == len(expected)


def test_cleared_place_holds_no_value_that_is_no_number():
    shelves = Shelves(LAYOUT, (4,))
    tenant = Tenant()
    shelves.place(tenant, 3)
    write(tenant, 0, 1, 2, float("nan"))
    tenant.shelf.clear(tenant)
    tenant.length = 4
    assert content(tenant, 0, 1) == [0, 0, 0, 0]


def test_widths_end_with_the_longest_row_and_ascend():
    for longest in (1, 31, 32, 33, 500, 1025):
        for on_gpu in (False, True):
            found = widths(longest, on_gpu=on_gpu)
            assert found[-1] == longest
            assert list(found) == sorted(set(found))


def test_common_prefix_leaves_a_token_of_each_prompt():
    assert common_prefix([(1, 2, 3, 4), (1, 2, 3, 5), (1, 2, 3, 4, 9)]) == 3
    assert common_prefix([(1, 2, 3), (1, 2, 3)]) == 2
    assert common_prefix([(1, 2), (1, 2, 3)]) == 1
    assert common_prefix([(1,), (2,)]) == 0
    assert common_prefix([()]) == 0


def job_of(rows: list[Row], decoding: Decoding, **more) -> Job:
    return Job(decoding=decoding, truncation=Truncation("right", 512), seed=0, rows=rows, **more)


def texts_and_work(engine, rows, decoding, *, samples: int = 1, **more):
    requests = [Request(row, sample) for row in rows for sample in range(samples)]
    portions = list(engine.generate(requests, job_of(rows, decoding, samples=samples, **more)))
    texts = {(one.id, one.sample): one.prediction for portion in portions for one in portion.generations}
    return texts, [work for portion in portions for work in portion.work]


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_instruction_that_all_prompts_share_is_read_once(kind, engines, make_rows):
    engine = engines[kind]
    instruction = "the old grey cat runs over the quiet stone bridge and calls out the price of bread in the market "
    rows = [Row(id=row.id, prompt=instruction + row.prompt) for row in make_rows(12, seed=4, longest=12)]
    decoding = Decoding(max_new_tokens=10)
    together, work = texts_and_work(engine, rows, decoding)
    alone = {}
    for row in rows:
        found, _ = texts_and_work(engine, [row], decoding)
        alone |= found
    lengths = [item.n_tokens for item in engine.encode(rows, job_of(rows, decoding))]
    assert together == alone
    assert len(set(together.values())) > 6
    assert sum(one.prefill_tokens for one in work) < sum(lengths) / 2


class ShortOnce:
    """A model whose memory is short the first time it reads more than ``n_tokens`` at once."""

    def __init__(self, model, n_tokens: int) -> None:
        self.__dict__.update(model=model, n_tokens=n_tokens, raised=0)

    def __getattr__(self, name):
        return getattr(self.model, name)

    def __call__(self, *args, **kwargs):
        if not self.raised and kwargs["input_ids"].shape[1] > self.n_tokens:
            self.__dict__["raised"] += 1
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return self.model(*args, **kwargs)

    def get_base_model(self):
        return self.model


def test_shared_instruction_that_does_not_fit_is_read_with_each_prompt(engines, make_rows, monkeypatch):
    engine = engines["gpt2"]
    instruction = "the old grey cat runs over the quiet stone bridge and calls out the price of bread in the market "
    rows = [Row(id=row.id, prompt=instruction + row.prompt) for row in make_rows(6, seed=4, longest=12)]
    decoding = Decoding(max_new_tokens=10)
    expected, _ = texts_and_work(engine, rows, decoding)
    short = ShortOnce(engine.model, 3)
    monkeypatch.setattr(engine, "model", short)
    found, work = texts_and_work(engine, rows, decoding)
    assert short.raised == 1
    assert found == expected
    lengths = [item.n_tokens for item in engine.encode(rows, job_of(rows, decoding))]
    assert sum(one.prefill_tokens for one in work) == sum(lengths)


@pytest.mark.parametrize("kind", ["gpt2", "t5", "bart"])
def test_prompt_of_several_samples_is_read_once(kind, engines, make_rows):
    rows = make_rows(6, seed=11)
    decoding = Decoding(max_new_tokens=12, do_sample=True, temperature=3.0)
    lengths = [item.n_tokens for item in engines[kind].encode(rows, job_of(rows, decoding))]
    texts, work = texts_and_work(engines[kind], rows, decoding, samples=8)
    assert sum(one.prefill_tokens for one in work) == sum(lengths)
    assert len(texts) == 48
    assert len(set(texts.values())) > 24
    few, _ = texts_and_work(engines[kind], rows, decoding, samples=8, batch_rows=3)
    assert few == texts


@pytest.mark.parametrize("kind", ["gpt2", "t5"])
def test_no_more_rows_are_decoded_together_than_asked(kind, engines, make_rows):
    rows = make_rows(40, seed=9)
    engine, decoding = engines[kind], Decoding(max_new_tokens=24)
    portions = list(engine.generate([Request(row, 0) for row in rows], job_of(rows, decoding, batch_rows=4)))
    lengths = [one.generated_tokens for portion in portions for one in portion.generations]
    assert max(work.rows for portion in portions for work in portion.work) == 4
    assert len(lengths) == 40
    assert min(lengths) < max(lengths)


@pytest.mark.parametrize("kind", ["gpt2", "t5"])
@pytest.mark.parametrize("beams", [1, 3])
def test_model_is_as_it_was_before(kind, beams, engines, make_rows):
    model = engines[kind].model
    before = {name: set(vars(module)) for name, module in model.named_modules()}
    attention = model.config._attn_implementation
    texts_and_work(engines[kind], make_rows(5), Decoding(max_new_tokens=6, num_beams=beams))
    assert model.config._attn_implementation == attention
    assert {name: set(vars(module)) for name, module in model.named_modules()} == before


def test_rows_fixed_by_the_job_do_not_change_with_what_is_asked_for(engines, make_rows):
    rows = make_rows(50, seed=21)
    decoding = Decoding(max_new_tokens=8)
    engine = engines["gpt2"]
    whole, _ = texts_and_work(engine, rows, decoding, deterministic=True)
    some = random.Random(3).sample(rows, 9)
    portions = list(engine.generate([Request(row, 0) for row in some], job_of(rows, decoding, deterministic=True)))
    found = {(one.id, one.sample): one.prediction for portion in portions for one in portion.generations}
    assert found == {(row.id, 0): whole[row.id, 0] for row in some}


def test_stop_strings_are_looked_for_only_where_a_token_can_end_one():
    pieces = ["ab", "c", "d", "bc", " "]
    asked = []

    def text_of(ids):
        asked.append(tuple(ids))
        return "".join(pieces[token] for token in ids)

    stops = Stops(("cd",), text_of)
    assert not stops.met([0])
    assert not stops.met([0, 1])
    assert stops.met([0, 1, 2])
    assert [ids for ids in asked if len(ids) > 1] == [(0, 1, 2)]


def test_values_of_a_thread_come_in_order_and_its_error_after_them():
    def numbers(is_stopped):
        yield from range(5)
        raise ValueError("five")

    found: list[int] = []
    with pytest.raises(ValueError, match="five"):
        found.extend(number for some in GeneratorThread(numbers) for number in some)
    assert found == [0, 1, 2, 3, 4]


def test_thread_ends_where_nobody_takes_its_values_any_more():
    ended = threading.Event()

    def numbers(is_stopped):
        while not is_stopped():
            yield 1
            time.sleep(0.001)
        ended.set()

    for _ in GeneratorThread(numbers):
        break
    assert ended.wait(10)
