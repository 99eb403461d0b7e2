"""What becomes of every line of real-world shapes of sources, each with its peculiarity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from uvmagic.adopt import sources
from uvmagic.adopt.plan import Plan, planned

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from uvmagic.adopt.lines import Source

HERE = Path(__file__).parent / "sources"
BESIDE = {
    "extra.txt",
    "pip-section/requirements.txt",
    "tree/requirements/base.txt",
    "tree/requirements/constraints.txt",
    "tree/requirements/science.txt",
    "tree/lib/pyproject.toml",
}
"""What only another source names."""
SOURCES = sorted(
    path
    for file in HERE.rglob("*")
    if file.is_file() and (path := file.relative_to(HERE).as_posix()) not in BESIDE
)


def read(path: str) -> Source:
    file = HERE / path
    return sources.read(file.name, file.parent, {})


def told(plan: Plan) -> str:
    """A plan for people: each line and what became of it, and what pyproject.toml gets."""
    rows = [
        f"{row.outcome:8} {row.place:32} {row.text}\n{'':9}{row.told}".rstrip() for row in plan.rows
    ]
    made = [
        " ".join(
            part
            for part in (
                f"{one.table.kind} {one.table.name}:".replace(" :", ":"),
                one.requirement,
                "(editable)" if one.is_editable else "",
                f"(from {one.index})" if one.index else "",
                "(name not known)" if one.is_same_name else "",
            )
            if part
        )
        for one in plan.additions
    ]
    rest = [
        f"{key}: {value}"
        for key, value in {
            "requires-python": plan.python,
            "indexes": plan.indexes,
            "constraints": plan.constraints,
            "settings": plan.settings,
            "backend": plan.backend.name if plan.backend else "",
        }.items()
        if value
    ]
    return "\n".join(["", *rows, "", *made, *rest])


@pytest.mark.parametrize("path", SOURCES)
def test_what_became_of_every_line(path: str, snapshot: SnapshotAssertion) -> None:
    assert told(planned(read(path).lines)) == snapshot


def test_there_are_enough_shapes() -> None:
    assert len(SOURCES) >= 25


@pytest.mark.parametrize("path", SOURCES)
def test_every_line_is_there_once(path: str) -> None:
    found = [line for line in read(path).lines if line.file == Path(path).name]
    numbers = [number for line in found for number in range(line.first, line.last + 1)]
    assert len(set(numbers)) == len(numbers)
    if Path(path).suffix in (".py", ".ipynb"):
        return  # code asks for nothing
    text = (HERE / path).read_bytes()
    lines = text.decode("utf-16" if text.startswith(b"\xff\xfe") else "utf-8-sig").splitlines()
    wanted = {
        n for n, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")
    }
    assert wanted <= set(numbers)


@pytest.mark.parametrize("path", SOURCES)
def test_every_line_that_asks_for_something_has_one_row(path: str) -> None:
    source = read(path)
    rows = [row.line for row in planned(source.lines).rows]
    assert rows == [line for line in source.lines if line.asks]


@pytest.mark.parametrize("path", SOURCES)
def test_nobodys_password_is_shown_or_written(path: str) -> None:
    plan = planned(read(path).lines)
    shown = told(plan)
    assert "s3cret" not in shown
    assert "pa55word" not in shown


@pytest.mark.parametrize("path", SOURCES)
def test_a_line_that_is_left_says_what_to_do(path: str) -> None:
    for row in planned(read(path).lines).rows:
        assert row.told or row.outcome == "adopted", row
        if row.outcome == "left":
            assert len(row.told) > 20
