"""The files that a notebook and its modules read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from unit.folders import names, put
from uvmagic.bundle.contents import placed
from uvmagic.bundle.modules import working_folders
from uvmagic.bundle.reads import LARGEST, Reads, data_files, size_of
from uvmagic.code import Code
from uvmagic.errors import BundleRefused


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project's folder with one for notebooks, and files round both."""
    folder = (tmp_path / "proj").resolve()
    for name in ("notebooks/near.csv", "data/a.csv", "data/deep/b.csv", "data/c.txt", "top.csv"):
        put(folder / name)
    for name in ("outside.csv", "proj2/beside.csv", "elsewhere/x.csv"):
        put(folder.parent / name)
    return folder


EVERYTHING = ["data/.hidden/x.csv", "data/a.csv", "data/c.txt", "data/deep/b.csv"]


def read(root: Path, *cells: str, modules: tuple[Code, ...] = ()) -> Reads:
    """What cells read that run in the folder for notebooks."""
    code = Code(cells)
    return data_files([code, *modules], working_folders(code, root / "notebooks"), root)


@pytest.mark.parametrize(
    ("cell", "files"),
    [
        ("read('near.csv')", ["notebooks/near.csv"]),
        ("read('../data/a.csv')", ["data/a.csv"]),
        ("read(Path('..') / 'data' / 'a.csv')", ["data/a.csv"]),
        ("DATA = Path('..').resolve() / 'data'\nread(DATA / 'a.csv')", ["data/a.csv"]),
        ("read(os.path.join('..', 'data', 'a.csv'))", ["data/a.csv"]),
        ("read('no.csv'); read('../data'[0])", []),
        ("show('../data')", []),
        ("Path('../data').exists()", []),
        ("os.listdir('../data')", EVERYTHING),
        ("pd.read_parquet('../data/')", EVERYTHING),
        ("glob.glob('../data/*.csv')", ["data/a.csv"]),
        ("glob('../data/**/*.csv', recursive=True)", ["data/a.csv", "data/deep/b.csv"]),
        ("Path('../data').glob('*.csv')", ["data/a.csv"]),
        ("Path('../data').rglob('*.csv')", ["data/a.csv", "data/deep/b.csv"]),
        ("read('../data/[ab].csv')", ["data/a.csv"]),
        ("show('../data/*.csv')", []),
        ("os.listdir('.'); os.walk('..'); Path.cwd().parent.iterdir()", []),
        ("os.listdir('../../proj')", []),
        ("Path('..').glob('*.csv')", ["top.csv"]),
        ("glob.glob('../*')", ["top.csv"]),
        ("glob.glob('../a**b'); glob.glob('[')", []),
        ("os.chdir('..')\nread('data/a.csv')", ["data/a.csv"]),
        ("%cd ../data\nread('a.csv')", ["data/a.csv"]),
        ("frame.to_csv('../data/a.csv')", []),
        (
            "read('/etc/passwd'); read('a\\n'); read('\\0'); read('x' * 9); read('"
            + "x" * 300
            + "')",
            [],
        ),
    ],
)
def test_what_is_read_inside_the_project_goes_along(
    root: Path, cell: str, files: list[str]
) -> None:
    for name in (
        "README.md",
        ".hidden.csv",
        "data/.hidden/x.csv",
        ".git/config",
        ".venv/x.csv",
        "old-bundle/x.csv",
    ):
        put(root / name)
    put(root / "old-bundle" / "bundle.json")
    found = read(root, cell)
    assert names(found.files, root) == files
    assert found.large == {}
    assert found.outside == ()


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("read('../../outside.csv')", "../../outside.csv"),
        ("read('../../proj2/beside.csv')", "../../proj2/beside.csv"),
        ("os.listdir('../../elsewhere')", "../../elsewhere"),
        ("glob.glob('../../elsewhere/*.csv')", "../../elsewhere/*.csv"),
        ("glob.glob('../../*/../proj/data/*.csv')", "../../*/../proj/data/*.csv"),
        ("read(Path.cwd().parent.parent / 'outside.csv')", "../../outside.csv"),
        ("show('../../elsewhere')", None),
        ("read('../../gone.csv')", None),
        ("frame.to_csv('../../outside.csv')", None),
        ("read('/etc/passwd')", None),
    ],
)
def test_what_is_read_outside_the_project_stays_there_and_is_told(
    root: Path, cell: str, told: str | None
) -> None:
    found = read(root, cell)
    assert found.files == frozenset()
    assert found.outside == ((told,) if told else ())


