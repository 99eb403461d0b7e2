"""What `%uv` answers inside a bundle, from the distributions that are really there."""

from __future__ import annotations

from importlib.metadata import Distribution, PathDistribution
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from uvmagic.errors import EnvironmentFixed
from uvmagic.frozen import answer, unmet
from uvmagic.grammar import parse, tokenise
from uvmagic.project import Project

if TYPE_CHECKING:
    from pathlib import Path

PYPROJECT: dict[str, Any] = {
    "tool": {
        "uv": {
            "sources": {
                "my-lib": {"path": "wheels/my_lib-1.0-py3-none-any.whl"},
                "from-git": {"git": "https://x.org/y", "rev": "1"},
            }
        }
    }
}


class Site:
    """A folder of `.dist-info` folders, and the look-up in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, name: str, version: str, *requires: str) -> None:
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {text}" for text in requires]
        (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def __call__(self, name: str) -> Distribution | None:
        found = (PathDistribution(path) for path in self.folder.glob("*.dist-info"))
        return next((d for d in found if canonicalize_name(d.metadata["Name"]) == name), None)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path / "site-packages")
    made.add("alpha", "2.0")
    made.add("pre", "1.0rc1")
    made.add("Ruamel.Yaml", "0.18.6")
    made.add(
        "delta", "1.0", "gamma>=1; extra == 'more'", "alpha; extra == 'good'", "missing", "beta>=1"
    )
    made.add("my-lib", "1.0")
    made.add("from-git", "3.0")
    return made


def told(line: str, site: Site, root: Path) -> str:
    outcome = answer(parse(tokenise(line)), Project(root, root, PYPROJECT), site)
    assert outcome.exit_code == 0
    return outcome.text()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("add alpha", "alpha 2.0"),
        ("add 'alpha>=1,<3' ruamel_yaml", "alpha 2.0, ruamel_yaml 0.18.6"),
        ("add pre", "pre 1.0rc1"),
        ("add delta", "delta 1.0"),
        ("add delta[good]", "delta 1.0"),
        ("add delta[unheard-of]", "delta 1.0"),
        ("add \"alpha; python_version >= '3'\"", "alpha 2.0"),
        ("add \"beta; python_version < '3'\"", "beta (not for this platform)"),
        ("add \"alpha>=9; python_version < '3'\"", "alpha 2.0"),
        ("add ./wheels/my_lib-1.0-py3-none-any.whl", "my-lib 1.0"),
        ("add git+https://x.org/y@main", "from-git 3.0"),
        ("add 'my-lib @ git+https://x.org/other'", "my-lib 1.0"),
        ("add ./elsewhere", "./elsewhere (not checked: its name is not known here)"),
        ("add alpha --optional plot", "alpha 2.0"),
    ],
)
def test_a_requirement_that_holds_is_told_with_its_version(
    site: Site, tmp_path: Path, line: str, text: str
) -> None:
    assert told(line, site, tmp_path) == f"In the bundle's environment: {text}."


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("add beta", "beta: is not installed"),
        ("add 'alpha<2'", "alpha<2: is 2.0, not <2"),
        ("add 'alpha[x]>=3'", "alpha[x]>=3: is 2.0, not >=3"),
        ("add delta[more]", "delta[more]: its extra [more] lacks gamma, which is not installed"),
        ("add delta[good,more]", "lacks gamma"),
        ("add 'beta @ https://x.org/beta.whl'", "is not installed"),
        ("add alpha beta gamma", "beta: is not installed\n  gamma: is not installed"),
    ],
)
def test_a_requirement_that_does_not_hold_is_refused_by_name(
    site: Site, tmp_path: Path, line: str, reason: str
) -> None:
    with pytest.raises(EnvironmentFixed) as caught:
        told(line, site, tmp_path)
    assert reason in caught.value.message
    assert "alpha:" not in caught.value.message
    assert caught.value.hint == "Run the cell in the project, then bundle again."


@pytest.mark.parametrize("option", ["--dev", "--group docs"])
def test_development_requirements_are_not_asked_after(
    site: Site, tmp_path: Path, option: str
) -> None:
    text = told(f"add beta {option}", site, tmp_path)
    assert text.endswith("development requirements stayed behind; nothing to check for beta.")


@pytest.mark.parametrize("word", ["sync", "remove alpha", "lock", "init", "pip list", "tree"])
def test_any_other_word_is_answered_and_not_run(site: Site, tmp_path: Path, word: str) -> None:
    text = told(word, site, tmp_path)
    name = word.partition(" ")[0]
    assert text == f"This is a bundle, its environment is fixed: %uv {name} was not run."


@pytest.mark.parametrize("word", ["run analysis.py", "tool run ruff", "build", "publish"])
def test_a_word_whose_work_is_the_purpose_of_the_cell_is_refused(
    site: Site, tmp_path: Path, word: str
) -> None:
    with pytest.raises(EnvironmentFixed, match=f"%uv {word.partition(' ')[0]} needs uv"):
        told(word, site, tmp_path)


def test_a_file_of_requirements_is_not_said_to_hold(site: Site, tmp_path: Path) -> None:
    assert ": ." not in told("add -r requirements.txt", site, tmp_path)


def test_a_value_of_an_option_that_no_table_has_is_not_taken_for_a_requirement(
    site: Site, tmp_path: Path
) -> None:
    assert "alpha" in told("add alpha --brand-new value", site, tmp_path)


# --- one requirement ------------------------------------------------------------------------------


def test_an_extra_of_an_extra_must_hold_too(site: Site) -> None:
    site.add("epsilon", "1.0", "delta[more]; extra == 'all'")
    reason = unmet(Requirement("epsilon[all]"), site)
    assert reason is not None
    assert "lacks delta" in reason
    assert "lacks gamma" in reason


def test_an_extra_is_found_by_any_spelling_of_its_name(site: Site) -> None:
    site.add("epsilon", "1.0", "missing; extra == 'all-of-it'")
    assert unmet(Requirement("epsilon[All_Of.It]"), site) is not None


def test_an_extra_for_another_platform_asks_for_nothing(site: Site) -> None:
    site.add("epsilon", "1.0", "missing; extra == 'x' and python_version < '3'")
    assert unmet(Requirement("epsilon[x]"), site) is None


def test_extras_that_ask_for_each_other_are_no_endless_question(site: Site) -> None:
    site.add("one", "1.0", "two[x]; extra == 'x'")
    site.add("two", "1.0", "one[x]; extra == 'x'", "alpha; extra == 'x'")
    assert unmet(Requirement("one[x]"), site) is None
