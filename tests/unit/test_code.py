"""What code spells out, read as Python and IPython would read it."""

from __future__ import annotations

import ast
import os
import posixpath
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from uvmagic.code import Code, Read
from uvmagic.spelling import Place

# --- imports --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import numpy", {"numpy"}),
        ("import numpy as np, mine.sub", {"numpy", "mine.sub"}),
        ("from mine import a, b", {"mine", "mine.a", "mine.b"}),
        ("from . import a\nfrom .b import c\nfrom ..d import e", set()),
        ("def f():\n    import deep\n    return deep", {"deep"}),
        ("try:\n    import fast\nexcept ImportError:\n    import slow", {"fast", "slow"}),
        ("await thing()\nimport numpy", {"numpy"}),
        ("%matplotlib inline\nimport numpy", {"numpy"}),
        ("!pip list\nimport numpy", {"numpy"}),
        ("!!pip list\nimport numpy", {"numpy"}),
        ("if True:\n    %time x = 1\nimport numpy", {"numpy"}),
        ("files = !ls\nimport numpy", {"numpy"}),
        ("outcome = %uv add numpy\nimport numpy", {"numpy"}),
        ("a, b = !ls\nimport numpy", {"numpy"}),
        ("d['k'] = %sql x\nimport numpy", {"numpy"}),
        ("print?\nimport numpy", {"numpy"}),
        ("print??\nimport numpy", {"numpy"}),
        ("?print\nimport numpy", {"numpy"}),
        ("%uv add numpy\n# import not_this\nimport numpy", {"numpy"}),
        ("x = 'import not_this'", set()),
        ("%%time\nimport numpy", {"numpy"}),
        ("%%capture out --no-stderr\nimport numpy", {"numpy"}),
        ("%%bash\nimport numpy", set()),
        ("%%html\n<b>import numpy</b>", set()),
        ("%%uv add\nnumpy", set()),
        ("import numpy\nthis is no Python", set()),
        ("", set()),
        ("\x00", set()),
    ],
)
def test_a_cell_imports_what_python_would_import_from_it(source: str, modules: set[str]) -> None:
    assert Code((source,)).imports() == modules


@pytest.mark.parametrize(
    "source",
    [
        "import mine  # is it needed?",
        '"""What is this?\n\nNobody knows.\n"""\nimport mine',
        "text = (\n    'a %s'\n    % 1\n)\nimport mine",
        "if (\n    1\n    != 2\n):\n    import mine",
        "x = '''\n%not a magic\n'''\nimport mine",
        "rest = (\n    7\n    %2\n)\nimport mine",
    ],
)
def test_plain_python_is_taken_as_it_is(source: str) -> None:
    assert "mine" in {
        node.names[0].name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import)
    }
    assert Code((source,)).imports() == {"mine"}


@pytest.mark.parametrize(
    "source",
    [
        "!pip install \\\n  numpy\nimport mine",
        "    import mine\n    mine.run()",
        "\n%%time\nimport mine",
    ],
)
def test_a_cell_is_read_as_ipython_reads_it(source: str) -> None:
    assert Code((source,)).imports() == {"mine"}


STATEMENTS = st.sampled_from(
    [
        "import numpy",
        "import mine.sub as m",
        "from here import there",
        "from . import nowhere",
        "x = 1  # not import x",
        "%matplotlib inline",
        "!ls -l | grep 'x'",
        "files = !ls",
        "o = %uv tree",
        "y, z = %capture_of it",
        "x?",
        "x.y??",
        "def f():\n    %time 1\n    import inner\n    return inner",
        "if x:\n    !ls\nelse:\n    import other",
        "text = '''\nimport not_this\n'''",
        "# what?\nimport asked",
        "print('is it?')",
        "print(x != y, 7 % 2)",
        "z = (7\n     % 2)",
    ]
)


@given(st.lists(STATEMENTS, min_size=1).map("\n".join))
def test_any_cell_imports_what_ipython_makes_of_it(source: str) -> None:
    made = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
    expected: set[str] = set()
    for node in ast.walk(ast.parse(made)):
        if isinstance(node, ast.Import):
            expected |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            expected |= {str(node.module), *(f"{node.module}.{a.name}" for a in node.names)}
    assert Code((source,)).imports() == expected


# --- a path that is spelled out, as Python evaluates it -------------------------------------------