def test_what_a_module_reads_goes_along_by_its_own_file_and_by_the_working_folder(
    root: Path,
) -> None:
    module = put(
        root / "lib" / "mine.py",
        "from pathlib import Path\n"
        "table = read(Path(__file__).parent / 'table.csv')\n"
        "other = read('../data/a.csv')\n",
    )
    put(root / "lib" / "table.csv")
    found = read(root, "", modules=(Code.of_file(module),))
    assert set(names(found.files, root)) - {"lib/mine.py"} == {"data/a.csv", "lib/table.csv"}


def test_what_is_large_waits_to_be_asked_for_a_folder_by_its_sum(root: Path) -> None:
    for name in ("large.bin", "many/a.bin", "many/b.bin"):
        put(root / name)
        os.truncate(root / name, LARGEST // 2 + 1)
    os.truncate(root / "large.bin", LARGEST + 1)
    cell = (
        "read('../large.bin'); read('../many/a.bin'); os.listdir('../many'); glob('../many/*.bin')"
    )
    found = read(root, cell)
    assert names(found.files, root) == ["many/a.bin"]
    sizes = {path: size_of(files) for path, files in found.large.items()}
    both = 2 * (LARGEST // 2 + 1)
    assert sizes == {"large.bin": LARGEST + 1, "many": both, "many/*.bin": both}


# --- what is hostile ------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes in folders")
def test_a_pipe_is_neither_opened_nor_taken(root: Path) -> None:
    os.mkfifo(root / "data" / "pipe.csv")  # to open it would hang
    cell = "read('../data/pipe.csv'); os.listdir('../data'); glob.glob('../data/*.csv')"
    assert "data/pipe.csv" not in names(read(root, cell).files, root)


@pytest.mark.parametrize(
    "cell", ["read('../data/link.csv')", "os.listdir('../data')", "glob.glob('../data/*.csv')"]
)
def test_a_link_that_leads_out_is_refused_by_name(root: Path, cell: str) -> None:
    (root / "data" / "link.csv").symlink_to(root.parent / "outside.csv")
    with pytest.raises(BundleRefused, match=r"data/link\.csv is a link that leads out"):
        placed(read(root, cell).files, root)


def test_a_link_to_a_folder_is_refused_and_not_passed_over(root: Path) -> None:
    (root / "data" / "link").symlink_to(root / "notebooks", target_is_directory=True)
    with pytest.raises(BundleRefused, match="data/link is not a regular file"):
        placed(read(root, "os.listdir('../data')").files, root)


def test_a_folder_whose_place_the_bundle_needs_is_refused_by_name(root: Path) -> None:
    put(root / "kernels" / "a.csv")
    with pytest.raises(BundleRefused, match="the bundle has a kernels of its own"):
        placed(read(root, "os.listdir('../kernels')").files, root)


def test_links_in_a_circle_end(root: Path) -> None:
    (root / "data" / "loop").symlink_to("loop")
    (root / "data" / "round").symlink_to(root / "data", target_is_directory=True)
    for cell in ("read('../data/loop')", "glob.glob('../data/**/*.csv')"):
        assert "data/a.csv" in names(read(root, cell, "read('../data/a.csv')").files, root)


@pytest.mark.skipif(os.name != "posix", reason="Windows hides otherwise")
def test_what_may_not_be_looked_at_is_not_there() -> None:
    with tempfile.TemporaryDirectory() as name:
        root, user = Path(name).resolve(), os.geteuid()
        put(root / "notebooks" / "near.csv")
        put(root / "data" / "a.csv")
        root.chmod(0o755)
        (root / "data").chmod(0)
        if user == 0:  # nothing is hidden from root
            os.seteuid(65534)
        try:
            found = read(root, "read('near.csv'); read('../data/a.csv'); os.listdir('../data')")
        finally:
            os.seteuid(user)
            (root / "data").chmod(0o700)
        assert names(found.files, root) == ["notebooks/near.csv"]
