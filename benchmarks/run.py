"""The figures that README promises, measured: `uv run python benchmarks/run.py`.

Every comparison is paired (one of each in turn, so that a drifting machine hits both) and told as
median with minimum and maximum. Results go to benchmarks/results.json. Needs PyPI once, for the
kernel of the project; what is timed needs only a loopback index.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from index import PackageIndex, wheel  # noqa: E402
from kernels import Kernel  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's Python keeps its bytecode
os.environ.pop("VIRTUAL_ENV", None)
UV = os.environ.get("UV", "uv")

Figure = dict[str, float]


def figure(seconds: list[float]) -> Figure:
    """Median, minimum and maximum, in milliseconds."""
    times = [1000 * value for value in seconds]
    return {
        "median_ms": round(statistics.median(times), 1),
        "min_ms": round(min(times), 1),
        "max_ms": round(max(times), 1),
        "runs": len(times),
    }


def timed(work: Callable[[], object]) -> float:
    """How long something takes, in seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def uv(folder: Path, *arguments: str) -> None:
    """Bare uv, its output read as a notebook would read it."""
    subprocess.run([UV, *arguments], cwd=folder, check=True, capture_output=True)


def project(folder: Path, index: PackageIndex, *requirements: str) -> Path:
    """A project that has something already, so that an add is a user's ordinary add."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "bench"\nversion = "0"\nrequires-python = ">=3.11"\n'
        f'dependencies = []\n\n[[tool.uv.index]]\nurl = "{index.url}"\ndefault = true\n'
    )
    uv(folder, "add", *requirements)
    return folder


def add_in_a_cell(runs: int) -> dict[str, Figure]:
    """`%uv add new` in a cell of a real kernel, and `uv add new` from a process, in turn.

    Warm: uv's cache has the distribution. Both projects hold 30 distributions; each run removes
    the new one again, untimed.
    """
    bare, cell = [], []
    with PackageIndex() as index, tempfile.TemporaryDirectory() as scratch:
        index.add(*(wheel(f"base{n}", "1.0") for n in range(30)), wheel("new", "1.0"))
        base = [f"base{n}" for n in range(30)]
        one = project(Path(scratch) / "one", index, *base)
        two = project(Path(scratch) / "two", index, *base)
        with Kernel("python3", two) as kernel:
            kernel.run("%load_ext uvmagic\n%config UvMagics.auto_register = False")
            for run in range(runs + 1):
                first = timed(lambda: uv(one, "add", "new"))
                second = timed(lambda: kernel.run("%uv add new"))
                if run:  # the first fills caches
                    bare.append(first)
                    cell.append(second)
                uv(one, "remove", "new")
                uv(two, "remove", "new")
    over = [1000 * (b - a) for a, b in zip(bare, cell, strict=True)]
    ratio = statistics.median(b / a for a, b in zip(bare, cell, strict=True))
    difference = round(statistics.median(over), 1)
    return {
        "bare uv add": figure(bare),
        "%uv add in a cell": figure(cell),
        "difference, paired": {"median_ms": difference, "median_ratio": round(ratio, 3)},
    }


def add_of_what_is_there(runs: int) -> dict[str, Figure]:
    """`%uv add` of what is there, timed inside the kernel, and an empty cell's round trip."""
    with PackageIndex() as index, tempfile.TemporaryDirectory() as scratch:
        index.add(*(wheel(f"base{n}", "1.0") for n in range(30)))
        folder = project(Path(scratch) / "one", index, "base0")
        with Kernel("python3", folder) as kernel:
            kernel.run("%load_ext uvmagic\n%config UvMagics.auto_register = False")
            kernel.run("%uv add " + " ".join(f"base{n}" for n in range(30)))
            inside = [_inside(kernel) for _ in range(runs)]
            round_trip = [timed(lambda: kernel.run("%uv add base0 base1")) for _ in range(runs)]
            nothing = [timed(lambda: kernel.run("pass")) for _ in range(runs)]
        first = []
        for _ in range(runs):
            with Kernel("python3", folder) as kernel:
                kernel.run("%load_ext uvmagic\n%config UvMagics.auto_register = False")
                first.append(_inside(kernel))
    return {
        "first in a new kernel": figure(first),
        "later, inside the kernel": figure(inside),
        "cell, round trip": figure(round_trip),
        "empty cell, round trip": figure(nothing),
    }


def _inside(kernel: Kernel) -> float:
    """What `%uv add` of what is there takes, by the kernel's own clock, in seconds."""
    text = kernel.run(
        "import time; _t = time.perf_counter()\n%uv add base0 base1\n"
        "print('took', time.perf_counter() - _t)"
    ).text
    if "Already there" not in text:
        raise RuntimeError(text)
    return float(text.split("took")[1])


