"""Names of distributions."""

import re


def normalise(name: str) -> str:
    """A distribution's name as comparisons need it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
