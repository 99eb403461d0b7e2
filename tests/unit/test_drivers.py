"""What this machine can compute on: files laid out, and programs written, by hand."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
from robustness.aftermath import wait_until

from uvmagic.accelerator.drivers import Found
from uvmagic.data import torch
from uvmagic.errors import UsageError
from uvmagic.system import drivers

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs are scripts here")

MODULE = "/sys/module/nvidia/version"
PROCESS = "/proc/driver/nvidia/version"
DEVICES = "/sys/bus/pci/devices"
OPEN = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.144.03  Release Build"
    "  (dvs-builder@U16-I3-D08-1-2)  Mon Dec 30 17:26:13 UTC 2024\n"
    "GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)\n"
)
CLOSED = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  375.74  Wed Jun 14 01:39:39 PDT 2017\n"
    "GCC version:  gcc version 5.4.0 20160609 (Ubuntu 5.4.0-6ubuntu1~16.04.4)\n"
)


class Machine:
    """A machine whose files and programs lie in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.programs = folder / "bin"
        self.programs.mkdir()
        self.environ = {"PATH": f"{self.programs}{os.pathsep}/usr/bin{os.pathsep}/bin"}

    def file(self, where: str, text: str) -> None:
        path = self.root / where[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def program(self, name: str, script: str, mode: int = 0o755) -> Path:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(mode)
        return path

    def device(self, address: str, vendor: str, classes: str) -> None:
        self.file(f"{DEVICES}/{address}/vendor", vendor)
        self.file(f"{DEVICES}/{address}/class", classes)

    def found(self) -> tuple[Found, ...]:
        return drivers.detect(self.environ, self.root).found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def nvidia(version: str, where: str = "nvidia-smi") -> tuple[Found, ...]:
    return (Found("cuda", version, where),)


# --- where there is nothing, and the order --------------------------------------------------------


def test_a_machine_with_nothing_has_nothing(machine: Machine) -> None:
    assert machine.found() == ()


def test_an_empty_environment_finds_no_programs(machine: Machine) -> None:
    machine.program("nvidia-smi", "echo 550.1")
    machine.environ.clear()
    assert machine.found() == ()


def test_a_driver_is_told_by_the_first_place_that_has_it(machine: Machine) -> None:
    machine.program("nvidia-smi", "echo 530.1")
    assert machine.found() == nvidia("530.1")
    machine.file(PROCESS, OPEN)
    assert machine.found() == nvidia("550.144.03", PROCESS)
    machine.file(MODULE, "580.65.06\n")
    assert machine.found() == nvidia("580.65.06", MODULE)
    machine.environ["UV_CUDA_DRIVER_VERSION"] = "525.60.13"
    assert machine.found() == nvidia("525.60.13", "UV_CUDA_DRIVER_VERSION")


def test_every_kind_is_found_and_what_uv_would_take_stands_first(machine: Machine) -> None:
    machine.file(MODULE, "580.65.06\n")
    machine.program("rocm_agent_enumerator", "echo gfx1100")
    machine.device("0000:00:02.0", "0x8086\n", "0x030000\n")
    cuda, rocm, xpu = machine.found()
    assert (cuda.kind, rocm.kind, xpu.kind) == ("cuda", "rocm", "xpu")
    machine.environ["UV_AMD_GPU_ARCHITECTURE"] = "gfx90a"
    rocm = Found("rocm", "gfx90a", "UV_AMD_GPU_ARCHITECTURE")
    assert machine.found() == (rocm, cuda, xpu)
    machine.environ["UV_CUDA_DRIVER_VERSION"] = "550.1"
    cuda = Found("cuda", "550.1", "UV_CUDA_DRIVER_VERSION")
    assert machine.found() == (cuda, rocm, xpu)


def test_no_program_runs_where_a_file_tells(machine: Machine, tmp_path: Path) -> None:
    machine.file(MODULE, "580.65.06\n")
    machine.program("nvidia-smi", f"touch {tmp_path}/ran")
    assert machine.found() == nvidia("580.65.06", MODULE)
    assert not (tmp_path / "ran").exists()


# --- uv's variables -------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["abc", "550.", "550.1rc", "550,1", "-1"])
def test_a_malformed_version_in_uvs_variable_is_a_usage_error(machine: Machine, value: str) -> None:
    machine.environ["UV_CUDA_DRIVER_VERSION"] = value
    with pytest.raises(UsageError, match="UV_CUDA_DRIVER_VERSION") as caught:
        machine.found()
    assert repr(value) in caught.value.message


@pytest.mark.parametrize("value", ["rdna3", "gfx", "gfx9999", "GFX1100"])
def test_an_unknown_architecture_in_uvs_variable_is_a_usage_error_naming_those_known(
    machine: Machine, value: str
) -> None:
    machine.environ["UV_AMD_GPU_ARCHITECTURE"] = value
    with pytest.raises(UsageError, match="UV_AMD_GPU_ARCHITECTURE") as caught:
        machine.found()
    assert all(known in (caught.value.hint or "") for known in torch.amd_backends())


@pytest.mark.parametrize("variable", ["UV_CUDA_DRIVER_VERSION", "UV_AMD_GPU_ARCHITECTURE"])
def test_an_empty_variable_says_nothing(machine: Machine, variable: str) -> None:
    machine.environ[variable] = " "
    assert machine.found() == ()


# --- the kernel's files ---------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "version"), [(OPEN, "550.144.03"), (CLOSED, "375.74")])
def test_the_driver_stands_between_two_pairs_of_blanks(
    machine: Machine, text: str, version: str
) -> None:
    machine.file(PROCESS, text)
    assert machine.found() == nvidia(version, PROCESS)


@pytest.mark.parametrize("where", [MODULE, PROCESS])
@pytest.mark.parametrize("text", ["", "\n", "garbage", "one  two  three", "\n550.1\n", "\x00\xff"])
def test_a_file_that_says_nothing_sensible_leaves_it_to_the_next(
    machine: Machine, where: str, text: str
) -> None:
    machine.file(where, text)
    machine.program("nvidia-smi", "echo 530.1")
    assert machine.found() == nvidia("530.1")


@pytest.mark.parametrize("where", [MODULE, PROCESS, DEVICES])
def test_a_place_that_cannot_be_read_is_as_if_it_were_not_there(
    machine: Machine, where: str
) -> None:
    if where == DEVICES:
        machine.file(where, "a file")
    else:
        (machine.root / where[1:]).mkdir(parents=True)
    assert machine.found() == ()


# --- nvidia-smi -----------------------------------------------------------------------------------


def test_nvidia_smi_is_asked_for_the_driver_alone(machine: Machine, tmp_path: Path) -> None:
    machine.program("nvidia-smi", f'echo "$@" > {tmp_path}/asked; echo 550.144.03')
    assert machine.found() == nvidia("550.144.03")
    asked = (tmp_path / "asked").read_text()
    assert asked == "--query-gpu=driver_version --format=csv,noheader\n"


def test_several_gpus_have_one_driver(machine: Machine) -> None:
    machine.program("nvidia-smi", "echo 550.144.03; echo 550.144.03; echo 550.144.03")
    assert machine.found() == nvidia("550.144.03")


def test_blanks_round_the_version_are_nothing(machine: Machine) -> None:
    machine.program("nvidia-smi", r"printf ' 528.33 \r\n'")
    assert machine.found() == nvidia("528.33")


@pytest.mark.parametrize(
    "script",
    [
        "echo 'NVIDIA-SMI has failed because it could not talk to the driver.'; exit 9",
        "echo 550.144.03; exit 1",
        "echo 550.144.03; kill -9 $$",
        "echo 550.144.03 >&2",
        "echo 'No devices were found'",
        "echo '[N/A]'",
        "echo 'driver_version, 550.1'",
        "echo; echo 550.1",
        "head -c 100000 /dev/zero",
        "printf '\\377\\376'",
        "",
    ],
)
def test_a_failing_or_babbling_nvidia_smi_means_that_nothing_was_found(
    machine: Machine, script: str
) -> None:
    machine.program("nvidia-smi", script)
    assert machine.found() == ()


def test_an_nvidia_smi_that_hangs_is_ended_with_what_it_started(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drivers, "TIMEOUT", 0.5)
    machine.program(
        "nvidia-smi", f"trap '' INT TERM; sleep 600 & echo $! > {tmp_path}/child; wait; echo 550.1"
    )
    assert machine.found() == ()
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: has_ended(child), "the end of what it started")


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or waits for nothing but its parent to take note."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_an_nvidia_smi_that_may_not_be_run_is_not_there(machine: Machine) -> None:
    machine.program("nvidia-smi", "echo 550.1", mode=0o644)
    assert machine.found() == ()


