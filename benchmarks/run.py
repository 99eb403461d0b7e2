"""All figures, measured and drawn: `uv run python benchmarks/run.py`.

Every comparison is paired (one of each in turn, so that a drifting machine hits both) and told as
median with minimum and maximum. Results go to benchmarks/results.json, from there to the pictures
and tables of docs/figures.md and to the figures in README.md; `--draw` does only that. Words choose
subjects: `run.py kernel` runs those with "kernel" in their titles, and leaves the other results as
they are. Needs PyPI once, for what is compared and for the project that is a kernel.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's Python keeps its bytecode
os.environ.pop("VIRTUAL_ENV", None)

from benchmarks.adding import add_in_a_cell, add_of_what_is_there, load_ext  # noqa: E402
from benchmarks.bundle_image import image_by_docker, image_by_podman  # noqa: E402
from benchmarks.bundle_made import bundle_of_200, bundle_of_many_cells  # noqa: E402
from benchmarks.doctor import doctor, status  # noqa: E402
from benchmarks.kernel_first_start import kernel_first_start  # noqa: E402
from benchmarks.kernel_move import kernel_move, relayed_cell  # noqa: E402
from benchmarks.kernel_start import kernel_start, kernel_start_as_seen  # noqa: E402
from benchmarks.measure import UV, Figure  # noqa: E402
from benchmarks.peers import peers  # noqa: E402
from benchmarks.peers_adding import add_against_peers  # noqa: E402
from benchmarks.peers_starting import (  # noqa: E402
    first_cell_against_peers,
    headless_against_peers,
)
from benchmarks.pytorch import add_torch, audit_of_a_lock, planning_a_choice  # noqa: E402
from benchmarks.report import RESULTS, reported  # noqa: E402
from benchmarks.rerun_local import rerun_local  # noqa: E402
from benchmarks.scanning import scan_of_a_large_one, scan_of_many  # noqa: E402
from benchmarks.stale_modules import stale_modules  # noqa: E402

SUBJECTS = {
    "add in a cell": add_in_a_cell,
    "add against peers": add_against_peers,
    "add of what is there": add_of_what_is_there,
    "load_ext": load_ext,
    "add torch": add_torch,
    "audit of 500 packages": audit_of_a_lock,
    "planning --cuda": planning_a_choice,
    "stale modules": stale_modules,
    "first cell against peers": first_cell_against_peers,
    "headless run against peers": headless_against_peers,
    "kernel start": kernel_start,
    "kernel start, as jupyter_client waits": kernel_start_as_seen,
    "kernel's first start": kernel_first_start,
    "kernel move": kernel_move,
    "cell in a kernel that has moved": relayed_cell,
    "bundle of 200 distributions": bundle_of_200,
    "bundle of many cells": bundle_of_many_cells,
    "image after an edit, docker": image_by_docker,
    "image after an edit, podman": image_by_podman,
    "rerun, local": rerun_local,
    "scan of many notebooks": scan_of_many,
    "scan of a large notebook": scan_of_a_large_one,
    "doctor": doctor,
    "status": status,
}


def main() -> int:
    """Run all or what is chosen, then draw; gives 1 where a subject failed or has no results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--runs", type=int, default=15)
    parser.add_argument("--draw", action="store_true", help="measure nothing: draw what is there")
    parser.add_argument("words", nargs="*", metavar="WORD", help="subjects; all by default")
    asked = parser.parse_args()
    chosen = [
        title for title in SUBJECTS if not asked.words or any(w in title for w in asked.words)
    ]
    if not chosen:
        parser.error(f"the subjects are: {', '.join(SUBJECTS)}")
    failed = [] if asked.draw else _measure(chosen, asked.runs)
    if failed:
        print(f"Failed, their earlier results kept: {', '.join(failed)}.", file=sys.stderr)
    try:
        files = reported()
    except KeyError as missing:
        print(f"Nothing was drawn: there are no results of {missing}.", file=sys.stderr)
        return 1
    for file, content in files.items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return int(bool(failed))


def _measure(chosen: list[str], runs: int) -> list[str]:
    """Measure, and write each subject's results when they are there; gives those that failed."""
    failed = []
    with tempfile.TemporaryDirectory() as own:
        for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "UV_CACHE_DIR"):
            os.environ[name] = str(Path(own) / name.lower())
        for title in chosen:
            print(f"{title} (load {os.getloadavg()[0]:.1f})", flush=True)
            began = time.monotonic()
            try:
                found = SUBJECTS[title](runs)
            except Exception:  # whatever it is, the others are measured all the same
                traceback.print_exc()
                failed.append(title)
            else:
                for name, values in found.items():
                    print(f"  {name:<34} {values}", flush=True)
                _write(title, found)
            print(f"  took {time.monotonic() - began:.0f} s", flush=True)
    return failed


def _write(title: str, found: dict[str, Figure]) -> None:
    """Write a subject's results; those of others stay, if they are of this machine."""
    told = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    kept = told.get("results", {}) if told.get("machine") == _machine() else {}
    versions = peers().versions() if "peers" in title else told.get("peers", {})
    results = {t: r for t in SUBJECTS if (r := found if t == title else kept.get(t)) is not None}
    told = {"machine": _machine(), "peers": versions, "results": results}
    RESULTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


@functools.cache
def _machine() -> str:
    """What it was measured on and with."""
    command = [UV, "--version"]
    uv = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[1]
    system = f"{platform.system()} {platform.machine()}"
    parts = [system, *_processor(), f"{os.cpu_count()} cores", f"uv {uv}"]
    return ", ".join([*parts, f"Python {platform.python_version()}"])


def _processor() -> list[str]:
    """Its name, where Linux tells it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return [line.partition(":")[2].strip()]
    return []


if __name__ == "__main__":
    sys.exit(main())
