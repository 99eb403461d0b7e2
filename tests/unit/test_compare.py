"""The outputs of a rerun against the saved ones, and the report of it."""

from __future__ import annotations

import base64
import copy
import struct
import warnings
import zlib
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nbformat import v4

from uvmagic.outcome import Outcome
from uvmagic.rerun import png, report, texts
from uvmagic.rerun.compare import Comparison, compare, has_outputs

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

Output = dict[str, Any]
Notebook = dict[str, Any]


def shown(**data: Any) -> Output:
    """An output with these mimetypes; `_` stands for `/`, `plain` alone for text."""
    names = {"plain": "text/plain", "html": "text/html", "png": "image/png"}
    named = {names.get(name, name.replace("_", "/", 1)): value for name, value in data.items()}
    return {"output_type": "display_data", "metadata": {}, "data": named}


def printed(text: str) -> Output:
    return {"output_type": "stream", "name": "stdout", "text": text}


def raised(name: str, message: str) -> Output:
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": [message]}


def notebook(*cells: list[Output], source: str = "x") -> Notebook:
    """A notebook whose code cells have these outputs."""
    made = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "source": source,
            "execution_count": number,
            "outputs": outputs,
        }
        for number, outputs in enumerate(cells)
    ]
    text = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# Title"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [text, *made]}


def differs(saved: Output, came: Output, tolerance: float = 1e-6) -> bool:
    """Whether two outputs differ, and in the same way from the other side."""
    there = compare(notebook([saved]), notebook([came]), tolerance)
    back = compare(notebook([came]), notebook([saved]), tolerance)
    assert bool(there.differences) == bool(back.differences)
    return bool(there.differences)


# --- text -----------------------------------------------------------------------------------------

SAME_TEXTS = [
    ("0.3333333333", "0.3333333334"),
    ("array([0.1, 0.2])", "array([0.1       , 0.20000000001])"),
    ("1e-20", "1.0000001e-20"),
    ("<object at 0x7f976284bba0>", "<object at 0x7f5ab011bba0>"),
    ("[<matplotlib.lines.Line2D at 0x10a3b4c50>]", "[<matplotlib.lines.Line2D at 0x7f4af0>]"),
    ("'/tmp/tmpab12/x.csv'", "'/tmp/tmpcd34/x.csv'"),
    ("/home/me/.cache/uvmagic-rerun-a1/bundle/x", "/tmp/uvmagic-rerun-b2/bundle/x"),
    ("<TimeitResult : 1.2 ns ± 0.1 ns per loop>", "<TimeitResult : 9.9 ns ± 3 ns per loop>"),
    ("{'a', 'b', 'c'}", "{'c', 'a', 'b'}"),
    ("{'a': 1, 'b': {2, 3}}", "{'b': {3, 2}, 'a': 1}"),
    ("{np.int64(1), np.int64(2)}", "{np.int64(2), np.int64(1)}"),
    ("frozenset({'a', 'b'})", "frozenset({'b', 'a'})"),
    ("({'a', 'b'}, <object at 0x7f976284bba0>)", "({'b', 'a'}, <object at 0x7f5ab011bba0>)"),
    (
        "defaultdict(<class 'int'>, {'a': 1, 'b': 2})",
        "defaultdict(<class 'int'>, {'b': 2, 'a': 1})",
    ),
    ("{0.1, 0.30000000000000004}", "{0.3, 0.1}"),
    ("{9.9999999, 5.5}", "{5.5, 10.0000001}"),
    ("{'#a', '#b'}", "{'#b', '#a'}"),
    ("a\n  b", "a b"),
    ("nan", "nan"),
]
OTHER_TEXTS = [
    ("0.5", "0.6"),
    ("41", "42"),
    ("20240101", "20240102"),
    ("3.10.0", "3.1.0"),
    ("x1", "x2"),
    ("[1, 2]", "[2, 1]"),
    ("{'a', 'b'}", "{'a', 'c'}"),
    ("{'a': 1, 'b': 2}", "{'a': 2, 'b': 1}"),
    ("{1}", "{1, 2}"),
    ("{1} # a", "{1} # b"),
    ("OrderedDict([('a', 1), ('b', 2)])", "OrderedDict([('b', 2), ('a', 1)])"),
    ("-1.5", "1.5"),
    ("1.5", "1.5j"),
    ("nan", "0.0"),
    ("/home/tmp/a", "/home/tmp/b"),
    ("True", "False"),
    ("", "x"),
    ("a", "a b"),
    ("Ä", "A"),
]


