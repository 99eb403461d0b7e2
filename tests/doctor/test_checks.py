"""Every check finds its fault, made for real, and is silent where there is none."""

from __future__ import annotations

import os
import shutil
import sys
import types
from typing import TYPE_CHECKING

import pytest
from index import sdist, wheel
from robustness.mounts import tmpfs

from uvmagic import project
from uvmagic.accelerator.drivers import Drivers
from uvmagic.doctor.examine import CHECKS
from uvmagic.kernel import registry
from uvmagic.system import drivers
from uvmagic.system.environment import Environment
from uvmagic.system.host import Frontend
from uvmagic.system.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from doctor.world import World

    Fault = Callable[[World], None]

FAULTS: dict[str, tuple[str, set[str], Fault]] = {}
"""Id of a check → its level, what else is found then, and what makes the fault."""

MEGABYTE = 1024 * 1024
NEXT = f"cp3{sys.version_info.minor + 1}"
CPYTHON = f"cp3{sys.version_info.minor}"
LINUX = f"{CPYTHON}-{CPYTHON}-manylinux_2_28_x86_64"


def fault(level: str, *also: str) -> Callable[[Fault], Fault]:
    def registered(make: Fault) -> Fault:
        FAULTS[make.__name__.replace("_", "-")] = (level, set(also), make)
        return make

    return registered


def test_a_healthy_project_is_told_to_be_well(world: World) -> None:
    outcome = world.run("doctor")
    assert outcome.findings == ()
    assert outcome.title == "All is well."
    assert (outcome.exit_code, outcome.next_steps) == (0, ())


def test_every_check_has_a_fault() -> None:
    assert FAULTS.keys() == CHECKS.keys()


# --- uv and its settings --------------------------------------------------------------------------


@fault("error")
def uv_missing(world: World) -> None:
    world.set(UV=str(world.path / "nothing"))


@fault("note")
def uv_old(world: World) -> None:
    real = os.environ["UV"]
    old = f'[ "$1" = --version ] && echo "uv 0.9.0" && exit\nexec {real} "$@"'
    world.set(UV=str(world.program("uv", old)))


@fault("warning")
def uv_several(world: World) -> None:
    one = world.program("uv", "true", "one").parent
    two = world.program("uv", "true", "two").parent
    (world.path / "three").mkdir()
    (world.path / "three" / "uv").symlink_to(one / "uv")
    world.set(PATH=f"{one}:{two}:{world.path / 'three'}")


@fault("warning")
def uv_in_conda(world: World) -> None:
    world.set(UV=str(world.program("uv", f'exec {os.environ["UV"]} "$@"', "conda/bin")))
    (world.path / "conda" / "conda-meta").mkdir()


@fault("warning")
def environment_active(world: World) -> None:
    world.set(VIRTUAL_ENV=str(world.path / "other"), CONDA_PREFIX=str(world.path / "conda"))


@fault("error")
def settings_unreadable(world: World) -> None:
    file = world.path / "config" / "uv" / "uv.toml"
    file.parent.mkdir(parents=True)
    file.write_text("link-mode = copy\n")


@fault("warning")
def settings_ignored(world: World) -> None:
    (world.folder.path / "uv.toml").write_text('link-mode = "copy"\n')


@fault("warning", "lock-behind")
def settings_outside(world: World) -> None:
    world.set(UV_DEFAULT_INDEX=f"http://user:secret@{world.index.url.partition('://')[2]}/")


# --- the project ----------------------------------------------------------------------------------


@fault("note")
def project_missing(world: World) -> None:
    world.folder.pyproject.unlink()


@fault("error")
def project_unreadable(world: World) -> None:
    world.folder.pyproject.write_text("[project\n")


@fault("error", "project-unreadable")
def change_unfinished(world: World) -> None:
    Journal(world.folder.path).open([world.folder.pyproject, world.folder.lock], "add gamma")
    world.folder.pyproject.write_bytes(world.folder.pyproject.read_bytes()[:20])


@fault("error")
def credentials(world: World) -> None:
    text = world.folder.pyproject.read_text()
    world.folder.pyproject.write_text(text.replace("http://", "http://user:s3cret-of-mine@"))


# --- the lock -------------------------------------------------------------------------------------


@fault("warning")
def lock_missing(world: World) -> None:
    world.folder.lock.unlink()


@fault("warning")
def lock_behind(world: World) -> None:
    world.ask_for("alpha", "beta", "gamma")


@fault("error")
def lock_unreadable(world: World) -> None:
    world.folder.lock.write_text("version = 1\nno toml")


@fault("error", "environment-behind", "driver-missing")
def torch_incomplete(world: World) -> None:
    lock_torch(world, "2.7.1")


