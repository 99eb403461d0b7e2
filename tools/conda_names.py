"""Make `uvmagic/data/conda_names.json`: `python tools/conda_names.py WHEEL_OF_CONDA_PYPI`.

conda-pypi (MIT, `pip download --no-deps conda-pypi`) carries the mapping that conda-forge's
regro-bot keeps. A row is written for each conda package whose PyPI name is another one; a conda
name with several is left to the rows that were reviewed by hand (conda_packages.json).
"""

from __future__ import annotations

import datetime
import json
import re
import sys
import zipfile
from pathlib import Path

TABLE = Path(__file__).parent.parent / "uvmagic" / "data" / "conda_names.json"
MAPPING = "conda_pypi/grayskull_pypi_mapping.json"
_NO_NAME = re.compile(r"[0-9a-f]{20,}")
"""What the bot made of a package whose name it could not read."""


def normalise(name: str) -> str:
    """A distribution's name as comparisons need it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def rows(mapping: dict[str, dict[str, str]]) -> list[dict[str, str]]:
    """The conda names that differ from PyPI's, each with its one PyPI name, sorted."""
    found: dict[str, set[str]] = {}
    for entry in mapping.values():
        conda, pypi = normalise(entry["conda_name"]), normalise(entry["pypi_name"])
        if not _NO_NAME.fullmatch(pypi):
            found.setdefault(conda, set()).add(pypi)
    return [
        {"conda": conda, "pypi": pypi}
        for conda, names in sorted(found.items())
        if len(names) == 1
        for pypi in names
        if pypi != conda
    ]


def main(wheel: str) -> None:
    """Write the table."""
    with zipfile.ZipFile(wheel) as archive:
        mapping = json.loads(archive.read(MAPPING))
    version = Path(wheel).name.split("-")[1]
    table = {
        "source": f"conda-pypi {version} (MIT), {MAPPING}: conda-forge's regro-bot",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "names": rows(mapping),
    }
    lines = ",\n".join(f"  {json.dumps(row)}" for row in table["names"])
    head = json.dumps({k: v for k, v in table.items() if k != "names"}, indent=1)[:-2]
    TABLE.write_text(f'{head},\n "names": [\n{lines}\n ]\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
