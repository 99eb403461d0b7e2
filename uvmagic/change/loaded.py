"""Where a system locks the files that are loaded, uv cannot replace them: such a change is refused.

On Windows an extension module that a process has loaded can neither be removed nor overwritten; uv
would fail half way. Elsewhere it can, and `kernel.live` tells what must be restarted for.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from uvmagic.errors import ChangeRejected
from uvmagic.kernel import live
from uvmagic.system.uv import environment_for_uv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uvmagic.change.calls import Calls

LOCKS_LOADED_FILES = sys.platform == "win32"


def spare_loaded(calls: Calls, arguments: Sequence[str]) -> None:
    """Refuse a sync that would replace what this kernel has loaded, where that cannot be.

    Args:
        calls: of the change.
        arguments: of the `uv sync` that is to follow.

    Raises:
        ChangeRejected: naming what is loaded; nothing has been installed.
    """
    site_packages = calls.environment.site_packages()
    if not LOCKS_LOADED_FILES or site_packages is None or not calls.environment.is_running():
        return
    planned = calls.uv.run(
        [*arguments, "--dry-run", "--output-format", "json"],
        cwd=calls.host.cwd,
        environ=environment_for_uv(calls.host.environ),
    )
    if planned.returncode != 0:
        return  # the sync itself will tell why
    touched = {change["name"] for change in json.loads(planned.stdout)["sync"]["changes"]}
    locked = sorted(live.with_loaded_extensions(touched, site_packages))
    if locked:
        raise ChangeRejected(
            f"This kernel has loaded {' and '.join(locked)}, and Windows lets nobody replace a file"
            " that is loaded. Nothing was changed.",
            "Restart the kernel, then run this cell before anything imports "
            f"{' or '.join(locked)}.",
        )
