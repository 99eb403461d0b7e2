"""What a call of `rerun` asks for is judged before anything runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from uvmagic import grammar
from uvmagic.bundle.manifest import Manifest
from uvmagic.errors import UsageError
from uvmagic.progress import Progress
from uvmagic.rerun.containers import steps_told
from uvmagic.rerun.engines import Settings
from uvmagic.rerun.flow import rerun
from uvmagic.system.host import Host
from uvmagic.terminal import TerminalReporter


def a_bundle(folder: Path, *outputs: nbformat.NotebookNode) -> None:
    """A bundle whose notebook has one cell with these outputs; its environment is never made."""
    folder.mkdir()
    cell = v4.new_code_cell("1", outputs=list(outputs))  # type: ignore[no-untyped-call]
    nbformat.write(v4.new_notebook(cells=[cell]), folder / "study.ipynb")  # type: ignore[no-untyped-call]
    manifest = Manifest("study.ipynb", "3.12", "0.9.0", "0.1", "any", "cpu", "", {})
    (folder / "bundle.json").write_bytes(manifest.to_bytes())


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a bundle that has outputs, one that has none, and files of parameters."""
    value = v4.new_output("display_data", data={"text/plain": "1"})  # type: ignore[no-untyped-call]
    printed = v4.new_output("stream", text="1")  # type: ignore[no-untyped-call]
    a_bundle(tmp_path / "kept", value)
    a_bundle(tmp_path / "bare")
    a_bundle(tmp_path / "printing", printed)
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe4")
    (tmp_path / "params.toml").write_text("a = 1")
    return tmp_path


@pytest.mark.parametrize(
    ("call", "told", "hint"),
    [
        ("rerun", "takes one bundle", "uvmagic rerun"),
        ("rerun kept --engine dokcer", "no engine dokcer", "Did you mean docker?"),
        ("rerun bare --compare", "no saved outputs", "--keep-outputs"),
        ("rerun printing --compare", "what cells print is not compared", "--keep-outputs"),
        ("rerun kept --report x.html", "--report is for --compare", "--compare"),
        ("rerun kept --tolerance 0.1", "--tolerance is for --compare", "--compare"),
        ("rerun kept --compare --tolerance big", "from 0 to below 1", "1e-3"),
        ("rerun kept --compare --tolerance nan", "from 0 to below 1", "1e-3"),
        ("rerun kept --compare --tolerance -1", "from 0 to below 1", "1e-3"),
        ("rerun kept --compare --tolerance 1", "from 0 to below 1", "1e-3"),
        ("rerun kept --compare --report a.ipynb -o ./a.ipynb", "one name", "--report FILE"),
        ("rerun kept --timeout soon", "whole number of seconds", "--timeout 600"),
        ("rerun kept --timeout 0", "whole number of seconds", "--timeout 600"),
        ("rerun kept --timeout 1.5", "whole number of seconds", "--timeout 600"),
        ("rerun kept --timeout ²", "whole number of seconds", "--timeout 600"),
        ("rerun kept -f nowhere.yaml", "No such file", "alpha: 0.1"),
        ("rerun kept -f list.json", "not one JSON object", "alpha: 0.1"),
        ("rerun kept -f broken.json", "cannot be read", "alpha: 0.1"),
        ("rerun kept -f latin.yaml", "cannot be read", "alpha: 0.1"),
        ("rerun kept -f params.toml", "named neither .yaml", "alpha: 0.1"),
    ],
)
def test_a_call_that_cannot_be_meant_runs_nothing(
    desk: Path, call: str, told: str, hint: str
) -> None:
    before = sorted(desk.rglob("*"))
    host = Host(desk, {"PATH": os.devnull}, TerminalReporter())
    with pytest.raises(UsageError) as caught:
        rerun(grammar.parse(call.split()), host)
    assert told in caught.value.message
    assert hint in str(caught.value.hint)
    assert sorted(desk.rglob("*")) == before


def test_settings_are_papermills_arguments() -> None:
    assert Settings().arguments() == []
    settings = Settings(
        parameters=(("alpha", "-0.1"), ("name", "a b")),
        parameter_files=(Path("/a/one.yaml"), Path("/a/two.json")),
        timeout=600,
    )
    assert settings.arguments() == [
        *("--execution-timeout", "600"),
        *("-f", "/a/one.yaml", "-f", "/a/two.json"),
        *("-p", "alpha", "-0.1", "-p", "name", "a b"),
    ]


def test_json_parameters_are_read_as_json(desk: Path) -> None:
    (desk / "good.json").write_text(json.dumps({"alpha": 1}))
    host = Host(desk, {"PATH": os.devnull}, TerminalReporter())
    with pytest.raises(UsageError, match="no saved outputs"):
        rerun(grammar.parse(["rerun", "bare", "-f", "good.json", "--compare"]), host)


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ("#8 [env 3/5] RUN uv sync --locked\n#8 0.2 Resolved\n", "RUN uv sync --locked"),
        ("#5 [internal] load metadata for docker.io/library/python\n", None),
        ("Step 4/12 : COPY uv.lock ./\n ---> 0a1b\n", "COPY uv.lock ./"),
        ("STEP 4/12: RUN uv sync\n", "RUN uv sync"),
        ("[1/2] STEP 2/6: WORKDIR /work\n", "WORKDIR /work"),
        ("Resolved 30 packages in 1ms\n", None),
    ],
)
def test_the_step_at_which_an_image_is_built_is_told(said: str, step: str | None) -> None:
    class Heard:
        told: tuple[Progress, ...] = ()

        def progress(self, progress: Progress) -> None:
            self.told += (progress,)

        def write(self, stream: str, text: str) -> None:
            raise AssertionError(text)

    reporter = Heard()
    steps_told(Host(Path(), {}, reporter))(said)
    expected = [Progress(f"Building the image: {step}")] if step else []
    assert list(reporter.told) == expected
