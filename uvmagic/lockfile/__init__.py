"""uv.lock: what it says, and what it comes to on one machine.

document reads it, a block at a time; target is a machine; walk gives what uv installs there; reach
what a project comes to on any; markers puts together those of edges.

`Lockfile` alone is here at once: an `add` that is true already reads versions, and has no 20 ms
for markers and wheel tags.
"""

from uvmagic.lockfile.document import Lockfile

__all__ = ["Lockfile"]
