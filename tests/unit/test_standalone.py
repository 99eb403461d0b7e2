"""A project's pyproject.toml as if it stood alone: its text."""

from __future__ import annotations

import tomllib
from typing import Any

from uvmagic.bundle.local import Listing, Local, Source
from uvmagic.bundle.standalone import standing_alone
from uvmagic.lockfile import Lockfile

ALONE = Lockfile('version = 1\nrequires-python = ">=3.11"\n')
MEMBERS = Lockfile(ALONE.text + '\n[manifest]\nmembers = [\n    "root",\n    "study",\n]\n')
URL = "https://b.org/simple"
INDEX = Source((("index", URL),), "", "")

STUDY = """\
# What it is about.
[project]
name = "study"
requires-python = ">=3.11"
dependencies = ["core"]  # ours

[project.optional-dependencies]
Fast_One = ["core[fast]"]

[tool.uv]
constraint-dependencies = ["six<1"]  # not heeded by uv in a member
package = false

[tool.uv.sources]
core = { workspace = true }

[[tool.uv.index]]
# the one of ours
name = "first"
url = "https://a.org/simple"
"""


def uv_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(text)["tool"]["uv"]
    return found


def test_without_a_workspace_and_sources_of_others_not_a_byte_changes() -> None:
    assert standing_alone(STUDY, None, [], Local(), ALONE) == STUDY


def test_comments_stay_where_only_sources_come_to_it() -> None:
    needs = Local(sources={"six": (INDEX,)})
    text = standing_alone(STUDY, None, [], needs, ALONE)
    for comment in ("What it is about", "ours", "not heeded", "the one of ours"):
        assert f"# {comment}" in text
    assert uv_of(text)["sources"] == {"core": {"workspace": True}, "six": {"index": "index"}}
    assert uv_of(text)["index"][1:] == [{"name": "index", "url": URL, "explicit": True}]


def test_an_index_is_known_by_its_address_and_keeps_its_settings() -> None:
    other = f'[[tool.uv.index]]\nname = "first"\nurl = "{URL}/"\nformat = "flat"\ndefault = true\n'
    needs = Local(sources={"six": (INDEX,), "ten": (INDEX,)})
    uv = uv_of(standing_alone(STUDY, None, [other], needs, ALONE))
    made = {"name": "first-2", "url": URL, "format": "flat", "explicit": True}
    assert uv["index"] == [{"name": "first", "url": "https://a.org/simple"}, made]
    assert uv["sources"]["six"] == uv["sources"]["ten"] == {"index": "first-2"}


def test_a_member_has_the_root_s_settings_and_its_own_sources() -> None:
    root = f"""
[project]
name = "root"

[tool.uv]
constraint-dependencies = ["six<2"]
default-groups = "all"
package = true
environments = ["os_name == 'nt'"]
workspace.members = ["packages/*"]

[tool.uv.sources]
CORE = {{ index = "root" }}
six = [{{ index = "root", marker = "m" }}, {{ index = "root", group = "dev" }}]
ten = {{ index = "root", extra = "of-root" }}

[[tool.uv.index]]
name = "root"
url = "{URL}"
"""
    uv = uv_of(standing_alone(STUDY, root, [], Local(), MEMBERS))
    assert uv == {
        "package": False,
        "constraint-dependencies": ["six<2"],
        "environments": ["os_name == 'nt'"],
        "sources": {"core": {"workspace": True}, "six": {"index": "root", "marker": "m"}},
        "index": [{"name": "root", "url": URL}],
    }


def test_conflicts_are_those_of_the_workspace_that_concern_the_project() -> None:
    lock = """version = 1
requires-python = ">=3.12"
conflicts = [
    [{ package = "study", extra = "a" }, { package = "study", extra = "b" }],
    [{ package = "study", extra = "a" }, { package = "core", extra = "fast" }],
    [{ package = "core", extra = "fast" }, { package = "core", extra = "slow" }],
    [{ package = "other", extra = "x" }, { package = "other", extra = "y" }],
    [{ package = "study" }, { package = "other" }],
    [{ package = "study", group = "g" }, { package = "study", extra = "a" }],
]

[manifest]
members = ["core", "other", "study"]
"""
    needs = Local(extras=frozenset({("core", "fast")}))
    text = standing_alone(STUDY, None, [], needs, Lockfile(lock))
    assert uv_of(text)["conflicts"] == [
        [{"extra": "a"}, {"extra": "b"}],
        [{"package": "core", "extra": "fast"}, {"extra": "a"}],
    ]
    assert tomllib.loads(text)["project"]["requires-python"] == ">=3.12"


def test_what_is_for_an_extra_is_listed_there_however_it_is_spelled() -> None:
    source = Source((("index", URL),), "fast-one", "os_name == 'nt'")
    needs = Local(listings=(Listing("fast-one", "six"),), sources={"six": (source,)})
    text = standing_alone(STUDY, None, [], needs, ALONE)
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    assert extras == {"Fast_One": ["core[fast]", "six"]}
    assert uv_of(text)["sources"]["six"] == {
        "index": "index",
        "extra": "fast-one",
        "marker": "os_name == 'nt'",
    }


def test_the_order_of_all_is_the_same_in_every_process() -> None:
    root = "[tool.uv]\n" + "".join(f'x{n} = "{n}"\n' for n in range(9))
    keys = uv_of(standing_alone(STUDY, root, [], Local(), MEMBERS))
    assert [key for key in keys if key[0] == "x"] == [f"x{n}" for n in range(9)]
