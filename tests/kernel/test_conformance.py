"""Jupyter's own tests of a kernel's messages (jupyter_kernel_test), against uvmagic's kernels."""

from __future__ import annotations

import json
import unittest
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar
from unittest import mock

import jupyter_kernel_test  # type: ignore[import-untyped]
import pytest
from robustness.aftermath import nobody_is_left

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Folder

pytestmark = [pytest.mark.network, pytest.mark.heavy]

_LATE = 15.0
"""Seconds that a message may be late; jupyter_kernel_test allows 0.1 to some."""


class Messages(jupyter_kernel_test.KernelTests):  # type: ignore[misc]
    """What every kernel answers, whether it runs cells or not.

    Pytest is not to run it: it starts a kernel before any fixture has made one.
    """

    __test__ = False
    language_name = "python"
    file_extension = ".py"
    completion_samples: ClassVar = [{"text": "zi", "matches": {"zip"}}]
    complete_code_samples: ClassVar = ["1", "print('hello, world')", "def f(x):\n  return x\n\n\n"]
    incomplete_code_samples: ClassVar = ["print('''hello", "def f(x):\n  x*2"]
    invalid_code_samples: ClassVar = ["import = 7q"]
    code_inspect_sample = "zip"
    code_generate_error = "raise"

    def execute_helper(self, *arguments: Any, **options: Any) -> Any:
        """Run a cell; on a machine with much to do, its messages come late."""
        channel = self.kc.iopub_channel
        with mock.patch.object(channel, "get_msg", partial(_patiently, channel.get_msg)):
            return super().execute_helper(*arguments, **options)


def _patiently(get: Callable[..., Any], timeout: float) -> Any:
    return get(timeout=max(timeout, _LATE))


class WithCells(Messages):
    """What a kernel answers that runs cells."""

    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('test', file=sys.stderr)"
    code_page_something = "zip?"
    code_execute_result: ClassVar = [
        {"code": "1+2+3", "result": "6"},
        {"code": "[n*n for n in range(1, 4)]", "result": "[1, 4, 9]"},
    ]
    code_display_data: ClassVar = [
        {"code": "from IPython.display import HTML, display; display(HTML('x'))", "mime": m}
        for m in ("text/html", "text/plain")
    ]
    code_history_pattern = "1?2*"
    supported_history_operations = ("tail", "search")
    code_clear_output = "from IPython.display import clear_output; clear_output()"


CELLS = {
    "test_clear_output",
    "test_display_data",
    "test_execute_result",
    "test_execute_stderr",
    "test_execute_stdout",
    "test_history",
    "test_pager",
}
"""The tests that need a kernel that runs cells."""
ALL = CELLS | {
    "test_completion",
    "test_error",
    "test_inspect",
    "test_is_complete",
    "test_kernel_info",
}


def verdict(kind: type[Messages], kernel: str) -> tuple[set[str], set[str], str]:
    """Run the tests of a class against a kernel: which ran, which were skipped, what failed."""
    made = type(kind.__name__, (kind,), {"kernel_name": kernel})
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(made)
    names = {_name(test) for test in suite}
    result = unittest.TestResult()
    suite.run(result)
    skipped = {_name(test) for test, _ in result.skipped}
    wrong = "\n".join(f"{test}: {told}" for test, told in (*result.errors, *result.failures))
    return names - skipped, skipped, wrong


def _name(test: Any) -> str:
    return str(test.id()).rpartition(".")[2]


def install(folder: Folder, *arguments: str) -> dict[str, Any]:
    done = folder.uvmagic("kernel", "install", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_the_projects_kernels_answer_as_jupyter_demands(capable: Folder, tmp_path: Path) -> None:
    registered = install(capable)["kernels"][0]["name"]
    install(capable, "uv")
    for kernel in (registered, "uv"):
        ran, skipped, wrong = verdict(WithCells, kernel)
        assert wrong == "", f"{kernel}: {wrong}"
        # ipykernel calls the current session 0 there, which jupyter_kernel_test does not expect
        assert (ran, skipped) == (ALL, {"test_history (hist_access_type='range')"}), kernel
        nobody_is_left(tmp_path)


def test_the_kernel_that_explains_answers_as_jupyter_demands(empty: Folder, tmp_path: Path) -> None:
    install(empty, "uv")
    ran, skipped, wrong = verdict(Messages, "uv")
    assert wrong == ""
    assert (ran, skipped) == (ALL - CELLS, CELLS)
    nobody_is_left(tmp_path)
