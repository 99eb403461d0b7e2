"""The texts of a bundle: their quoting, and how they read."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from uvmagic.bundle.bases import Base, Needs, choose
from uvmagic.bundle.dockerfile import (
    Cmd,
    Comment,
    Copy,
    Entrypoint,
    Env,
    From,
    Run,
    User,
    Workdir,
    render,
)
from uvmagic.bundle.recipe import (
    Recipe,
    compose,
    devcontainer,
    dockerfile,
    dockerignore,
    environment,
    kernel_json,
    readme,
    run_arguments,
)
from uvmagic.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from syrupy.assertion import SnapshotAssertion

HOSTILE = [
    "a\nRUN evil",
    "a\r\nUSER root",
    "$HOME",
    "${HOME}",
    "`id`",
    "$(id)",
    'quo"te',
    "apo's",
    "back\\slash",
    "ends in a backslash\\",
    "<script>alert(1)</script>",
    "größe 漢字 🐍",
    "two  spaces",
    " at the ends ",
    "[brackets]",
    "# no comment",
    "",
    "line\u2028separator",
]
ARGUMENTS = st.lists(st.sampled_from(HOSTILE) | st.text(), min_size=1).map(tuple)
ONE_LINE = st.text(st.characters(exclude_characters="\r\n"))


def lines(text: str) -> list[str]:
    """Lines as the builder sees them: only a line feed ends one."""
    assert text.endswith("\n")
    return text[:-1].split("\n")


# --- quoting --------------------------------------------------------------------------------------


@given(ARGUMENTS)
def test_an_argument_list_is_read_back_as_exactly_its_arguments(arguments: tuple[str, ...]) -> None:
    text = render([Run(arguments), Entrypoint(arguments), Cmd(arguments), Copy(arguments, "./")])
    forms = [line.partition(" ") for line in lines(text)]
    assert [name for name, _, _ in forms] == ["RUN", "ENTRYPOINT", "CMD", "COPY"]
    read = [json.loads(form) for _, _, form in forms]
    assert read == [[*arguments], [*arguments], [*arguments], [*arguments, "./"]]


def test_options_stand_before_the_list() -> None:
    copy, run = lines(render([Copy(("a",), "./", "1000:1000")])), render([Run(("a",), cache="/c")])
    assert copy == ['COPY --chown=1000:1000 ["a", "./"]']
    assert run == 'RUN --mount=type=cache,target=/c \\\n    ["a"]\n'


def unquoted(text: str) -> str:
    """The value that a builder takes from double quotes, where every `$` must be escaped."""
    assert text[0] == text[-1] == '"'
    value, rest = "", text[1:-1]
    while rest:
        if rest[0] == "\\" and rest[1:2] in ('"', "$", "\\"):
            value, rest = value + rest[1], rest[2:]
        else:
            assert rest[0] not in '"$', "it would end here, or be replaced"
            value, rest = value + rest[0], rest[1:]
    return value


@given(ONE_LINE)
def test_a_variable_is_set_to_exactly_its_value(value: str) -> None:
    (line,) = lines(render([Env((("NAME", value),))]))
    assert line.startswith("ENV NAME=")
    assert unquoted(line.removeprefix("ENV NAME=")) == value


@given(ONE_LINE)
def test_a_folder_comes_first_on_the_path_and_nothing_else_is_replaced(folder: str) -> None:
    (line,) = lines(render([Env((), first_on_path=f"/{folder}")]))
    assert line.endswith(':$PATH"')
    quoted = line.removeprefix("ENV PATH=").removesuffix(':$PATH"') + '"'
    assert unquoted(quoted) == f"/{folder}"


def test_several_variables_are_one_instruction() -> None:
    text = render([Env((("A", "1"), ("B", "2 3")), first_on_path="/app")])
    assert text == 'ENV A="1" \\\n    B="2 3" \\\n    PATH="/app:$PATH"\n'


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "\n"])
def test_a_line_break_in_a_variable_is_refused(value: str) -> None:
    with pytest.raises(BundleRefused, match="line break"):
        render([Env((("NAME", value),))])


@given(st.text())
def test_a_comment_is_one_line_whatever_is_in_it(text: str) -> None:
    (line,) = lines(render([Comment(text)]))
    assert line.startswith("# ")
    assert "\r" not in line
    assert line[2:].split() == text.split()


@pytest.mark.parametrize("image", ["a b", "a\nRUN evil", "$X", "", "--platform=x", "größe"])
def test_what_is_no_image_is_refused(image: str) -> None:
    with pytest.raises(BundleRefused, match="is no image reference"):
        render([From(image)])


def test_the_other_instructions_are_plain() -> None:
    text = render([From("ghcr.io/a/b:1@sha256:0f"), Workdir("/app"), User("1:1"), Cmd(())])
    assert text == "FROM ghcr.io/a/b:1@sha256:0f\nWORKDIR /app\nUSER 1:1\nCMD []\n"


# --- a bundle's texts -----------------------------------------------------------------------------


def base(asked: str | None = None, needs: Needs | None = None, python: str = "3.12") -> Base:
    return choose(asked, needs or Needs(), uv="0.13.9", python=python)


CUDA = Needs(torch="2.9.1", cuda="12.6", cudnn="9", with_torch=frozenset({"torch", "sympy"}))
PLAIN = Recipe("analysis.ipynb", base(), "0.13.9", "3.12", False, (), ("analysis.ipynb",))
RICH = Recipe(
    'notebooks/My <b>"größte"<b> $HOME `x` {y}.ipynb',
    base(python="3.13"),
    "0.13.9",
    "3.13",
    True,
    ("wheels/a-1-py3-none-any.whl", "wheels/uvmagic-0.1.0-py3-none-any.whl"),
    ("data [old]*/a.csv", 'notebooks/My <b>"größte"<b> $HOME `x` {y}.ipynb'),
)
LAYERED = Recipe(
    "study/deep/fit.ipynb",
    base(needs=CUDA),
    "0.13.9",
    "3.12",
    True,
    ("wheels/uvmagic-0.1.0-py3-none-any.whl",),
    (
        "common.py",
        "data/a.csv",
        "data/b/c.csv",
        "study/deep/fit.ipynb",
        "study/deep/größe.py",
        "study/helper.py",
        "study/more/x.py",
    ),
    is_cuda=True,
    has_own_index=True,
)
OWN = dataclasses.replace(LAYERED, base=base("nvcr.io/team/base@sha256:0f0f"), compiles=False)
BASES = {"cpu": base(), "cuda": base(needs=CUDA), "pytorch": base("pytorch", CUDA)}
SHAPES = {
    "project": PLAIN,
    "workspace": dataclasses.replace(
        PLAIN,
        notebook="packages/study/notebooks/fit.ipynb",
        wheels=("wheels/common-1-py3-none-any.whl", "wheels/study-1-py3-none-any.whl"),
        files=("data/a.csv", "packages/study/notebooks/fit.ipynb"),
    ),
    "private": dataclasses.replace(PLAIN, has_own_index=True),
}
GOLDEN = {
    f"{name}-{shape}": dataclasses.replace(recipe, base=of, is_cuda=name != "cpu")
    for name, of in BASES.items()
    for shape, recipe in SHAPES.items()
}
RECIPES = {"plain": PLAIN, "rich": RICH, "layered": LAYERED, "own": OWN}
EVERY = RECIPES | GOLDEN
TEXTS: dict[str, Callable[[Recipe], str]] = {
    "Dockerfile": dockerfile,
    ".dockerignore": lambda recipe: dockerignore([*recipe.files, "pyproject.toml"]),
    "compose.yaml": compose,
    "devcontainer.json": devcontainer,
    "kernel.json": kernel_json,
    "README.md": readme,
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_of_the_bundle_reads_well(
    recipe: Recipe, name: str, snapshot: SnapshotAssertion
) -> None:
    assert TEXTS[name](recipe) == snapshot


@pytest.mark.parametrize("recipe", GOLDEN.values(), ids=GOLDEN)
def test_each_kind_of_bundle_has_its_dockerfile(
    recipe: Recipe, snapshot: SnapshotAssertion
) -> None:
    assert dockerfile(recipe) == snapshot


def named(notebook: str) -> Recipe:
    return Recipe(notebook, base(), "0.13.9", "3.12", True, (), (notebook,))


NAMES = st.text(
    st.sampled_from('$"`\\<>{}[]= #')
    | st.characters(exclude_characters="/\0\r\n", exclude_categories=["Cs"]),
    min_size=1,
    max_size=30,
).filter(lambda name: name not in (".", ".."))


@given(NAMES)
def test_a_notebooks_name_changes_nothing_but_its_own_arguments(name: str) -> None:
    found = lines(dockerfile(named(f"{name}.ipynb")))
    # a name that a builder would take for a pattern or a variable makes one layer of all
    is_plain = re.fullmatch(r"[\w./ @+=,-]+", name) is not None
    plain = lines(dockerfile(named("x.ipynb" if is_plain else "$.ipynb")))
    differing = [new for new, old in zip(found, plain, strict=True) if new != old]
    assert {line.split(" ")[0] for line in differing} <= {"#", "COPY", "ENTRYPOINT"}
    entry = next(line for line in found if line.startswith("ENTRYPOINT"))
    *head, source, target = json.loads(entry.removeprefix("ENTRYPOINT "))
    assert head == ["python", "/app/kernels/run.py", "--kernel", "bundle", "--cwd", "/app"]
    assert (source.format(), target.format()) == (f"/app/{name}.ipynb", f"/out/{name}.ipynb")


@given(NAMES)
def test_no_name_makes_a_comment_a_directive_of_the_builder(name: str) -> None:
    comments = [line for line in lines(dockerfile(named(f"{name}.ipynb"))) if line.startswith("#")]
    assert comments
    known = re.compile(r"#\s*(syntax|escape|check)\s*=", re.IGNORECASE)
    assert not any(known.match(comment) for comment in comments)


@given(NAMES)
def test_the_image_has_a_legal_name_and_the_title_shows_no_markup(name: str) -> None:
    text = readme(named(f"{name}.ipynb"))
    built = re.findall(r"docker build -t (\S*) \.\n", text)
    assert len(built) == 1
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", built[0])
    title = text.removeprefix("# ").partition("\n")[0]
    assert not set("<>&`[]") & set(title)


def matched(line: str) -> re.Pattern[str]:
    """What a line of .dockerignore matches, as Docker 20.10 and buildah read it."""
    expression, characters = "", iter(line.strip())
    for character in characters:
        if character in ".$":
            expression += re.escape(character)
        else:
            expression += character + (next(characters) if character == "\\" else "")
    return re.compile(expression)


@given(st.lists(NAMES, unique=True))
@example([" a", "a", "a "])
@example(["data (1).csv", "data 1.csv"])
@example(["a|b", "a", "[a]", "a+b", "aab", "^{a}$", "*", "?", "\\"])
def test_the_build_sees_what_the_bundle_holds_and_nothing_else(top: list[str]) -> None:
    first, *allowed, last, end = dockerignore(top).split("\n")
    assert (first, last, end) == ("*", "**/__pycache__", "")
    seen = [
        [name for name in top if matched(line.removeprefix("!")).fullmatch(name)]
        for line in allowed
    ]
    assert seen == [[name] for name in sorted(top)]


def test_the_kernel_loads_uvmagic_where_the_notebook_uses_it() -> None:
    with_it, without = (json.loads(kernel_json(recipe))["argv"] for recipe in (RICH, PLAIN))
    assert with_it == [*without, "--ext", "uvmagic"]
    assert without[:3] == ["python", "-m", "ipykernel_launcher"]


@pytest.mark.parametrize(
    ("notebook", "folder"), [("a.ipynb", "/r"), ("n/a.ipynb", "/r/n"), ("n/m/a.ipynb", "/r/n/m")]
)
def test_a_notebook_runs_in_its_own_folder(notebook: str, folder: str) -> None:
    arguments = run_arguments(notebook, "/r", "/o/x.ipynb")
    assert arguments[arguments.index("--cwd") + 1] == folder
    assert arguments[-2:] == [f"/r/{notebook}", "/o/x.ipynb"]


def test_a_run_finds_the_kernel_that_the_bundle_carries() -> None:
    assert environment("/r") == {"JUPYTER_PATH": "/r", "PYTHONUNBUFFERED": "1"}


@pytest.mark.skipif(
    shutil.which("hadolint") is None, reason="hadolint is not made for this machine"
)
@pytest.mark.parametrize("recipe", EVERY.values(), ids=EVERY)
def test_the_dockerfile_is_clean_by_hadolint(recipe: Recipe) -> None:
    done = subprocess.run(
        ["hadolint", "-"], input=dockerfile(recipe), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


# --- layers ---------------------------------------------------------------------------------------


def copied(recipe: Recipe) -> list[list[str]]:
    """The arguments of each COPY from the context, in order."""
    copies = [line for line in lines(dockerfile(recipe)) if line.startswith("COPY --chown")]
    return [json.loads(line.partition(" [")[2].join(["[", ""])) for line in copies]


def test_the_notebook_is_the_last_layer_and_every_file_is_in_one() -> None:
    *sources, told, kernels, notebook = copied(LAYERED)
    assert notebook == ["study/deep/fit.ipynb", "./study/deep/"]
    assert (told[-1], kernels[-1]) == ("./", "./kernels/")
    assert sources == [
        ["common.py", "./"],
        ["data", "./data/"],
        ["study/helper.py", "./study/"],
        ["study/deep/größe.py", "./study/deep/"],
        ["study/more", "./study/more/"],
    ]


PARTS = st.sampled_from(["a", "b", "data", "größe", "x y"])
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


@given(st.sets(PATHS.map(lambda path: f"{path}.csv"), max_size=12), PATHS)
def test_every_file_is_copied_once_to_its_own_place(files: set[str], folder: str) -> None:
    notebook = f"{folder}/n.ipynb"
    all_files = tuple(sorted({*files, notebook}))
    recipe = Recipe(notebook, base(), "0.13.9", "3.12", True, (), all_files)
    placed: dict[str, str] = {}
    for *sources, target in copied(recipe):
        for source in sources:
            below = [
                path for path in recipe.files if path == source or path.startswith(f"{source}/")
            ]
            for path in below:
                assert path not in placed, "it is in two layers"
                inside = path.removeprefix(f"{source}/") if path != source else path.split("/")[-1]
                placed[path] = (target + inside).removeprefix("./")
    assert placed == {path: path for path in recipe.files}


def test_uv_stays_behind_and_no_secret_is_left() -> None:
    for recipe in EVERY.values():
        _, _, final = dockerfile(recipe).partition(f"\nFROM {recipe.base.final}\n")
        assert final
        assert "/uv" not in final
        assert "secret" not in final
    assert "type=secret,id=netrc,target=/root/.netrc" in dockerfile(LAYERED)
    assert "type=secret" not in dockerfile(PLAIN)


def test_only_an_image_for_cuda_asks_for_a_gpu() -> None:
    assert "NVIDIA_VISIBLE_DEVICES" in dockerfile(LAYERED)
    assert "nvidia" in compose(LAYERED)
    assert "--gpus all" in readme(LAYERED)
    for text in (dockerfile(PLAIN), compose(PLAIN), readme(PLAIN), devcontainer(PLAIN)):
        assert "gpu" not in text.lower()
        assert "nvidia" not in text.lower()
