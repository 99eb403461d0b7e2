"""The figures that README promises, measured: `uv run python benchmarks/run.py`.

Every comparison is paired (one of each in turn, so that a drifting machine hits both) and told as
median with minimum and maximum. Results go to benchmarks/results.json. Words choose subjects:
`run.py kernel` runs those with "kernel" in their titles, and leaves the other results as they are.
Needs PyPI once, for the project that is a kernel; what is timed needs only a loopback index.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
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
from benchmarks.pytorch import add_torch, audit_of_a_lock, planning_a_choice  # noqa: E402
from benchmarks.rerun_local import rerun_local  # noqa: E402
from benchmarks.scanning import scan_of_a_large_one, scan_of_many  # noqa: E402
from benchmarks.stale_modules import stale_modules  # noqa: E402

SUBJECTS = {
    "add in a cell": add_in_a_cell,
    "add of what is there": add_of_what_is_there,
    "load_ext": load_ext,
    "add torch": add_torch,
    "audit of 500 packages": audit_of_a_lock,
    "planning --cuda": planning_a_choice,
    "stale modules": stale_modules,
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


def main() -> None:
    """Run all or what is chosen, print a table, write results.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--runs", type=int, default=15)
    parser.add_argument("words", nargs="*", metavar="WORD", help="subjects; all by default")
    asked = parser.parse_args()
    chosen = [
        title for title in SUBJECTS if not asked.words or any(w in title for w in asked.words)
    ]
    if not chosen:
        parser.error(f"the subjects are: {', '.join(SUBJECTS)}")
    results: dict[str, dict[str, Figure]] = {}
    with tempfile.TemporaryDirectory() as own:
        for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "UV_CACHE_DIR"):
            os.environ[name] = str(Path(own) / name.lower())
        for title in chosen:
            print(f"{title} (load {os.getloadavg()[0]:.1f})", flush=True)
            results[title] = SUBJECTS[title](asked.runs)
            for name, values in results[title].items():
                print(f"  {name:<34} {values}", flush=True)
    _write(HERE / "results.json", results)


def _write(file: Path, results: dict[str, dict[str, Figure]]) -> None:
    """Write the results; those of subjects that were not run stay, if they are of this machine."""
    version = subprocess.run([UV, "--version"], capture_output=True, text=True, check=True).stdout
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {version.strip()}"
    machine += f", Python {platform.python_version()}"
    before = json.loads(file.read_text()) if file.exists() else {}
    kept = before["results"] if before.get("machine") == machine else {}
    merged = {t: r for t in SUBJECTS if (r := results.get(t, kept.get(t))) is not None}
    file.write_text(json.dumps({"machine": machine, "results": merged}, indent=1) + "\n")


if __name__ == "__main__":
    main()