def load_ext(runs: int) -> dict[str, Figure]:
    """`%load_ext uvmagic` in fresh IPython shells."""
    code = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
began = time.perf_counter()
shell.run_line_magic("load_ext", "uvmagic")
print(time.perf_counter() - began)
"""
    times = []
    for run in range(runs + 1):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        if run:  # the first writes the bytecode
            times.append(float(done.stdout.split()[-1]))
    return {"%load_ext uvmagic": figure(times)}


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
    from uvmagic import data
    from uvmagic.accelerator.arrangement import arranged
    from uvmagic.accelerator.choice import index_url
    from uvmagic.accelerator.present import Placed

    backend = data.backends()["cu126"]
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


def kernel_start(runs: int) -> dict[str, Figure]:
    """From nothing to the first reply: ipykernel's own kernelspec, the project's, the one for all.

    In turn, warm, in one project's environment; the first two start the same interpreter.
    """
    times: dict[str, list[float]] = {"ipykernel": [], "registered": [], "uv": []}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "study"
        folder.mkdir()
        os.environ["JUPYTER_DATA_DIR"] = str(Path(scratch) / "data")
        for call in (["init"], ["kernel", "install", "--json"], ["kernel", "install", "uv"]):
            done = subprocess.run(
                [sys.executable, "-m", "uvmagic", *call],
                cwd=folder,
                check=True,
                capture_output=True,
                text=True,
            )
            if "--json" in call:
                registered = json.loads(done.stdout)["kernels"][0]["name"]
        plain = Path(scratch) / "data" / "kernels" / "plain" / "kernel.json"
        plain.parent.mkdir()
        spec = json.loads((plain.parents[1] / registered / "kernel.json").read_text())
        plain.write_text(json.dumps({**spec, "argv": spec["argv"][:-2]}))
        names = {"ipykernel": "plain", "registered": registered, "uv": "uv"}
        for run in range(runs + 1):
            for kind, name in names.items():
                began = time.perf_counter()
                with Kernel(name, folder) as kernel:
                    kernel.run("1")
                    if run:
                        times[kind].append(time.perf_counter() - began)
        del os.environ["JUPYTER_DATA_DIR"]
    base = times["ipykernel"]
    ratios = {
        f"{kind} over ipykernel, paired": {
            "median_ratio": round(
                statistics.median(b / a for a, b in zip(base, times[kind], strict=True)), 3
            )
        }
        for kind in ("registered", "uv")
    }
    return {kind: figure(found) for kind, found in times.items()} | ratios


def stale_modules(runs: int) -> dict[str, Figure]:
    """The check after a change, with 2,000 modules loaded from 100 distributions."""
    from uvmagic.kernel import live
    from uvmagic.outcome import Change

    before_times, after_times = [], []
    with tempfile.TemporaryDirectory() as scratch:
        site_packages = Path(scratch)
        for n in range(100):
            rows = []
            for m in range(20):
                file = site_packages / f"bench{n}" / f"m{m}.py"
                name = f"bench{n}.m{m}"
                module = type(sys)(name)
                module.__file__ = str(file)
                sys.modules[name] = module
                rows.append(f"bench{n}/m{m}.py,sha256={n}{m},1\n")
            folder = site_packages / f"bench{n}-1.dist-info"
            folder.mkdir()
            (folder / "RECORD").write_text("".join(rows))
        changes = [Change(f"bench{n}", "1", "1") for n in range(100)]
        for _ in range(runs):
            began = time.perf_counter()
            before = live.Before.of(site_packages)
            before_times.append(time.perf_counter() - began)
            began = time.perf_counter()
            if live.stale(changes, site_packages, before):
                raise RuntimeError("a false alarm")
            after_times.append(time.perf_counter() - began)
        for name in [name for name in sys.modules if name.startswith("bench")]:
            del sys.modules[name]
    return {"noted before": figure(before_times), "checked after": figure(after_times)}


def main() -> None:
    """Run all, print a table, write results.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as own:
        for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "UV_CACHE_DIR"):
            os.environ[name] = str(Path(own) / name.lower())
        results = {
            "add in a cell": add_in_a_cell(runs),
            "add of what is there": add_of_what_is_there(runs),
            "load_ext": load_ext(runs),
            "add torch": add_torch(runs),
            "audit of 500 packages": audit_of_a_lock(runs),
            "planning --cuda": planning_a_choice(runs),
            "stale modules": stale_modules(runs),
            "kernel start": kernel_start(runs),
        }
    version = subprocess.run([UV, "--version"], capture_output=True, text=True, check=True).stdout
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {version.strip()}"
    machine += f", Python {platform.python_version()}"
    for title, figures in results.items():
        print(title)
        for name, values in figures.items():
            print(f"  {name:<24} {values}")
    told = {"machine": machine, "results": results}
    (HERE / "results.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
