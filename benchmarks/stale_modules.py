"""What a kernel must restart for after a change."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Figure, figure


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
