"""Make the tables of uv's commands and options from a uv: `python tools/uv_options.py PATH_OF_UV`.

Reads uv's own help. `uvmagic/data/uv_options.json` has a row an option of the words that uvmagic
puts on top of uv, which every call reads; `uv_commands.json` has all commands, and the options of
those that uv gets unchanged, for completion. Both are sorted, with the version of uv and the date.
"""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = ("add", "init", "lock", "remove", "sync")
DATA = Path(__file__).parent.parent / "uvmagic" / "data"
_COMMAND = re.compile(r"  ([a-z][\w-]*)  +(.*)")
_OPTION = re.compile(
    r" +(?:(?P<short>-\w), )? *(?P<long>--[\w-]+)(?P<value>(?: \[?<[^>]+>\]?)?)(?:\.\.\.)?"
    r"(?:  +(?P<help>.*))?"
)
_CHOICES = re.compile(r"\[possible values: ([^\]]*)\]")


def ask(uv: str, *words: str) -> str:
    """The help of a uv command, wide enough not to wrap, without colour."""
    return subprocess.run(
        [uv, *words], capture_output=True, text=True, check=True, env={"NO_COLOR": "1"}
    ).stdout


def options_in(help_text: str) -> list[dict[str, Any]]:
    """The options that a help page lists, each with its first sentence and what it may be."""
    rows: list[dict[str, Any]] = []
    in_global = False
    for line in help_text.splitlines():
        if line and not line.startswith(" "):
            in_global = line.startswith("Global options")
        match = _OPTION.fullmatch(line.rstrip())
        if match:
            value = re.sub(r"\[?=.*", "", match["value"]).strip(" []<>") or None
            names = [name for name in (match["short"], match["long"]) if name]
            told = match["help"] or ""
            rows.append({"names": names, "value": value, "help": told, "is_global": in_global})
        elif rows and line.startswith("          "):
            rows[-1]["help"] = f"{rows[-1]['help']} {line.strip()}".strip()
    for row in rows:  # uv's own annotations of environment variables are not part of the sentence
        choices = _CHOICES.search(row["help"])
        text = re.sub(r" ?\[(env|possible values|aliases|default)[:= ].*", "", row["help"])
        text = re.sub(r" \(by default: [^)]*\)", "", text)  # the default index goes without saying
        row["help"] = text.split(". ")[0].rstrip(".")
        if choices:
            row["choices"] = choices[1].split(", ")
    return [row for row in rows if row["names"] != ["-h", "--help"]]


def commands_in(uv: str, *above: str) -> Iterator[tuple[str, str]]:
    """Every command below one, with what it does: `pip`, `pip install`, …."""
    listed = ask(uv, *above, "--help").partition("\nCommands:\n")[2].partition("\n\n")[0]
    for line in listed.splitlines():
        match = _COMMAND.fullmatch(line)
        if match:
            words = (*above, match[1])
            yield " ".join(words), match[2].rstrip(".")
            if words != ("help",):  # whose help is that of all
                yield from commands_in(uv, *words)


def merged(uv: str, words: list[str], *without: str) -> list[dict[str, Any]]:
    """The options of some commands, less some facts; those that are alike appear once."""
    found: dict[str, dict[str, Any]] = {}
    for word in words:
        for row in options_in(ask(uv, *word.split(), "--help")):
            bare = {name: value for name, value in row.items() if name not in without}
            key = json.dumps(bare, sort_keys=True)
            found.setdefault(key, {**bare, "words": []})["words"].append(word)
    return sorted(found.values(), key=lambda row: (str(row["names"]), str(row["words"])))


def write(name: str, source: str, **tables: list[Any]) -> None:
    """Write a table, a row a line; the date is the day it was read."""
    head = {"date": datetime.date.today().isoformat(), "source": source}
    text = json.dumps(head, indent=2)[:-2]
    for key, rows in tables.items():
        lines = ",\n".join("    " + json.dumps(row) for row in rows)
        text += f',\n  "{key}": [\n{lines}\n  ]'
    json.loads(text + "\n}\n")
    (DATA / f"{name}.json").write_text(text + "\n}\n", encoding="utf-8")


def main() -> None:
    """Ask uv, and write both."""
    uv = sys.argv[1]
    version = ask(uv, "--version").split(" (")[0].strip()
    commands = sorted(commands_in(uv))
    rest = [name for name, _ in commands if name not in (*WORDS, "help")]
    write("uv_options", f"{version}, `uv WORD --help`", options=merged(uv, [*WORDS]))
    write(
        "uv_commands",
        f"{version}, `uv --help` and that of each command",
        commands=[{"name": name, "help": told} for name, told in commands],
        options=merged(uv, rest, "help"),
    )


if __name__ == "__main__":
    main()
