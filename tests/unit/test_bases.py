"""What a bundle's image stands on, from the lock alone."""

from __future__ import annotations

import pytest

from uvmagic.accelerator.audit import LINUX, Build, Verdict
from uvmagic.bundle.bases import Base, Needs, choose
from uvmagic.errors import BundleRefused
from uvmagic.lockfile import Lockfile
from uvmagic.lockfile.target import Target
from uvmagic.lockfile.walk import Closure, walk
from uvmagic.system.images import of_repository

TARGET = Target(LINUX, "3.12")
LOCK = """version = 1
revision = 3
requires-python = ">=3.12"

[[package]]
name = "p"
version = "1"
source = { virtual = "." }
dependencies = [
    { name = "torchvision" },
    { name = "numpy" },
    { name = "kernels" },
    { name = "own" },
]

[[package]]
name = "kernels"
version = "2.0"
source = { registry = "https://index.invalid/simple" }
dependencies = [{ name = "torch" }, { name = "einops" }]
sdist = { url = "https://index.invalid/kernels-2.0.tar.gz", hash = "sha256:00" }

[[package]]
name = "own"
version = "1.0"
source = { path = "wheels/own-1.0-py3-none-any.whl" }
wheels = [{ filename = "own-1.0-py3-none-any.whl", hash = "sha256:00" }]
"""
EDGES: dict[str, tuple[str, ...]] = {
    "einops": (),
    "numpy": (),
    "mpmath": (),
    "sympy": ("mpmath",),
    "nvidia-cudnn-cu12": (),
    "torch": ("sympy", "nvidia-cudnn-cu12"),
    "torchvision": ("torch", "numpy"),
}
VERSIONS = {"torch": "2.9.1+cu126", "nvidia-cudnn-cu12": "9.10.2.21"}
CUDA = Verdict(TARGET, Build.CUDA, "2.9.1+cu126", "12.6")


def package(name: str) -> str:
    version = VERSIONS.get(name, "1.0")
    edges = ", ".join(f'{{ name = "{edge}" }}' for edge in EDGES[name])
    return f"""
[[package]]
name = "{name}"
version = "{version}"
source = {{ registry = "https://index.invalid/simple" }}
dependencies = [{edges}]
wheels = [{{ url = "https://index.invalid/{name}-{version}-py3-none-any.whl", hash = "sha256:00" }}]
"""


def closure(*, without: str = "") -> Closure:
    text = LOCK.replace(f'    {{ name = "{without}" }},\n', "")
    return walk(Lockfile(text + "".join(map(package, EDGES))), TARGET, root="p")


def chosen(needs: Needs, asked: str | None = None) -> Base:
    return choose(asked, needs, uv="0.13.9", python="3.12")


def test_what_only_torch_needs_comes_with_it() -> None:
    found = closure()
    assert found.only_through("torch") == {"torch", "sympy", "mpmath", "nvidia-cudnn-cu12"}
    assert found.only_through("torchvision") == {"torchvision"}
    assert found.only_through("kernels") == {"kernels", "einops"}
    assert found.only_through("nothing") == set()


def test_a_lock_tells_what_it_needs_of_an_image() -> None:
    needs = Needs.of(closure(), CUDA)
    assert (needs.torch, needs.cuda, needs.cudnn) == ("2.9.1", "12.6", "9")
    assert needs.with_torch == {"torch", "sympy", "mpmath", "nvidia-cudnn-cu12"}
    assert (needs.from_source, needs.against_torch) == (("kernels",), ("kernels",))
    on_cpu = Needs.of(closure(), Verdict(TARGET, Build.CPU, "2.9.1+cpu"))
    assert on_cpu == Needs(from_source=("kernels",))


