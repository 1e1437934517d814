"""Energy: counters as the kernel and NVML would show them, read by the real meter."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grue.engine.energy import NvmlPower, open_meter, rapl_sources


def _domain(powercap: Path, folder: str, name: str, energy: int, top: int = 262_143_328_850) -> Path:
    """A folder as /sys/class/powercap has it; returns its counter."""
    path = powercap / folder
    path.mkdir(parents=True)
    (path / "name").write_text(f"{name}\n")
    (path / "max_energy_range_uj").write_text(f"{top}\n")
    (path / "energy_uj").write_text(f"{energy}\n")
    return path / "energy_uj"


def test_packages_and_memory_are_summed_and_what_lies_inside_them_is_not(tmp_path: Path) -> None:
    package = _domain(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    second = _domain(tmp_path, "intel-rapl:1", "package-1", 5_000_000)
    core = _domain(tmp_path, "intel-rapl:0:0", "core", 0)
    memory = _domain(tmp_path, "intel-rapl:0:1", "dram", 0)
    whole = _domain(tmp_path, "intel-rapl:2", "psys", 0)
    meter = open_meter(["cpu"], powercap=tmp_path)
    assert meter is not None
    assert sorted(meter.of) == ["cpu package-0", "cpu package-1", "dram of package-0"]
    package.write_text("3500000\n")  # 2.5 J
    second.write_text("6000000\n")  # 1 J
    memory.write_text("250000\n")  # 0.25 J
    core.write_text("9000000\n")
    whole.write_text("9000000\n")
    assert meter.lap() == pytest.approx(3.75)
    assert meter.lap() == 0.0, "a lap begins where the one before ended"
    meter.close()


def test_a_counter_that_ran_over_is_counted_through(tmp_path: Path) -> None:
    counter = _domain(tmp_path, "intel-rapl:0", "package-0", 9_000_000, top=10_000_000)
    meter = open_meter(["cpu"], powercap=tmp_path)
    assert meter is not None
    counter.write_text("500000\n")  # 1 J up to the range, half a joule after it
    assert meter.lap() == pytest.approx(1.5)
    meter.close()


def test_nothing_is_told_where_nothing_can_be_read(tmp_path: Path) -> None:
    assert open_meter(["cpu"], powercap=tmp_path) is None
    assert open_meter(["cpu"], powercap=tmp_path / "missing") is None
    broken = tmp_path / "broken"
    _domain(broken, "intel-rapl:0", "package-0", 0).write_text("not a number\n")
    assert open_meter(["cpu"], powercap=broken) is None
    unreadable = tmp_path / "unreadable"
    _domain(unreadable, "intel-rapl:0", "package-0", 0).unlink()
    assert open_meter(["cpu"], powercap=unreadable) is None
    memory_alone = tmp_path / "memory"
    _domain(memory_alone, "intel-rapl:0:0", "dram", 0)
    assert rapl_sources(memory_alone) == []


def test_a_counter_that_goes_away_ends_all_numbers(tmp_path: Path) -> None:
    counter = _domain(tmp_path, "intel-rapl:0", "package-0", 0)
    meter = open_meter(["cpu"], powercap=tmp_path)
    assert meter is not None
    counter.unlink()
    assert meter.lap() is None
    counter.write_text("7000000\n")
    assert meter.lap() is None, "what was missed in between is not known"
    meter.close()


class _Nvml(types.ModuleType):
    """Stands in for NVIDIA's library: GPUs with a count of energy, or with power alone."""

    class NVMLError(Exception):
        """The library's own error."""

    def __init__(self, energy: dict[str, int], *, has_counter: bool = True, has_driver: bool = True) -> None:
        super().__init__("pynvml")
        self.energy, self.watts = energy, dict.fromkeys(energy, 100.0)
        self._has_counter, self._has_driver = has_counter, has_driver

    def nvmlInit(self) -> None:  # noqa: N802
        if not self._has_driver:
            raise self.NVMLError("Driver Not Loaded")

    def nvmlDeviceGetHandleByIndex(self, number: int) -> str:  # noqa: N802
        if number >= len(self.energy):
            raise self.NVMLError("Invalid Argument")
        return list(self.energy)[number]

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:  # noqa: N802
        return uuid.removeprefix("GPU-")

    def nvmlDeviceGetName(self, handle: str) -> bytes:  # noqa: N802
        return f"Accelerator {handle}".encode()

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:  # noqa: N802
        if not self._has_counter:
            raise self.NVMLError("Not Supported")
        return self.energy[handle]

    def nvmlDeviceGetPowerUsage(self, handle: str) -> int:  # noqa: N802
        return int(1000 * self.watts[handle])


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """Puts a module in the place of pynvml."""

    def put(module: Any) -> Any:
        monkeypatch.setitem(sys.modules, "pynvml", module)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        return module

    return put


def test_gpus_are_counted_each_once_beside_the_packages(tmp_path: Path, install: Callable[[Any], Any]) -> None:
    nvml = install(_Nvml({"a": 10_000, "b": 500, "c": 0}))
    counter = _domain(tmp_path, "intel-rapl:0", "package-0", 0)
    meter = open_meter(["cuda:0", "cuda:1", "cuda:0"], powercap=tmp_path)
    assert meter is not None
    assert meter.of == ("Accelerator a", "Accelerator b", "cpu package-0")
    nvml.energy.update(a=12_000, b=1_500, c=99_000)  # 2 J and 1 J; the third is not ours
    counter.write_text("4000000\n")
    assert meter.lap() == pytest.approx(7.0)
    meter.close()


@pytest.mark.parametrize(("visible", "name"), [("2,0", "Accelerator c"), ("GPU-b", "Accelerator b")])
def test_the_gpu_that_the_process_sees_is_measured(
    visible: str, name: str, tmp_path: Path, install: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(_Nvml({"a": 0, "b": 0, "c": 0}))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    meter = open_meter(["cuda:0"], powercap=tmp_path)
    assert meter is not None
    assert meter.of == (name,)
    meter.close()


def test_a_gpu_without_a_count_is_measured_by_its_power(install: Callable[[Any], Any], tmp_path: Path) -> None:
    nvml = install(_Nvml({"a": 0}, has_counter=False))
    times = iter([0.0, 2.0, 3.0])
    source = NvmlPower(nvml, "a", clock=lambda: next(times))
    nvml.watts["a"] = 200.0
    assert source.lap() == pytest.approx(300.0), "2 s between 100 W and 200 W"
    assert source.lap() == pytest.approx(200.0)
    meter = open_meter(["cuda:0"], powercap=tmp_path)
    assert meter is not None
    assert meter.of == ("Accelerator a",)
    meter.close()


@pytest.mark.parametrize("case", ["no driver", "a part of a GPU", "no such GPU", "another kind of device"])
def test_a_gpu_that_cannot_be_measured_leaves_no_number_even_beside_readable_packages(
    case: str, tmp_path: Path, install: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _domain(tmp_path, "intel-rapl:0", "package-0", 0)
    install(_Nvml({"a": 0}, has_driver=case != "no driver"))
    if case == "a part of a GPU":
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-1234")
    device = {"no such GPU": "cuda:7", "another kind of device": "mps"}.get(case, "cuda:0")
    assert open_meter([device], powercap=tmp_path) is None


def test_without_the_package_a_gpu_has_no_number(tmp_path: Path, install: Callable[[Any], Any]) -> None:
    install(None)
    assert open_meter(["cuda:0"], powercap=tmp_path) is None
