"""What a lock says of torch, from locks and plans written by hand."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.accelerator.audit import (
    LINUX,
    TARGETS,
    Build,
    Verdict,
    audit,
    builds,
    download_size,
    required_libraries,
    summary,
)
from uvmagic.lockfile import Lockfile
from uvmagic.lockfile.target import Target

if TYPE_CHECKING:
    from collections.abc import Sequence

X86, ARM, WINDOWS, MACOS = (Target(platform, "3.12") for platform in TARGETS)
INDEX = "https://index.invalid/simple"
REGISTRY = f'registry = "{INDEX}"'
CORE = ("cuda-runtime", "cudnn", "cublas")
FOR_X86 = "platform_system == 'Linux' and platform_machine == 'x86_64'"

EVERYWHERE = (
    "cp312-cp312-manylinux_2_28_x86_64",
    "cp312-cp312-manylinux_2_28_aarch64",
    "cp312-cp312-win_amd64",
    "cp312-none-macosx_11_0_arm64",
)


def package(
    version: str,
    *tags: str,
    source: str = REGISTRY,
    key: str = "url",
    folder: str = "https://files.invalid/whl/",
    more: str = "",
) -> str:
    """A torch in a lock: a wheel for each tag."""
    wheels = "".join(
        f'    {{ {key} = "{folder}torch-{version.replace("+", "%2B")}-{tag}.whl", size = {n} }},\n'
        for n, tag in enumerate(tags, 1000)
    )
    listed = f"wheels = [\n{wheels}]\n" if tags else ""
    return (
        f'[[package]]\nname = "torch"\nversion = "{version}"\nsource = {{ {source} }}\n'
        f"{more}{listed}"
    )


def needs(*names: str) -> str:
    """The edges of a package of the lock."""
    return "dependencies = [\n" + "".join(f'    {{ name = "{n}" }},\n' for n in names) + "]\n"


def lock(*packages: str, preamble: str = "") -> Lockfile:
    """A lock of a project that needs torch, and of these packages."""
    project = (
        '[[package]]\nname = "project"\nversion = "0.1.0"\nsource = { virtual = "." }\n'
        'dependencies = [\n    { name = "torch" },\n]\n'
    )
    head = f'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n{preamble}'
    return Lockfile("\n".join([head, project, *packages]))


def judged(
    version: str,
    *libraries: str,
    target: Target = X86,
    requires: Sequence[str] | None = None,
    wheels: Sequence[str] = EVERYWHERE,
) -> Verdict:
    """The verdict on a torch with wheels for every platform, that brings these libraries."""
    plan = {"torch": version, **dict.fromkeys(libraries, "12.6.77")}
    return audit(lock(package(version, *wheels, more=needs(*libraries))), plan, target, requires)


def nvidia(suffix: str, names: Sequence[str] = CORE) -> list[str]:
    return [f"nvidia-{name}{suffix}" for name in names]


# --- what kind of build it is ---


@pytest.mark.parametrize(
    ("local", "build", "toolkit"),
    [
        ("cu92", Build.CUDA, "9.2"),
        ("cu118", Build.CUDA, "11.8"),
        ("cu126", Build.CUDA, "12.6"),
        ("cu130", Build.CUDA, "13.0"),
        ("rocm6.4", Build.ROCM, "6.4"),
        ("rocm6.2.4", Build.ROCM, "6.2.4"),
        ("rocm7.2", Build.ROCM, "7.2"),
        ("xpu", Build.XPU, ""),
        ("cpu", Build.CPU, ""),
        ("cpu.cxx11.abi", Build.OWN, "cpu.cxx11.abi"),
        ("own.1", Build.OWN, "own.1"),
        ("cuda", Build.OWN, "cuda"),
    ],
)
def test_the_local_version_tells_the_build_on_every_platform(
    local: str, build: Build, toolkit: str
) -> None:
    for target in (X86, ARM, WINDOWS, MACOS):
        verdict = judged(f"2.7.1+{local}", *nvidia(f"-{local[:4]}"), target=target)
        assert (verdict.build, verdict.toolkit, verdict.lacks) == (build, toolkit, ())


@pytest.mark.parametrize(
    ("target", "libraries", "told"),
    [
        (X86, {"nvidia-cuda-runtime-cu12": "12.6.77"}, "CUDA 12.6 without its libraries"),
        (X86, {"cuda-toolkit": "13.2.2"}, "CUDA 13.2 without its libraries"),
        (X86, {}, "CUDA without its libraries"),
        (ARM, {"cuda-toolkit": "13.2.2"}, "CUDA 13.2"),
        (ARM, {"nvidia-cuda-runtime": "13.2.86"}, "CUDA 13.2"),
        (ARM, {}, "CPU"),
        (WINDOWS, {}, "CPU"),
        (WINDOWS, {"nvidia-cuda-runtime-cu12": "12.6.77"}, "CPU"),
        (MACOS, {}, "CPU"),
    ],
)
def test_without_a_local_version_the_runtime_that_it_brings_tells(
    target: Target, libraries: dict[str, str], told: str
) -> None:
    locked = lock(package("2.9.1", *EVERYWHERE, more=needs(*libraries)))
    assert audit(locked, {"torch": "2.9.1", **libraries}, target).told == told


@given(st.permutations(["nvidia-cuda-runtime-cu12", "nvidia-cuda-runtime", "cuda-toolkit"]))
def test_another_packages_runtime_tells_nothing_in_whatever_order_they_are(
    order: list[str],
) -> None:
    """The runtime of CUDA 12 came by something else than torch."""
    versions = {
        "nvidia-cuda-runtime-cu12": "12.6.77",
        "nvidia-cuda-runtime": "13.2.86",
        "cuda-toolkit": "13.2.2",
    }
    plan = {**{name: versions[name] for name in order}, "torch": "2.15.0"}
    edges = needs("cuda-toolkit", "nvidia-cuda-runtime")
    verdict = audit(lock(package("2.15.0", *EVERYWHERE, more=edges)), plan, X86)
    assert verdict.toolkit == "13.2"


# --- its libraries ---

SOME_CORE = [names for size in range(4) for names in combinations(CORE, size)]


@pytest.mark.parametrize("present", SOME_CORE, ids="-".join)
@pytest.mark.parametrize(("local", "suffix"), [("cu118", "-cu11"), ("cu126", "-cu12")])
def test_what_torch_loads_at_once_must_all_be_there(
    present: Sequence[str], local: str, suffix: str
) -> None:
    verdict = judged(f"2.7.1+{local}", *nvidia(suffix, present))
    missing = [name for name in CORE if name not in present]
    assert verdict.lacks == tuple(f"nvidia-{name}" for name in missing)
    assert verdict.build is (Build.BARE if missing else Build.CUDA)
    assert verdict.is_right is (present == CORE)


def test_of_cuda_13_some_libraries_have_no_number() -> None:
    libraries = ["nvidia-cuda-runtime", "nvidia-cudnn-cu13", "nvidia-cublas"]
    assert judged("2.15.0+cu132", *libraries).build is Build.CUDA
    assert judged("2.15.0+cu132", *libraries[1:]).lacks == ("nvidia-cuda-runtime",)


def test_libraries_for_another_cuda_do_not_count() -> None:
    plan = {"torch": "2.7.1+cu126", **dict.fromkeys(nvidia("-cu11"), "11.8.89")}
    assert audit(lock(package("2.7.1+cu126", *EVERYWHERE)), plan, X86).build is Build.BARE


def test_triton_is_no_library() -> None:
    assert judged("2.7.1+cu126", "triton", "cuda-python").build is Build.BARE


BESIDE = st.lists(
    st.sampled_from([*nvidia("-cu12"), "nvidia-nccl-cu12", "triton", "sympy"]), unique=True
)


@given(BESIDE)
def test_the_order_of_the_plan_decides_nothing(names: list[str]) -> None:
    verdict = judged("2.7.1+cu126", *names)
    assert verdict == judged("2.7.1+cu126", *sorted(names))
    assert verdict.is_right is (set(nvidia("-cu12")) <= set(names))


LIBRARIES = st.sets(st.sampled_from(nvidia("-cu12", [*CORE, "nccl", "cufft", "nvtx"])))


@given(required=LIBRARIES, present=LIBRARIES)
def test_a_lock_is_right_if_it_has_what_the_wheel_requires_and_what_torch_loads_at_once(
    required: set[str], present: set[str]
) -> None:
    verdict = judged("2.7.1+cu126", *present, requires=sorted(required))
    assert verdict.is_right is (required | set(nvidia("-cu12")) <= present)
    assert bool(verdict.lacks) is not verdict.is_right
    if required - present:
        assert verdict.lacks == tuple(sorted(required - present))


@pytest.mark.parametrize("version", ["1.13.1", "1.13.1+cu117", "2.0.1+cu118", "2.1.2+cu121"])
def test_before_2_2_the_libraries_are_in_the_wheel(version: str) -> None:
    assert judged(version).build is Build.CUDA


@pytest.mark.parametrize("version", ["2.2.0+cu121", "2.10.0+cu126", "3.0.0", "10.0+cu130"])
def test_from_2_2_on_they_are_not(version: str) -> None:
    assert judged(version).build is Build.BARE


@pytest.mark.parametrize("local", ["cpu", "xpu", "rocm6.4", "own"])
def test_a_build_for_something_else_needs_none(local: str) -> None:
    verdict = judged(f"2.7.1+{local}", requires=["nvidia-cudnn-cu12"])
    assert verdict.is_right
    assert verdict.lacks == ()


@pytest.mark.parametrize("target", [ARM, WINDOWS, MACOS], ids=lambda target: target.told)
def test_elsewhere_than_on_x86_64_linux_none_is_missed(target: Target) -> None:
    assert judged("2.7.1+cu126", target=target).build is Build.CUDA


def test_what_the_wheel_itself_requires_is_missed_too() -> None:
    requires = [f"{name}-cu12==12 ; {FOR_X86}" for name in ("nvidia-nccl", "nvidia-cufft")]
    verdict = judged("2.7.1+cu126", *nvidia("-cu12"), requires=requires)
    assert verdict.build is Build.BARE
    assert verdict.lacks == ("nvidia-cufft-cu12", "nvidia-nccl-cu12")
    whole = judged("2.7.1+cu126", *nvidia("-cu12", [*CORE, "nccl", "cufft"]), requires=requires)
    assert whole.build is Build.CUDA


def test_a_wheel_that_requires_none_does_not_make_a_lock_right() -> None:
    """The metadata that a mirror serves may be as wrong for this wheel as for another."""
    assert judged("2.7.1+cu126", requires=["filelock"]).build is Build.BARE


# --- what a wheel requires ---


@pytest.mark.parametrize(
    ("requirement", "on"),
    [
        (f"nvidia-nccl-cu12==2.21.5; {FOR_X86}", {X86}),
        ("nvidia-nccl-cu12 ; sys_platform == 'linux'", {X86, ARM}),
        ("NVIDIA_nccl.cu12", {X86, ARM, WINDOWS, MACOS}),
        ("cuda-toolkit[cublas,cudart]==13.2.2 ; sys_platform == 'linux'", {X86, ARM}),
        ("cuda-bindings>=13 ; os_name == 'nt'", {WINDOWS}),
        ("nvidia-nccl-cu12 ; python_version < '3.12'", set()),
        ("nvidia-nccl-cu12 ; extra == 'nccl'", set()),
        ("nvidia-nccl-cu12 ; extra == 'nccl' or sys_platform == 'darwin'", {MACOS}),
        ("triton==3.3.1", set()),
        ("cuda-pathfinder", set()),
        ("nvidia", set()),
        ("filelock", set()),
        ("no requirement at all ;;", set()),
        ("", set()),
    ],
)
def test_the_libraries_that_a_wheel_requires_on_a_platform(
    requirement: str, on: set[Target]
) -> None:
    found = {
        target for target in (X86, ARM, WINDOWS, MACOS) if required_libraries([requirement], target)
    }
    assert found == on


def test_the_names_of_required_libraries_are_normalised_and_told_once() -> None:
    requires = ["NVIDIA_nccl.cu12", "nvidia-nccl-cu12 ; sys_platform == 'linux'", "cuda_toolkit"]
    assert required_libraries(requires, X86) == {"nvidia-nccl-cu12", "cuda-toolkit"}


NAMES = st.sampled_from(["nvidia-nccl-cu12", "nvidia-nvtx", "cuda-toolkit", "triton", "filelock"])
MARKERS = st.sampled_from(["", f" ; {FOR_X86}", " ; sys_platform == 'win32'", " ; extra == 'more'"])


@given(st.lists(st.tuples(NAMES, MARKERS)))
def test_required_libraries_are_those_of_each_requirement(
    requirements: list[tuple[str, str]],
) -> None:
    texts = [name + marker for name, marker in requirements]
    for target in (X86, WINDOWS):
        apart = [required_libraries([text], target) for text in texts]
        assert required_libraries(texts, target) == set[str]().union(*apart)


# --- which torch it is ---


def test_no_torch_is_no_torch() -> None:
    for locked, plan in (
        (lock(), {"filelock": "3"}),
        (lock(), {"torch": "2.7.1"}),
        (lock(package("2.7.1", *EVERYWHERE)), {"filelock": "3"}),
        (lock(package("2.7.1", *EVERYWHERE)), {"torch": "2.6.0"}),
    ):
        verdict = audit(locked, plan, X86)
        assert verdict == Verdict(X86, Build.ABSENT)
        assert verdict.is_right


@pytest.mark.parametrize(
    "source",
    [
        'url = "https://files.invalid/torch-2.7.1-cp312-cp312-win_amd64.whl"',
        'path = "torch-2.7.1-cp312-cp312-win_amd64.whl"',
        'git = "https://git.invalid/torch?rev=v2#0123456789abcdef0123456789abcdef01234567"',
        'directory = "own"',
        'editable = "own"',
    ],
)
def test_a_torch_from_elsewhere_than_an_index_is_a_build_of_its_own(source: str) -> None:
    verdict = audit(lock(package("2.7.1", source=source)), {"torch": "2.7.1"}, X86)
    assert (verdict.build, verdict.version) == (Build.OWN, "2.7.1")
    assert verdict.is_right


@pytest.mark.parametrize("planned", ["", "2.7.1"])
def test_a_torch_whose_version_a_plan_does_not_tell_is_found(planned: str) -> None:
    """uv's plan tells no version of what it is to build from a folder; the lock may have one."""
    locked = lock(package("2.7.1", source='directory = "own"'))
    assert audit(locked, {"torch": planned}, X86).build is Build.OWN


