"""`rerun`: the order of things, from a bundle to the executed copy."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from uvmagic import notebook as notebooks
from uvmagic.bundle import manifest as manifests
from uvmagic.errors import CellRaised, UsageError
from uvmagic.grammar import hint_near
from uvmagic.outcome import Outcome
from uvmagic.rerun import engines
from uvmagic.system.files import write_atomically
from uvmagic.system.host import Host, shorten

if TYPE_CHECKING:
    from uvmagic.grammar import Command


def rerun(command: Command, host: Host) -> Outcome:
    """Run a bundle from nothing and write the executed copy.

    Raises:
        UsageError, BundleRefused, UvUnavailable, UvFailed: it was not run.
        CellRaised: a cell raised; the executed copy shows it.
    """
    if len(command.positionals) != 1:
        raise UsageError("rerun takes one bundle.", "uvmagic rerun analysis-bundle")
    engine = command.value("--engine") or "local"
    if engine not in engines.ENGINES:
        raise UsageError(
            f"There is no engine {engine}.", hint_near(engine, engines.ENGINES, "rerun")
        )
    bundle = (host.cwd / command.positionals[0]).resolve()
    manifest = manifests.read(bundle)
    altered = manifest.altered(bundle)
    name = f"{Path(manifest.notebook).stem}-rerun.ipynb"
    output = host.cwd / (command.value("--output") or name)
    given = command.options.get("--parameter", ())
    parameters = list(zip(given[::2], given[1::2], strict=True))

    began = time.monotonic()
    with engines.local(bundle, manifest, parameters, host) as run:
        if not run.executed.is_file():
            raise CellRaised(f"The notebook did not run:\n{_last_lines(run.said)}")
        content = run.executed.read_bytes()
        raised = notebooks.first_error(notebooks.read(run.executed))
    write_atomically(output, content)
    if run.returncode != 0:
        told = f"cell {raised[0]} raised {raised[1]}" if raised else _last_lines(run.said)
        raise CellRaised(
            f"{manifest.notebook}: {told}", f"The executed copy shows it: {shorten(output)}"
        )
    notes = [f"Not as bundled any more: {', '.join(altered)}."] if altered else []
    seconds = time.monotonic() - began
    return Outcome(
        "rerun",
        f"Reran {manifest.notebook} from nothing in {seconds:.1f} s; no cell raised.",
        facts=(("bundle", shorten(bundle)), ("executed", shorten(output))),
        notes=tuple(notes),
        data={"seconds": round(seconds, 3)},
    )


def _last_lines(said: str) -> str:
    return "\n".join(said.strip().splitlines()[-5:])
