"""Collection is put off in a command's start alone, and is as before when the command ends."""

from __future__ import annotations

import gc

import pytest

from grue.core.collection import put_off, settle


def test_collection_waits_for_the_end_of_the_start() -> None:
    with put_off():
        assert not gc.isenabled()
        kept = [[n] for n in range(1000)]
        settle()
        assert gc.isenabled()
        assert gc.get_freeze_count() >= len(kept)
        settle()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_collection_comes_back_after_an_error() -> None:
    with pytest.raises(ValueError, match="x"), put_off():
        raise ValueError("x")
    assert gc.isenabled()


def test_nothing_is_frozen_for_a_caller_that_put_nothing_off() -> None:
    settle()
    assert gc.get_freeze_count() == 0


def test_a_caller_that_collects_by_hand_goes_on_doing_so() -> None:
    gc.disable()
    try:
        with put_off():
            settle()
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
