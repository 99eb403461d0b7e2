"""Laws of adopting: no line is lost, whatever stands in it; bounds mean what they meant."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from uvmagic.adopt import environment_yml, notebook_lines, requirements_txt, sources
from uvmagic.adopt.plan import planned
from uvmagic.adopt.versions import NoPep440, from_conda, from_poetry
from uvmagic.errors import SourceInvalid, UsageError

if TYPE_CHECKING:
    from uvmagic.adopt.lines import Line

law = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
NOWHERE = Path("no-such-folder")

numbers = st.lists(st.integers(0, 12), min_size=1, max_size=3).map(lambda n: ".".join(map(str, n)))
names = st.from_regex(r"[a-z][a-z0-9]{0,4}([-_.][a-z0-9]{1,3})?", fullmatch=True)
bounds = st.one_of(
    st.just(""),
    st.builds("{}{}".format, st.sampled_from(["==", ">=", "<", "=", "!=", "~=", " "]), numbers),
    st.builds("={}={}".format, numbers, st.sampled_from(["py39_0", "h1", "py3.9_cuda11.8_0"])),
)
packages = st.builds("{}{}".format, names, bounds)
anything = st.text(
    st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=30
).filter(str.strip)
requirement_lines = st.one_of(
    packages,
    st.sampled_from(
        ["--pre", "-e .", "-i https://packages.example/simple", "", "# a comment", " "]
    ),
    anything.filter(lambda text: not text.strip().startswith(("-r", "-c", "--r", "--c"))),
)


def shown(lines: list[Line]) -> list[int]:
    """The numbers of the lines that the rows of a plan stand for."""
    rows = planned(lines).rows
    return [n for row in rows for n in range(row.line.first, row.line.last + 1)]


@law
@given(st.lists(requirement_lines, max_size=12))
def test_every_line_of_a_file_of_requirements_has_one_row(texts: list[str]) -> None:
    text = "\n".join(line.rstrip("\\") for line in texts)
    lines = requirements_txt.read_from(text, "requirements.txt", NOWHERE)
    wanted = [
        n
        for n, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.strip().startswith("#")
    ]
    assert shown(lines) == wanted


@law
@given(st.lists(st.one_of(packages, anything), min_size=1, max_size=12))
def test_every_dependency_of_an_environment_has_one_row(texts: list[str]) -> None:
    quoted = [f"  - '{text.replace(chr(39), chr(39) * 2)}'" for text in texts]
    text = "\n".join(["dependencies:", *quoted])
    try:
        lines = environment_yml.read(text, "environment.yml", NOWHERE)
    except SourceInvalid:  # a character that YAML does not allow
        return
    assert shown(lines) == list(range(2, len(texts) + 2))


@law
@given(st.lists(packages, min_size=1, max_size=6))
def test_all_that_a_cell_installs_is_asked_for(texts: list[str]) -> None:
    words = " ".join(f"'{text}'" for text in texts)
    (line,) = notebook_lines.read([(1, f"import os\n!pip install -q {words}")], "a.ipynb", NOWHERE)
    assert (line.first, len(line.asks)) == (2, len(texts))


@law
@given(st.lists(packages, max_size=8))
def test_what_is_planned_is_a_requirement_and_no_name_is_lost(texts: list[str]) -> None:
    text = "\n".join(texts)
    plan = planned(requirements_txt.read_from(text, "requirements.txt", NOWHERE))
    left = {row.line.text for row in plan.rows if row.outcome == "left"}
    planned_names = {Requirement(one.requirement).name for one in plan.additions}
    for line in {text.strip() for text in texts} - left:
        assert Requirement(line).name.lower().replace("_", "-").replace(".", "-") in {
            name.lower().replace("_", "-").replace(".", "-") for name in planned_names
        }


@law
@given(numbers, numbers)
def test_a_caret_allows_what_the_first_number_that_counts_allows(low: str, other: str) -> None:
    try:
        specifier = SpecifierSet(from_poetry(f"^{low}")[0])
    except NoPep440:
        return
    begin, version = Version(low), Version(other)
    ours, theirs = (v.release + (0,) * (3 - len(v.release)) for v in (begin, version))
    given_count = len(begin.release)
    place = next((n for n, part in enumerate(begin.release) if part), given_count - 1)
    allowed = version >= begin and theirs[: place + 1] == ours[: place + 1]
    assert specifier.contains(version) == allowed


@law
@given(numbers, numbers)
def test_one_equals_sign_of_condas_is_a_prefix_and_two_are_that_version(
    given_: str, other: str
) -> None:
    fuzzy, exact = (SpecifierSet(from_conda(f"{op}{given_}")[0]) for op in ("=", "=="))
    wanted, version = Version(given_).release, Version(other).release
    padded = version + (0,) * (len(wanted) - len(version))
    assert fuzzy.contains(other) == (padded[: len(wanted)] == wanted)
    assert exact.contains(other) == (Version(given_) == Version(other))


SOURCES = sorted(file for file in (Path(__file__).parent / "sources").rglob("*") if file.is_file())
PIECES = [*"\"'[]{}\n\\\0=;|@!*%", "  ", "- ", "# ", "\\\n", "${X}", "://", "-e ", "-r ", "::"]


@pytest.mark.parametrize("seed", range(100))
def test_what_is_mangled_is_read_to_its_last_line_or_refused_in_one_sentence(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    file = chance.choice(SOURCES)
    content = bytearray(file.read_bytes())
    for _ in range(chance.randint(1, 5)):
        begin = chance.randrange(len(content) + 1)
        end = begin + chance.choice([0, 0, 1, 5, 20])
        content[begin:end] = chance.choice(PIECES).encode()
    (tmp_path / file.name).write_bytes(content)
    lines: tuple[Line, ...] = ()
    refused = "."
    try:
        lines = sources.read(file.name, tmp_path, {}).lines
    except (SourceInvalid, UsageError) as error:
        refused = error.message
    assert refused.endswith((".", ")"))
    assert [row.line for row in planned(lines).rows] == [line for line in lines if line.asks]
