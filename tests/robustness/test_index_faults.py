"""An index that fails, lies or is not there, and a build that fails: clear, and nothing changed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from index import PackageIndex, sdist, wheel
from robustness.aftermath import Aftermath

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Folder

_FAILED = "error: uv add failed; pyproject.toml and uv.lock are as they were.\nerror: "


@pytest.fixture(params=["fresh", "locked"])
def aftermath(folder: Folder, tmp_path: Path, request: pytest.FixtureRequest) -> Aftermath:
    """A project that nothing was added to, or one with `beta`."""
    if request.param == "locked":
        assert folder.uvmagic("add", "beta").returncode == 0
    return Aftermath(folder, tmp_path)


def _page_fails(index: PackageIndex) -> None:
    index.fail("/simple/gamma/", 503)


def _page_is_rubbish(index: PackageIndex) -> None:
    index.lie("/simple/gamma/", b"\x00\xff rubbish")


def _file_fails(index: PackageIndex) -> None:
    index.fail("/files/gamma-1.0-py3-none-any.whl", 503)


def _file_is_gone(index: PackageIndex) -> None:
    index.fail("/files/gamma-1.0-py3-none-any.whl", 404)


def _file_is_cut(index: PackageIndex) -> None:
    index.truncate("/files/gamma-1.0-py3-none-any.whl")


def _file_is_rubbish(index: PackageIndex) -> None:
    index.lie("/files/gamma-1.0-py3-none-any.whl", b"rubbish" * 100)


def _file_is_another(index: PackageIndex) -> None:
    index.lie("/files/gamma-1.0-py3-none-any.whl", wheel("gamma", "1.0", padding=9).data)


def _metadata_is_rubbish(index: PackageIndex) -> None:
    index.lie("/files/gamma-1.0-py3-none-any.whl.metadata", b"\x00\xff rubbish")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (_page_fails, ["Failed to fetch: ", "/simple/gamma/", "503 Service Unavailable"]),
        (_page_is_rubbish, ["/simple/gamma/"]),
        (_file_fails, ["gamma", "503 Service Unavailable"]),
        (_file_is_gone, ["gamma", "404 Not Found"]),
        (_file_is_cut, ["Failed to download `gamma==1.0`", "end of file"]),
        (_file_is_rubbish, ["Failed to download `gamma==1.0`", "Failed to extract"]),
        (_file_is_another, ["Hash mismatch for `gamma==1.0`", "Expected:", "Computed:"]),
        (_metadata_is_rubbish, ["gamma"]),
    ],
)
def test_an_index_that_fails_changes_nothing_and_is_named(
    aftermath: Aftermath,
    index: PackageIndex,
    fault: Callable[[PackageIndex], None],
    told: list[str],
) -> None:
    fault(index)
    message = aftermath.is_clean(aftermath.folder.uvmagic("add", "gamma"), *told)
    assert message.startswith(_FAILED)
    assert len(message.splitlines()) > 2  # what failed, and why
    index.heal()
    aftermath.works_again("gamma")


def test_what_is_not_in_the_index_is_named(aftermath: Aftermath) -> None:
    message = aftermath.is_clean(
        aftermath.folder.uvmagic("add", "nonesuch"),
        "There is no package nonesuch; pyproject.toml and uv.lock are as they were.",
    )
    assert len(message.splitlines()) == 2  # the second says what to do
    aftermath.works_again()


def test_requirements_that_exclude_each_other_are_explained(
    aftermath: Aftermath, index: PackageIndex
) -> None:
    index.add(wheel("picky", "1.0", requires=["alpha<2"]))
    message = aftermath.is_clean(
        aftermath.folder.uvmagic("add", "picky", "alpha>=2"),
        "all versions of picky depend on alpha<2",
    )
    assert message.startswith(_FAILED)
    aftermath.works_again("picky")


def test_a_build_that_fails_changes_nothing_and_its_own_words_are_shown(
    aftermath: Aftermath,
) -> None:
    done = aftermath.folder.uvmagic("add", "broken")

    assert done.returncode == 1
    assert done.stdout == ""
    assert _FAILED in done.stderr
    assert "Failed to build `broken==1.0`" in done.stderr
    assert "RuntimeError: no compiler here" in done.stderr
    # the one traceback is the back end's, which uv quotes
    assert done.stderr.count("Traceback") == 1
    assert not any(line.startswith("Traceback") for line in done.stderr.splitlines())
    aftermath.is_unharmed()
    aftermath.works_again()


def test_one_broken_requirement_among_good_ones_keeps_them_all_out(aftermath: Aftermath) -> None:
    done = aftermath.folder.uvmagic("add", "gamma", "broken", "p1")
    assert done.returncode == 1
    assert "Failed to build `broken==1.0`" in done.stderr
    aftermath.is_unharmed()
    assert aftermath.folder.installed() <= {"alpha", "beta"}
    aftermath.works_again("gamma")


def test_a_build_that_fails_while_syncing_changes_nothing(
    aftermath: Aftermath, index: PackageIndex
) -> None:
    """The files ask for it already: sync itself has nothing to undo, and says what failed."""
    index.add(sdist("later", "1.0"))
    assert aftermath.folder.uvmagic("add", "later", "--no-sync").returncode == 0
    before = Aftermath(aftermath.folder, aftermath.world)
    index.fail("/files/later-1.0.tar.gz", 500)
    message = before.is_clean(
        aftermath.folder.uvmagic("sync", "--no-cache"), "later", "500 Internal Server Error"
    )
    assert message.startswith("error: uv sync failed; pyproject.toml and uv.lock are as they were.")
    index.heal()
    assert aftermath.folder.uvmagic("sync").returncode == 0
    assert "later" in aftermath.folder.installed()


def test_an_index_that_needs_a_password_is_named_as_the_reason(
    folder: Folder, index: PackageIndex, tmp_path: Path
) -> None:
    with PackageIndex(password="open sesame") as closed:
        closed.add(wheel("alpha", "1.0"), wheel("secret", "1.0"))
        text = folder.pyproject.read_text()
        folder.pyproject.write_text(text.replace(index.url, closed.url))
        aftermath = Aftermath(folder, tmp_path)

        message = aftermath.is_clean(
            folder.uvmagic("add", "secret"),
            f"An index URL ({closed.url}) could not be queried",
            "lack of valid authentication credentials (401 Unauthorized)",
        )
        assert message.startswith(_FAILED)

        address = closed.url.replace("http://", "http://me:wrong@")
        message = aftermath.is_clean(
            folder.uvmagic("add", "secret", UV_DEFAULT_INDEX=address), "401 Unauthorized"
        )
        assert "wrong" not in message  # a password is not told
        folder.pyproject.write_text(text)
        aftermath = Aftermath(folder, tmp_path)
        aftermath.works_again()


def test_an_index_that_is_not_there_is_named(
    folder: Folder, index: PackageIndex, tmp_path: Path
) -> None:
    with PackageIndex() as gone:
        url = gone.url
    text = folder.pyproject.read_text()
    folder.pyproject.write_text(text.replace(index.url, url))
    aftermath = Aftermath(folder, tmp_path)

    message = aftermath.is_clean(
        folder.uvmagic("add", "alpha"),
        f"{urlsplit(url).netloc} cannot be reached (Connection refused); pyproject.toml and ",
    )

    assert len(message.splitlines()) == 2
    folder.pyproject.write_text(text)
    Aftermath(folder, tmp_path).works_again()


def test_an_index_whose_name_leads_nowhere_is_named(folder: Folder, tmp_path: Path) -> None:
    url = "http://nowhere.invalid/simple"  # RFC 2606: never resolves
    text = folder.pyproject.read_text()
    aftermath = Aftermath(folder, tmp_path)
    message = aftermath.is_clean(
        folder.uvmagic("add", "alpha", "--default-index", url),
        "nowhere.invalid cannot be reached (Name or service not known); pyproject.toml and ",
    )
    assert len(message.splitlines()) == 2
    assert folder.pyproject.read_text() == text
    aftermath.works_again()


def test_without_a_network_what_the_cache_has_still_can_be_added(
    folder: Folder, tmp_path: Path
) -> None:
    aftermath = Aftermath(folder, tmp_path)
    message = aftermath.is_clean(folder.uvmagic("add", "alpha", "--offline"), "network", "disabled")
    assert message.startswith(_FAILED)
    aftermath.works_again()
