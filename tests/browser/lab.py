"""JupyterLab in a browser, used by menus, cells and keys, as a person does; and what it shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import FloatRect, Locator, Page

PATIENCE = 120_000
"""Milliseconds that a cell gets: the longest makes a project with numpy and matplotlib."""
KERNEL = "Python 3 (ipykernel)"
"""What JupyterLab calls the kernel of its own environment."""


@dataclass(frozen=True)
class Cell:
    """A cell of an open notebook.

    Attributes:
        element: all of it: prompt, input, output.
    """

    element: Locator

    @property
    def output(self) -> Locator:
        """What it has shown."""
        return self.element.locator(".jp-Cell-outputWrapper")

    @property
    def text(self) -> str:
        """What is to be read of its output, without the prompts."""
        shown = self.element.locator(".jp-OutputArea-output").all_inner_texts()
        return "\n".join(text.strip() for text in shown if text.strip())

    def ends(self) -> None:
        """Wait until it has run."""
        prompt = self.element.locator(".jp-InputArea-prompt")
        expect(prompt).to_have_text(re.compile(r"^\[\d+\]:$"), timeout=PATIENCE)

    def shows(self, *words: str) -> Cell:
        """Assert that it shows these, in this order, and no traceback; gives itself."""
        expect(self.output).to_contain_text(words[0])
        text, position = self.text, 0
        for word in words:
            position = text.find(word, position)
            assert position >= 0, f"no {word!r} in its place:\n{text}"
        assert "Traceback" not in text, text
        return self

    def gets_on(self, *words: str) -> Cell:
        """Assert that it is an error of one sentence, and one at most that says what to do."""
        self.shows(*words)
        assert len(self.text.splitlines()) <= 2, self.text
        return self


class Notebook:
    """A notebook that is open in JupyterLab.

    Args:
        page: the browser's page.
        folder: the folder that it lies in.
    """

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self._panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    @property
    def cells(self) -> Locator:
        """All its cells."""
        return self._panel.locator(".jp-Notebook .jp-Cell")

    def cell(self, index: int) -> Cell:
        """One of its cells; a negative index counts from the end."""
        return Cell(self.cells.nth(index))

    def code(self) -> list[str]:
        """What stands in the cells that have something in them."""
        texts = self.cells.locator(".cm-content").all_inner_texts()
        return [text.strip() for text in texts if text.strip()]

    def write(self, code: str) -> Cell:
        """Type code into an empty cell at the end."""
        if self.cells.last.locator(".cm-content").inner_text().strip():
            self._press("Insert a cell below")
        self.cells.last.locator(".cm-content").click()
        self.page.keyboard.type(code)
        return self.cell(self.cells.count() - 1)

    def start(self, code: str) -> Cell:
        """Type a cell and press Shift-Enter."""
        cell = self.write(code)
        self.page.keyboard.press("Shift+Enter")
        return cell

    def run(self, code: str) -> Cell:
        """Type a cell, press Shift-Enter, and wait until it has run."""
        cell = self.start(code)
        cell.ends()
        return cell

    def tab(self, code: str) -> Locator:
        """Type code into the cell at the end, and press Tab; gives what is offered."""
        self.write(code)
        self.page.keyboard.press("Tab")
        return self.page.locator(".jp-Completer")

    def shift_tab(self) -> Locator:
        """Press Shift-Tab; gives the help that is shown."""
        self.page.keyboard.press("Shift+Tab")
        return self.page.locator(".jp-Tooltip")

    def erase(self) -> None:
        """Close what is open, and empty the cell."""
        self.page.keyboard.press("Escape")
        self.cells.last.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")

    def stop(self) -> None:
        """Press the stop button in the toolbar."""
        self._press("Interrupt the kernel")

    def save(self, name: str) -> None:
        """Press Control-S, give the notebook the name that is asked for, and see it saved."""
        self.page.keyboard.press("Control+s")
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("textbox").fill(name)
        dialog.get_by_role("button", name="Rename").click()
        expect(self.page.locator(".lm-TabBar-tab.jp-mod-dirty")).to_have_count(0)

    def choose(self, menu: str, *entries: str) -> None:
        """Choose an entry of the menu bar, or of a menu within it."""
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        for entry in entries:
            self.page.get_by_role("menuitem", name=entry, exact=True).click()

    def confirm(self, button: str) -> None:
        """Press a button of the dialog that is open."""
        self.page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()

    def _press(self, button: str) -> None:
        """Press a button of the notebook's toolbar."""
        toolbar = self._panel.get_by_role("toolbar", name="main area toolbar")
        toolbar.get_by_role("button", name=button).click()

    def change_kernel(self, name: str) -> None:
        """Choose another kernel: by its name in the toolbar, then in the dialog."""
        self._panel.locator(".jp-KernelName").click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("combobox").select_option(label=name)
        dialog.get_by_role("button", name="Select").click()
        self.is_ready(name)

    def look(self, shade: Literal["light", "dark"]) -> None:
        """Have the system be light or dark; JupyterLab follows."""
        self.page.emulate_media(color_scheme=shade)
        theme = f"JupyterLab {shade.title()}"
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-name", theme)

    def photograph(self, file: Path, *elements: Locator) -> None:
        """Write a picture of what lies below each other, cut to its size."""
        boxes = [box for element in elements if (box := element.bounding_box())]
        left, top = min(box["x"] for box in boxes), min(box["y"] for box in boxes)
        right = max(box["x"] + box["width"] for box in boxes)
        bottom = max(box["y"] + box["height"] for box in boxes)
        clip: FloatRect = {"x": left, "y": top, "width": right - left, "height": bottom - top}
        self.page.screenshot(path=file, clip=clip, animations="disabled", caret="hide")

    def is_ready(self, kernel: str = KERNEL) -> None:
        """Wait until a kernel of this name is idle."""
        expect(self._panel.locator(".jp-KernelName")).to_have_text(kernel, timeout=PATIENCE)
        idle = self._panel.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
        expect(idle).to_be_visible(timeout=PATIENCE)


def opened(page: Page, address: str, folder: Path, kernel: str = KERNEL) -> Notebook:
    """Open JupyterLab in a folder, and a new notebook from the launcher.

    Args:
        page: the browser's page.
        address: of JupyterLab's page for the folder, token and all.
        folder: on disk.
        kernel: the name on the launcher's card.
    """
    page.goto(address)
    expect(page.locator(".jp-FileBrowser-crumbs")).to_contain_text(folder.name, timeout=PATIENCE)
    page.get_by_role("tab", name="File Browser").click()  # closes it: the notebook gets its room
    page.locator(f'.jp-LauncherCard[data-category="Notebook"][title^="{kernel}"]').click()
    expect(page).to_have_url(re.compile(f"/{folder.name}/Untitled"))
    notebook = Notebook(page, folder)
    notebook.is_ready(kernel)
    return notebook


Open = Callable[..., Notebook]
"""Opens a new notebook in a folder, with a kernel."""
TakePicture = Callable[..., None]
"""Takes a picture of cells of a notebook, under a name."""
