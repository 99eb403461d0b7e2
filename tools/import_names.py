"""Make `uvmagic/data/import_names.json` from three published lists.

`python tools/import_names.py WHEEL_OF_CONDA_PYPI WHEEL_OF_MARIMO MOST_DOWNLOADED`

conda-pypi (MIT) carries what conda-forge's bot reads from the packages that it builds: what each
is imported as. marimo (Apache-2.0; `marimo-base`) keeps pipreqs' list up. MOST_DOWNLOADED names
PyPI's distributions, one a line, the most downloaded first: a row is written only for one of them.
Where conda-forge and marimo differ, conda-forge is taken. What both have wrong is left out here;
what both lack is written by hand in modules.json.
"""

from __future__ import annotations

import ast
import datetime
import json
import re
import sys
import textwrap
import zipfile
from pathlib import Path

TABLE = Path(__file__).parent.parent / "uvmagic" / "data" / "import_names.json"
OF_CONDA_FORGE = "conda_pypi/grayskull_pypi_mapping.json"
OF_MARIMO = "marimo/_runtime/packages/module_name_to_pypi_name.py"
NAMESPACES = re.compile(
    r"(?:airflow|azure|backports|databricks|dbt|flufl|google|hurry|jaraco|lazr|nr|openlineage"
    r"|opentelemetry|pyannote|repoze|ruamel|snowflake|sphinxcontrib|z3c|zc|zope)(?:\..*)?"
)
"""Packages that many distributions share: told by the distribution's own name, or by hand."""
WRONG = """
    BeautifulSoupTests MethodObject MySQLdb TreeDisplay analytics aspy at baseconv beetsplug
    bigquery bpdb brotli captcha categorical clonevirtualenv colors compose curl domino editor
    encutils environ es etc examples explorer flags flaskext garden geoarrow googlesearch hgext
    hybrid interface jpypex jsonfield kernprof ldif lzf material mavnative ndg os paste phi pink
    plugin pwiz pyasdf pymagic pyjon pytables pythongettext quadtree rackdiag requirements resolver
    screen setuputils singleton sky slugify src suds test validate versioneer webdav wsmeext xmlenc
"""
"""Modules whose rows are wrong, or that are no one's in particular."""


def normalise(name: str) -> str:
    """A distribution's name as comparisons need it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def of_conda_forge(wheel: str) -> dict[str, set[str]]:
    """What each module is imported from, by what conda-forge's bot has read."""
    found: dict[str, set[str]] = {}
    with zipfile.ZipFile(wheel) as archive:
        for entry in json.loads(archive.read(OF_CONDA_FORGE)).values():
            found.setdefault(entry["import_name"], set()).add(normalise(entry["pypi_name"]))
    return found


def of_marimo(wheel: str) -> dict[str, set[str]]:
    """The same, by marimo's list."""
    with zipfile.ZipFile(wheel) as archive:
        tree = ast.parse(archive.read(OF_MARIMO))
    table = next(node for node in ast.walk(tree) if isinstance(node, ast.Dict))
    return {module: {normalise(name)} for module, name in ast.literal_eval(table).items()}


def rows(
    lists: dict[str, dict[str, set[str]]], ranks: dict[str, int]
) -> dict[str, tuple[str, str]]:
    """Module → (distribution, by which list), where they differ and there is but one."""
    found: dict[str, tuple[str, str]] = {}
    for by, names in lists.items():
        for module, owners in names.items():
            known = owners & ranks.keys()
            own = normalise(module)
            taken = module in found or module in WRONG.split() or module in sys.stdlib_module_names
            if taken or "." in module or NAMESPACES.fullmatch(module) or len(known) != 1:
                continue
            (name,) = known
            if own != name and ranks.get(own, len(ranks)) > ranks[name]:
                found[module] = (name, by)
    return found


def namesakes(listed: list[str]) -> list[str]:
    """The distributions whose own name a module may have: most are imported by it."""
    return sorted(
        name
        for name in map(normalise, listed)
        if not name.startswith(("types-", "nvidia-")) and not name.endswith("-stubs")
    )


def main(conda_pypi: str, marimo: str, most_downloaded: str) -> None:
    """Write the table."""
    listed = Path(most_downloaded).read_text(encoding="utf-8").split()
    ranks = {normalise(name): rank for rank, name in enumerate(listed)}
    found = rows({"conda-forge": of_conda_forge(conda_pypi), "marimo": of_marimo(marimo)}, ranks)
    versions = [Path(wheel).name.split("-")[1] for wheel in (conda_pypi, marimo)]
    head = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "source": f"conda-forge: conda-pypi {versions[0]} (MIT), {OF_CONDA_FORGE}; marimo: "
        f"marimo-base {versions[1]} (Apache-2.0), {OF_MARIMO}; of both only what is among PyPI's "
        f"{len(listed):,} most downloaded",
        "namesakes_note": f"PyPI's {len(listed):,} most downloaded distributions, of which most "
        "are imported by their own names; what is imported otherwise stands in a row",
    }
    lines = ",\n".join(
        "  " + json.dumps({"module": module, "distribution": name, "by": by})
        for module, (name, by) in sorted(found.items())
    )
    names = "\n".join(textwrap.wrap(" ".join(namesakes(listed)), 100,
                                    break_on_hyphens=False, break_long_words=False))  # fmt: skip
    body = ",\n".join(f'  "{line}"' for line in names.splitlines())
    text = json.dumps(head, indent=1)[:-2]
    TABLE.write_text(
        f'{text},\n "names": [\n{lines}\n ],\n "namesakes": [\n{body}\n ]\n}}\n', encoding="utf-8"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
