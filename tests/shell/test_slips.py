"""A newcomer's slips: each ends in a sentence, and one that says what to do; nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from uvmagic.errors import UvmagicError

if TYPE_CHECKING:
    from conftest import Folder, Shell
    from index import PackageIndex

_AS_THEY_WERE = "; pyproject.toml and uv.lock are as they were."


@pytest.mark.parametrize(
    ("call", "told", "to_do"),
    [
        ("add pandsa", "There is no package pandsa", "Did you mean  %uv add pandas?"),
        ("add alpha reqests>2", "There is no package reqests", "Did you mean  %uv add requests?"),
        ("add zzzzzzzz", "There is no package zzzzzzzz", "Look up how it is spelled on PyPI."),
        ("add os", "os comes with Python", "Nothing is to be added:  import os"),
        ("add cv2", "cv2 is a module of opencv-python, not a package", "%uv add opencv-python"),
        ("add alpha==9", "There is no alpha==9", "Without a version the newest that fits"),
        ("add alpha>9", "There is no alpha>9: only alpha<=2.0 is available", "Without a version"),
        ("add alpha=1.0", "“alpha=1.0” is no requirement", "%uv add alpha==1.0"),
        ("add alpha, beta", "“alpha,” is no requirement", "Write no commas:  %uv add alpha beta"),
        ("add beta alpha >= 1", "“>=” is no requirement", '%uv add "alpha>=1"'),
        ("add alpha ; 1 + 1", "“;” is no requirement", "Write one call on a line"),
        ("add @alpha", "“@alpha” is no requirement", 'For instance  %uv add "pandas>=2"'),
        ("add alpha --quite", "add has no such option", "--quite: did you mean --quiet?"),
    ],
)
def test_a_slip_in_what_is_added(
    folder: Folder, shell: Shell, call: str, told: str, to_do: str
) -> None:
    before = folder.contents()
    with pytest.raises(UvmagicError) as caught:
        shell.run(f"%uv {call}")
    assert caught.value.message == f"{told}{_AS_THEY_WERE}"
    assert to_do in str(caught.value.hint)
    assert folder.contents() == before


@pytest.mark.parametrize(
    ("call", "to_do"),
    [
        ("ad alpha beta", "Did you mean  %uv add alpha beta?"),
        ("install alpha", "Did you mean  %uv add alpha?"),
        ("instal alpha", "Did you mean  %uv add alpha?"),
        ("uninstall alpha", "Did you mean  %uv remove alpha?"),
        ("update alpha", "Did you mean  %uv sync --upgrade?"),
        ("activate", "Did you mean  %uv kernel use?"),
        ("zzzz", "%uv --help  lists the words."),
    ],
)
def test_a_word_that_there_is_not(folder: Folder, shell: Shell, call: str, to_do: str) -> None:
    with pytest.raises(UvmagicError) as caught:
        shell.run(f"%uv {call}")
    assert caught.value.message == f"There is no word {call.split()[0]}."
    assert caught.value.hint == to_do


def test_what_uv_knows_besides_is_told_in_its_own_words(
    folder: Folder, shell: Shell, index: PackageIndex
) -> None:
    """A sentence of ours would hide that a password is lacking."""
    index.fail("/simple/alpha/", 401)
    with pytest.raises(UvmagicError) as caught:
        shell.run("%uv add alpha")
    assert "could not be queried" in caught.value.message
    assert "--frozen" not in caught.value.message, "which would leave a lock without it"


def test_without_a_project_init_is_the_next_thing_to_do(empty: Folder, shell: Shell) -> None:
    with pytest.raises(UvmagicError) as caught:
        shell.run("%uv add alpha")
    assert caught.value.message.startswith("No project here: no pyproject.toml in ")
    assert str(caught.value.hint).startswith("%uv init  makes this folder one")
