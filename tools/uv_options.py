"""Make `uvmagic/data/uv_options.json` from a uv: `python tools/uv_options.py PATH_OF_UV`.

Reads `uv WORD --help` for each word that uvmagic puts on top of uv, and writes a row an option,
sorted, with the version of uv and the date that they were read.
"""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
from pathlib import Path

WORDS = ("add", "init", "lock", "remove", "sync")
TABLE = Path(__file__).parent.parent / "uvmagic" / "data" / "uv_options.json"
_OPTION = re.compile(
    r" +(?:(?P<short>-\w), )? *(?P<long>--[\w-]+)(?P<value>(?: \[?<[^>]+>\]?)?)(?:\.\.\.)?"
    r"(?:  +(?P<help>.*))?"
)


def ask(uv: str, *words: str) -> str:
    """The help of a uv command, wide enough not to wrap, without colour."""
    return subprocess.run(
        [uv, *words], capture_output=True, text=True, check=True, env={"NO_COLOR": "1"}
    ).stdout


def options_in(help_text: str) -> list[dict[str, object]]:
    """The options that a help page lists: names, value's name or None, first sentence, global."""
    rows: list[dict[str, object]] = []
    in_global = False
    for line in help_text.splitlines():
        if line and not line.startswith(" "):
            in_global = line.startswith("Global options")
        match = _OPTION.fullmatch(line.rstrip())
        if match:
            value = match["value"].strip(" []<>") or None
            names = [name for name in (match["short"], match["long"]) if name]
            rows.append(
                {
                    "names": names,
                    "value": value,
                    "help": match["help"] or "",
                    "is_global": in_global,
                }
            )
        elif rows and line.startswith("          "):
            rows[-1]["help"] = f"{rows[-1]['help']} {line.strip()}".strip()
    for row in rows:  # uv's own annotations of environment variables are not part of the sentence
        text = re.sub(r" ?\[(env|possible values|aliases|default)[:= ].*", "", str(row["help"]))
        text = re.sub(r" \(by default: [^)]*\)", "", text)  # the default index goes without saying
        row["help"] = text.split(". ")[0].rstrip(".")
    return rows


def table(uv: str) -> dict[str, object]:
    """The whole table; rows shared by several words appear once."""
    merged: dict[str, dict[str, object]] = {}
    for word in WORDS:
        for row in options_in(ask(uv, word, "--help")):
            if row["names"] == ["-h", "--help"]:
                continue
            key = json.dumps(row, sort_keys=True)
            entry = merged.setdefault(key, {**row, "words": []})
            words = entry["words"]
            assert isinstance(words, list)
            words.append(word)
    rows = sorted(merged.values(), key=lambda row: (str(row["names"]), str(row["words"])))
    commands = re.findall(r"^  ([a-z][\w-]*)(?:  |$)", ask(uv, "--help"), re.MULTILINE)
    return {
        "source": ask(uv, "--version").split(" (")[0].strip() + ", `uv WORD --help`",
        "commands": sorted(set(commands)),
        "options": rows,
    }


def main() -> None:
    """Write the table; the date is the day it was read."""
    made = {"date": datetime.date.today().isoformat(), **table(sys.argv[1])}
    head = {k: v for k, v in made.items() if k != "options"}
    options = made["options"]
    assert isinstance(options, list)
    lines = ",\n".join("    " + json.dumps(row) for row in options)
    text = json.dumps(head, indent=2)[:-2] + ',\n  "options": [\n' + lines + "\n  ]\n}\n"
    json.loads(text)
    TABLE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
