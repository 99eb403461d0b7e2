"""Every kind of outcome as it looks: `python tools/gallery.py gallery.html`, for docs and eyes.

`--text 80` prints the same as a terminal of 80 columns shows it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from uvmagic.display import html, text
from uvmagic.display.pace import Moment
from uvmagic.outcome import Change, Finding, Outcome
from uvmagic.progress import Progress

MIB, GIB = 2**20, 2**30

_NEEDED = """
contourpy 1.4.0  cycler 0.12.1  fonttools 4.68.0  kiwisolver 1.5.1  numpy 2.5.5  packaging 26.4
pillow 13.0.0  pyparsing 3.3.3  python-dateutil 4.0.0  tzdata 2026.6
"""
_KERNEL = """
asttokens 3.0.2  attrs 26.1.0  comm 0.2.3  debugpy 1.8.22  executing 2.3.0  fastjsonschema 2.22.3
ipykernel 7.4.0  ipython 9.18.1  ipython-pygments-lexers 1.1.1  jedi 0.20.1  jsonschema 4.26.0
jsonschema-specifications 2025.9.1  jupyter-client 8.10.0  jupyter-core 5.9.1
markdown-it-py 4.3.0  matplotlib-inline 0.2.2  mdurl 0.1.2  nbclient 0.11.0  nbformat 5.11.1
nest-asyncio2 1.7.4  parso 0.8.7  pexpect 4.9.0  platformdirs 4.14.8  prompt-toolkit 3.0.53
psutil 7.2.2  ptyprocess 0.7.0  pure-eval 0.2.4  pygments 2.21.0  pyyaml 6.0.4  pyzmq 27.3.0
referencing 0.37.0  rich 15.0.0  rpds-py 2026.9.1  stack-data 0.6.3  tomlkit 0.15.2
tornado 6.6.1  traitlets 5.16.1  typing-extensions 4.16.0  uvmagic 0.8.0  wcwidth 0.9.4
"""


def _came(listed: str, role: str) -> list[Change]:
    words = listed.split()
    return [
        Change(name, None, version, role)  # type: ignore[arg-type]
        for name, version in zip(words[::2], words[1::2], strict=True)
    ]


_WHERE = (
    ("project", "decay in ~/physics/decay"),
    ("environment", "~/physics/decay/.venv (Python 3.12.4)"),
    ("kernel", "decay (uv)"),
)
_TORCH = """
nvidia-cublas-cu12 12.6.4.1  nvidia-cuda-cupti-cu12 12.6.80  nvidia-cuda-nvrtc-cu12 12.6.77
nvidia-cuda-runtime-cu12 12.6.77  nvidia-cudnn-cu12 9.10.2.21  nvidia-cufft-cu12 11.3.0.4
nvidia-cufile-cu12 1.11.1.6  nvidia-curand-cu12 10.3.7.77  nvidia-cusolver-cu12 11.7.1.2
nvidia-cusparse-cu12 12.5.4.2  nvidia-cusparselt-cu12 0.7.1  nvidia-nccl-cu12 2.27.5
nvidia-nvjitlink-cu12 12.6.85  nvidia-nvshmem-cu12 3.3.20  nvidia-nvtx-cu12 12.6.77
filelock 3.20.0  fsspec 2025.10.0  jinja2 3.1.6  markupsafe 3.0.4  mpmath 1.3.0  networkx 3.5
setuptools 80.9.0  sympy 1.14.0  triton 3.5.0
"""

OUTCOMES: dict[str, Outcome] = {
    "add, the first time": Outcome(
        "add",
        "Added pandas, matplotlib",
        (
            *_came("matplotlib 3.11.2  pandas 3.1.1", "asked"),
            *_came(_NEEDED, "needed"),
            *_came(_KERNEL, "kernel"),
        ),
        _WHERE,
        (
            "To be a kernel the project now has ipykernel and uvmagic (uvmagic version 0.8.0 from"
            " the index).",
            "Registered as the kernel “decay (uv)”.",
        ),
        ("From the next cell on this notebook runs in the project: import it there.",),
    ),
    "add, versions change": Outcome(
        "add",
        "Added numpy<2, scipy",
        (
            Change("numpy", "2.5.5", "1.26.4"),
            Change("scipy", None, "1.15.3"),
            Change("pandas", "3.1.1", "2.3.3", "needed"),
            Change("pytz", None, "2026.1", "needed"),
        ),
        _WHERE,
        (),
        (
            "Restart the kernel: it has loaded the old version of numpy 2.5.5 → 1.26.4."
            "  %uv kernel restart",
        ),
    ),
    "add, it is there": Outcome("add", "Already there: pandas 3.1.1", facts=_WHERE),
    "remove": Outcome(
        "remove",
        "Removed matplotlib",
        (
            Change("matplotlib", "3.11.2", None),
            *(
                Change(name, version, None, "needed")
                for name, version in (
                    ("contourpy", "1.4.0"),
                    ("cycler", "0.12.1"),
                    ("fonttools", "4.68.0"),
                    ("kiwisolver", "1.5.1"),
                    ("pillow", "13.0.0"),
                    ("pyparsing", "3.3.3"),
                )
            ),
        ),
        _WHERE,
    ),
    "add torch": Outcome(
        "add",
        "Added torch",
        (Change("torch", None, "2.9.1+cu126"), *_came(_TORCH, "needed")),
        _WHERE,
        (
            "torch 2.9.1+cu126: CUDA 12.6 on Linux x86-64, Linux ARM64, Windows; torch 2.15.0: CPU"
            " on macOS.",
            "Fetched: 24 distributions, 2.9 GiB; 3 more from the cache.",
        ),
        ("Import it in the next cell.",),
    ),
    "add, dry": Outcome(
        "add",
        "Would change this; nothing was changed (add --dry-run).",
        (Change("six", None, "1.17.0"),),
        listing=(
            "--- pyproject.toml",
            "+++ pyproject.toml",
            "@@ -3,4 +3,6 @@",
            ' version = "0.1.0"',
            "-dependencies = []",
            "+dependencies = [",
            '+    "six>=1.17.0",',
            "+]",
        ),
    ),
    "doctor": Outcome(
        "doctor",
        "1 error, 1 warning, 1 note.",
        facts=(
            ("uv", "0.13.9 (~/.local/bin/uv)"),
            ("project", "decay in ~/physics/decay"),
            ("cache", "/scratch/uv (UV_CACHE_DIR), over ~/.cache/uv"),
        ),
        next_steps=("%uv doctor --fix   does what is safe of this: lock-behind.",),
        exit_code=1,
        findings=(
            Finding(
                "error",
                "pyproject.toml, line 12: a password in the URL of the index internal.",
                "Whoever gets the project has it, and so has its history in version control.",
                "Take it out, and change it where it is for. uv finds those of an index in the"
                " environment:  UV_INDEX_INTERNAL_USERNAME, UV_INDEX_INTERNAL_PASSWORD",
                (),
                "credentials",
            ),
            Finding(
                "warning",
                "uv.lock is not what pyproject.toml asks for: it has no scipy.",
                "uv sync --locked  and a bundle refuse it.",
                "%uv sync",
                ("sync",),
                "lock-behind",
            ),
            Finding(
                "note",
                "torch is built for CUDA 12.6, and no NVIDIA driver was found here.",
                "It computes on the CPU here.",
                "%uv add torch --cpu   takes a smaller one, where it is not for another machine.",
                (),
                "driver-missing",
            ),
        ),
    ),
    "doctor, all is well": Outcome(
        "doctor", "All is well.", facts=(("uv", "0.13.9 (~/.local/bin/uv)"), *_WHERE[:2])
    ),
    "status": Outcome(
        "status",
        "This notebook runs in its project, decay.",
        facts=(
            ("notebook", "~/physics/decay/half_life.ipynb"),
            ("interpreter", "~/physics/decay/.venv (Python 3.12.4)"),
            ("project", "decay in ~/physics/decay"),
            (
                "environment",
                "~/physics/decay/.venv (Python 3.12.4, 412.7 MiB, 409.0 MiB of it linked from uv's"
                " cache)",
            ),
            ("lock", "agrees with pyproject.toml and the environment"),
            ("accelerator", "torch 2.9.1+cu126: CUDA 12.6 on Linux x86-64; 2.15.0: CPU on macOS"),
            ("kernel", "decay (uv), ready, this one"),
            ("uv", "0.13.9 (~/.local/bin/uv)"),
            ("bundle", "half_life-bundle, older than half_life.ipynb and uv.lock"),
        ),
    ),
    "scan": Outcome(
        "scan",
        "half_life.ipynb: 1 missing, 1 of an unknown distribution, 1 only through another.",
        facts=(("project", "decay"),),
        rows=(
            ("!", "yaml", "missing: pyyaml", "half_life.ipynb cell 1"),
            ("!", "labtools", "nothing here tells which distribution has it", "lib/io.py line 3"),
            ("~", "numpy", "only through matplotlib and pandas", "half_life.ipynb cell 1, 2 more"),
            ("=", "openpyxl", "not imported by name (pandas imports it by itself)", ""),
        ),
        next_steps=(
            "%uv scan --add  adds pyyaml.",
            "%uv add NAME  with the distribution that has labtools; labtools would be of the same"
            " name, and may be another's.",
        ),
        exit_code=1,
    ),
    "adopt": Outcome(
        "adopt",
        "Adopted environment.yml: 20 of 21 lines; 1 to look at",
        (Change("six", None, "1.16.0"), Change("torch", None, "2.1.2+cu118")),
        _WHERE,
        rows=(
            (
                "!",
                "8",
                "ffmpeg",
                "a program, which PyPI does not have: install it beside uv, by the system's"
                " package manager",
            ),
            ("~", "5", "pytorch=2.1", "torch==2.1.*; conda's pytorch is PyPI's torch"),
            ("~", "6", "pytorch-cuda=11.8", "--cuda 11.8: torch from the index of cu118"),
            ("+", "4", "python=3.11", 'requires-python = "==3.11.*"'),
            *(("+", str(n), f"package{n}=1.{n}", f"package{n}==1.{n}.*") for n in range(9, 26)),
        ),
        next_steps=("From the next cell on this notebook runs in the project: import it there.",),
    ),
    "bundle": Outcome(
        "bundle",
        "Bundled half_life.ipynb: 17 files, 1.2 MiB",
        facts=(
            ("bundle", "~/physics/decay/half_life-bundle"),
            ("python", "3.12"),
            ("accelerator", "cpu"),
            ("image", "python:3.12-slim-bookworm: all that is locked comes as wheels"),
            ("size", "about 370 MiB, 129 MiB to fetch"),
        ),
        rows=(
            ("", ".devcontainer/devcontainer.json", "412 B"),
            ("", "Dockerfile", "2.1 KiB"),
            *(("", f"data/run{n:02}.csv", f"{n + 1}.0 KiB") for n in range(15)),
        ),
        notes=("What the notebook file holds is bundled: save it first.",),
        next_steps=(
            "uvmagic rerun ~/physics/decay/half_life-bundle   runs it from nothing.",
            "docker build -t half_life ~/physics/decay/half_life-bundle   makes an image.",
        ),
    ),
    "rerun": Outcome(
        "rerun",
        "Reran half_life.ipynb from nothing in 6.1 s; no cell raised; 1 of 4 cells with outputs"
        " differs from what is saved.",
        facts=(
            ("bundle", "half_life-bundle"),
            ("engine", "local"),
            ("executed", "half_life-rerun.ipynb"),
            ("report", "half_life-rerun-compare.html"),
            ("code cell 3", "image: 211 of 307,200 pixels differ, the first at (40, 12)"),
        ),
        exit_code=1,
    ),
    "kernels": Outcome(
        "kernel",
        "2 kernels made by uvmagic",
        rows=(
            ("", "uvmagic-decay-1f3a9c", "decay (uv)", "ready", "~/physics/decay"),
            ("!", "uvmagic-old-77ab21", "old (uv)", "project gone", "~/physics/old"),
            ("", "python3", "Python 3 (ipykernel)", "foreign", ""),
        ),
        next_steps=("uvmagic kernel prune   removes those whose project is gone.",),
    ),
    "what users may write": Outcome(
        "add",
        "Added <script>alert(1)</script> & 数据分析 \x1b[31mred\x1b[0m",
        (Change("a<b>&", None, '1"'),),
        (("项目", "数据分析 in ~/数据/分析"), ("long", "x" * 90)),
    ),
}
"""By a name for people."""

MOMENTS: dict[str, Moment] = {
    "resolving": Moment(Progress("Resolving  matplotlib==3.11.2")),
    "downloading": Moment(
        Progress(
            "Downloading",
            round(1.24 * GIB),
            round(2.9 * GIB),
            ("torch", "nvidia-cublas-cu12", "nvidia-cudnn-cu12", "nvidia-nccl-cu12"),
        ),
        48.1 * MIB,
        27,
    ),
    "building": Moment(Progress("Building", building=("pyyaml", "markupsafe")), seconds=12),
    "both": Moment(
        Progress("Downloading", 3 * MIB, 16 * MIB, ("numpy",), ("pyyaml",)), 2.5 * MIB, 2
    ),
    "installing": Moment(Progress("Installing 31 of 54")),
}


def page() -> str:
    """All of it as one page."""
    shown = [(name, html.html(outcome)) for name, outcome in OUTCOMES.items()]
    shown += [(f"progress: {name}", html.moment(now)) for name, now in MOMENTS.items()]
    return _PAGE + "".join(f"<h2>{name}</h2>\n{fragment}\n" for name, fragment in shown)


_PAGE = """\
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>uvmagic: outcomes</title>
<meta name="viewport" content="width=device-width"><style>
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { margin: 1rem auto; max-width: 60rem; padding: 0 1rem; }
h2 { border-top: 1px solid; font-size: 1rem; margin-top: 2rem; opacity: .7; }
</style></head><body>
"""


def main() -> None:
    """Write the page, or print the text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=Path("gallery.html"))
    parser.add_argument("--text", type=int, metavar="COLUMNS")
    asked = parser.parse_args()
    if asked.text is None:
        asked.file.write_text(page(), encoding="utf-8")
        return
    for name, outcome in OUTCOMES.items():
        print(f"--- {name}\n{text.text(outcome, asked.text)}\n")
    for name, now in MOMENTS.items():
        print(f"--- progress: {name}\n{text.moment(now, asked.text)}\n")


if __name__ == "__main__":
    main()