FILE = Path("/somewhere/else/lib/module.py")
NAMES = st.sampled_from(["data", "a.csv", "..", ".", "a/b", "../x", "a//b", "b/", "../.."])
TEXTS: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        NAMES.map(repr),
        st.just("os.getcwd()"),
        PATHS.map("str({})".format),
        PATHS.map("os.fspath({})".format),
        PATHS.map("{}.as_posix()".format),
        TEXTS.map("os.path.abspath({})".format),
        TEXTS.map("os.path.realpath({})".format),
        TEXTS.map("os.path.dirname({})".format),
        TEXTS.map("os.path.normpath({})".format),
        st.tuples(TEXTS, NAMES).map(lambda two: f"os.path.join({two[0]}, {two[1]!r})"),
        st.tuples(TEXTS, NAMES).map(lambda two: f"({two[0]} + {'/' + two[1]!r})"),
        st.tuples(TEXTS, NAMES).map(lambda two: f'f"{{{two[0]}}}/{two[1]}"'),
    )
)
PATHS: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        TEXTS.map("Path({})".format),
        st.sampled_from(["Path.cwd()", "Path(__file__)", "Path()"]),
        PATHS.map("{}.parent".format),
        PATHS.map("{}.resolve()".format),
        PATHS.map("{}.absolute()".format),
        st.tuples(PATHS, NAMES).map(lambda two: f"({two[0]} / {two[1]!r})"),
        st.tuples(PATHS, NAMES, NAMES).map(lambda t: f"{t[0]}.joinpath({t[1]!r}, {t[2]!r})"),
        st.tuples(PATHS, st.integers(0, 3)).map(lambda two: f"{two[0]}.parents[{two[1]}]"),
    )
)


def place_of(expression: str, before: str = "", file: Path | None = FILE) -> Place | None:
    """Where the code says it looks for modules: what it makes of an expression."""
    code = Code((f"{before}\nsys.path.append({expression})",), file)
    return next(iter(code.module_folders()), None)


@given(TEXTS | PATHS)
def test_a_path_is_what_python_makes_of_the_expression(expression: str) -> None:
    cwd = Path.cwd()
    try:
        value = eval(expression, {"Path": Path, "os": os, "__file__": str(FILE)})
    except (IndexError, SyntaxError):  # no such parent; quotes in quotes, before Python 3.12
        return
    place = place_of(expression)
    if place is None:
        assert ".absolute()" in expression or "getcwd() +" in expression
        return
    base = FILE.parent if place.is_of_file else cwd
    assert straight(base, place.path) == straight(cwd, str(value))


def straight(base: Path, path: str) -> str:
    """The path without `..`; two slashes at its beginning are one on the systems that matter."""
    return re.sub("^//", "/", posixpath.normpath(posixpath.join(base, path)))


@pytest.mark.parametrize(
    ("before", "expression", "path"),
    [
        ("ROOT = Path('..').resolve()", "str(ROOT / 'src')", "../src"),
        ("ROOT: Path = Path('..')", "ROOT", ".."),
        ("here = '..'\nlib = f'{here}/lib'", "lib", "../lib"),
        ("A = B\nB = A", "A", None),
        ("A = A", "A", None),
        ("A = '..'\nA = 'x'", "A", None),
        ("for A in ['..']:\n    pass", "A", None),
        ("A = '..'\ndef f(A):\n    pass", "A", None),
        ("A = '..'\nimport A", "A", None),
        ("A = find()", "A", None),
        ("", "f'{x}/lib'", None),
        ("", "f'{1:>3}'", None),
        ("", "','.join('ab')", None),
        ("", "Path('..', strict=True)", None),
        ("", "os.environ['HOME']", None),
        ("", "1", None),
        ("", "/".join(["'a'"] * 5000), "/".join(["a"] * 5000)),
        ("", "'/abs/lib'", "/abs/lib"),
        ("", "Path('/abs').resolve().parent", "/"),
    ],
)
def test_a_name_stands_for_what_it_is_bound_to_once(
    before: str, expression: str, path: str | None
) -> None:
    found = place_of(expression, before)
    if path is None or len(path) < 1000:
        assert (found and found.path) == path
    else:
        assert found is None or found.path == path  # too deep for Python itself


def test_a_cell_has_no_file() -> None:
    assert place_of("Path(__file__).parent", file=None) is None
    found = place_of("os.path.dirname(os.path.abspath(__file__))")
    assert found is not None
    assert (found.path, found.is_of_file) == (".", True)


