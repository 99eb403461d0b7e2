"""`rerun`: the order of things, from a bundle to the executed copy."""

from __future__ import annotations

import dataclasses
import importlib
import json
import math
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic import notebook as notebooks
from uvmagic.bundle import manifest as manifests
from uvmagic.errors import CellRaised, UsageError
from uvmagic.grammar import hint_near
from uvmagic.outcome import Outcome
from uvmagic.rerun import compare, containers, engines, report
from uvmagic.system.files import write_atomically, writing
from uvmagic.system.host import Host, shorten

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from nbformat import NotebookNode

    from uvmagic.bundle.manifest import Manifest
    from uvmagic.grammar import Command
    from uvmagic.rerun.compare import Comparison


_ENGINES = ("auto", "local", *containers.ENGINES)


@dataclass(frozen=True, slots=True)
class _Comparing:
    """What the executed copy is compared with, how strictly, and where the report goes."""

    saved: NotebookNode
    tolerance: float
    page: Path


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a call asks for, all of it judged before anything runs."""

    bundle: Path
    manifest: Manifest
    engine: str
    settings: engines.Settings
    output: Path
    comparing: _Comparing | None


def rerun(command: Command, host: Host) -> Outcome:
    """Run a bundle from nothing and write the executed copy; with `--compare`, and its report.

    Raises:
        UsageError, BundleRefused, UvUnavailable, UvFailed, EngineFailed: it was not run.
        CellRaised: a cell raised; the executed copy shows it.
    """
    asked = _asked(command, host)
    notebook = asked.manifest.notebook
    altered = asked.manifest.altered(asked.bundle)
    began = time.monotonic()
    # what reading the executed copy takes, 0.2 s, while the notebook runs
    threading.Thread(target=importlib.import_module, args=("nbformat",)).start()
    with _run(asked, host) as run:
        if not run.executed.is_file():
            raise CellRaised(f"The notebook did not run:\n{_last_lines(run.said)}")
        content = run.executed.read_bytes()
        executed = notebooks.read(run.executed)
    with writing(asked.output):
        asked.output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(asked.output, content)
    if run.returncode != 0:
        raise CellRaised(
            f"{notebook}: {_why_it_failed(executed, asked.settings.timeout, run.said)}",
            f"The executed copy shows it: {shorten(asked.output)}",
        )
    seconds = time.monotonic() - began
    raised, notes = _of_expected_errors(executed)
    if altered:
        notes.append(f"Not as bundled any more: {', '.join(altered)}.")
    reran = Outcome(
        "rerun",
        f"Reran {notebook} from nothing in {seconds:.1f} s; {raised}.",
        facts=(
            ("bundle", shorten(asked.bundle)),
            ("engine", asked.engine),
            ("executed", shorten(asked.output)),
        ),
        notes=tuple(notes),
        data={"seconds": round(seconds, 3)},
    )
    if asked.comparing is None:
        return reran
    found = compare.compare(asked.comparing.saved, executed, asked.comparing.tolerance)
    write_atomically(asked.comparing.page, report.page(found, notebook))
    return _with_comparison(reran, found, asked.comparing.page)


def _run(asked: _Asked, host: Host) -> AbstractContextManager[engines.Run]:
    what = (asked.bundle, asked.manifest, asked.settings, host)
    if asked.engine == "local":
        return engines.local(*what)
    return containers.in_container(asked.engine, *what)


def _with_comparison(reran: Outcome, found: Comparison, page: Path) -> Outcome:
    return dataclasses.replace(
        reran,
        title=f"{reran.title.removesuffix('.')}; {report.verdict(found)}",
        facts=(*reran.facts, ("report", shorten(page)), *report.lines(found)),
        data={**reran.data, **report.data(found)},
        exit_code=1 if found.differences else 0,
    )


# --- what is asked for ----------------------------------------------------------------------------


def _asked(command: Command, host: Host) -> _Asked:
    if len(command.positionals) != 1:
        raise UsageError("rerun takes one bundle.", "uvmagic rerun analysis-bundle")
    engine = command.value("--engine") or "local"
    if engine not in _ENGINES:
        raise UsageError(f"There is no engine {engine}.", hint_near(engine, _ENGINES, "rerun"))
    if engine == "auto":
        engine = containers.first_at_hand(dict(host.environ)) or "local"
    settings = _settings(command, host.cwd)
    bundle = (host.cwd / command.positionals[0]).resolve()
    manifest = manifests.read(bundle)
    name = f"{Path(manifest.notebook).stem}-rerun.ipynb"
    output = host.cwd / (command.value("--output") or name)
    comparing = _comparing(command, host.cwd, bundle / manifest.notebook, output)
    return _Asked(bundle, manifest, engine, settings, output, comparing)


def _settings(command: Command, cwd: Path) -> engines.Settings:
    given = command.options.get("--parameter", ())
    parameters = tuple(zip(given[::2], given[1::2], strict=True))
    files = tuple((cwd / name).resolve() for name in command.options.get("--parameters-file", ()))
    for file in files:
        _require_parameters(file)
    timeout = command.value("--timeout")
    if timeout is not None and not (timeout.isascii() and timeout.isdigit() and int(timeout)):
        raise UsageError(
            f"--timeout {timeout}: a cell's time is a whole number of seconds.",
            "rerun BUNDLE --timeout 600",
        )
    return engines.Settings(parameters, files, int(timeout) if timeout else None)


def _require_parameters(file: Path) -> None:
    """That a file of parameters is there and, where it is JSON, has some; YAML papermill reads."""
    example = "A file of parameters has lines as  alpha: 0.1"
    if file.suffix not in (".json", ".yaml", ".yml"):
        raise UsageError(f"{shorten(file)} is named neither .yaml, .yml nor .json.", example)
    try:
        text = file.read_text(encoding="utf-8")
        has_parameters = file.suffix != ".json" or isinstance(json.loads(text), dict)
    except (OSError, ValueError) as error:
        raise UsageError(f"{shorten(file)} cannot be read: {error}", example) from error
    if not has_parameters:
        raise UsageError(f"{shorten(file)} is not one JSON object.", example)


def _comparing(command: Command, cwd: Path, notebook: Path, output: Path) -> _Comparing | None:
    if not command.has("--compare"):
        for option in ("--tolerance", "--report"):
            if command.has(option):
                raise UsageError(f"{option} is for --compare.", "Add  --compare")
        return None
    given = command.value("--report")
    page = cwd / given if given else output.with_name(f"{output.stem}-compare.html")
    if page.resolve() == output.resolve():
        raise UsageError("Report and executed copy have one name.", "Name another: --report FILE")
    saved = notebooks.read(notebook)
    if not compare.has_outputs(saved):
        raise UsageError(
            f"{notebook.name} has no saved outputs in this bundle to compare with: a bundle is "
            "made without them, and what cells print is not compared.",
            "Run the notebook, save it, and bundle it with  --keep-outputs",
        )
    return _Comparing(saved, _tolerance(command.value("--tolerance")), page)


def _tolerance(given: str | None) -> float:
    if given is None:
        return compare.TOLERANCE
    try:
        tolerance = float(given)
    except ValueError:
        tolerance = math.nan
    if not 0 <= tolerance < 1:
        raise UsageError(
            f"--tolerance {given}: it is a number from 0 to below 1.", "--tolerance 1e-3"
        )
    return tolerance


# --- what became of it ----------------------------------------------------------------------------


def _why_it_failed(executed: NotebookNode, timeout: int | None, said: str) -> str:
    stopped = notebooks.timed_out(executed, timeout) if timeout else None
    if stopped is not None:
        return f"cell {stopped} ran longer than {timeout} s (--timeout)"
    raised = notebooks.first_error(executed)
    return f"cell {raised[0]} raised {raised[1]}" if raised else _last_lines(said)


def _of_expected_errors(executed: NotebookNode) -> tuple[str, list[str]]:
    """What the title says of errors, and notes of the cells that are expected to raise."""
    expected = notebooks.expected_errors(executed)
    raised = [f"{number} ({name})" for number, name in expected if name is not None]
    silent = [str(number) for number, name in expected if name is None]
    notes = [f"Raised, as expected: code cell {', '.join(raised)}."] if raised else []
    if silent:
        notes.append(f"Expected to raise, and did not: code cell {', '.join(silent)}.")
    return "no cell raised unexpectedly" if raised else "no cell raised", notes


def _last_lines(said: str) -> str:
    return "\n".join(said.strip().splitlines()[-5:])
