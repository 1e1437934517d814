"""What is stored comes back as it was, whatever it was."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, insert, select

from grue.core.metric import MetricValue
from grue.store.database import Store
from grue.store.suites import Suite, pack, unpack
from grue.store.text import AnyText

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
# Every character that a Python string can hold, lone surrogates and U+0000 among them.
TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)


@st.composite
def metric_values(draw: Callable[..., Any]) -> MetricValue:
    """Any value that a run may write."""
    return MetricValue(
        value=draw(st.none() | FLOATS),
        ci95=draw(st.none() | st.tuples(FLOATS, FLOATS)),
        n=draw(st.integers(0, 2**53)),
        scale=draw(st.none() | FLOATS.filter(bool)),
        higher_is_better=draw(st.none() | st.booleans()),
        signature=draw(st.none() | TEXTS),
        reason=draw(st.none() | TEXTS),
        failed=draw(st.booleans()),
    )


@given(st.dictionaries(TEXTS, metric_values(), max_size=4), st.dictionaries(TEXTS, metric_values(), max_size=3))
def test_metrics_come_back_as_they_were(metrics: dict[str, MetricValue], rewards: dict[str, MetricValue]) -> None:
    text = Suite.of(metrics, rewards).to_text().text
    assert Suite.from_text(text).values(pack(metrics, rewards)) == (metrics, rewards)


def test_numbers_are_read_at_once_with_gaps_as_nan() -> None:
    one = {"a": MetricValue(1.0, (0.5, 1.5), 3, 1.0, True, "a"), "b": MetricValue.absent("no Java")}
    numbers = unpack([pack(one, {}), pack({**one, "b": MetricValue(2.0, None, 4, 1.0, True, "b")}, {})])
    assert numbers.shape == (2, 2, 4)
    assert numbers[:, 0].tolist() == [[1.0, 0.5, 1.5, 3.0]] * 2
    assert math.isnan(numbers[0, 1, 0])
    assert numbers[1, 1, 0] == 2.0
    assert math.isnan(numbers[1, 1, 1])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(texts=st.lists(TEXTS | st.sampled_from(["\x00", "\x01json:", '\x01json:"x"', "", "é"]), max_size=8))
def test_any_text_is_stored_in_both_databases(store: Store, texts: list[str]) -> None:
    table = Table("texts", MetaData(), Column("text", AnyText))
    with store.write() as connection:
        table.create(connection)
        for text in texts:
            connection.execute(insert(table).values(text=text))
        found = connection.execute(select(table.c.text)).scalars().all()
        table.drop(connection)
    assert sorted(found, key=repr) == sorted(texts, key=repr)
