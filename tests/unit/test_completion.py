"""What may stand at the cursor of a call."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmagic.data import torch
from uvmagic.errors import UsageError
from uvmagic.grammar import WORDS, help_text, parse, tokenise
from uvmagic.grammar.completion import Completion, complete
from uvmagic.grammar.tokens import Token, scanned
from uvmagic.names import normalise
from uvmagic.rerun.flow import _ENGINES

PATHS = ("data/", "my notes.ipynb", "a.ipynb", "run.py", "environment.yml", "a-bundle/", "it's.csv")


@dataclass(frozen=True)
class Place:
    """A place that has a little of everything."""

    names: tuple[str, ...] = ("numpy", "scikit-learn")
    files: tuple[str, ...] = PATHS

    def listed(self) -> tuple[str, ...]:
        return self.names

    def locked(self) -> tuple[str, ...]:
        return (*self.names, "six")

    def groups(self) -> tuple[str, ...]:
        return ("dev", "docs")

    def extras(self) -> tuple[str, ...]:
        return ("plot",)

    def indexes(self) -> tuple[str, ...]:
        return ("intern",)

    def kernels(self, action: str) -> tuple[str, ...]:
        return ("uvmagic-study-1",) if action in ("use", "remove") else ()

    def pythons(self) -> tuple[str, ...]:
        return ("3.12.4", "3.11.7")

    def paths(self, start: str) -> list[str]:
        return [path for path in self.files if path.startswith(start)]


def at(marked: str, given_before: tuple[str, ...] = ()) -> Completion:
    """What may stand at the `|` of a line that follows `%uv`."""
    before, _, after = marked.partition("|")
    return complete(before + after, len(before), Place(), given_before)


def offered(marked: str) -> list[str]:
    """The lines that Tab makes of one."""
    before, _, after = marked.partition("|")
    found = at(marked)
    assert found.end == len(before)
    return [before[: found.start] + one.text + after for one in found.candidates]


@pytest.mark.parametrize(
    ("marked", "lines"),
    [
        (" bun|", [" bundle"]),
        (" add torch --cu|", [" add torch --cuda"]),
        (" add torch --xp| --dev", [" add torch --xpu --dev"]),
        (" --offl| add numpy", [" --offline add numpy"]),
        (" add --cuda 13|", [" add --cuda 132", " add --cuda 130"]),
        (" add --cuda 13.|", [" add --cuda 13.2", " add --cuda 13.0"]),
        (" add --cuda cu13|", [" add --cuda cu132", " add --cuda cu130"]),
        (" add --cuda=13|", [" add --cuda=132", " add --cuda=130"]),
        (' add --cuda="13|', [' add --cuda="132"', ' add --cuda="130"']),
        (" add --rocm a|", [" add --rocm auto"]),
        (" add --mirror s|", [" add --mirror sjtu"]),
        (" add --bounds ex|", [" add --bounds exact"]),
        (" add scikit_lea|", [f" add scikit-learn{end}" for end in ("", "-extra", "-intelex")]),
        (" add n|", []),  # half of PyPI
        (" add ./|", []),
        (" remove s|", [" remove scikit-learn"]),
        (" remove 's|'", [" remove 'scikit-learn'"]),
        (" remove sci|kit-learn", []),  # it is there already
        (" lock -P s|", [" lock -P scikit-learn", " lock -P six"]),
        (" sync --group |", [" sync --group dev", " sync --group docs"]),
        (" sync --extra |", [" sync --extra plot"]),
        (" add x --optional |", [" add x --optional plot"]),
        (" init --python 3.1|", [" init --python 3.12.4", " init --python 3.11.7"]),
        (" kernel use u|", [" kernel use uvmagic-study-1"]),
        (" kernel list u|", []),
        (" bundle my|", [" bundle 'my notes.ipynb'"]),
        (' bundle "my n|', [' bundle "my notes.ipynb"']),
        (" bundle --include it|", [' bundle --include "it\'s.csv"']),
        (" bundle --keep-index |", [" bundle --keep-index intern"]),
        (" rerun a-|", [" rerun a-bundle/"]),
        (" rerun a-bundle --engine p|", [" rerun a-bundle --engine podman"]),
        (" rerun a-bundle -p alpha |", []),
        (" adopt x.yml --as-of |", [" adopt x.yml --as-of git", " adopt x.yml --as-of auto"]),
        (" pip unin|", [" pip uninstall"]),
        (" pip uninstall s|", [" pip uninstall scikit-learn", " pip uninstall six"]),
        (" run --with numpy-fin|", [" run --with numpy-financial"]),
        (" run run.py --|", []),  # run.py's own
        (" tree --dep|", [" tree --depth"]),
        (" --project |", [" --project data/", " --project a-bundle/"]),
        (" help rem|", [" help remove"]),
        (" add -- --cu|", []),
        (" add numpy # --cu|", []),
        (" add 'num|py pandas'", []),  # what follows would be another word's
        (" frobnicate |", []),
    ],
)
def test_tab_puts_in_what_may_stand_there(marked: str, lines: list[str]) -> None:
    assert offered(marked) == lines


@pytest.mark.parametrize(
    ("marked", "first"),
    [
        (" |", [*WORDS, "audit", "auth"]),
        (" add torch |", ["--cuda", "--rocm", "--xpu", "--cpu", "--mirror"]),
        (" add torch --|", ["--cuda", "--rocm", "--xpu", "--cpu", "--mirror"]),
        (" add torch --cpu --|", ["--cuda", "--rocm", "--xpu", "--mirror"]),
        (" remove |", ["numpy", "scikit-learn", "--dry-run"]),
        (" kernel |", list(WORDS["kernel"].actions)),
        (" bundle |", ["'my notes.ipynb'", "a.ipynb", "data/", "run.py"]),
        (" rerun |", ["a-bundle/", "data/"]),
        (" run |", ["run.py"]),
        (" add --cuda |", ["auto", "132", "130"]),
        (" add num|", ["numba", "numpy"]),
    ],
)
def test_the_likeliest_is_offered_first(marked: str, first: list[str]) -> None:
    assert [one.text for one in at(marked).candidates][: len(first)] == first


def test_a_line_of_a_cell_completes_as_what_the_first_line_says() -> None:
    assert [one.text for one in at("--cud|", ("add", "--dev")).candidates] == ["--cuda"]
    assert [one.text for one in at("scikit-learn-e|", ("add",)).candidates] == [
        "scikit-learn-extra"
    ]


def test_what_is_uvs_alone_is_told_apart() -> None:
    kinds = {one.text: one.kind for one in at(" |").candidates}
    assert (kinds["add"], kinds["tree"]) == ("word", "uv")
    kinds = {one.text: one.kind for one in at(" add --|").candidates}
    assert (kinds["--cuda"], kinds["--offline"]) == ("option", "uv")


# --- one grammar --------------------------------------------------------------------------------


@pytest.mark.parametrize("word", WORDS)
def test_every_option_that_is_offered_is_one_that_the_word_takes(word: str) -> None:
    offered = [one.text for one in at(f" {word} --|").candidates]
    assert {"--json", "--help"} <= set(offered)
    for option in offered:
        command = parse([word, *WORDS[word].actions[:1], option, "a", "b"])
        assert option in command.options
        assert command.unknown == ()


@pytest.mark.parametrize("word", WORDS)
def test_every_option_in_the_help_of_a_word_is_offered(word: str) -> None:
    told = {text.rstrip(",") for text in help_text(word).split() if text.startswith("--")}
    assert {one.text for one in at(f" {word} --|").candidates} >= told - {"--"}


@pytest.mark.parametrize("kind", ["cuda", "rocm"])
def test_every_backend_of_the_table_is_a_value(kind: str) -> None:
    known = [one for one in torch.backends().values() if one.kind == kind]
    names = {one.text for one in at(f" add --{kind} {known[0].name[:1]}|").candidates}
    assert names == {one.name for one in known}


def test_every_engine_is_a_value() -> None:
    assert {one.text for one in at(" rerun x --engine |").candidates} == set(_ENGINES)


# --- laws ---------------------------------------------------------------------------------------

OPTIONS = ("-", "--", "--cuda", "--cuda=", "-p", "-P", "--group", "--project", "--base")
PIECES = st.sampled_from(
    [*WORDS, "pip", "install", "run", "help", *OPTIONS, "numpy", *"a'\"#=/.\\"]
)
LINES = st.lists(PIECES | st.just(" ") | st.text(max_size=3), max_size=12).map("".join)
NAMES = st.lists(st.text(max_size=8), max_size=4).map(tuple)
PLACES = st.builds(Place, NAMES, NAMES)


def last(text: str) -> Token:
    """The token that ends at the end of a text."""
    tokens = list(scanned(text))
    return tokens[-1] if tokens and tokens[-1].end == len(text) else Token(len(text), len(text), "")


def before(text: str) -> list[str]:
    """The tokens before it."""
    return [token.value for token in scanned(text) if token.end < len(text)]


@given(LINES, st.integers(-2, 40), PLACES)
def test_any_text_and_cursor_have_candidates_or_none(text: str, cursor: int, place: Place) -> None:
    found = complete(text, cursor, place)
    assert 0 <= found.start <= found.end <= len(text)
    assert found.end == max(0, min(cursor, len(text)))
    assert len(set(found.candidates)) == len(found.candidates)


@given(LINES, st.integers(0, 40), PLACES)
def test_what_is_put_in_goes_on_with_what_was_typed(text: str, cursor: int, place: Place) -> None:
    found = complete(text, cursor, place)
    typed = text[: found.end]
    for one in found.candidates:
        head = text[: found.start] + one.text
        assert before(head) == before(typed)
        assert normalise(last(head).value).startswith(normalise(last(typed).value))


@given(LINES, st.integers(0, 40), PLACES)
def test_a_line_that_could_be_split_can_be_split_with_what_was_put_in(
    text: str, cursor: int, place: Place
) -> None:
    found = complete(text, cursor, place)
    try:
        count = len(tokenise(text))
    except UsageError:
        return
    for one in found.candidates:
        now = tokenise(text[: found.start] + one.text + text[found.end :])
        assert len(now) in (count, count + 1)