# --- where it looks for modules -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("sys.path.append('..')", [".."]),
        ("import sys; sys.path.insert(0, '../lib')", ["../lib"]),
        ("sys.path.extend(['a', str(Path('..') / 'b')])", ["a", "../b"]),
        ("sys.path += ['..']", [".."]),
        ("sys.path = ['..', *sys.path]", [".."]),
        ("sys.path = sys.path + [os.path.join('..', 'lib')]", ["../lib"]),
        ("sys.path[:0] = ['lib']", ["lib"]),
        ("site.addsitedir('lib')", ["lib"]),
        ("if '..' not in sys.path:\n    sys.path.append('..')", [".."]),
        ("%%time\nsys.path.append('..')", [".."]),
        ("sys.path.append(find())", []),
        ("sys.path.remove('..')", []),
        ("paths.append('..')", []),
        ("sys.path.append(", []),
        ("sys.path", []),
        ("sys.path.append()", []),
    ],
)
def test_the_folders_of_modules_are_known(source: str, paths: list[str]) -> None:
    assert [place.path for place in Code((source,)).module_folders()] == paths


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("os.chdir('..')", [".."]),
        ("%cd ../data", ["../data"]),
        ('%cd "a b"', ["a b"]),
        ("%cd", []),
        ("%cd -q", []),
        ("os.chdir(find())", []),
    ],
)
def test_the_folders_that_it_changes_to_are_known(source: str, paths: list[str]) -> None:
    assert [place.path for place in Code((source,)).working_folders()] == paths


# --- what it reads --------------------------------------------------------------------------------


def files(*paths: str) -> set[Read]:
    return {Read(Place(path), is_whole=False) for path in paths}


def whole(*paths: str) -> set[Read]:
    return {Read(Place(path), is_whole=True) for path in paths}


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ('pd.read_csv("data/a.csv", sep=";")', whole("data/a.csv", ";")),
        ('show("a.txt")', files("a.txt")),
        ('open("a.txt", "rb")', whole("a.txt", "rb")),
        ('open("a.txt", "w")', set()),
        ('open("a.txt", mode="a")', set()),
        ('with open(file="a.txt") as f: pass', whole("a.txt")),
        ("%%time\nnp.load('a.npy')", whole("a.npy")),
        ("%time np.load('a.npy')", whole("a.npy")),
        ('Path("a.txt").read_text()', files("a.txt") | whole("a.txt")),
        ('Path("a.txt").write_text("b")', set()),
        ('(Path("data") / "a.txt").read_text()', files("data", "data/a.txt") | whole("data/a.txt")),
        ('(Path("data") / "a.txt").write_text("b")', set()),
        ('frame.to_csv("a.csv"); plt.savefig("b.png"); np.save("c.npy", x)', set()),
        ('frame.to_csv(str(Path("out") / "a.csv"))', set()),
        ('frame.to_csv(made(read("a.csv")))', whole("a.csv")),
        ('x = "a.csv"', set()),
        ('x = "a.csv"\nread(x)', whole("a.csv")),
        ("np.load(", set()),
        ('!cat "a.txt"', set()),
        ("%load_ext uvmagic", set()),
        ('os.listdir("data")', whole("data")),
        ('glob.glob("data/*.csv")', whole("data/*.csv")),
        ('Path("data").glob("*.csv")', files("data") | whole("data/*.csv")),
        ('D = Path("data")\n[*D.rglob("*.csv")]', files("data") | whole("data/**/*.csv")),
        ('folder.glob("*.csv")', set()),
        ('Path("data").exists()', files("data")),
        ('Path("data").iterdir()', files("data") | whole("data")),
        ('datasets.ImageFolder("train")', whole("train")),
        ('image_dataset_from_directory("train")', whole("train")),
        ('", ".join(names)', set()),
        ('"a.b".split(".")', files(".")),
    ],
)
def test_what_is_read_by_a_path_that_is_spelled_out_is_known(source: str, reads: set[Read]) -> None:
    assert Code((source,)).reads() == reads


def test_cells_share_their_names_and_a_file_has_its_own() -> None:
    cells = Code(("D = '../data'", "read(D + '/a.csv')"))
    assert whole("../data/a.csv") <= cells.reads()
    assert Code(("read(D)",)).reads() == set()


HOSTILE = ["(" * 300, "x = " + "[" * 5000, "\0", "read('\\ud800')", "read('\\0')", "a" * 10**5]
HOSTILE += ["read(" + "+".join(["'a'"] * 20000) + ")", r"read('\d')", "read(b'a')", "# coding: no"]


@pytest.mark.parametrize("source", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("file", [None, FILE])
def test_no_text_stops_it(source: str, file: Path | None) -> None:
    code = Code((source,), file)
    for method in (code.imports, code.module_folders, code.working_folders, code.reads):
        method()