def test_a_torch_that_only_its_build_tells_the_version_of_is_found() -> None:
    text = '[[package]]\nname = "torch"\nsource = { editable = "own" }\n'
    assert audit(lock(text), {"torch": ""}, X86).build is Build.OWN


def test_a_torch_that_uv_would_build_from_source_is_not_without_a_wheel() -> None:
    source = f'sdist = {{ url = "{INDEX}/torch-2.7.1.tar.gz", hash = "sha256:00" }}\n'
    verdict = audit(lock(package("2.7.1", more=source)), {"torch": "2.7.1"}, X86)
    assert verdict.is_right


def test_of_two_versions_the_planned_one_is_judged() -> None:
    locked = lock(package("2.6.0", *EVERYWHERE), package("2.7.1+cpu", *EVERYWHERE))
    assert audit(locked, {"torch": "2.7.1+cpu"}, X86).build is Build.CPU
    assert audit(locked, {"torch": "2.6.0"}, X86).build is Build.BARE


def test_of_one_version_at_two_indexes_the_one_for_the_platform_is_judged() -> None:
    own = 'registry = "https://other.invalid/simple"'
    locked = lock(
        package("2.7.1", EVERYWHERE[3], source=own, folder="https://other.invalid/"),
        package("2.7.1", *EVERYWHERE[:3]),
    )
    for target, host in ((X86, "files"), (ARM, "files"), (WINDOWS, "files"), (MACOS, "other")):
        verdict = audit(locked, {"torch": "2.7.1"}, target)
        assert verdict.url.startswith(f"https://{host}.invalid/")


