"""Where a project is, what its pyproject.toml says, and the dress of its text."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from uvmagic.errors import ProjectInvalid, ProjectMissing, UvmagicError
from uvmagic.names import normalise
from uvmagic.project import (
    Dress,
    Project,
    Table,
    find,
    lists,
    parse_file,
    requirement_name,
    takes_in,
)

BOM = b"\xef\xbb\xbf"
PLAIN = '[project]\nname = "{name}"\nversion = "1"\n'


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def project(folder: Path, name: str = "mine", more: str = "") -> Path:
    return write(folder, PLAIN.format(name=name) + more)


def workspace(folder: Path, members: str = '"packages/*"', exclude: str = "") -> Path:
    return write(folder, f"[tool.uv.workspace]\nmembers = [{members}]\nexclude = [{exclude}]\n")


def holding(folder: Path, pyproject: dict[str, Any]) -> Project:
    return Project(folder, folder, pyproject)


# --- where it is ----------------------------------------------------------------------------------


def test_a_project_is_found_in_its_folder_and_below_it(tmp_path: Path) -> None:
    root = project(tmp_path / "a")
    (root / "b" / "c").mkdir(parents=True)
    for start in (root, root / "b", root / "b" / "c"):
        assert find(start) == Project(root, root, {"project": {"name": "mine", "version": "1"}})


def test_the_nearest_project_is_the_one_that_is_meant(tmp_path: Path) -> None:
    outer = project(tmp_path / "outer", "outer")
    inner = project(outer / "inner", "inner")
    found = find(inner)
    assert (found.name, found.folder, found.root) == ("inner", inner, inner)


def test_a_pyproject_of_a_tool_alone_is_passed_over(tmp_path: Path) -> None:
    root = project(tmp_path / "a")
    write(root / "scripts", "[tool.ruff]\nline-length = 100\n")
    assert find(root / "scripts").folder == root


def test_a_folder_that_a_link_leads_to_belongs_where_it_really_is(tmp_path: Path) -> None:
    root = project(tmp_path / "a")
    (tmp_path / "link").symlink_to(root, target_is_directory=True)
    assert find(tmp_path / "link").folder == root.resolve()


def test_without_a_project_the_way_to_make_one_is_told(tmp_path: Path) -> None:
    write(tmp_path, "[tool.ruff]\nline-length = 100\n")
    with pytest.raises(ProjectMissing) as caught:
        find(tmp_path)
    assert str(tmp_path) in caught.value.message
    assert "%uv init" in str(caught.value.hint)


def test_a_member_of_a_workspace_has_the_root_of_the_workspace(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w")
    member = project(root / "packages" / "one", "one")
    (member / "src").mkdir()
    found = find(member / "src")
    assert (found.name, found.folder, found.root) == ("one", member, root)
    assert found.lock == root / "uv.lock"
    assert found.environment({}) == root / ".venv"


def test_a_project_in_a_workspace_that_is_no_member_stands_alone(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w", exclude='"packages/two"')
    excluded = project(root / "packages" / "two", "two")
    beside = project(root / "elsewhere", "beside")
    assert find(excluded).root == excluded
    assert find(beside).root == beside


@pytest.mark.parametrize(
    ("place", "is_taken"),
    [
        ("packages/a", True),
        ("packages/a/deep", False),
        ("packages", False),
        ("packages/skipped", False),
        ("libs/x/y/z", True),
        ("libs", True),
        ("exact", True),
        ("exactly", False),
        ("../packages/a", False),
        (".", False),
    ],
)
def test_a_folder_that_a_workspace_would_take_for_a_member_is_known_before_it_is_there(
    tmp_path: Path, place: str, is_taken: bool
) -> None:
    root = workspace(tmp_path / "w", '"packages/*", "./libs/**", "exact/"', '"packages/s*"')
    folder = (root / place).resolve()
    assert takes_in(root, folder) == is_taken
    if folder != root:
        project(folder)
        assert (find(folder).root == root) == is_taken


def test_a_project_without_a_workspace_takes_nothing_in(tmp_path: Path) -> None:
    root = project(tmp_path)
    assert not takes_in(root, root / "below")


def test_the_root_of_a_workspace_without_a_name_has_its_folders_name(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w")
    assert find(root).name == "w"
    assert find(root).root == root


def test_the_files_of_a_project_are_all_that_a_change_may_touch_each_once(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w")
    one, two = (project(root / "packages" / name, name) for name in ("one", "two"))
    (root / "packages" / "no-project").mkdir()
    expected = [root / "pyproject.toml", root / "uv.lock"]
    expected += [one / "pyproject.toml", two / "pyproject.toml"]
    for folder in (root, one, two):
        files = find(folder).files()
        assert sorted(files) == sorted(expected)
    alone = project(tmp_path / "alone")
    assert find(alone).files() == [alone / "pyproject.toml", alone / "uv.lock"]


@pytest.mark.parametrize(
    ("environ", "place"),
    [({}, "a/.venv"), ({"UV_PROJECT_ENVIRONMENT": "env"}, "a/env")],
)
def test_the_environment_lies_where_uv_puts_it(
    tmp_path: Path, environ: dict[str, str], place: str
) -> None:
    assert find(project(tmp_path / "a")).environment(environ) == tmp_path / place


def test_an_absolute_place_of_the_environment_is_taken_as_it_is(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    found = find(project(tmp_path / "a"))
    assert found.environment({"UV_PROJECT_ENVIRONMENT": str(elsewhere)}) == elsewhere


# --- what cannot be read --------------------------------------------------------------------------


def test_a_byte_order_mark_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(BOM + PLAIN.format(name="mine").encode())
    assert find(tmp_path).name == "mine"


def test_a_malformed_pyproject_is_named_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, '[project]\nname = "mine\n')
    with pytest.raises(ProjectInvalid, match="line 2") as caught:
        find(tmp_path)
    assert str(tmp_path / "pyproject.toml") in caught.value.message


def test_a_pyproject_that_is_no_text_is_invalid(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"[project]\nname = '\xff'\n")
    with pytest.raises(ProjectInvalid, match="utf-8"):
        find(tmp_path)


def test_a_pyproject_that_cannot_be_opened_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(ProjectInvalid, match="cannot be read"):
        parse_file(tmp_path / "nowhere" / "pyproject.toml")


@pytest.mark.parametrize(
    "text",
    [
        "tool = 1",
        "[tool]\nuv = 1",
        '[tool.uv.workspace]\nmembers = "packages/*"',
        '[tool.uv.workspace]\nmembers = [""]',
        "[tool.uv.workspace]\nmembers = [1]",
        '[tool.uv.workspace]\nexclude = ["/elsewhere/*"]',
    ],
)
def test_a_pyproject_of_a_shape_that_nobody_foresaw_is_one_clear_error(
    tmp_path: Path, text: str
) -> None:
    write(tmp_path, text)
    with contextlib.suppress(UvmagicError):
        assert find(tmp_path).files()[0] == tmp_path / "pyproject.toml"


# --- the dress of a text --------------------------------------------------------------------------

LINE = st.binary(max_size=8).map(lambda text: text.replace(b"\r", b""))  # TOML takes no lone CR
LINES = st.lists(st.tuples(LINE, st.sampled_from([b"\n", b"\r\n"])))
CONTENTS = st.builds(
    lambda mark, lines, last: mark + b"".join(text + ending for text, ending in lines) + last,
    st.sampled_from([b"", BOM]),
    LINES,
    LINE,
)


def as_uv_leaves_it(content: bytes, dress: Dress) -> bytes:
    """Without the byte order mark, and without CRLF where that was the dress."""
    bare = content.removeprefix(BOM) if dress.has_bom else content
    return bare.replace(b"\r\n", b"\n") if dress.has_crlf else bare


@given(CONTENTS)
def test_a_text_that_was_undressed_is_dressed_as_it_was(content: bytes) -> None:
    assume(not content.startswith(BOM + BOM))  # the second would be a character of the text
    dress = Dress.of(content)
    assert dress.put_on(as_uv_leaves_it(content, dress)) == content


@given(CONTENTS, CONTENTS)
def test_dressing_twice_is_dressing_once(content: bytes, other: bytes) -> None:
    dress = Dress.of(other)
    assert dress.put_on(dress.put_on(content)) == dress.put_on(content)


@given(st.booleans(), st.booleans(), st.lists(st.text("abc =[]#", max_size=5), min_size=1))
def test_what_wears_a_dress_is_seen_to_wear_it(
    has_bom: bool, has_crlf: bool, lines: list[str]
) -> None:
    dress = Dress(has_bom, has_crlf)
    content = "".join(f"{line}\n" for line in lines).encode()
    assert Dress.of(dress.put_on(content)) == dress


@pytest.mark.parametrize("content", [b"", b"no line ends", b"a\r\nb\nc\r\n"])
def test_only_a_text_whose_every_line_ends_so_wears_crlf(content: bytes) -> None:
    assert not Dress.of(content).has_crlf


# --- what it asks for -----------------------------------------------------------------------------

PYPROJECT: dict[str, Any] = {
    "project": {
        "dependencies": ["NumPy>=2", "pandas[excel]>=2,<3", "tomli; python_version < '3.11'"],
        "optional-dependencies": {"plot": ["matplotlib"]},
    },
    "dependency-groups": {
        "dev": ["pytest>=8", {"include-group": "docs"}],
        "docs": ["mkdocs"],
    },
    "tool": {
        "uv": {
            "dev-dependencies": ["ruff"],
            "sources": {
                "My_Lib": {"path": "lib"},
                "from-git": {"git": "https://x.org/y.git", "rev": "1"},
                "from-url": {"url": "https://x.org/z-1.0.tar.gz"},
                "many": [
                    {"path": "one", "marker": "sys_platform == 'linux'"},
                    {"path": "two", "marker": "sys_platform != 'linux'"},
                ],
            },
        }
    },
}


@pytest.mark.parametrize(
    ("options", "table"),
    [
        ({}, Table("project")),
        ({"--dev": ()}, Table("group", "dev")),
        ({"--group": ("docs",)}, Table("group", "docs")),
        ({"--group": ("a", "b")}, Table("group", "b")),
        ({"--optional": ("plot",)}, Table("extra", "plot")),
        ({"--json": ()}, Table("project")),
    ],
)
def test_the_options_of_a_call_name_the_table(
    options: dict[str, tuple[str, ...]], table: Table
) -> None:
    assert Table.of(options) == table


@pytest.mark.parametrize(
    ("table", "requirements"),
    [
        (Table("project"), PYPROJECT["project"]["dependencies"]),
        (Table("extra", "plot"), ["matplotlib"]),
        (Table("extra", "none"), []),
        (Table("group", "dev"), ["pytest>=8", "ruff"]),
        (Table("group", "docs"), ["mkdocs"]),
        (Table("group", "none"), []),
    ],
)
def test_a_table_lists_its_requirements(table: Table, requirements: list[str]) -> None:
    assert table.requirements(PYPROJECT) == requirements
    assert table.requirements({}) == []


@pytest.mark.parametrize("kind", ["group", "extra"])
def test_a_group_or_extra_is_found_by_any_spelling_of_its_name(kind: str) -> None:
    # uv writes the normalised name whatever the call says
    pyproject = {
        "project": {"optional-dependencies": {"foo-bar": ["alpha"]}},
        "dependency-groups": {"foo-bar": ["alpha"]},
    }
    assert Table(kind, "Foo_Bar").requirements(pyproject) == ["alpha"]


def test_only_a_group_is_development() -> None:
    tables = [Table("project"), Table("extra", "plot"), Table("group", "dev")]
    assert [table.is_development for table in tables] == [False, False, True]


@pytest.mark.parametrize(
    ("wanted", "is_listed"),
    [
        ("numpy", True),
        ("numpy>=2", True),
        ("NUMPY >= 2", True),
        ("numpy>=1", False),
        ("pandas", True),
        ("pandas<3,>=2", True),
        ("pandas[excel]", True),
        ("pandas[plot]", False),
        ("pandas[excel,plot]", False),
        ("tomli", False),  # there only for old Pythons; now for all
        ("tomli; python_version < '3.11'", True),
        ("numpy; python_version < '3.11'", False),
        ("numpy @ https://x.org/numpy.whl", False),
        ("scipy", False),
        ("matplotlib", False),
        ("./unknown", False),
    ],
)
def test_a_requirement_is_listed_when_adding_it_would_change_nothing(
    tmp_path: Path, wanted: str, is_listed: bool
) -> None:
    assert lists(holding(tmp_path, PYPROJECT), Table("project"), wanted, tmp_path) == is_listed


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,6}[a-z]", fullmatch=True)


@st.composite
def requirements(draw: st.DrawFn) -> str:
    extras = ",".join(draw(st.lists(NAMES, max_size=2)))
    bound = draw(st.sampled_from(["", ">=1", "==2.*", "~=1.4,!=1.4.2"]))
    markers = ["", "; python_version < '3.13'", "; sys_platform == 'win32' or os_name == 'nt'"]
    marker = draw(st.sampled_from(markers))
    return draw(NAMES) + (f"[{extras}]" if extras else "") + bound + marker


@given(
    requirements(), st.sampled_from([Table("project"), Table("extra", "x"), Table("group", "x")])
)
def test_what_was_added_is_listed(requirement: str, table: Table) -> None:
    pyproject = {
        "project": {
            "dependencies": [requirement] if table.kind == "project" else [],
            "optional-dependencies": {"x": [requirement]} if table.kind == "extra" else {},
        },
        "dependency-groups": {"x": [requirement]} if table.kind == "group" else {},
    }
    assert lists(holding(Path(), pyproject), table, requirement, Path())


def test_a_path_is_listed_when_its_source_and_its_name_are(tmp_path: Path) -> None:
    pyproject = {
        "project": {"dependencies": ["my-lib"]},
        "tool": {"uv": {"sources": PYPROJECT["tool"]["uv"]["sources"]}},
    }
    found = holding(tmp_path, pyproject)
    assert lists(found, Table("project"), "./lib", tmp_path)
    assert not lists(found, Table("project"), "./one", tmp_path)
    assert not lists(found, Table("group", "dev"), "./lib", tmp_path)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("Ruamel.Yaml>=0.18", "ruamel-yaml"),
        ("My_Lib @ git+https://x.org/other", "my-lib"),
        ("./lib", "my-lib"),
        ("lib/", "my-lib"),
        ("../project/lib", "my-lib"),
        ("one/../lib", "my-lib"),
        ("./one", "many"),
        ("./two", "many"),
        ("./three", None),
        ("git+https://x.org/y.git", "from-git"),
        ("git+https://x.org/y.git@main", "from-git"),
        ("git+https://x.org/y.git@main#subdirectory=sub", "from-git"),
        ("git+https://x.org/y.git#subdirectory=sub", "from-git"),
        ("git+https://x.org/y.gitter", None),
        ("git+https://xxorg/y.git", None),
        ("https://x.org/z-1.0.tar.gz", "from-url"),
        ("https://x.org/z-1.1.tar.gz", None),
    ],
)
def test_a_requirement_has_the_name_that_it_says_or_that_the_sources_know(
    tmp_path: Path, wanted: str, name: str | None
) -> None:
    cwd = tmp_path / "project"
    (cwd / "one").mkdir(parents=True)
    assert requirement_name(holding(cwd, PYPROJECT), wanted, cwd) == name


@pytest.mark.parametrize("cwd", [".", "notebooks", "notebooks/deep"])
def test_a_path_is_relative_to_where_the_call_is_and_a_source_to_the_project(
    tmp_path: Path, cwd: str
) -> None:
    found = holding(tmp_path, PYPROJECT)
    up = "../" * len(Path(cwd).parts)
    (tmp_path / cwd).mkdir(parents=True, exist_ok=True)
    assert requirement_name(found, f"./{up}lib", tmp_path / cwd) == "my-lib"
    assert requirement_name(found, str(tmp_path / "lib"), tmp_path / cwd) == "my-lib"
    if up:
        assert requirement_name(found, "./lib", tmp_path / cwd) is None


@pytest.mark.parametrize("spelling", ["{uri}", "{path}[more]"])
def test_a_path_has_its_name_in_every_spelling_that_uv_takes(tmp_path: Path, spelling: str) -> None:
    lib = tmp_path / "lib"
    wanted = spelling.format(uri=lib.as_uri(), path=lib)
    assert requirement_name(holding(tmp_path, PYPROJECT), wanted, tmp_path) == "my-lib"


def test_a_wheel_named_without_a_folder_is_a_path_and_no_name(tmp_path: Path) -> None:
    file = "lib-1-py3-none-any.whl"
    found = holding(tmp_path, {"tool": {"uv": {"sources": {"lib": {"path": file}}}}})
    assert requirement_name(found, f"./{file}", tmp_path) == "lib"
    assert requirement_name(found, file, tmp_path) == "lib"


@given(st.text("aB1-_.", min_size=1))
def test_a_name_is_normalised_as_packaging_does(name: str) -> None:
    assert normalise(name) == canonicalize_name(name)
