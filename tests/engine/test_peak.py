"""The measured peak of a device: plausible, kept, and the best of what was seen."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from grue.engine.peak import device_key, measure, peak_of, read_peaks


def test_a_peak_is_what_a_product_and_a_copy_take_here() -> None:
    import torch

    found = measure("cpu", "float32", threads=1)
    # One more product by hand: no device does it faster than twice its measured best, nor a thousand times slower.
    left = torch.rand(768, 768)
    begin = time.perf_counter()
    torch.mm(left, left)
    by_hand = 2 * 768**3 / (time.perf_counter() - begin)
    assert by_hand / 50 < found.flops
    assert 1e8 < found.flops < 1e14
    assert 1e7 < found.bytes_per_second < 1e13


def test_threads_are_left_as_they_were() -> None:
    import torch

    before = torch.get_num_threads()
    measure("cpu", "float32", threads=2)
    assert torch.get_num_threads() == before


def test_a_measurement_is_kept_by_device_type_and_threads_with_its_day(tmp_path: Path) -> None:
    found = peak_of("cpu", "float32", tmp_path, threads=1)
    kept = read_peaks(tmp_path / "peaks.json")
    assert kept == {device_key("cpu", "float32", 1): found}
    assert found is not None
    assert len(found.measured_on) == len("2026-11-20")
    assert peak_of("cpu", "float32", tmp_path, threads=1) == found, "not measured a second time"
    assert device_key("cpu", "bfloat16", 1) != device_key("cpu", "float32", 1) != device_key("cpu", "float32", 2)


def test_the_best_of_two_measurements_is_kept(tmp_path: Path) -> None:
    first = peak_of("cpu", "float32", tmp_path, threads=1)
    assert first is not None
    name = device_key("cpu", "float32", 1)
    better = {"flops": first.flops * 1e6, "bytes_per_second": 1.0, "measured_on": "2026-01-01"}
    (tmp_path / "peaks.json").write_text(json.dumps({"schema_version": 1, "peaks": {name: better}}))
    again = peak_of("cpu", "float32", tmp_path, threads=1, again=True)
    assert again is not None
    assert again.flops == better["flops"], "other programs only ever make a device slower"
    assert again.bytes_per_second > 1.0


def test_more_threads_are_never_said_to_do_less_than_fewer(tmp_path: Path) -> None:
    one = {"flops": 1e15, "bytes_per_second": 1e15, "measured_on": "2026-01-01"}
    text = json.dumps({"schema_version": 1, "peaks": {device_key("cpu", "float32", 1): one}})
    (tmp_path / "peaks.json").write_text(text)
    two = peak_of("cpu", "float32", tmp_path, threads=2)
    assert two is not None
    assert (two.flops, two.bytes_per_second) == (1e15, 1e15)
    assert peak_of("cpu", "bfloat16", tmp_path, threads=2) != two, "another number type is another matter"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"peaks": 3}', '{"peaks": {"a": {"flops": "many"}}}'])
def test_a_damaged_store_holds_nothing_and_is_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / "peaks.json").write_text(text)
    assert read_peaks(tmp_path / "peaks.json") == {}
    assert peak_of("cpu", "float32", tmp_path, threads=1) is not None
    assert len(read_peaks(tmp_path / "peaks.json")) == 1


def test_a_store_that_cannot_be_written_costs_time_alone(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    assert peak_of("cpu", "float32", tmp_path / "home", threads=1) is not None
    assert peak_of("cpu", "float32", None, threads=1) is not None


def test_a_device_that_is_not_there_has_no_peak(tmp_path: Path) -> None:
    assert peak_of("cuda:63", "float32", tmp_path) is None
    assert peak_of("cpu", "no_such_type", tmp_path) is None
