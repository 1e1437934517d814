"""Errors cross process borders whole."""

from __future__ import annotations

import pickle

from grue.core.errors import NotComparableError, TaskDataError


def test_an_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(TaskDataError("cause", "fix", place="file:1")))
    assert (type(error), error.cause, error.fix, error.place) == (TaskDataError, "cause", "fix", "file:1")


def test_exit_codes_are_those_of_the_contract() -> None:
    assert TaskDataError("x").exit_code == 2
    assert NotComparableError("x").exit_code == 4
