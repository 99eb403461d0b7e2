"""What the reference tells by hand is what there is: keys of `--json`, environment variables."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from docs.pages import DOCS, ROOT
from uvmagic.data.uv_settings import uv_settings

if TYPE_CHECKING:
    from conftest import Folder

_EVERY = {"schema", "word", "title", "changes", "notes", "next"}
_LABELLED = {"project", "environment", "kernel", "lock", "uv"}


def keys_told(*words: str) -> set[str]:
    """The keys that the page tells of some words, in the order of its rows: in front of a colon."""
    text = (DOCS / "reference" / "json.md").read_text(encoding="utf-8")
    rows = [row.split(" | ") for row in re.findall(r"(?m)^\| (.*) \|$", text)]
    told = [row[1] for row in rows if row[0] in words]
    assert len(told) == len(words)
    # what stands inside a value is told with "each with"
    parts = [re.sub(r",? each with [^;]*", "", part) for part in told]
    return {key for part in parts for key in re.findall(r"(?<!with )`(\w+)`", part)}


def test_the_keys_of_json(folder: Folder) -> None:
    def keys(*call: str) -> set[str]:
        answer = json.loads(folder.uvmagic(*call, "--json").stdout)
        assert answer.keys() >= _EVERY
        return set(answer) - _EVERY

    (folder.path / "requirements.txt").write_text("alpha\n")
    (folder.path / "a.py").write_text("import beta\n")
    changing = "`add` `remove` `lock` `adopt` with `--dry-run`"
    settings = {setting.label for setting in uv_settings()}
    for call, rows in {
        ("add", "alpha", "--dry-run"): (changing,),
        ("adopt", "requirements.txt", "--dry-run"): (changing, "`adopt`"),
        ("adopt", "requirements.txt"): ("`adopt`",),
        ("remove", "alpha", "--dry-run"): (changing,),
        ("kernel", "list"): ("`kernel install` `list` `prune`",),
        ("status",): ("`status`",),
        ("doctor",): ("`doctor`",),
    }.items():
        told = keys_told(*rows) - {"belongs"}  # in a cell alone
        found = keys(*call)
        assert told <= found, call
        assert found <= told | _LABELLED | settings | {"python3"}, (
            call
        )  # a kernel's name is a label
    found = keys("scan", "a.py")
    assert found == (keys_told("`scan`") - {"added"}) | {"project"}


def test_an_error_as_json(folder: Folder) -> None:
    answer = json.loads(folder.uvmagic("add", "nowhere", "--json").stdout)
    text = (DOCS / "reference" / "json.md").read_text(encoding="utf-8").partition("## Errors")[2]
    assert set(answer) == set(re.findall(r"(?m)^\| `(\w+)`", text))


_INTERNAL = {
    *("UVMAGIC_CARRIED", "UVMAGIC_LAUNCHER", "UVMAGIC_PROJECT", "UVMAGIC_REASON", "UVMAGIC_RELAY"),
    "UVMAGIC_UV",
}
"""From one process of uvmagic's to the next."""


def test_every_variable_of_its_own_is_told() -> None:
    sources = "\n".join(file.read_text("utf-8") for file in (ROOT / "uvmagic").rglob("*.py"))
    own = set(re.findall(r"\"(UVMAGIC_\w+)\"", sources))
    told = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
    assert own - _INTERNAL == set(re.findall(r"`(UVMAGIC_\w+)`", told))