@fault("error")
def wheels_missing(world: World) -> None:
    world.index.add(wheel("later", "1.0", tag=f"{NEXT}-{NEXT}-manylinux_2_17_x86_64"))
    world.ask_for("alpha", "beta", "later")
    world.uv("lock")


@fault("note", "environment-behind")
def wheels_built(world: World) -> None:
    world.index.add(sdist("source", "1.0"))
    world.ask_for("alpha", "beta", "source")
    world.uv("lock")


@fault("warning", "environment-behind")
def driver_old(world: World) -> None:
    lock_torch(world, "2.7.1+cu126", "cuda-runtime", "cudnn", "cublas")
    world.set(UV_CUDA_DRIVER_VERSION="450.80.02")


@fault("note", "environment-behind")
def driver_missing(world: World) -> None:
    lock_torch(world, "2.7.1+cu126", "cuda-runtime", "cudnn", "cublas")


def lock_torch(world: World, version: str, *libraries: str) -> None:
    """Lock a torch that brings some of CUDA's libraries; this machine has no driver."""
    names = [f"nvidia-{name}-cu12" for name in libraries]
    world.index.add(wheel("torch", version, requires=names, tag=LINUX))
    world.index.add(*(wheel(name, "12.6") for name in names))
    world.ask_for("alpha", "beta", "torch")
    world.uv("lock")
    real = drivers.detect
    told = "UV_CUDA_DRIVER_VERSION"
    world.patch.setattr(drivers, "detect", lambda e: real(e) if told in e else Drivers())


# --- the environment ------------------------------------------------------------------------------


@fault("warning")
def environment_missing(world: World) -> None:
    shutil.rmtree(world.folder.path / ".venv")


@fault("warning")
def environment_behind(world: World) -> None:
    world.pip_install("alpha==1.0")


@fault("note")
def environment_extra(world: World) -> None:
    world.pip_install("gamma")


@fault("error")
def files_missing(world: World) -> None:
    files_linked(world)
    world.uv("cache", "clean")


@fault("warning")
def files_linked(world: World) -> None:
    world.uv("sync", "--reinstall", UV_LINK_MODE="symlink")


@fault("warning")
def files_edited(world: World) -> None:
    with (world.site_packages / "alpha" / "__init__.py").open("a") as stream:
        stream.write("# by hand\n")


@fault("warning", "disk-full")
def cache_elsewhere(world: World) -> None:
    world.undo.enter_context(tmpfs(world.path / "cache", 300 * MEGABYTE))


@fault("error", "cache-elsewhere")
def disk_full(world: World) -> None:
    world.undo.enter_context(tmpfs(world.path / "cache", MEGABYTE))


@fault("warning", "notebook-elsewhere")
def ipykernel_missing(world: World) -> None:
    world.frontend = Frontend(None)


# --- kernels --------------------------------------------------------------------------------------


@fault("warning", "ipykernel-missing")
def notebook_elsewhere(world: World) -> None:
    world.frontend = Frontend(None)


@fault("warning", "ipykernel-missing")
def modules_outdated(world: World) -> None:
    world.frontend = Frontend(None)
    world.patch.setattr(sys, "prefix", str(world.folder.path / ".venv"))
    loaded = types.ModuleType("alpha")
    loaded.__dict__["__version__"] = "1.0"
    world.patch.setitem(sys.modules, "alpha", loaded)


@fault("warning")
def kernels_dead(world: World) -> None:
    gone = world.path / "gone"
    gone.mkdir()
    shutil.copy(world.folder.pyproject, gone)
    registry.install(project.find(gone), Environment(gone / ".venv"))
    shutil.rmtree(gone)


@fault("warning")
def kernels_broken(world: World) -> None:
    other = world.path / "other"
    other.mkdir()
    shutil.copy(world.folder.pyproject, other)
    registry.install(project.find(other), Environment(other / ".venv"))


@fault("warning", "kernels-broken", "ipykernel-missing")
def kernel_elsewhere(world: World) -> None:
    registry.install(project.find(world.folder.path), Environment(world.path / "another"))


# --- the machine ----------------------------------------------------------------------------------


@fault("note")
def docker_unreachable(world: World) -> None:
    world.program("docker", 'echo "Cannot connect to the Docker daemon." >&2; exit 1')


# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_nothing_else(world: World, name: str) -> None:
    level, also, make = FAULTS[name]
    make(world)
    found = world.found()
    assert found.keys() == {name, *also}, found
    finding = found[name]
    assert finding.level == level
    assert all((finding.seen, finding.why, finding.remedy))
    told = world.run("doctor")
    assert told.exit_code == any(one.level == "error" for one in told.findings)
    assert "secret" not in told.text()
