"""A bundle's image beside what people write by hand: how long an edit takes, and how large it is.

Beside it stand the plain Dockerfile and uv's own multistage example. repo2docker's cannot be built
where nothing but PyPI is in reach: it begins with micromamba from elsewhere. All of them stand on
the same stand-ins for the base images (tests/containers.py). Needs root, docker.io and podman.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from containers import PYTHON, fast_folder, make_root
from docker import Docker
from podman import Podman

from benchmarks.measure import HERE, UV, Figure, compared, figure, timed, uvmagic

if TYPE_CHECKING:
    from containers import Engine

_NOTEBOOK = """{"cells": [
 {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": null, "outputs": [],
  "source": "import matplotlib.pyplot as plt\\nimport numpy as np\\nimport pandas as pd"},
 {"cell_type": "code", "id": "b", "metadata": {}, "execution_count": null, "outputs": [],
  "source": "pd.DataFrame({'x': np.arange(EDIT)}).plot()"}
], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}"""
_REQUIREMENTS = ("numpy", "pandas", "matplotlib", "ipykernel", "papermill")
_ROUNDS = 5


@dataclass(frozen=True)
class _Study:
    """One project, and what is built from it: a context for each kind of Dockerfile."""

    folder: Path
    contexts: dict[str, Path]

    def edit(self, edition: int) -> None:
        """Another notebook: in the contexts that are the project itself, and in a new bundle."""
        notebook = self.folder / "analysis.ipynb"
        notebook.write_text(_NOTEBOOK.replace("EDIT", str(edition)))
        uvmagic(self.folder, "bundle", "analysis.ipynb", "-o", str(self.contexts["bundle"]))
        for kind in ("plain", "multistage"):
            shutil.copy(notebook, self.contexts[kind])


def _study(scratch: Path) -> _Study:
    folder = scratch / "study"
    folder.mkdir()
    contexts = {kind: scratch / kind for kind in ("bundle", "plain", "multistage")}
    uvmagic(folder, "init", "--python", PYTHON)
    uvmagic(folder, "add", *_REQUIREMENTS, "--python", PYTHON)
    made = _Study(folder, contexts)
    for kind in ("plain", "multistage"):
        contexts[kind].mkdir()
        (contexts[kind] / ".dockerignore").write_text(".venv\n.uvmagic\n")
        for name in ("pyproject.toml", "uv.lock", ".python-version"):
            if (folder / name).exists():
                shutil.copy(folder / name, contexts[kind])
    made.edit(1)
    dockerfile = (contexts["bundle"] / "Dockerfile").read_text()
    builder, final = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    for kind in ("plain", "multistage"):
        template = (HERE / "dockerfiles" / f"{kind}.Dockerfile").read_text()
        text = template.replace("{uv}", builder).replace("{python}", final)
        (contexts[kind] / "Dockerfile").write_text(text)
    return made


def image_by_docker(runs: int) -> dict[str, Figure]:
    """Each kind built, then built anew after each edit of the notebook, in turn; by BuildKit."""
    return _built_by(Docker, runs)


def image_by_podman(runs: int) -> dict[str, Figure]:
    """The same by podman, which hashes what one stage copies from another at every build."""
    return _built_by(Podman, runs)


def _built_by(kind: type[Engine], runs: int) -> dict[str, Figure]:
    with tempfile.TemporaryDirectory() as name:
        scratch = fast_folder() or Path(name) / "images"
        try:
            root, study = make_root(scratch), _study(Path(name))
            engine = kind(scratch / "engine")
            try:
                engine.make_stand_ins(root, shutil.which(UV) or UV)
                return _of_engine(engine, study, runs)
            finally:
                engine.close()
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _of_engine(engine: Engine, study: _Study, runs: int) -> dict[str, Figure]:
    cold: dict[str, float] = {}
    again: dict[str, list[float]] = {kind: [] for kind in study.contexts}
    for kind, context in study.contexts.items():
        cold[kind] = timed(lambda context=context, kind=kind: engine.build(context, kind))  # type: ignore[misc]
    before = engine.layers("bundle")
    for edition in range(2, min(runs, _ROUNDS) + 2):
        study.edit(edition)
        for kind, context in study.contexts.items():
            again[kind].append(timed(lambda c=context, k=kind: engine.build(c, k)))  # type: ignore[misc]
    after = engine.layers("bundle")
    kept = sum(one == other for one, other in zip(before, after, strict=True))
    sizes = {kind: engine.size(kind) for kind in study.contexts}
    results: dict[str, Figure] = {
        f"{kind}, first build": {"median_ms": round(1000 * seconds)}
        for kind, seconds in cold.items()
    }
    results |= {f"{kind}, edited": figure(times) for kind, times in again.items()}
    for kind in ("plain", "multistage"):
        results[f"edited, bundle / {kind}"] = compared(again[kind], again["bundle"])
    results["image"] = {
        **{f"{kind}_mb": round(size / 1e6, 1) for kind, size in sizes.items()},
        "bundle_to_plain": round(sizes["bundle"] / sizes["plain"], 3),
        "bundle_to_multistage": round(sizes["bundle"] / sizes["multistage"], 3),
    }
    results["layers that an edit keeps"] = {"kept": kept, "of": len(after)}
    return results
