"""A bundle's pyproject.toml without mirrors, and what shows that a mirror's files are others."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.accelerator.choice import index_url
from uvmagic.bundle.origin import (
    at_origin,
    differing_files,
    from_elsewhere,
    refuse_credentials,
    unpublished,
)
from uvmagic.data import torch
from uvmagic.errors import BundleRefused
from uvmagic.lockfile import Lockfile

BACKENDS = torch.backends()
HEAD = '[project]\nname = "p"\nversion = "0"\ndependencies = ["torch"]\n\n'
FROM_TORCH = '[tool.uv.sources]\ntorch = { index = "pytorch-cu126" }\n'


def index(url: str, name: str = "", **settings: bool) -> str:
    lines = [f'name = "{name}"'] if name else []
    lines += [f'url = "{url}"', *(f"{key} = {str(on).lower()}" for key, on in settings.items())]
    return "\n".join(["[[tool.uv.index]]", *lines, "", ""])


def indexes_of(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(text).get("tool", {}).get("uv", {}).get("index", [])
    return found


# --- pyproject.toml -------------------------------------------------------------------------------


@pytest.mark.parametrize("mirror", sorted(torch.mirrors()))
@pytest.mark.parametrize("backend", ["cu126", "cpu", "rocm6.4", "xpu"])
def test_a_backends_index_is_pytorchs_own_again(mirror: str, backend: str) -> None:
    url, _ = index_url(BACKENDS[backend], mirror)
    official, _ = index_url(BACKENDS[backend])
    made = at_origin(HEAD + index(url, f"pytorch-{backend}", explicit=True))
    (entry,) = indexes_of(made.text)
    assert entry == {"name": f"pytorch-{backend}", "url": official, "explicit": True}
    assert made.places == ({} if mirror == "official" else {url: official})
    assert not made.has_own_index
    assert len(made.notes) == (mirror != "official")


def test_a_mirror_that_no_table_has_is_told_by_its_indexs_name() -> None:
    made = at_origin(HEAD + index("https://mirror.invalid/x", "pytorch-cu126", explicit=True))
    assert made.places == {"https://mirror.invalid/x": index_url(BACKENDS["cu126"])[0]}


@pytest.mark.parametrize("settings", [{"default": True}, {}])
def test_an_index_that_is_asked_for_everything_goes(settings: dict[str, bool]) -> None:
    made = at_origin(HEAD + index("https://mirror.invalid/simple", "", **settings))
    assert tomllib.loads(made.text) == tomllib.loads(HEAD)
    assert made.notes == (
        "Locked from PyPI, not from https://mirror.invalid/simple (--keep-index NAME keeps it).",
    )
    assert not made.has_own_index


def test_an_index_that_nothing_is_asked_of_goes_in_silence() -> None:
    made = at_origin(HEAD + index("https://mirror.invalid/simple", "spare", explicit=True))
    assert tomllib.loads(made.text) == tomllib.loads(HEAD)
    assert made.notes == ()


def test_an_index_that_sources_name_stays_and_that_is_said() -> None:
    text = (
        HEAD
        + index("https://own.invalid/simple", "own", explicit=True)
        + '[tool.uv.sources]\nours = { index = "own" }\n'
    )
    made = at_origin(text)
    assert made.text == text
    assert made.notes == (
        "The index own stays, as sources name it: whoever builds needs https://own.invalid/simple.",
    )
    assert made.has_own_index


def test_an_index_is_kept_by_its_name() -> None:
    text = HEAD + index("https://mirror.invalid/simple", "near", default=True)
    made = at_origin(text, ["near"])
    assert made.text == text
    assert made.notes == (
        "The index near was kept: whoever builds must reach https://mirror.invalid/simple.",
    )
    assert made.has_own_index


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (HEAD + index("https://a.invalid", "near"), "It has near."),
        (HEAD + index("https://a.invalid"), "Give the index a name in pyproject.toml."),
    ],
)
def test_an_index_that_is_not_there_cannot_be_kept(text: str, hint: str) -> None:
    with pytest.raises(BundleRefused, match="no index of that name") as refused:
        at_origin(text, ["far"])
    assert refused.value.hint == hint


def test_a_lock_is_moved_with_its_indexes() -> None:
    url, official = (index_url(BACKENDS["cu126"], mirror)[0] for mirror in ("nju", None))
    made = at_origin(HEAD + index(url, "pytorch-cu126", explicit=True) + FROM_TORCH)
    lock = f'source = {{ registry = "{url}" }}\nsource = {{ registry = "{url}/x" }}\n'
    assert made.moved(lock) == lock.replace(f'"{url}"', f'"{official}"')


def test_what_the_user_has_set_for_this_machine_leaves_the_lock() -> None:
    lock = 'version = 1\n\n[options]\nprerelease-mode = "allow"\nresolution-mode = "lowest"\n'
    own = '[tool.uv]\nresolution = "lowest"\n'
    assert at_origin(HEAD + own).moved(lock) == lock.replace('prerelease-mode = "allow"\n', "")


# --- passwords ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://me:hunter2@index.invalid/simple",
        "https://hunter2@index.invalid/simple",
        "https://:hunter2@index.invalid/simple",
        "git+https://hunter2@host.invalid/repository",
        "git+https://oauth2:hunter2@host.invalid/repository",
        "ssh://me:hunter2@host.invalid/repository",
    ],
)
def test_a_password_or_token_is_refused_by_its_line_and_not_shown(url: str) -> None:
    with pytest.raises(BundleRefused, match=r"pyproject.toml, line 2") as refused:
        refuse_credentials("pyproject.toml", f'[[tool.uv.index]]\nurl = "{url}"\n')
    told = f"{refused.value.message} {refused.value.hint}"
    assert "hunter2" not in told
    assert "UV_INDEX_NAME_PASSWORD" in told
    assert "docker build --secret" in told


@pytest.mark.parametrize(
    "text",
    [
        'url = "https://index.invalid/simple"',
        'url = "https://index.invalid/@scope/name"',
        'git = "ssh://git@host.invalid/repository"',
        'dependencies = ["a @ https://host.invalid/a-1-py3-none-any.whl"]',
        'authors = [{ name = "me", email = "me@host.invalid" }]',
        'urls = ["https://host.invalid", "me@host.invalid"]',
    ],
)
def test_what_is_no_password_is_let_through(text: str) -> None:
    refuse_credentials("pyproject.toml", text)


# --- the same files -------------------------------------------------------------------------------


def lock(
    files: dict[str, str], registry: str = "https://a.invalid", version: str = "1"
) -> Lockfile:
    wheels = "".join(
        f'    {{ url = "{registry}/{name}"' + (f', hash = "sha256:{h}"' if h else "") + " },\n"
        for name, h in files.items()
    )
    return Lockfile(
        f'[[package]]\nname = "a"\nversion = "{version}"\n'
        f'source = {{ registry = "{registry}" }}\nwheels = [\n{wheels}]\n'
    )


HASHES = st.dictionaries(
    st.sampled_from(["a-1-x.whl", "a-1-y.whl", "a-1-z.whl"]), st.sampled_from(["", "00", "11"])
)


@given(HASHES, HASHES)
def test_files_differ_by_hash_or_by_having_none_in_common(
    old: dict[str, str], new: dict[str, str]
) -> None:
    told = differing_files(lock(old), lock(new, "https://b.invalid"))
    common = old.keys() & new.keys()
    others = sum(bool(old[f] and new[f] and old[f] != new[f]) for f in common)
    assert len(told) == others + bool(old and new and not common)
    assert told == sorted(told)


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ('git = "https://x.org/y?rev=b#123"', set()),
        ('git = "https://x.org/y?rev=b#456"', {"a"}),
        ('registry = "https://a.invalid"', {"a"}),
    ],
)
def test_what_came_from_a_repository_is_the_same_commit(now: str, told: set[str]) -> None:
    block = '[[package]]\nname = "a"\nversion = "1"\nsource = {{ {} }}\n'
    before = Lockfile(block.format('git = "https://x.org/y?rev=b#123"'))
    after = Lockfile(block.format(now))
    assert from_elsewhere(before, after, but=()) == told
    assert from_elsewhere(before, after, but={"a"}) == set()
    assert from_elsewhere(after, Lockfile(""), but=()) == set()


def test_a_version_that_only_the_mirror_had_is_told() -> None:
    before, moved = lock({}, "https://a.invalid", "1"), lock({}, "https://b.invalid", "2")
    assert unpublished(before, moved) == {"a"}
    assert unpublished(before, before) == set()
    assert unpublished(before, lock({}, "https://a.invalid", "2")) == set()