@pytest.mark.parametrize("target", [X86, ARM, WINDOWS, MACOS], ids=lambda target: target.told)
def test_the_wheel_is_the_platforms_own(target: Target) -> None:
    verdict = judged("2.7.1+cpu", target=target)
    tag = EVERYWHERE[TARGETS.index(target.platform)]
    assert verdict.wheel == f"torch-2.7.1+cpu-{tag}.whl"
    assert verdict.url == f"https://files.invalid/whl/torch-2.7.1%2Bcpu-{tag}.whl"


@pytest.mark.parametrize("key", ["url", "path", "filename"])
def test_a_wheel_is_known_by_its_address_or_its_path_or_its_name(key: str) -> None:
    folder = {"url": "https://files.invalid/", "path": "../wheels/", "filename": ""}[key]
    locked = lock(package("2.7.1+cpu", EVERYWHERE[0], key=key, folder=folder))
    verdict = audit(locked, {"torch": "2.7.1+cpu"}, X86)
    assert verdict.wheel == f"torch-2.7.1+cpu-{EVERYWHERE[0]}.whl"


def test_a_fragment_is_no_part_of_a_wheels_name() -> None:
    text = package("2.7.1+cpu", EVERYWHERE[0]).replace(".whl", ".whl#sha256=00")
    assert audit(lock(text), {"torch": "2.7.1+cpu"}, X86).wheel.endswith("x86_64.whl")


