"""Number types: ``auto`` does not depend on which CPU computes, and what a CPU can do is read from the system."""

from __future__ import annotations

import pytest

from grue.checkpoints.device import bfloat16_units, choose_dtype


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("flags\t\t: fpu sse2 avx512_bf16 amx_bf16 amx_tile\n", ("amx_bf16", "avx512_bf16")),
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512f\n", ()),
        ("Features\t: fp asimd bf16 i8mm\n", ("bf16",)),
        ("flags\t\t: notbf16 avx512_bf16x\n", ()),
        ("", ()),
    ],
)
def test_units_are_those_the_system_names(tmp_path, text, units):
    (tmp_path / "cpuinfo").write_text(text)
    assert bfloat16_units(tmp_path / "cpuinfo") == units
    assert bfloat16_units(tmp_path / "missing") == ()


def test_auto_is_float32_on_every_cpu(monkeypatch):
    monkeypatch.setattr("grue.checkpoints.device.bfloat16_units", lambda: ("amx_bf16",))
    assert choose_dtype("auto", "cpu") == "float32"
    assert choose_dtype("bf16", "cpu") == "bfloat16"
