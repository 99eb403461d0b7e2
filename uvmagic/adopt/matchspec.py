"""A conda MatchSpec as its parts. Pure.

Source: conda's "Package match specifications" (docs.conda.io): `channel::name version build`,
`name=version=build`, `name[version='>=1', build=…]`, and the address of a package's file.
"""

from __future__ import annotations

import re

from uvmagic.adopt.lines import Conda

_SPEC = re.compile(
    r"(?:(?P<channel>[^\s\[]+)::)?"
    r"(?P<name>[\w.-]+(?:\.[\w-]+)*)"
    r"\s*(?P<rest>[^\[]*)"
    r"(?:\[(?P<brackets>.*)\])?",
    re.ASCII,
)
_REST = re.compile(r"(?:[=<>!~*\d][\w.*+!,|=<>~-]*(?:\s+[\w.*+!,|=<>~-]+)*)?")
"""A constraint, and a build: the constraint begins with an operator or a digit."""
_BRACKET = re.compile(r"(\w+)\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|([^,\]]+))")
_FILE = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)-(?P<build>[^-]+)\.(?:conda|tar\.bz2)")


def parse(text: str) -> Conda | None:
    """The parts of a MatchSpec; None for what is none."""
    spec = text.strip()
    if file := of_file(spec.partition("#")[0]):
        return file
    match = _SPEC.fullmatch(spec)
    if match is None:
        return None
    if not _REST.fullmatch(match["rest"].strip()):
        return None
    version, build = _version_and_build(match["rest"].strip())
    for key, *values in _BRACKET.findall(match["brackets"] or ""):
        value = "".join(values).strip()
        version = value if key == "version" else version
        build = value if key == "build" else build
    return Conda(match["name"].lower(), version, build)


def of_file(path: str) -> Conda | None:
    """The package of a file `…/name-version-build.conda` or `.tar.bz2`; None for another."""
    match = _FILE.fullmatch(path.strip().replace("\\", "/").rpartition("/")[2])
    return Conda(match["name"].lower(), f"=={match['version']}", match["build"]) if match else None


def _version_and_build(rest: str) -> tuple[str, str]:
    """`=1.2=build`, `==1.2`, `>=1,<2`, `1.2 build`: the constraint with its operator, the build.

    Two `=` pin: what is before a build is that version. So does a space in place of the first.
    """
    if pinned := re.fullmatch(r"=(?P<version>[^=<>!~\s]+)=(?P<build>[^=\s]+)", rest):
        return f"=={pinned['version']}".replace("==*", ""), pinned["build"]
    if spaced := re.fullmatch(r"(?P<version>\S+)\s+(?P<build>[\w*.]*[a-z_*][\w*.]*)", rest, re.I):
        return _version_and_build(spaced["version"])[0], spaced["build"]
    return re.sub(r"\s*([,|=<>!~])\s*", r"\1", rest), ""