# --- no wheel ---


@pytest.mark.parametrize(
    ("tags", "pythons"),
    [
        (["cp39-cp39-linux_x86_64", "cp310-cp310-linux_x86_64"], ("3.9", "3.10")),
        (["cp313-cp313-linux_x86_64", "cp311-cp311-linux_x86_64"], ("3.11", "3.13")),
        (["cp311-cp311-linux_x86_64", "cp313-cp313-win_amd64"], ("3.11",)),
        (["cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-linux_x86_64"], ("3.11",)),
        (["cp311-cp311-manylinux_2_39_x86_64"], ()),
        (["cp313-cp313t-manylinux_2_28_x86_64"], ()),
        (["pp310-pypy310_pp73-manylinux_2_28_x86_64"], ()),
        (["cp312-cp312-win_amd64", "cp312-cp312-manylinux_2_28_aarch64"], ()),
        ([], ()),
    ],
)
def test_without_a_wheel_the_pythons_are_told_that_have_one(
    tags: list[str], pythons: tuple[str, ...]
) -> None:
    verdict = judged("2.7.1+cu126", *nvidia("-cu12"), wheels=tags)
    assert (verdict.build, verdict.version) == (Build.NO_WHEEL, "2.7.1+cu126")
    assert (verdict.pythons, verdict.wheel, verdict.url) == (pythons, "", "")
    assert not verdict.is_right