def test_it_is_chosen_by_what_is_locked() -> None:
    plain = chosen(Needs())
    assert (plain.kind, plain.final) == ("uv", "python:3.12-slim-trixie")
    assert plain.builder == plain.uv
    assert plain.builder.endswith("uv:0.13.9-python3.12-trixie-slim")
    cuda = chosen(Needs.of(closure(without="kernels"), CUDA))
    assert (cuda.kind, cuda.final, cuda.has) == ("uv", plain.final, frozenset())
    assert "CUDA's libraries come as packages, the driver is the host's" in cuda.why


def test_what_has_no_wheel_is_built_by_a_compiler_that_stays_behind() -> None:
    base = chosen(Needs(from_source=("slow",)))
    assert base.builder.endswith("uv:0.13.9-python3.12-trixie")
    assert base.final == "python:3.12-slim-trixie"
    assert "a compiler builds slow, which has no wheel" in base.why


def test_what_is_built_against_torch_is_built_in_an_image_that_has_it() -> None:
    base = chosen(Needs.of(closure(), CUDA))
    assert base.kind == "pytorch"
    assert base.builder == "pytorch/pytorch:2.9.1-cuda12.6-cudnn9-devel"
    assert base.final == "pytorch/pytorch:2.9.1-cuda12.6-cudnn9-runtime"
    assert "a compiler builds kernels, which has no wheel" in base.why


def test_pytorchs_image_is_the_runtime_one() -> None:
    base = chosen(Needs.of(closure(without="kernels"), CUDA), "pytorch")
    assert base.builder == base.final == "pytorch/pytorch:2.9.1-cuda12.6-cudnn9-runtime"
    assert base.torch == "2.9.1"
    assert "torch 2.9.1 for CUDA 12.6 is in it already" in base.why


@pytest.mark.parametrize(
    "needs",
    [Needs(), Needs(torch="2.9.1", cuda="12.6"), Needs(torch="2.9.1", cudnn="9")],
    ids=["no CUDA", "no cuDNN", "an unknown CUDA"],
)
def test_pytorchs_image_is_refused_where_none_has_what_is_locked(needs: Needs) -> None:
    with pytest.raises(BundleRefused, match="--base uv"):
        chosen(needs, "pytorch")


def test_an_older_python_stands_on_the_debian_that_still_has_it() -> None:
    base = choose(None, Needs(), uv="0.13.9", python="3.8")
    assert (base.builder.rpartition(":")[2], base.final) == (
        "0.13.9-python3.8-bookworm-slim",
        "python:3.8-slim-bookworm",
    )
    with pytest.raises(BundleRefused, match=r"no image of Python 3\.7"):
        choose(None, Needs(), uv="0.13.9", python="3.7")
    assert "python3.8" in choose("mine:1", Needs(), uv="0.13.9", python="3.7").uv


def test_an_image_of_the_users_own_is_taken_as_it_is() -> None:
    base = chosen(Needs.of(closure(), CUDA), "team/base@sha256:0f")
    assert (base.kind, base.builder, base.final) == ("own", *["team/base@sha256:0f"] * 2)
    assert base.pinned(lambda _: "sha256:99").final == "team/base@sha256:0f"


def test_each_image_is_pinned_where_its_digest_is_known() -> None:
    known = {"python:3.12-slim-trixie": "sha256:0f"}
    base = chosen(Needs()).pinned(known.get)
    assert base.final == "python:3.12-slim-trixie@sha256:0f"
    assert base.builder == chosen(Needs()).builder


@pytest.mark.parametrize(
    ("said", "digest"),
    [
        ('["python@sha256:0f"]', "sha256:0f"),
        ('["docker.io/library/python@sha256:0f","localhost/python@sha256:1a"]', "sha256:0f"),
        ('time="now" level=warning\n["python@sha256:2b","python@sha256:0f"]\n', "sha256:0f"),
        ('["other/python@sha256:0f"]', None),
        ("[]", None),
        ("[", None),
        ("null", None),
        ("Error: no such image", None),
    ],
)
def test_a_tool_tells_the_digest_of_an_image_that_it_has(said: str, digest: str | None) -> None:
    assert of_repository(said, "python:3.12-slim-trixie") == digest