def test_an_nvidia_smi_that_is_no_program_is_not_there(machine: Machine) -> None:
    (machine.programs / "nvidia-smi").write_bytes(b"\x7fELF no more than that")
    (machine.programs / "nvidia-smi").chmod(0o755)
    assert machine.found() == ()


def test_a_folder_named_nvidia_smi_is_not_there(machine: Machine) -> None:
    (machine.programs / "nvidia-smi").mkdir()
    assert machine.found() == ()


# --- AMD and Intel --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "architecture"),
    [
        ("gfx000\ngfx1100", "gfx1100"),
        ("gfx000\ngfx1100\ngfx90a", "gfx90a"),
        ("gfx1030\ngfx950", "gfx950"),
        ("gfx000\ngfx1036\ngfx1100", "gfx1100"),
        ("gfx000\ngfx1036", "gfx1036"),
    ],
)
def test_of_several_amd_gpus_the_first_in_uvs_order_counts(
    machine: Machine, said: str, architecture: str
) -> None:
    machine.program("rocm_agent_enumerator", f"printf '{said}\\n'")
    assert machine.found() == (Found("rocm", architecture, "rocm_agent_enumerator"),)


@pytest.mark.parametrize("script", ["echo gfx000", "echo gfx1100; exit 1", "echo nonsense", ""])
def test_without_an_amd_gpu_there_is_none(machine: Machine, script: str) -> None:
    machine.program("rocm_agent_enumerator", script)
    assert machine.found() == ()


def test_an_intel_gpu_is_told_by_its_address(machine: Machine) -> None:
    machine.device("0000:00:00.0", "0x8086\n", "0x060000\n")
    machine.device("0000:00:02.0", "0x8086\n", "0x038000\n")
    machine.device("0000:03:00.0", "0x8086\n", "0x030000\n")
    assert machine.found() == (Found("xpu", "0000:00:02.0", DEVICES),)


@pytest.mark.parametrize(
    ("vendor", "classes"),
    [
        ("0x10de", "0x030000"),
        ("0x8086", "0x020000"),
        ("0x8086", "0x000003"),
        ("nonsense", "0x030000"),
        ("0x8086", ""),
    ],
)
def test_another_device_is_no_intel_gpu(machine: Machine, vendor: str, classes: str) -> None:
    machine.device("0000:00:02.0", vendor, classes)
    assert machine.found() == ()


def test_this_machine_can_be_asked() -> None:
    drivers.detect({"PATH": os.environ.get("PATH", "")})