MINORS = st.sets(st.integers(8, 20))


@given(linux=MINORS, windows=MINORS)
def test_the_pythons_that_have_a_wheel_are_told_in_order_and_of_the_platform_alone(
    linux: set[int], windows: set[int]
) -> None:
    tags = [f"cp3{minor}-cp3{minor}-manylinux_2_28_x86_64" for minor in linux]
    tags += [f"cp3{minor}-cp3{minor}-win_amd64" for minor in windows]
    locked = lock(package("2.7.1+cpu", *tags))
    for target, minors in ((X86, linux), (WINDOWS, windows), (ARM, set[int]())):
        verdict = audit(locked, {"torch": "2.7.1+cpu"}, target)
        if 12 in minors:
            assert verdict.build is Build.CPU
            assert verdict.pythons == ()
        else:
            assert verdict.build is Build.NO_WHEEL
            assert verdict.pythons == tuple(f"3.{minor}" for minor in sorted(minors))


# --- all platforms ---


def test_each_platform_in_turn_gets_its_verdict() -> None:
    verdicts = builds(lock(package("2.7.1+cpu", *EVERYWHERE[:3])), "3.12", root="project")
    assert [verdict.target.platform for verdict in verdicts] == list(TARGETS)
    assert [verdict.build for verdict in verdicts] == [*[Build.CPU] * 3, Build.NO_WHEEL]
    assert TARGETS[0] == LINUX