@pytest.mark.parametrize(("saved", "came"), SAME_TEXTS)
def test_texts_that_say_the_same(saved: str, came: str) -> None:
    assert not differs(shown(plain=saved), shown(plain=came))


@pytest.mark.parametrize(("saved", "came"), OTHER_TEXTS)
def test_texts_that_do_not(saved: str, came: str) -> None:
    assert differs(shown(plain=saved), shown(plain=came))


def test_a_difference_tells_where() -> None:
    assert texts.text_difference("mean 0.50, n 41", "mean 0.50, n 42", 1e-6) == (
        "saved mean 0.50, n 41, came mean 0.50, n 42"
    )
    long = "x " * 1000
    assert texts.text_difference(f"{long}1.5", f"{long}2.5", 1e-6) == (
        f"saved …{' x' * 15} 1.5, came …{' x' * 15} 2.5".replace("… ", "…")
    )


def test_a_tolerance_is_for_numbers_that_are_not_whole() -> None:
    assert not differs(shown(plain="accuracy 0.971"), shown(plain="accuracy 0.972"), 0.01)
    assert differs(shown(plain="accuracy 0.971"), shown(plain="accuracy 0.972"), 0.0)
    assert differs(shown(plain="1000 rows"), shown(plain="1001 rows"), 0.01)


@pytest.mark.parametrize("text", ["{" * 5000, "{1, is 2}", "{'\\d': 1is}", "{\x00}", "{(" * 90])
def test_what_is_no_python_is_compared_as_text(text: str) -> None:
    assert not differs(shown(plain=text), shown(plain=text))
    assert differs(shown(plain=text), shown(plain=f"{text} x"))


def test_what_python_thinks_of_an_output_is_not_told() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert differs(shown(plain="{'\\d': 1}"), shown(plain="{'\\d': 2}"))
    assert told == []


# --- tables and HTML ------------------------------------------------------------------------------


def frame(value: str, identifier: str = "T_1", note: str = "2 rows × 2 columns") -> str:
    return (
        f"<style scoped>#{identifier} {{ color: red }}</style><table id='{identifier}'>"
        "<thead><tr><th>&nbsp;</th><th>a</th><th>b</th></tr></thead><tbody>"
        f"<tr><th>0</th><td id='{identifier}_0'>1.0</td><td>x</td></tr>"
        f"<tr><th>1</th><td>{value}</td><td>&lt;y&gt;</td></tr></tbody></table><p>{note}</p>"
    )


def test_tables_are_compared_cell_by_cell() -> None:
    assert not differs(shown(html=frame("2.5")), shown(html=frame("2.50000001", "T_2")))
    assert differs(shown(html=frame("2.5")), shown(html=frame("2.6")))
    assert differs(shown(html=frame("2.5")), shown(html=frame("2.5", note="3 rows × 2 columns")))
    found = texts.html_difference(frame("2.5"), frame("2.6"), 1e-6)
    assert found == "row 2, column a: saved 2.5, came 2.6"
    shorter = frame("2.5").replace("<tr><th>0</th><td id='T_1_0'>1.0</td><td>x</td></tr>", "")
    assert texts.html_difference(frame("2.5"), shorter, 1e-6) == "saved 3 rows, came 2"
    narrower = frame("2.5").replace("<td>x</td>", "")
    assert texts.html_difference(frame("2.5"), narrower, 1e-6) == "row 1: saved 3 columns, came 2"


def test_other_html_is_compared_without_identifiers() -> None:
    one = "<div id='a1'><b>1.0</b> 123e4567-e89b-12d3-a456-426614174000</div>"
    assert not differs(
        shown(html=one), shown(html=one.replace("a1", "b2").replace("123e4567", "abcdef01"))
    )
    assert differs(shown(html=one), shown(html=one.replace("<b>1.0</b>", "<i>1.0</i>")))
    assert differs(shown(html="<b>a</b>"), shown(html="<b>c</b>"))


