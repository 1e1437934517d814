"""Ranks of many values at once are those of the ranking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grue.stats.ranking import Candidate, rank, shared_ranks


@pytest.mark.parametrize(("higher", "ranks"), [(True, [3, 1, 1, 0, 4]), (False, [2, 3, 3, 0, 1])])
def test_ties_share_and_missing_values_have_none(higher: bool, ranks: list[int]) -> None:
    values = np.array([2.0, 5.0, 5.0, np.nan, -1.0])
    assert shared_ranks(values, higher_is_better=higher).tolist() == ranks


@given(st.lists(st.none() | st.sampled_from([0.0, -0.0, 0.5, 1.0, -3.0, 1e300]), max_size=12), st.booleans())
def test_they_are_the_ranks_of_the_ranking(values: list[float | None], higher: bool) -> None:
    ranked = rank([Candidate(str(i), value, "") for i, value in enumerate(values)], higher_is_better=higher)
    expected = {one.key: one.rank or 0 for one in ranked}
    found = shared_ranks(np.array([np.nan if v is None else v for v in values]), higher_is_better=higher)
    assert {str(i): one for i, one in enumerate(found.tolist())} == expected