def test_a_platform_that_the_lock_is_not_for_gets_none() -> None:
    preamble = "supported-markers = [\n    \"sys_platform == 'win32'\",\n]\n"
    locked = lock(package("2.7.1+cpu", *EVERYWHERE), preamble=preamble)
    assert [each.target for each in builds(locked, "3.12", root="project")] == [WINDOWS]
    assert builds(locked, "3.10", root="project") == []


def test_extras_and_groups_count_only_if_chosen() -> None:
    project = (
        '[[package]]\nname = "project"\nversion = "0.1.0"\nsource = { virtual = "." }\n\n'
        '[package.optional-dependencies]\ngpu = [\n    { name = "torch" },\n]\n\n'
        '[package.dev-dependencies]\ndev = [\n    { name = "torch" },\n]\n'
    )
    head = 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n'
    locked = Lockfile("\n".join([head, project, package("2.7.1+cpu", *EVERYWHERE)]))
    assert {each.build for each in builds(locked, "3.12", root="project")} == {Build.ABSENT}
    for chosen in ({"extras": ["gpu"]}, {"groups": ["dev"]}):
        found = builds(locked, "3.12", root="project", **chosen)
        assert {each.build for each in found} == {Build.CPU}


# --- in words ---


def test_the_summary_tells_each_build_once_and_where_it_is() -> None:
    verdicts = [
        Verdict(X86, Build.CUDA, "2.7.1+cu126", "12.6"),
        Verdict(ARM, Build.NO_WHEEL, "2.7.1+cu126"),
        Verdict(WINDOWS, Build.CUDA, "2.7.1+cu126", "12.6"),
        Verdict(MACOS, Build.CPU, "2.7.1"),
    ]
    assert summary(verdicts) == (
        "torch 2.7.1+cu126: CUDA 12.6 on Linux x86-64, Windows; no wheel on Linux ARM64; "
        "torch 2.7.1: CPU on macOS."
    )


def test_the_summary_leaves_out_the_platforms_without_torch() -> None:
    absent, present = Verdict(X86, Build.ABSENT), Verdict(WINDOWS, Build.CPU, "2.7.1")
    assert summary([absent, present]) == "torch 2.7.1: CPU on Windows."
    assert summary([absent]) == ""
    assert summary([]) == ""


VERDICTS = st.builds(
    Verdict,
    st.sampled_from([X86, ARM, WINDOWS, MACOS]),
    st.sampled_from(Build),
    st.sampled_from(["2.6.0", "2.7.1+cu126"]),
    st.sampled_from(["", "12.6", "13.2"]),
)


@given(st.lists(VERDICTS, unique_by=lambda verdict: verdict.target))
def test_the_summary_names_every_platform_with_torch_once(verdicts: list[Verdict]) -> None:
    told = summary(verdicts)
    for verdict in verdicts:
        has_torch = verdict.build is not Build.ABSENT
        assert told.count(f"{verdict.target.told}") == has_torch
        assert verdict.told in told or not has_torch


@given(VERDICTS)
def test_a_verdict_is_right_unless_torch_would_not_start(verdict: Verdict) -> None:
    assert verdict.is_right is (
        verdict.build.value not in ("CUDA without its libraries", "no wheel")
    )


# --- what is to be fetched ---


def test_the_size_is_that_of_the_platforms_own_wheel() -> None:
    locked = lock(package("2.7.1", *EVERYWHERE))
    sizes = [download_size(locked, "torch", "2.7.1", t) for t in (X86, ARM, WINDOWS, MACOS)]
    assert sizes == [1000, 1001, 1002, 1003]


def test_a_size_that_the_index_does_not_tell_is_none() -> None:
    text = package("2.7.1", EVERYWHERE[0]).replace(", size = 1000", "")
    assert download_size(lock(text), "torch", "2.7.1", X86) is None
    assert download_size(lock(text), "torch", "2.7.1", WINDOWS) is None
    assert download_size(lock(text), "torch", "2.6.0", X86) is None
    assert download_size(lock(), "torch", "2.7.1", X86) is None