def test_a_drawing_is_compared_without_identifiers_and_dates() -> None:
    drawing = (
        "<?xml version='1.0'?><svg><metadata><date>{date}</date></metadata>"
        '<clipPath id="{id}"/><path d="M {x} 41.5" clip-path="url(#{id})"/>'
        '<use xlink:href="#{id}"/><!-- made {date} --></svg>'
    )
    one, other, moved = (
        {"output_type": "display_data", "data": {"image/svg+xml": drawing.format(**values)}}
        for values in (
            {"date": "2026-01-01", "id": "p1", "x": "57.6"},
            {"date": "2026-02-02", "id": "p2", "x": "57.60000001"},
            {"date": "2026-01-01", "id": "p1", "x": "58.6"},
        )
    )
    assert not differs(one, other)
    assert differs(one, moved)


def test_a_pdf_is_compared_without_dates() -> None:
    pdfs = [
        shown(application_pdf=base64.b64encode(content).decode())
        for content in (
            b"%PDF /CreationDate (D:2026) /ID [<a> <b>] 1 0 m",
            b"%PDF /CreationDate (D:2027) /ID [<c> <d>] 1 0 m",
            b"%PDF /CreationDate (D:2026) /ID [<a> <b>] 2 0 m",
        )
    ]
    assert not differs(pdfs[0], pdfs[1])
    assert differs(pdfs[0], pdfs[2])


# --- JSON -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("saved", "came", "where"),
    [
        ({"a": 1, "b": [0.1]}, {"b": [0.1 + 1e-12], "a": 1}, None),
        ({"a": 1.0}, {"a": 1}, None),
        ({"a": 1}, {"a": 2}, "$.a: saved 1, came 2"),
        ({"a": True}, {"a": 1}, "$.a: saved True, came 1"),
        ({"a": [1, 2]}, {"a": [1]}, "$.a[1]: saved 2, came nothing"),
        ({"a": None}, {}, "$.a: saved None, came nothing"),
        ({"a": float("nan")}, {"a": float("nan")}, None),
        ({"a": 10**400}, {"a": 1.5}, None),
        ([1], {"a": 1}, "$: saved [1], came {'a': 1}"),
    ],
)
def test_json_is_compared_by_value(saved: Any, came: Any, where: str | None) -> None:
    found = compare(
        notebook([shown(application_json=saved)]), notebook([shown(application_json=came)])
    )
    if saved == {"a": 10**400}:
        assert len(found.differences) == 1
    else:
        assert [d.where for d in found.differences] == ([where] if where else [])


# --- images ---------------------------------------------------------------------------------------


