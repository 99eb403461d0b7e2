"""What a cell may say, and what comes of it, in a real IPython shell over a loopback index."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from uvmagic.errors import ProjectMissing, UsageError, UvFailed
from uvmagic.outcome import Outcome

if TYPE_CHECKING:
    from conftest import Folder, Shell


def dependencies(folder: Folder) -> list[str]:
    import tomllib

    listed = tomllib.loads(folder.pyproject.read_text())["project"]["dependencies"]
    return [str(entry) for entry in listed]


def test_add_installs_and_gives_its_outcome_as_a_value(folder: Folder, shell: Shell) -> None:
    outcome = shell.outcome("r = %uv add beta\nr")
    assert [(c.sign, c.name, c.after) for c in outcome.changes] == [
        ("+", "beta", "1.0"),  # what was asked for comes first
        ("+", "alpha", "2.0"),
    ]
    assert folder.installed() == {"alpha", "beta"}
    assert dependencies(folder) == ["beta>=1.0"]


def test_a_cell_shows_its_outcome_once_and_an_assigned_one_when_asked_for(
    folder: Folder, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run("r = %uv add alpha")
    assert "Added alpha" not in capsys.readouterr().out
    shell.run("%uv add alpha")
    assert capsys.readouterr().out.count("Already there: alpha 2.0") == 1
    shell.run("r")
    assert capsys.readouterr().out.count("Added alpha") == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('%uv add "alpha>=1,<2"', ["alpha>=1,<2"]),
        ("%uv add 'alpha<2'", ["alpha<2"]),
        ("%uv add alpha==1.0   # the old one", ["alpha==1.0"]),
        ("%uv add delta[more]", ["delta[more]>=1.0"]),
        ("%uv add \"gamma; sys_platform == 'win32'\"", ["gamma>=1.0 ; sys_platform == 'win32'"]),
        ("%uv --offline --quiet lock\n%uv add gamma", ["gamma>=1.0"]),
        ("%uvmagic add alpha beta", ["alpha>=2.0", "beta>=1.0"]),
        (
            "%%uv add\n# what we need\nalpha  # first\n\ndelta [more]\n",
            ["alpha>=2.0", "delta[more]>=1.0"],
        ),
        ("%%uv add --bounds exact\nalpha\n", ["alpha==2.0"]),
    ],
)
def test_what_is_asked_for_is_what_is_written(
    folder: Folder, shell: Shell, line: str, expected: list[str]
) -> None:
    shell.run(line)
    assert dependencies(folder) == expected


def test_a_variable_is_expanded_after_splitting(folder: Folder, shell: Shell) -> None:
    shell.run("wanted = 'alpha --index http://127.0.0.1:9/evil'\nname = 'beta'")
    with pytest.raises((UvFailed, UsageError)):
        shell.run("%uv add {wanted}")
    assert "evil" not in folder.pyproject.read_text()
    assert dependencies(folder) == []
    shell.run("%uv add {name}")
    assert dependencies(folder) == ["beta>=1.0"]


def test_a_windows_path_arrives_whole(folder: Folder, shell: Shell) -> None:
    with pytest.raises(UvFailed) as caught:
        shell.run(r"%uv add C:\data\my_wheel-1.0-py3-none-any.whl")
    assert r"C:\data" in str(caught.value) or "C:/data" in str(caught.value)


def test_an_unclosed_quote_is_one_clear_error(folder: Folder, shell: Shell) -> None:
    before = folder.contents()
    with pytest.raises(UsageError, match="is not closed"):
        shell.run('%uv add "alpha')
    assert folder.contents() == before


def test_an_empty_cell_is_explained(
    folder: Folder, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    done = shell.attempt("%%uv add")
    shown = capsys.readouterr()
    assert "cell body is empty" in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err
    assert not done.success
    with pytest.raises(UsageError, match="add what"):
        shell.run("%%uv add\n# nothing but a comment\n")
    assert dependencies(folder) == []


def test_a_bare_call_shows_the_words(
    empty: Folder, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run("%uv")
    assert "add REQUIREMENT…" in capsys.readouterr().out


def test_a_question_mark_shows_the_words(
    empty: Folder, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run("%uv?")
    assert "add REQUIREMENT…" in capsys.readouterr().out


def test_an_unknown_option_says_what_was_near(folder: Folder, shell: Shell) -> None:
    before = folder.contents()
    with pytest.raises(UsageError, match="--dry-run"):
        shell.run("%uv add alpha --dri-run")
    with pytest.raises(UsageError, match="--include"):
        shell.run("%uv bundle --inclde x")
    assert folder.contents() == before


def test_an_unknown_word_says_what_was_near(folder: Folder, shell: Shell) -> None:
    with pytest.raises(UsageError, match="Did you mean  %uv bundle"):
        shell.run("%uv bundel")


def test_an_error_shows_no_traceback_and_fails_the_cell(
    folder: Folder, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    done = shell.attempt("%uv add nowhere-to-be-found")
    shown = capsys.readouterr()
    assert not done.success
    assert "nowhere-to-be-found" in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err
    assert "site-packages" not in shown.out + shown.err


def test_without_a_project_it_says_how_to_make_one(empty: Folder, shell: Shell) -> None:
    with pytest.raises(ProjectMissing, match="%uv init"):
        shell.run("%uv add alpha")
    assert list(empty.path.iterdir()) == []


def test_other_words_go_to_uv_unchanged(
    folder: Folder, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run("%uv add alpha")
    capsys.readouterr()
    shell.run("%uv pip list --format json")
    listed = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in listed] == ["alpha"]
    shell.run("%uv --version")
    assert capsys.readouterr().out.startswith("uv ")


def test_a_failing_uv_command_fails_the_cell_with_its_status(folder: Folder, shell: Shell) -> None:
    with pytest.raises(UvFailed) as caught:
        shell.run("%uv run python -c 'raise SystemExit(7)'")
    assert caught.value.exit_code == 7


def test_a_script_cell_runs_in_an_environment_of_its_own(
    folder: Folder, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run("%%uv run --with alpha==1.0\nimport alpha\nprint('alpha', alpha.__version__)")
    assert "alpha 1.0" in capsys.readouterr().out
    assert dependencies(folder) == []


def test_json_is_one_object(
    folder: Folder, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run("%uv add alpha --json")
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == 1
    assert told["changes"] == [{"name": "alpha", "before": None, "after": "2.0"}]


def test_a_session_outside_the_project_is_told_so(folder: Folder, shell: Shell) -> None:
    outcome = shell.outcome("%uv add alpha")
    assert any("does not run in the project" in step for step in outcome.next_steps)


def test_init_makes_only_a_pyproject_and_is_content_the_second_time(
    empty: Folder, shell: Shell
) -> None:
    first, second = shell.outcome("%uv init"), shell.outcome("%uv init")
    assert first.title == "empty is a project now."
    assert second.title == "empty is a project already."
    assert {path.name for path in empty.path.iterdir()} == {"pyproject.toml", ".uvmagic"}


def test_init_works_in_a_folder_whose_name_is_no_project_name(
    empty: Folder, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, expected in (("数据", "notebooks"), ("Café Données", "cafe-donnees")):
        folder = empty.path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        assert isinstance(shell.run("%uv init"), Outcome)
        assert f'name = "{expected}"' in (folder / "pyproject.toml").read_text()


def test_the_question_mark_shows_the_words(shell: Shell) -> None:
    for name in ("%uv", "%uvmagic", "%%uv"):
        told = shell.ip.object_inspect(name)["docstring"]  # type: ignore[no-untyped-call]
        assert "add REQUIREMENT…" in told
