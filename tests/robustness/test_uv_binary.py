"""A uv that is missing, old, broken or treacherous: told, and the files as they were."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from conftest import Folder
from robustness.aftermath import (
    Aftermath,
    end,
    ended,
    fake_uv,
    impatient_command,
    message_of,
    wait_until,
)

if TYPE_CHECKING:
    from conftest import Shell

_INSTALL = "→ Install it: pip install uv (in a cell: %pip install uv ), then try again."
_FAILED = "error: uv add failed; pyproject.toml and uv.lock are as they were.\n"

_BREAKS_FILES = """\
Path('pyproject.toml').write_text('half of what')
Path('uv.lock').write_bytes(b'rubbish')
"""
"""What a fake uv does to the project that it runs in."""


@pytest.fixture(params=["fresh", "locked"])
def aftermath(folder: Folder, tmp_path: Path, request: pytest.FixtureRequest) -> Aftermath:
    """A project that nothing was added to, or one with `beta`."""
    if request.param == "locked":
        assert folder.uvmagic("add", "beta").returncode == 0
    return Aftermath(folder, tmp_path)


def _script(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


# --- finding it --------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [["add", "alpha"], ["lock"], ["sync"], ["tree"], ["pip", "list"]])
def test_a_variable_that_names_no_program_is_told(
    folder: Folder, tmp_path: Path, word: list[str]
) -> None:
    aftermath = Aftermath(folder, tmp_path)
    missing = str(tmp_path / "missing" / "uv")
    message = aftermath.is_clean(
        folder.uvmagic(*word, UV=missing),
        f"The environment says UV={missing}, and there is no such program.",
        "→ Unset UV, or let it name a uv.",
    )
    assert len(message.splitlines()) == 2
    assert not (folder.path / ".uvmagic").exists()
    aftermath.works_again()


def test_a_variable_that_names_a_folder_or_a_text_is_told(folder: Folder, tmp_path: Path) -> None:
    aftermath = Aftermath(folder, tmp_path)
    text = tmp_path / "text"
    text.write_text("no program")
    for named in (tmp_path, text):
        message = aftermath.is_clean(folder.uvmagic("add", "alpha", UV=str(named)), str(named))
        assert "→ " in message
    aftermath.works_again()


@pytest.fixture
def lonely(tmp_path: Path) -> Path:
    """A Python that has uvmagic, and no uv beside it."""
    venv.create(tmp_path / "lonely", symlinks=True, with_pip=False)
    python = tmp_path / "lonely" / "bin" / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = tmp_path / "lonely" / "lib" / version / "site-packages"
    here = sysconfig.get_path("purelib")
    (site / "here.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    return python


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("", "lonely/bin/uv"),  # where pip puts it
        (None, "told/uv"),  # beside the Python that the kernel came from
        ("/nonexistent", "home/.local/bin/uv"),  # where uv's own installer puts it
    ],
)
def test_without_any_uv_it_is_told_how_to_get_one_and_that_works(
    folder: Folder,
    tmp_path: Path,
    lonely: Path,
    uv: str,
    monkeypatch: pytest.MonkeyPatch,
    path: str | None,
    place: str,
) -> None:
    assert folder.uvmagic("add", "beta").returncode == 0  # so that uv needs no PATH for a Python
    aftermath = Aftermath(folder, tmp_path)
    monkeypatch.delenv("UV")
    monkeypatch.setenv("UVMAGIC_UV", str(tmp_path / "told" / "uv"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if path is None:
        monkeypatch.delenv("PATH")
    else:
        monkeypatch.setenv("PATH", path)

    def uvmagic() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(lonely), "-m", "uvmagic", "add", "alpha"],
            cwd=folder.path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    aftermath.is_clean(
        uvmagic(),
        "uv was not found, on PATH or beside this Python.",
        _INSTALL,
    )
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).symlink_to(uv)
    done = uvmagic()
    assert done.returncode == 0, done.stderr
    assert "Added alpha" in done.stdout


def test_a_uv_on_the_path_that_is_no_program_is_passed_over(
    folder: Folder, tmp_path: Path, uv: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    (first / "uv").write_text("not executable")
    (second / "uv").symlink_to(uv)
    monkeypatch.delenv("UV")
    monkeypatch.setenv("PATH", f"{first}:{second}:/usr/bin:/bin")
    Aftermath(folder, tmp_path).works_again()


# --- asking it for its version -----------------------------------------------------------------


@pytest.mark.parametrize("version", ["uv 0.1.0", "uv 0.8.99 (abc 2025-01-01)", "uv 0.9.0rc1"])
def test_a_uv_that_is_too_old_is_told_and_how_to_update(
    folder: Folder, tmp_path: Path, version: str
) -> None:
    aftermath = Aftermath(folder, tmp_path)
    program = fake_uv(tmp_path / "fake", _BREAKS_FILES, version)
    number = version.split()[1]
    message = aftermath.is_clean(
        folder.uvmagic("add", "alpha", UV=program),
        f"{program} is uv {number}; uvmagic needs ",
        " or newer.",
        "→ Update it: uv self update or pip install --upgrade uv",
    )
    assert len(message.splitlines()) == 2
    aftermath.works_again()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("#!/bin/sh\necho 'Ubuntu Validator 3'\n", "'Ubuntu Validator 3'"),
        ("#!/bin/sh\necho uv\n", "'uv'"),
        ("#!/bin/sh\necho uv not-a-version\n", "'uv not-a-version'"),
        ("#!/bin/sh\nprintf 'uv \\377\\376\\n'\n", "'uv "),
        ("#!/bin/sh\nprintf '\\377\\376\\000\\200'\n", "it says '"),
        ("#!/bin/sh\nexit 0\n", "it says ''"),
        ("#!/bin/sh\necho no >&2; exit 3\n", "it says ''"),
        ("#!/bin/sh\nkill -9 $$\n", "it says ''"),
        ("#!/bin/sh\nyes uv uv | head -c 2000000\n", "'uv uv"),
    ],
)
def test_a_program_that_is_no_uv_is_told_with_its_own_words(
    folder: Folder, tmp_path: Path, script: str, told: str
) -> None:
    aftermath = Aftermath(folder, tmp_path)
    program = _script(tmp_path / "fake" / "uv", script)
    message = aftermath.is_clean(
        folder.uvmagic("add", "alpha", UV=program),
        f"{program} is not uv: asked for its version it says ",
        told,
        _INSTALL,
    )
    assert len(message) < 400
    aftermath.works_again()


@pytest.mark.parametrize("script", ["#!/no/such/interpreter\n", "rubbish\n", "\x7fELF rubbish", ""])
def test_a_program_that_cannot_be_started_is_told(
    folder: Folder, tmp_path: Path, script: str
) -> None:
    aftermath = Aftermath(folder, tmp_path)
    program = _script(tmp_path / "fake" / "uv", script)
    aftermath.is_clean(
        folder.uvmagic("add", "alpha", UV=program), f"{program} cannot be run: ", _INSTALL
    )
    aftermath.works_again()


@pytest.mark.heavy
def test_a_uv_that_never_tells_its_version_is_given_up_and_ended(
    folder: Folder, tmp_path: Path
) -> None:
    aftermath = Aftermath(folder, tmp_path)
    program = _script(tmp_path / "fake" / "uv", "#!/bin/sh\nexec sleep 100\n")
    aftermath.is_clean(
        Folder(folder.path, impatient_command).uvmagic("add", "alpha", UV=program),
        f"{program} --version gave no answer in 2 s.",
        _INSTALL,
    )
    aftermath.works_again()


# --- letting it work ---------------------------------------------------------------------------


@pytest.mark.parametrize("does", ["", "print('Resolved 1 package')", _BREAKS_FILES])
def test_a_uv_that_says_yes_and_does_not_do_it_is_not_believed(
    aftermath: Aftermath, tmp_path: Path, does: str
) -> None:
    program = fake_uv(tmp_path / "fake", does)
    message = aftermath.is_clean(aftermath.folder.uvmagic("add", "alpha", UV=program))
    assert message.startswith("error: uv reports success, but ") or "cannot be read" in message
    assert "→ " in message
    aftermath.works_again()


_LISTS_IT = """\
text = Path('pyproject.toml').read_text()
Path('pyproject.toml').write_text(text.replace('dependencies = [', 'dependencies = ["gamma", '))
"""
_LOCKS_IT = """\
with open('uv.lock', 'a') as stream:
    stream.write('version = 1\\n\\n[[package]]\\nname = "gamma"\\nversion = "1.0"\\n')
