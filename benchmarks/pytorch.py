"""PyTorch's builds: an add with `--cuda`, its planning, and the judging of a lock."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import tomllib
from pathlib import Path

from index import PackageIndex, wheel
from kernels import Kernel

from benchmarks.measure import HERE, Figure, figure, project, timed, uv


def add_torch(runs: int) -> dict[str, Figure]:
    """`%uv add torch --cuda 126` in a cell, and `uv add torch` where all is written by hand.

    In turn, warm, over loopback indexes; uvmagic writes index and sources each time, judges the
    lock for Linux and for each platform, and reads the wheel's own metadata.
    """
    libraries = [f"nvidia-{name}-cu12" for name in ("cublas", "cuda-runtime", "cudnn", "nccl")]
    needs = [f'{name}==12 ; sys_platform == "linux"' for name in libraries]
    bare, cell = [], []
    with PackageIndex() as index, PackageIndex() as cu126, tempfile.TemporaryDirectory() as scratch:
        index.add(*(wheel(f"base{n}", "1.0") for n in range(30)))
        index.add(*(wheel(name, "12") for name in libraries), wheel("torch", "2.9.1"))
        for cpython in ("cp311", "cp312", "cp313"):
            for tag in ("manylinux_2_28_x86_64", "win_amd64"):
                tags = f"{cpython}-{cpython}-{tag}"
                cu126.add(wheel("torch", "2.9.1+cu126", requires=needs, tag=tags))
        base = [f"base{n}" for n in range(30)]
        one = project(Path(scratch) / "one", index, *base)
        two = project(Path(scratch) / "two", index, *base)
        with (one / "pyproject.toml").open("a") as file:
            file.write(f"""
[[tool.uv.index]]
name = "pytorch-cu126"
url = "{cu126.url}"
explicit = true

