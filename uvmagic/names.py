"""Names of distributions."""

import re

TYPE_CHECKING = False  # typing itself takes 5 ms
if TYPE_CHECKING:
    from collections.abc import Sequence


def normalise(name: str) -> str:
    """A distribution's name as comparisons need it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def listed(names: "Sequence[str]", most: int = 3) -> str:
    """Some names in a few words: `a, b, c and 2 more`."""
    told = ", ".join(names[:most])
    return f"{told} and {len(names) - most} more" if len(names) > most else told