"""


@pytest.mark.parametrize("aftermath", ["fresh"], indirect=True)
@pytest.mark.parametrize(
    ("does", "lacks"),
    [
        (_LOCKS_IT, "gamma is not in pyproject.toml"),
        (_LISTS_IT + "Path('uv.lock').touch()", "gamma is not in uv.lock"),
        (_LISTS_IT, "uv.lock"),
        (_LISTS_IT + _LOCKS_IT, "gamma is not in the environment"),
        (_LISTS_IT + _LOCKS_IT + "Path('uv.lock').unlink()", "there is no uv.lock"),
    ],
)
def test_a_uv_that_does_a_part_of_it_is_not_believed(
    aftermath: Aftermath, tmp_path: Path, does: str, lacks: str
) -> None:
    program = fake_uv(tmp_path / "fake", does)
    message = aftermath.is_clean(
        aftermath.folder.uvmagic("add", "gamma", UV=program),
        f"{lacks}",
        "pyproject.toml and uv.lock are as they were.",
        "→ Please report this with the output of uv --version.",
    )
    assert message.startswith("error: uv reports success, but ")
    aftermath.works_again("gamma")


def test_a_uv_that_says_it_removed_and_did_not_is_not_believed(
    folder: Folder, tmp_path: Path
) -> None:
    assert folder.uvmagic("add", "beta").returncode == 0
    aftermath = Aftermath(folder, tmp_path)
    aftermath.is_clean(
        folder.uvmagic("remove", "beta", UV=fake_uv(tmp_path / "fake", "")),
        "uv reports success, but beta still is in pyproject.toml",
    )
    aftermath.works_again()


@pytest.mark.parametrize(
    ("dies", "told"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "uv ended with status -9 in silence."),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "uv ended with status -11 in silence."),
        ("os._exit(134)", "uv ended with status 134 in silence."),
        ("sys.exit(2)", "uv ended with status 2 in silence."),
        ("sys.stderr.write('error: I am sorry\\n'); sys.exit(1)", "error: I am sorry"),
        ("sys.stderr.write('thread main panicked at 7\\n'); os.abort()", "panicked at 7"),
    ],
)
def test_a_uv_that_edits_and_dies_leaves_no_edit(
    aftermath: Aftermath, tmp_path: Path, dies: str, told: str
) -> None:
    program = fake_uv(tmp_path / "fake", _BREAKS_FILES + dies)
    message = aftermath.is_clean(aftermath.folder.uvmagic("add", "alpha", UV=program), told)
    assert message.startswith(_FAILED)
    aftermath.works_again()


def test_a_uv_that_takes_the_files_away_and_dies_leaves_them_there(
    aftermath: Aftermath, tmp_path: Path
) -> None:
    program = fake_uv(
        tmp_path / "fake",
        "Path('pyproject.toml').unlink()\n"
        "Path('uv.lock').unlink(missing_ok=True)\n"
        "Path('uv.lock').mkdir()\n"
        "os.abort()\n",
    )
    done = aftermath.folder.uvmagic("add", "alpha", UV=program)
    assert done.returncode == 1
    message_of(done.stderr)
    assert aftermath.folder.pyproject.read_bytes() == aftermath.before[0]


@pytest.mark.heavy
def test_a_uv_that_writes_ten_megabytes_is_heard_to_its_end(folder: Folder, tmp_path: Path) -> None:
    aftermath = Aftermath(folder, tmp_path)
    program = fake_uv(
        tmp_path / "fake",
        _BREAKS_FILES + "line = 'word ' * 20 + '\\n'\n"
        "for _ in range(50_000):\n"
        "    sys.stdout.write(line)\n"
        "    sys.stderr.write(line)\n"
        "sys.stderr.write('error: that was all\\n')\n"
        "sys.exit(1)\n",
    )
    message = aftermath.is_clean(folder.uvmagic("add", "alpha", UV=program), "error: that was all")
    assert len(message) < 2000
    aftermath.works_again()


@pytest.mark.heavy
def test_a_uv_that_writes_one_word_without_end_is_heard_to_its_end(
    folder: Folder, tmp_path: Path
) -> None:
    """As when a build prints an encoded picture: it must not take a time of its square."""
    aftermath = Aftermath(folder, tmp_path)
    program = fake_uv(
        tmp_path / "fake",
        "sys.stderr.write('x' * 1_000_000 + '\\n')\n"
        "sys.stderr.write('error: that was all\\n')\n"
        "sys.exit(1)\n",
    )
    with folder.start("add", "alpha", UV=program) as running:
        done = ended(running)
    aftermath.is_clean(done, "error: that was all")
    aftermath.works_again()


def test_a_uv_that_writes_one_endless_line_is_heard_to_its_end(
    aftermath: Aftermath, tmp_path: Path
) -> None:
    program = fake_uv(
        tmp_path / "fake",
        "for _ in range(20_000):\n"
        "    sys.stderr.write('\\x1b[2K\\r⠋ Resolving' + ' ' * 200)\n"
        "    sys.stdout.write('x' * 200)\n"
        "sys.stderr.write('\\x1b[2K\\rerror: that was all\\n')\n"
        "sys.exit(1)\n",
    )
    message = aftermath.is_clean(
        aftermath.folder.uvmagic("add", "alpha", UV=program), "error: that was all"
    )
    assert len(message) < 2000
    aftermath.works_again()


def test_a_uv_whose_words_are_no_utf8_is_heard(aftermath: Aftermath, tmp_path: Path) -> None:
    program = fake_uv(
        tmp_path / "fake",
        _BREAKS_FILES + "os.write(1, b'\\xff\\xfe\\x00')\n"
        "os.write(2, b'error: caf\\xe9 \\xf0\\x9f\\x00\\x1b]0;title\\x07\\x08 is closed\\n\\xc3')\n"
        "sys.exit(1)\n",
    )
    message = aftermath.is_clean(
        aftermath.folder.uvmagic("add", "alpha", UV=program), "error: caf", "is closed"
    )
    assert message.startswith(_FAILED)
    assert not set(message) & {"\x00", "\x07", "\x08", "\x1b"}  # nothing that a terminal obeys
    aftermath.works_again()


def test_a_uv_that_takes_its_time_to_end_has_its_error_told_once(
    aftermath: Aftermath, tmp_path: Path
) -> None:
    program = fake_uv(
        tmp_path / "fake",
        "sys.stderr.write('error: that was all\\n')\n"
        "sys.stderr.flush()\n"
        "time.sleep(1)\n"
        "sys.exit(1)\n",
    )
    done = aftermath.folder.uvmagic("add", "alpha", UV=program)
    assert aftermath.is_clean(done) == _FAILED + "error: that was all"
    aftermath.works_again()


def test_what_a_uv_leaves_running_does_not_hold_the_project(folder: Folder, tmp_path: Path) -> None:
    """As a git that uv started may leave its credential cache: it inherits all that uv had."""
    pid = tmp_path / "pid"
    code = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    program = fake_uv(
        tmp_path / "fake",
        "import subprocess\n"
        "subprocess.Popen(\n"
        f"    [sys.executable, '-c', {code!r}],\n"
        "    close_fds=False, start_new_session=True,\n"
        "    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,\n"
        ")\n"
        "sys.stderr.write('error: that was all\\n')\n"
        "sys.stderr.flush()\n"
        "os._exit(1)\n",
    )
    done = folder.uvmagic("add", "alpha", UV=program)
    assert done.returncode == 1, done.stderr
    wait_until(lambda: pid.exists() and pid.read_text(), "what is left running")
    daemon = psutil.Process(int(pid.read_text()))
    try:
        with folder.start("lock") as running:
            assert running.stderr is not None
            said = running.stderr.readline()
            was_left = daemon.is_running()
            end(daemon)  # else the next would wait for it without end
            ended(running)
    finally:
        end(daemon)
    assert was_left
    assert not said.startswith("Waiting for ")
    Aftermath(folder, tmp_path).works_again()


def test_a_uv_that_is_taken_away_is_told_in_a_shell_that_had_found_it(
    folder: Folder, tmp_path: Path, shell: Shell, uv: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "bin" / "uv"
    link.parent.mkdir()
    link.symlink_to(uv)
    monkeypatch.setenv("UV", str(link))
    assert shell.outcome("%uv add alpha").title == "Added alpha"
    aftermath = Aftermath(folder, tmp_path)
    link.unlink()
    done = shell.attempt("%uv add beta")
    assert type(done.error_in_exec).__name__ == "UvUnavailable"
    assert f"UV={link}, and there is no such program" in str(done.error_in_exec)
    aftermath.is_unharmed()
    link.symlink_to(uv)
    assert shell.outcome("%uv add beta").title == "Added beta"


def test_a_uv_that_is_replaced_is_asked_anew_in_the_same_shell(
    folder: Folder, tmp_path: Path, shell: Shell, uv: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = fake_uv(tmp_path / "bin", _BREAKS_FILES, "uv 0.1.0")
    monkeypatch.setenv("UV", program)
    aftermath = Aftermath(folder, tmp_path)
    done = shell.attempt("%uv add alpha")
    assert type(done.error_in_exec).__name__ == "UvUnavailable"
    aftermath.is_unharmed()
    _script(Path(program), f'#!/bin/sh\nexec "{uv}" "$@"\n')
    assert shell.outcome("%uv add alpha").title == "Added alpha"