def a_png(
    rows: list[bytes],
    *,
    channels: int = 4,
    filters: int = 0,
    text: bytes = b"",
    depth: int = 8,
    colour: int | None = None,
    interlace: int = 0,
) -> bytes:
    """A PNG file, its rows filtered by the PNG specification's formulas."""
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels] if colour is None else colour
    width = len(rows[0]) // channels
    stream, above = b"", bytes(len(rows[0]))
    for row in rows:
        stream += bytes([filters]) + filtered(row, above, channels, filters)
        above = row
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, interlace)
    chunks = [
        (b"IHDR", header),
        (b"tEXt", b"Software\0" + text),
        (b"IDAT", zlib.compress(stream, 0)),
    ]
    packed = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in [*chunks, (b"IEND", b"")]
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def filtered(row: bytes, above: bytes, step: int, kind: int) -> bytes:
    made = []
    for i, value in enumerate(row):
        left, up, corner = (
            row[i - step] if i >= step else 0,
            above[i],
            above[i - step] if i >= step else 0,
        )
        estimate = left + up - corner
        paeth = min((left, up, corner), key=lambda v: abs(estimate - v))
        made.append((value - (0, left, up, (left + up) // 2, paeth)[kind]) & 255)
    return bytes(made)


def rows_of(size: int) -> st.SearchStrategy[list[bytes]]:
    row = st.binary(min_size=size, max_size=size)
    return st.lists(row, min_size=1, max_size=5)


ROWS = st.tuples(st.integers(1, 4), st.integers(1, 5)).flatmap(
    lambda drawn: st.tuples(st.just(drawn[0]), rows_of(drawn[0] * drawn[1]))
)


@given(ROWS, st.integers(0, 4), st.integers(0, 4))
@example((1, [bytes([100, 0]), bytes([150, 200])]), 0, 4)  # a tie that the last filter decides
def test_pixels_are_compared_whatever_the_filter_and_the_metadata(
    drawn: tuple[int, list[bytes]], one: int, other: int
) -> None:
    channels, rows = drawn
    made = a_png(rows, channels=channels, filters=one, text=b"3.10")
    again = a_png(rows, channels=channels, filters=other, text=b"3.11")
    assert png.difference(made, again) is None


def test_one_pixel_is_enough_and_a_rounding_is_not() -> None:
    rows = [bytes([100] * 40)] * 10
    near = [bytes([100 + png.TOLERANCE] + [100] * 39), *rows[1:]]
    far = [bytes([100 + png.TOLERANCE + 1] * 2 + [100] * 38), *rows[1:]]
    assert png.difference(a_png(rows), a_png(near)) is None
    assert png.difference(a_png(rows), a_png(far)) == "1 of 100 pixels differ"
    assert png.difference(a_png(rows), a_png(rows[1:])) == ("saved 10 × 10, came 10 × 9 pixels")


def test_a_png_that_cannot_be_read_is_compared_by_its_bytes() -> None:
    made = a_png([bytes(8)])
    for damaged in (b"", b"GIF89a", made[:20], made[:-30], made.replace(b"IDAT", b"IDAX")):
        assert png.read(damaged) is None
        assert png.difference(made, damaged) == "other bytes"
        assert png.difference(damaged, damaged) is None
    bomb = a_png([bytes(8)]).replace(struct.pack(">II", 2, 1), struct.pack(">II", 1 << 30, 1 << 30))
    assert png.read(bomb) is None


def test_a_png_of_another_layout_is_compared_exactly() -> None:
    palette: dict[str, Any] = {"channels": 1, "colour": 3}
    one, other = (a_png([row], text=row, **palette) for row in (b"\0\1", b"\0\2"))
    assert png.difference(one, a_png([b"\0\1"], text=b"x", **palette)) is None
    assert png.difference(one, other) == "other pixels"
    assert png.difference(one, a_png([b"\0\1"], channels=1)) == "other pixels"
    assert png.difference(a_png([bytes(4)], channels=2), a_png([bytes(6)], channels=3)) == (
        "other pixels"
    )


def test_images_are_found_by_their_base64() -> None:
    one = base64.b64encode(a_png([bytes(16)], text=b"3.10")).decode()
    other = base64.b64encode(a_png([bytes(16)], text=b"3.11")).decode()
    assert not differs(shown(png=one, plain="<Figure>"), shown(png=other + "\n", plain="x"))
    assert differs(shown(png=one), shown(png="no base64"))
    jpeg = shown(image_jpeg="AAAA")
    assert differs(jpeg, shown(image_jpeg="AAAB"))


# --- outputs and cells ----------------------------------------------------------------------------


def test_the_richest_mimetype_that_both_have_is_compared() -> None:
    rich = shown(plain="one", html="<b>a</b>")
    assert not differs(rich, shown(plain="other", html="<b>a</b>"))
    assert differs(rich, shown(plain="other"))
    assert not differs(rich, shown(plain="one"))
    assert differs(shown(html="<b>a</b>"), shown(plain="a"))
    assert differs(shown(plain="a", text_x="1"), shown(plain="a", text_x="2"))


def test_streams_counts_and_what_uvmagic_says_are_not_compared() -> None:
    data, metadata = Outcome("add", "Added six")._repr_mimebundle_()
    own = {"output_type": "display_data", "data": data, "metadata": metadata}
    saved = notebook(
        [printed("1"), shown(plain="x"), own],
        [shown(plain="")],
    )
    came = notebook([shown(plain="x"), printed("2"), printed("3")], [])
    came["cells"][1]["execution_count"] = 77
    found = compare(saved, came)
    assert (found.differences, found.outputs, found.cells) == ((), 1, 1)


def test_widgets_are_names_and_are_not_compared() -> None:
    view = "application/vnd.jupyter.widget-view+json"
    one, other = (shown(**{view: {"model_id": name}, "text/plain": "Slider(3)"}) for name in "ab")
    assert not differs(one, other)
    del one["data"]["text/plain"], other["data"]["text/plain"]
    assert not differs(one, other)


def test_errors_are_compared_by_name_and_message() -> None:
    one = raised("ValueError", "bad <object at 0x7f976284bba0> in 0.30000000001")
    assert not differs(one, raised("ValueError", "bad <object at 0x7f5ab011bba0> in 0.3"))
    assert differs(one, raised("KeyError", one["evalue"]))
    assert differs(one, raised("ValueError", "good"))
    assert differs(one, shown(plain="1"))


def test_an_output_that_is_missing_or_new_is_told_with_its_cell() -> None:
    saved = notebook([], [shown(plain="1"), shown(plain="2")], [])
    came = notebook([shown(html="<b>new</b>")], [shown(plain="1")], [])
    assert [(d.cell, d.kind, d.where) for d in compare(saved, came).differences] == [
        (1, "output", "saved nothing, came text/html"),
        (2, "output", "saved 2, came nothing"),
    ]


def test_the_cell_that_papermill_puts_in_is_passed_over() -> None:
    saved = notebook([shown(plain="1")], [shown(plain="2")])
    came = copy.deepcopy(saved)
    injected = copy.deepcopy(came["cells"][1])
    injected["metadata"]["tags"] = ["injected-parameters"]
    injected["id"] = "injected"
    came["cells"].insert(2, injected)
    assert compare(saved, came).differences == ()


def test_cells_are_matched_by_id_else_by_position() -> None:
    saved = notebook([shown(plain="1")], [shown(plain="2")])
    came = copy.deepcopy(saved)
    came["cells"][1:] = came["cells"][:0:-1]
    assert compare(saved, came).differences == ()
    for cell in came["cells"]:
        del cell["id"]
    assert [d.cell for d in compare(saved, came).differences] == [1, 2]
    came["cells"].pop()
    assert [d.where for d in compare(saved, came).differences][1] == "saved 2, came nothing"


def test_a_notebook_read_by_nbformat_or_as_json_is_the_same() -> None:
    cell = v4.new_code_cell(  # type: ignore[no-untyped-call]
        outputs=[v4.new_output("display_data", data={"text/plain": "a\nb"})]  # type: ignore[no-untyped-call]
    )
    read = v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    assert compare(read, notebook([shown(plain=["a\n", "b"])])).differences == ()


def test_what_can_be_compared_is_known_beforehand() -> None:
    assert not has_outputs(notebook())
    assert not has_outputs(notebook([printed("x")], []))
    assert has_outputs(notebook([], [shown(plain="x")]))
    assert has_outputs(notebook([raised("ValueError", "x")]))


# --- laws -----------------------------------------------------------------------------------------

TEXTS = st.text(st.sampled_from("01.5e-{}'\"[](),:<># aé\n") | st.characters(codec="utf-8"))
JSONS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OUTPUTS = st.one_of(
    st.builds(printed, TEXTS),
    st.builds(raised, TEXTS, TEXTS),
    st.fixed_dictionaries({}, optional={"plain": TEXTS, "html": TEXTS, "png": TEXTS}).map(
        lambda data: shown(**data)
    ),
    JSONS.map(lambda value: shown(application_json=value)),
)
NOTEBOOKS = st.lists(st.lists(OUTPUTS, max_size=3), max_size=3).map(lambda c: notebook(*c))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(NOTEBOOKS)
def test_a_notebook_is_as_itself(saved: Notebook) -> None:
    assert compare(saved, copy.deepcopy(saved), tolerance=0.0).differences == ()


@given(NOTEBOOKS, NOTEBOOKS, st.sampled_from([0.0, 1e-6, 0.5]))
def test_who_is_compared_with_whom_does_not_matter(
    one: Notebook, other: Notebook, tolerance: float
) -> None:
    there, back = compare(one, other, tolerance), compare(other, one, tolerance)
    assert [d.cell for d in there.differences] == [d.cell for d in back.differences]


@given(st.floats(-1e300, 1e300), st.floats(-1, 1), TEXTS.filter(lambda t: t.strip()))
def test_numbers_within_the_tolerance_are_the_same(value: float, part: float, name: str) -> None:
    near = value * (1 + part * 9e-7)
    plain = [shown(plain=f"{name} = {number!r}") for number in (value, near)]
    cells = [shown(html=f"<table><tr><td>{number!r}</td></tr></table>") for number in (value, near)]
    assert not differs(plain[0], plain[1])
    assert not differs(cells[0], cells[1])
    assert not differs(shown(application_json=value), shown(application_json=near))


@given(st.floats(1e-3, 1e3), st.floats(1.1, 10))
def test_numbers_beyond_it_are_not(value: float, factor: float) -> None:
    assert differs(shown(plain=repr(value)), shown(plain=repr(value * factor)))


@given(
    st.lists(st.integers() | FLOATS | TEXTS, min_size=1, unique=True).flatmap(
        lambda items: st.tuples(st.permutations(items), st.permutations(items))
    )
)
def test_the_order_of_a_set_and_of_keys_is_irrelevant(both: tuple[list[Any], list[Any]]) -> None:
    sets = ["{" + ", ".join(map(repr, items)) + "}" for items in both]
    dicts = ["{" + ", ".join(f"{item!r}: {item!r}" for item in items) + "}" for items in both]
    for one, other in (sets, dicts):
        assert not differs(shown(plain=one), shown(plain=other))


@given(TEXTS, TEXTS)
def test_a_report_of_any_text_is_one_line_and_leaves_the_terminal_alone(
    one: str, other: str
) -> None:
    found = compare(notebook([shown(plain=one)]), notebook([shown(plain=other)]))
    for _, line in report.lines(found):
        assert line.isprintable()


# --- the report -----------------------------------------------------------------------------------

DOT = base64.b64encode(a_png([bytes([255, 0, 0, 255])])).decode()
OTHER_DOT = base64.b64encode(a_png([bytes([0, 0, 255, 255])])).decode()
HOSTILE = "<script>alert('1')</script> \"quoted\" & 'single'\n</pre></style> grüße 漢字 \x1b[31m"


def found(tolerance: float = 1e-6) -> Comparison:
    saved = notebook(
        [shown(plain="0.5")],
        [shown(png=DOT), shown(html=frame("2.5"))],
        [raised("ValueError", "one")],
        [shown(plain="a\nb\nc"), shown(application_json={"k": [1, 2]})],
        [shown(plain="same")],
        source="show(x)  # <here>",
    )
    came = notebook(
        [shown(plain="0.7")],
        [shown(png=OTHER_DOT), shown(html=frame("2.6"))],
        [raised("KeyError", "'one'")],
        [shown(plain="a\nx\nc"), shown(application_json={"k": [1, 3]})],
        [shown(plain="same")],
    )
    return compare(saved, came, tolerance)


def test_the_terminal_report_reads_well(snapshot: SnapshotAssertion) -> None:
    facts = (("report", "~/study-rerun-compare.html"), *report.lines(found()))
    outcome = Outcome("rerun", f"Reran; {report.verdict(found())}", facts=facts)
    assert outcome.text() == snapshot


def test_the_page_reads_well(snapshot: SnapshotAssertion) -> None:
    assert report.page(found(), "study.ipynb").decode() == snapshot


def test_a_verdict_is_a_sentence() -> None:
    same = compare(notebook([shown(plain="x")]), notebook([shown(plain="x")]))
    assert report.verdict(same) == "1 output as saved."
    assert report.verdict(found()) == "4 of 5 cells with outputs differ from what is saved."
    other = compare(notebook([shown(plain="x")]), notebook([shown(plain="y")]))
    assert report.verdict(other) == "1 of 1 cell with outputs differs from what is saved."


def test_the_values_for_json() -> None:
    told = report.data(found())
    assert (told["same"], told["compared"], told["tolerance"]) == (False, 7, 1e-6)
    assert told["differences"][0] == {
        "cell": 1,
        "kind": "text/plain",
        "where": "saved 0.5, came 0.7",
    }


def test_a_terminal_gets_the_first_differences_alone() -> None:
    saved, came = (
        notebook(*([shown(plain=f"{name}{n}")] for n in range(30))) for name in ("a", "b")
    )
    lines = report.lines(compare(saved, came))
    assert len(lines) == 21
    assert lines[-1] == ("", "10 more; the report has all")


class Page(HTMLParser):
    """What a browser would find on a page."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attributes]

    def handle_data(self, data: str) -> None:
        self.text += data


OURS = {
    *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "pre"),
    *("mark", "div", "section", "table", "tr", "td", "img"),
}


def hostile_outputs(text: str) -> list[Output]:
    return [
        shown(plain=text),
        shown(html=f"<table><tr><td>{text}</td></tr></table>"),
        shown(html=text),
        raised(text, text),
        shown(application_json={text: text}),
        shown(png=text),
        {"output_type": "display_data", "data": {"image/svg+xml": f"<svg>{text}</svg>"}},
        {"output_type": "display_data", "data": {text or "x": text}},
    ]


@pytest.mark.parametrize(
    "text", [HOSTILE, '"><img src=x onerror=alert(1)>', "\ud800\x00", "]]>-->"]
)
def test_hostile_texts_stay_text_on_the_page(text: str) -> None:
    saved = notebook(hostile_outputs(text), source=text)
    came = notebook(hostile_outputs(f"{text} other {text}"), source=text)
    made = compare(saved, came)
    assert len(made.differences) >= 7
    content = report.page(made, f"{text}.ipynb").decode()
    page = Page(content)
    assert page.tags <= OURS
    for name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("src", "href"):
            assert value.startswith("data:image/")
    assert "script" not in page.tags
    if text == HOSTILE:
        assert "<script>alert('1')</script>" in page.text
        assert "grüße 漢字" in page.text
    Outcome("rerun", "x", facts=report.lines(made)).text().encode()


@given(TEXTS, TEXTS)
def test_any_text_stays_text_on_the_page(one: str, other: str) -> None:
    made = compare(notebook(hostile_outputs(one)), notebook(hostile_outputs(other)))
    page = Page(report.page(made, "x").decode())
    assert page.tags <= OURS


def test_the_page_is_whole_and_the_same_each_time() -> None:
    content = report.page(found(), "x").decode()
    assert content == report.page(found(), "x").decode()
    assert "prefers-color-scheme: dark" in content
    assert content.count("data:image/png;base64,") == 2
    assert not [p for p in ("http://", "https://", "<link", "<script", "@import") if p in content]


def test_a_long_output_is_cut_on_the_page() -> None:
    saved, came = (notebook([shown(plain="x\n" * 100_000 + end)]) for end in "ab")
    content = report.page(compare(saved, came), "x")
    assert len(content) < 10_000
    assert b"more characters" in content
    rows = "".join(f"<tr><td>{n}</td></tr>" for n in range(2000))
    saved, came = (
        notebook([shown(html=f"<table>{rows}<tr><td>{end}</td></tr></table>")]) for end in "ab"
    )
    assert b"1501 more rows" in report.page(compare(saved, came), "x")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{0, '0E'}", "{'0E', 0}"),
        ("{0: '1e', '0E': 2}", "{'0E': 2, 0: '1e'}"),
        ("{'3.', '1.2.3', 4}", "{4, '1.2.3', '3.'}"),
    ],
)
def test_what_only_begins_as_a_number_is_none(one: str, other: str) -> None:
    """With possessive groups Python 3.11.2 took `0E` for a number, and left the order as it was."""
    assert not differs(shown(plain=one), shown(plain=other))
