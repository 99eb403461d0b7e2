"""Which backend a call means, what is said of it, and where its wheels lie."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from uvmagic.accelerator.choice import (
    Choice,
    backend_of_url,
    chosen,
    fitting,
    index_url,
    index_url_beside,
    warning,
)
from uvmagic.accelerator.drivers import PLACES, Drivers, Found, numbers
from uvmagic.data import torch
from uvmagic.errors import UsageError

if TYPE_CHECKING:
    from uvmagic.data.torch import Backend

BACKENDS = torch.backends()
VERSIONED = [backend for backend in BACKENDS.values() if backend.version]
PLATFORMS = ("linux", "win32", "darwin")

backends = st.sampled_from(list(BACKENDS.values()))
versions = st.lists(st.integers(0, 999), min_size=1, max_size=4).map(
    lambda parts: ".".join(map(str, parts))
)


def machine(*found: Found) -> Drivers:
    return Drivers(found)


def nvidia(version: str) -> Found:
    return Found("cuda", version, "/sys/module/nvidia/version")


def amd(architecture: str) -> Found:
    return Found("rocm", architecture, "rocm_agent_enumerator")


INTEL = Found("xpu", "0000:00:02.0", "/sys/bus/pci/devices")
BARE = machine()


def not_asked() -> Drivers:
    pytest.fail("what this machine has does not matter here")


def refusal(kind: str, value: str | None, drivers: Drivers = BARE) -> UsageError:
    with pytest.raises(UsageError) as caught:
        chosen(kind, value, lambda: drivers, "linux")
    return caught.value


def automatic(kind: str, *found: Found, platform: str = "linux") -> Choice:
    return chosen(kind, "auto", lambda: machine(*found), platform)


def version(backend: Backend) -> Version:
    return Version(backend.version or "")


# --- a version ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "name"),
    [
        ("cuda", "126", "cu126"),
        ("cuda", "12.6", "cu126"),
        ("cuda", "cu126", "cu126"),
        ("cuda", "CU126", "cu126"),
        ("cuda", "cu12.6", "cu126"),
        ("cuda", " 12.6 ", "cu126"),
        ("cuda", "13.0", "cu130"),
        ("cuda", "130", "cu130"),
        ("cuda", "92", "cu92"),
        ("cuda", "10.0", "cu100"),
        ("cuda", "12.06", "cu126"),
        ("rocm", "6.4", "rocm6.4"),
        ("rocm", "rocm6.4", "rocm6.4"),
        ("rocm", "ROCm6.4", "rocm6.4"),
        ("rocm", "6.2.4", "rocm6.2.4"),
        ("rocm", "6.2", "rocm6.2"),
        ("xpu", None, "xpu"),
        ("cpu", None, "cpu"),
    ],
)
def test_a_backend_is_meant_by_its_name_or_its_version(
    kind: str, value: str | None, name: str
) -> None:
    assert chosen(kind, value, not_asked, "linux") == Choice(BACKENDS[name])


@given(backends, st.data())
def test_every_backend_can_be_chosen_by_each_of_its_spellings(
    backend: Backend, draw: st.DataObject
) -> None:
    value = None
    if backend.version is not None:
        bare = backend.name.removeprefix("cu").removeprefix("rocm")
        spellings = st.sampled_from([backend.name, bare, backend.version])
        value = draw.draw(spellings.flatmap(lambda s: st.sampled_from([s, s.upper(), s.title()])))
    assert chosen(backend.kind, value, not_asked, "linux").backend is backend


@pytest.mark.parametrize(
    ("kind", "value", "near"),
    [
        ("cuda", "127", ["cu126", "cu128"]),
        ("cuda", "12.7", ["cu126", "cu128"]),
        ("cuda", "cu127", ["cu126", "cu128"]),
        ("cuda", "131", ["cu130", "cu132"]),
        ("cuda", "999", ["cu132"]),
        ("cuda", "7.5", ["cu80"]),
        ("cuda", "12.6.3", ["cu126", "cu128"]),
        ("cuda", "93", ["cu132"]),
        ("rocm", "6.5", ["rocm6.4", "rocm7.0"]),
        ("rocm", "9.9", ["rocm7.2"]),
        ("rocm", "1.0", ["rocm4.0.1"]),
        ("rocm", "62", ["rocm7.2"]),
    ],
)
def test_of_an_unknown_version_the_nearest_are_named(
    kind: str, value: str, near: list[str]
) -> None:
    error = refusal(kind, value)
    assert value in error.message
    expected = ", ".join(f"{BACKENDS[name].version} ({name})" for name in near)
    assert error.hint == f"The nearest: {expected}."


@given(st.sampled_from(["cuda", "rocm"]), versions.filter(lambda v: "." in v))
def test_no_backend_lies_between_what_was_asked_for_and_the_nearest(kind: str, asked: str) -> None:
    rows = [backend for backend in VERSIONED if backend.kind == kind]
    if numbers(asked) in [numbers(backend.version) for backend in rows]:
        return
    hint = refusal(kind, asked).hint or ""
    near = [version(backend) for backend in rows if f"({backend.name})" in hint]
    between = [
        backend.name
        for backend in rows
        for bound in near
        if min(bound, Version(asked)) < version(backend) < max(bound, Version(asked))
    ]
    assert between == []
    sides = {bound < Version(asked) for bound in near}
    assert len(near) == len(sides) == len({version(b) < Version(asked) for b in rows})


@pytest.mark.parametrize(
    ("kind", "value", "minors"),
    [
        ("cuda", "13", ["13.0", "13.2"]),
        ("cuda", "cu13", ["13.0", "13.2"]),
        ("cuda", "12", [f"12.{n}" for n in (0, 1, 2, 3, 4, 5, 6, 8, 9)]),
        ("cuda", "9", ["9.0", "9.1", "9.2"]),
        ("rocm", "6", ["6.0", "6.1", "6.2", "6.2.4", "6.3", "6.4"]),
        ("rocm", "rocm7", ["7.0", "7.1", "7.2"]),
    ],
)
def test_a_major_version_alone_names_its_minor_ones(
    kind: str, value: str, minors: list[str]
) -> None:
    error = refusal(kind, value)
    assert value in error.message
    assert [word for word in (error.hint or "").split() if word[0].isdigit()] == minors


@pytest.mark.parametrize("kind", ["cuda", "rocm"])
@pytest.mark.parametrize(
    "value",
    ["twelve", "cpu", "cu", "12.x", "-1", "12.6.", ".6", "12,6", "１２.６", "9" * 5000],
)
def test_nonsense_is_refused_with_an_example_that_is_none(kind: str, value: str) -> None:
    error = refusal(kind, value)
    assert "is no version" in error.message
    example = (error.hint or "").partition(f"--{kind} ")[2].partition(";")[0]
    assert chosen(kind, example, not_asked, "linux").backend.is_automatic


@pytest.mark.parametrize("value", [None, "", " "])
def test_a_version_that_is_missing_is_asked_for(value: str | None) -> None:
    assert refusal("cuda", value).message == "--cuda needs a value."


@pytest.mark.parametrize("kind", ["xpu", "cpu"])
def test_what_has_no_versions_takes_no_value(kind: str) -> None:
    error = refusal(kind, "12.6")
    assert f"--{kind} takes no value" in error.message


@given(st.sampled_from(["cuda", "rocm"]), st.text(max_size=12))
def test_any_value_is_a_backend_or_a_usage_error(kind: str, value: str) -> None:
    with contextlib.suppress(UsageError):
        assert chosen(kind, value, lambda: BARE, "linux").backend.kind == kind


# --- auto -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("driver", "platform", "name"),
    [
        ("580.65.06", "linux", "cu130"),
        ("580", "linux", "cu130"),
        ("999.1", "linux", "cu130"),
        ("579.99", "linux", "cu126"),
        ("550.144.03", "linux", "cu126"),
        ("525.60.13", "linux", "cu126"),
        ("528.33", "win32", "cu126"),
        ("580.88", "win32", "cu130"),
        ("550.144.03", "darwin", "cu126"),
    ],
)
def test_auto_takes_the_newest_backend_that_the_driver_runs(
    driver: str, platform: str, name: str
) -> None:
    made = automatic("cuda", nvidia(driver), platform=platform)
    assert made.backend.name == name
    assert made.backend.is_automatic
    assert (made.note or "").startswith(
        f"auto: NVIDIA driver {driver} (/sys/module/nvidia/version) → {name}"
    )


def test_auto_says_which_driver_a_newer_backend_needs() -> None:
    note = automatic("cuda", nvidia("550.144.03")).note
    assert note is not None
    assert note.endswith("→ cu126; cu130 needs 580")
    newest = automatic("cuda", nvidia("580.65.06")).note
    assert newest is not None
    assert newest.endswith("→ cu130")


@pytest.mark.parametrize(
    ("driver", "platform", "name"),
    [
        ("470.57.02", "linux", "cu118"),
        ("450.80.02", "linux", "cu118"),
        ("450.80", "linux", "cu110"),
        ("528.32", "win32", "cu118"),
        ("384.81", "linux", "cu90"),
    ],
)
def test_a_driver_too_old_for_what_auto_may_choose_gets_what_uv_would_give_it(
    driver: str, platform: str, name: str
) -> None:
    made = automatic("cuda", nvidia(driver), platform=platform)
    assert made.backend.name == name
    oldest = BACKENDS["cu126"].driver(platform)
    assert (made.note or "").endswith(
        f"→ {name}, which gets no new torch; cu126 needs {oldest}, cu130 needs 580"
    )


def test_a_driver_too_old_for_everything_is_told_what_is_needed() -> None:
    error = refusal("cuda", "auto", machine(nvidia("304.137")))
    assert "NVIDIA driver 304.137 (/sys/module/nvidia/version)" in error.message
    assert error.hint == (
        "cu126 needs 525.60.13, cu130 needs 580: update the driver, or use --cpu."
    )


@given(versions, versions, st.sampled_from(PLATFORMS))
def test_a_newer_driver_never_gets_an_older_backend(one: str, other: str, platform: str) -> None:
    older, newer = sorted((one, other), key=numbers)
    try:
        least = automatic("cuda", nvidia(older), platform=platform).backend
    except UsageError:
        return
    assert version(automatic("cuda", nvidia(newer), platform=platform).backend) >= version(least)


@given(versions, st.sampled_from(PLATFORMS))
def test_a_driver_runs_what_auto_gives_it(driver: str, platform: str) -> None:
    drivers = machine(nvidia(driver))
    try:
        backend = chosen("cuda", "auto", lambda: drivers, platform).backend
    except UsageError:
        assert all(warning(b, drivers, platform) for b in VERSIONED if b.kind == "cuda")
    else:
        assert numbers(backend.driver(platform)) <= numbers(driver)
        assert warning(backend, drivers, platform) is None


@pytest.mark.parametrize("architecture", torch.amd_backends())
def test_auto_takes_the_newest_automatic_backend_of_an_amd_gpu(architecture: str) -> None:
    made = automatic("rocm", amd(architecture))
    assert made == Choice(
        BACKENDS["rocm7.2"], f"auto: AMD GPU {architecture} (rocm_agent_enumerator) → rocm7.2"
    )


def test_an_amd_gpu_that_uv_does_not_know_is_named() -> None:
    error = refusal("rocm", "auto", machine(amd("gfx1036")))
    assert "AMD GPU gfx1036 (rocm_agent_enumerator)" in error.message
    assert error.hint == "Name a version, as in --rocm 7.2, or use --cpu."


@pytest.mark.parametrize("kind", ["cuda", "rocm"])
@pytest.mark.parametrize("value", ["auto", "AUTO", " Auto "])
def test_auto_without_such_hardware_says_what_was_looked_at_and_what_to_do(
    kind: str, value: str
) -> None:
    error = refusal(kind, value)
    assert all(place in error.message for place in PLACES[kind])
    assert f"--{kind} {'13.0' if kind == 'cuda' else '7.2'}" in (error.hint or "")
    assert "--cpu" in (error.hint or "")


def test_auto_without_such_hardware_names_what_was_found() -> None:
    message = refusal("rocm", "auto", machine(nvidia("550.1"), INTEL)).message
    assert "Found was: NVIDIA driver 550.1 (/sys/module/nvidia/version)." in message
    assert "Found was: Intel GPU 0000:00:02.0 (/sys/bus/pci/devices)." in message


# --- what a machine cannot run --------------------------------------------------------------------


def test_a_backend_that_the_driver_is_too_old_for_is_warned_of() -> None:
    told = warning(BACKENDS["cu130"], machine(nvidia("550.144.03")), "linux")
    assert told == (
        "cu130 needs NVIDIA driver 580 or newer; "
        "this machine has NVIDIA driver 550.144.03 (/sys/module/nvidia/version)."
    )
    assert warning(BACKENDS["cu126"], machine(nvidia("550.144.03")), "linux") is None


def test_the_platform_decides_which_driver_is_needed() -> None:
    drivers = machine(nvidia("526.1"))
    assert warning(BACKENDS["cu126"], drivers, "linux") is None
    assert "528.33" in (warning(BACKENDS["cu126"], drivers, "win32") or "")


def test_a_backend_that_is_not_built_for_the_amd_gpu_is_warned_of() -> None:
    drivers = machine(amd("gfx1151"))
    assert warning(BACKENDS["rocm7.2"], drivers, "linux") is None
    assert "gfx1151" in (warning(BACKENDS["rocm6.4"], drivers, "linux") or "")


@given(backends)
def test_nothing_is_warned_of_on_a_machine_without_such_hardware(backend: Backend) -> None:
    assert warning(backend, BARE, "linux") is None


@pytest.mark.parametrize("name", ["cpu", "xpu"])
def test_what_needs_no_driver_is_never_warned_of(name: str) -> None:
    assert warning(BACKENDS[name], machine(nvidia("1"), amd("gfx900"), INTEL), "linux") is None


@pytest.mark.parametrize(
    ("names", "found", "extra"),
    [
        (["cu126", "cpu"], [nvidia("550.1")], "cu126"),
        (["cpu", "cu126", "cu130"], [nvidia("580.1")], "cu130"),
        (["cpu", "cu126", "cu130"], [nvidia("550.1")], "cu126"),
        (["cpu", "cu130"], [nvidia("550.1")], "cpu"),
        (["cu126", "cpu"], [], "cpu"),
        (["cu126", "rocm7.2", "cpu"], [amd("gfx1100")], "rocm7.2"),
        (["xpu", "cpu"], [INTEL], "xpu"),
        (["xpu", "cpu"], [], "cpu"),
    ],
)
def test_of_several_backends_the_newest_that_runs_here_fits(
    names: list[str], found: list[Found], extra: str
) -> None:
    extras = {f"for-{name}": BACKENDS[name] for name in names}
    assert fitting(extras, machine(*found), "linux") == f"for-{extra}"


# --- where the wheels lie -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mirror", "expected"),
    [
        (None, ("https://download.pytorch.org/whl/rocm6.2.4", "simple")),
        ("official", ("https://download.pytorch.org/whl/rocm6.2.4", "simple")),
        ("nju", ("https://mirror.nju.edu.cn/pytorch/whl/rocm6.2.4", "simple")),
        ("NJU", ("https://mirror.nju.edu.cn/pytorch/whl/rocm6.2.4", "simple")),
        ("sjtu", ("https://mirror.sjtu.edu.cn/pytorch-wheels/rocm6.2.4", "simple")),
        ("aliyun", ("https://mirrors.aliyun.com/pytorch-wheels/rocm6.2.4/", "flat")),
        ("https://my.org/{backend}/simple", ("https://my.org/rocm6.2.4/simple", "simple")),
        ("http://127.0.0.1:8080/torch", ("http://127.0.0.1:8080/torch", "simple")),
        ("https://my.org/a@b/{other}", ("https://my.org/a@b/{other}", "simple")),
    ],
)
def test_an_index_lies_at_a_mirror_or_where_the_url_says(
    mirror: str | None, expected: tuple[str, str]
) -> None:
    assert index_url(BACKENDS["rocm6.2.4"], mirror) == expected


@pytest.mark.parametrize(
    "mirror",
    ["tuna", "nj", "mirror.nju.edu.cn/pytorch", "https://", "https://[", "file:///w", "/w"],
)
def test_a_mirror_that_is_unknown_and_no_url_is_refused_naming_those_that_exist(
    mirror: str,
) -> None:
    with pytest.raises(UsageError) as caught:
        index_url(BACKENDS["cu126"], mirror)
    assert mirror in caught.value.message
    assert all(name in (caught.value.hint or "") for name in torch.mirrors())


@pytest.mark.parametrize("scheme", ["https://", "http://", "ftp://", ""])
@pytest.mark.parametrize("user", ["user:s3cret", "s3cret"])
def test_a_password_in_a_url_is_refused_without_being_shown(scheme: str, user: str) -> None:
    with pytest.raises(UsageError) as caught:
        index_url(BACKENDS["rocm7.2"], f"{scheme}{user}@my.org/simple/{{backend}}")
    assert "s3cret" not in str(caught.value)
    assert "UV_INDEX_PYTORCH_ROCM7_2_PASSWORD" in (caught.value.hint or "")


@given(backends, st.sampled_from([None, *torch.mirrors()]), st.data())
def test_a_backend_is_known_by_its_url_however_that_is_spelled(
    backend: Backend, mirror: str | None, draw: st.DataObject
) -> None:
    parts = urlsplit(index_url(backend, mirror)[0])
    url = parts._replace(
        scheme=draw.draw(st.sampled_from(["http", "https", "HTTPS"])),
        netloc=draw.draw(st.sampled_from([parts.netloc, parts.netloc.upper()])),
        path=parts.path.rstrip("/") + draw.draw(st.sampled_from(["", "/", "//"])),
    ).geturl()
    assert backend_of_url(url) is backend


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://[",
        "cu126",
        "https://my.org/whl/cu126",
        "https://download.pytorch.org/whl",
        "https://download.pytorch.org/whl/cu999",
        "https://download.pytorch.org/whl/CU126",
        "https://download.pytorch.org/whl/nightly/cu126",
        "https://download.pytorch.org/whl/cu126/torch",
        "https://download.pytorch.org.evil.example/whl/cu126",
        "ftp://download.pytorch.org/whl/cu126",
    ],
)
def test_a_url_that_is_no_backends_index_is_none(url: str) -> None:
    assert backend_of_url(url) is None


@given(st.text(max_size=40))
def test_any_text_can_be_asked_for_its_backend(url: str) -> None:
    backend_of_url(url)
    backend_of_url(f"https://{url}")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://my.org/cu126", "https://my.org/cpu"),
        ("https://my.org/cu126/", "https://my.org/cpu/"),
        ("https://my.org/torch", None),
    ],
)
def test_another_backends_index_lies_beside_one_that_is_named_after_it(
    url: str, expected: str | None
) -> None:
    assert index_url_beside(BACKENDS["cpu"], BACKENDS["cu126"], url) == expected


# --- what was found -------------------------------------------------------------------------------


@given(versions)
def test_a_version_compares_by_its_numbers(text: str) -> None:
    assert numbers(text) == tuple(int(part) for part in text.split("."))


@pytest.mark.parametrize("text", [None, "", "1.", ".1", "1..2", "v1", "1 2", "1\n", "١", "1" * 10])
def test_what_is_no_version_has_no_numbers(text: str | None) -> None:
    assert numbers(text) == ()


def test_of_each_kind_what_was_found_is_told() -> None:
    drivers = machine(nvidia("550.1"), INTEL)
    assert drivers.of("cuda") == nvidia("550.1")
    assert drivers.of("rocm") is None
    assert str(drivers.of("xpu")) == "Intel GPU 0000:00:02.0 (/sys/bus/pci/devices)"
