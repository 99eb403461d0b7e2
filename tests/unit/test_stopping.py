"""What is told of a stop, however often it is pressed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

import pytest

from uvmagic import app, grammar
from uvmagic.errors import Interrupted
from uvmagic.system.host import Host

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from uvmagic.progress import Progress


class Silent:
    def progress(self, progress: Progress) -> None: ...

    def write(self, stream: str, text: str) -> None: ...


def pressed(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def pressed_while_it_tells(*_: object) -> NoReturn:
    try:
        raise Interrupted("Stopped; all is as it was.")
    finally:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("flow", "told"),
    [(pressed, "Stopped."), (pressed_while_it_tells, "Stopped; all is as it was.")],
)
def test_a_second_press_takes_nothing_from_what_the_first_one_tells(
    flow: Callable[..., NoReturn], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_owned", flow)
    with pytest.raises(Interrupted) as stopped:
        app.run(grammar.parse(["sync"]), Host(tmp_path, os.environ, Silent()))
    assert stopped.value.message == told