[tool.uv.sources]
torch = [{{ index = "pytorch-cu126", marker = "sys_platform == 'linux'" }}]
""")
        by_hand = (one / "pyproject.toml").read_text()
        with Kernel("python3", two) as kernel:
            kernel.run("%load_ext uvmagic\n%config UvMagics.auto_register = False")
            for run in range(runs + 1):
                first = timed(lambda: uv(one, "add", "torch"))
                call = f"%uv add torch --cuda 126 --mirror {cu126.url}"
                second = timed(lambda: kernel.run(call))  # noqa: B023  called at once
                if run:
                    bare.append(first)
                    cell.append(second)
                uv(one, "remove", "torch")
                (one / "pyproject.toml").write_text(by_hand)
                kernel.run("%uv remove torch")
    over = [1000 * (b - a) for a, b in zip(bare, cell, strict=True)]
    return {
        "bare uv add, all by hand": figure(bare),
        "%uv add torch --cuda 126": figure(cell),
        "difference, paired": {"median_ms": round(statistics.median(over), 1)},
    }


def audit_of_a_lock(runs: int) -> dict[str, Figure]:
    """A lock of 500 packages, 20 wheels each: uv's plan, and what the audit takes on top of it."""
    from uvmagic.accelerator import audit
    from uvmagic.lockfile import Lockfile
    from uvmagic.lockfile.target import Target
    from uvmagic.system.plan import planned
    from uvmagic.system.uv import environment_for_uv, find_uv

    found = find_uv(os.environ)
    plans, verdicts, walks = [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pyproject, lock = lock_of_500()
        (folder / "pyproject.toml").write_text(pyproject)
        (folder / "uv.lock").write_text(lock)
        environ = environment_for_uv(os.environ)
        for _ in range(runs):
            began = time.perf_counter()
            plan = planned(found, cwd=folder, environ=environ, platform=audit.LINUX)
            plans.append(time.perf_counter() - began)
            target = Target(audit.LINUX, plan.python)
            began = time.perf_counter()
            verdict = audit.audit(Lockfile(lock), plan.versions, target)
            verdicts.append(time.perf_counter() - began)
            if not verdict.is_right or len(plan.versions) != 500:
                raise RuntimeError(f"{verdict} {len(plan.versions)} {plan.refusal}")
            began = time.perf_counter()
            audit.builds(Lockfile(lock), plan.python, root="bench")
            walks.append(time.perf_counter() - began)
    return {
        "uv's own plan": figure(plans),
        "the audit, on top of it": figure(verdicts),
        "the walk, four platforms": figure(walks),
    }


def lock_of_500() -> tuple[str, str]:
    """pyproject.toml and uv.lock of a project that needs 500 distributions, torch among them."""
    names = [f"package-{n}" for n in range(495)]
    libraries = [f"nvidia-{name}-cu12" for name in ("cublas", "cuda-runtime", "cudnn", "nccl")]
    markers = [
        "",
        ", marker = \"sys_platform == 'linux'\"",
        ", marker = \"python_full_version < '4'\"",
    ]
    needs = {name: names[n + 1 : n + 5] for n, name in enumerate(names)}
    needs |= {"torch": libraries, **{library: [] for library in libraries}}
    tags = [f"cp3{minor}-cp3{minor}" for minor in range(10, 15)]
    platforms = [
        "manylinux_2_28_x86_64",
        "manylinux_2_28_aarch64",
        "win_amd64",
        "macosx_11_0_arm64",
    ]
    blocks = []
    for name in sorted(needs):
        version = "2.9.1+cu126" if name == "torch" else "1.0"
        edges = "".join(
            f'    {{ name = "{need}"{markers[n % 3]} }},\n' for n, need in enumerate(needs[name])
        )
        wheels = "".join(
            f'    {{ url = "https://index.invalid/{name}/{name.replace("-", "_")}-{version}-'
            f'{tag}-{place}.whl", hash = "sha256:{"0" * 64}", size = 1234567 }},\n'
            for tag in tags
            for place in platforms
        )
        dependencies = f"dependencies = [\n{edges}]\n" if edges else ""
        blocks.append(
            f'[[package]]\nname = "{name}"\nversion = "{version}"\n'
            f'source = {{ registry = "https://index.invalid/simple" }}\n{dependencies}'
            f"wheels = [\n{wheels}]\n\n"
        )
    pyproject = (
        '[project]\nname = "bench"\nversion = "0"\nrequires-python = ">=3.11"\n'
        'dependencies = ["package-0", "torch"]\n'
    )
    own = (
        '[[package]]\nname = "bench"\nversion = "0"\nsource = { virtual = "." }\n'
        'dependencies = [\n    { name = "package-0" },\n    { name = "torch" },\n]\n\n'
    )
    return pyproject, 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n\n' + own + "".join(
        blocks
    )


def planning_a_choice(runs: int) -> dict[str, Figure]:
    """`--cuda 126` planned for a new project, for this one, and for one of 1,000 lines."""
    from uvmagic.accelerator.arrangement import arranged
    from uvmagic.accelerator.choice import index_url
    from uvmagic.accelerator.present import Placed
    from uvmagic.data import torch

    backend = torch.backends()["cu126"]
    placed, gets = [Placed(backend, *index_url(backend))], {"torch": "torch"}
    own = (HERE.parent / "pyproject.toml").read_text(encoding="utf-8")
    small = '[project]\nname = "study"\nversion = "0"\ndependencies = [\n    "torch>=2",\n]\n'
    tools = "".join(
        f'\n# about tool {n}\n[tool.other{n}]\nselect = ["a", "b"]  # why\nnested = {{ x = 1 }}\n'
        for n in range(170)
    )
    texts = {"a new project": small, "this project": own, "1,000 lines": own + tools}
    return {
        name: figure(
            [
                timed(lambda: arranged(text, parsed=parsed, placed=placed, gets=gets))  # noqa: B023
                for _ in range(runs + 1)
            ][1:]
        )
        for name, text in texts.items()
        for parsed in [tomllib.loads(text)]  # as every command finds its project
    }
