"""The tables of facts, each row with its source and date, and their one typed loader."""

from __future__ import annotations

import fnmatch
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from uvmagic.names import normalise

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class UvOption:
    """One of uv's own options.

    Attributes:
        names: every spelling, `("-P", "--upgrade-package")`.
        value: the name of its value, or None for a flag.
        help: uv's own first sentence on it.
        is_global: every uv command takes it, also before the word.
        words: the words that take it.
    """

    names: tuple[str, ...]
    value: str | None
    help: str
    is_global: bool
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class UvSetting:
    """A setting of uv's that several places may say something of.

    Attributes:
        name: as uv spells it in a file.
        label: what it is, for people.
        variables: of the environment; the first that is set counts.
        keys: in `[tool.uv]` and uv.toml.
        shown: whether it is told in any case.
        locks: whether uv.lock depends on it.
        adds_up: whether all that is said counts, and not the first alone.
        default: what holds where nobody says anything.
    """

    name: str
    label: str
    variables: tuple[str, ...]
    keys: tuple[str, ...] = ()
    shown: bool = False
    locks: bool = False
    adds_up: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class BaseImage:
    """A base image; versions are fields in its references: `{uv}`, `{python}`, `{torch}`, ….

    Attributes:
        kind: how a call names it.
        builder: what the environment is made in.
        compiler: the same with a compiler.
        final: what runs the notebook.
        why: what it is good for.
        bytes: of `final`, unpacked and without torch, about.
        source: where the references are written.
        bytes_source: where the size is.
    """

    kind: str
    builder: str
    compiler: str
    final: str
    why: str
    bytes: int
    source: str
    bytes_source: str


@dataclass(frozen=True, slots=True)
class AcceleratorKind:
    """A kind of accelerator: `cuda`, `rocm`, `xpu` or `cpu`.

    Attributes:
        name: as the option that chooses it is spelled.
        marker: where its index is asked; elsewhere the packages come from PyPI.
        needs_linux: its wheels must exist for Linux on x86_64.
    """

    name: str
    marker: str
    needs_linux: bool


@dataclass(frozen=True, slots=True)
class Backend:
    """What a build of torch computes on: one index of wheels.

    Attributes:
        name: as in the index's URL and the wheels' local versions, `cu126`.
        kind: the name of an `AcceleratorKind`.
        version: of CUDA or ROCm, else None.
        linux_driver: the oldest NVIDIA driver that runs it on Linux; None for what is not CUDA.
        windows_driver: the same on Windows.
        is_automatic: `auto` may choose it.
    """

    name: str
    kind: str
    version: str | None
    linux_driver: str | None
    windows_driver: str | None
    is_automatic: bool

    def driver(self, platform: str) -> str | None:
        """The oldest NVIDIA driver that runs it on a platform, as `sys.platform` spells it."""
        return self.windows_driver if platform == "win32" else self.linux_driver


@dataclass(frozen=True, slots=True)
class TorchPackage:
    """A package of torch's family.

    Attributes:
        name: normalised.
        kinds: the kinds of backends whose index it is taken from.
        follows_torch: its wheels are built for one release of torch, on one backend.
    """

    name: str
    kinds: frozenset[str]
    follows_torch: bool

    @property
    def is_companion(self) -> bool:
        """Whether only one kind's torch needs it."""
        return len(self.kinds) == 1


@dataclass(frozen=True, slots=True)
class Mirror:
    """A place that has torch's indexes: `url` has the field `{backend}`.

    Attributes:
        name: what `--mirror` calls it.
        url: of a backend's index.
        format: as in `[[tool.uv.index]]`: `simple`, or `flat` for one page with all files.
        source: where it is described.
    """

    name: str
    url: str
    format: str
    source: str


@dataclass(frozen=True, slots=True)
class SecretRule:
    """How a kind of secret is told from other text.

    Attributes:
        name: of the rule; a fingerprint depends on it.
        what: the kind, for people.
        begins: the texts that it may begin with.
        rest: the regular expression of what follows; its group `secret`, where it has one, is the
            secret alone.
        random: it must look random besides.
        source: where the form is described.
    """

    name: str
    what: str
    begins: tuple[str, ...]
    rest: str
    random: bool
    source: str


@dataclass(frozen=True, slots=True)
class SecretFiles:
    """The files that hold secrets whatever is in them: patterns of names, as `fnmatch` has them.

    Attributes:
        patterns: of a file's name, or of the end of its path where there is a `/` in it.
        shared: names that they match and that are made to be shared.
    """

    patterns: tuple[str, ...]
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CondaKind:
    """What a conda package is that PyPI has no counterpart of.

    Attributes:
        name: of the kind.
        covered: nothing is lost without it.
        told: what it is and what to do, for people.
    """

    name: str
    covered: bool
    told: str


@dataclass(frozen=True, slots=True)
class StandardModule:
    """A module that was of the standard library.

    Attributes:
        gone: the Python that has it no more, `3.12`.
        now: what has taken its place; empty for nothing.
    """

    gone: str
    now: str


def _table(name: str) -> Any:
    return json.loads((_HERE / f"{name}.json").read_text(encoding="utf-8"))


@cache
def uv_options() -> tuple[UvOption, ...]:
    """Uv's options for the words that uvmagic builds on (tools/uv_options.py makes the table)."""
    return tuple(
        UvOption(
            names=tuple(row["names"]),
            value=row["value"],
            help=row["help"],
            is_global=row["global"],
            words=frozenset(row["words"]),
        )
        for row in _table("uv_options")["options"]
    )


@cache
def uv_commands() -> frozenset[str]:
    """The words that uv itself knew when the table was made."""
    return frozenset(_table("uv_options")["commands"])


@cache
def minimum_uv() -> str:
    """The oldest version of uv that uvmagic works with."""
    return str(_table("uv")["minimum"])


@cache
def newest_uv() -> str:
    """The newest version of uv that uvmagic is known to work with."""
    return str(_table("uv")["newest"])


@cache
def uv_settings() -> tuple[UvSetting, ...]:
    """The settings of uv's that are looked into."""
    return tuple(
        UvSetting(
            **{**row, "variables": tuple(row["variables"]), "keys": tuple(row.get("keys", ()))}
        )
        for row in _table("uv_settings")["settings"]
    )


def base_image(kind: str) -> BaseImage:
    """The base image of a kind. Raises KeyError for a kind that is not in the table."""
    rows = {row["kind"]: BaseImage(**row) for row in _table("images")["images"]}
    return rows[kind]


@cache
def accelerator_kinds() -> dict[str, AcceleratorKind]:
    """The kinds of accelerators, by name."""
    return {row["name"]: AcceleratorKind(**row) for row in _table("accelerators")["kinds"]}


@cache
def backends() -> dict[str, Backend]:
    """The backends that uv knows, by name, in its order: the newest of a kind first."""
    return {
        row["name"]: Backend(
            name=row["name"],
            kind=row["kind"],
            version=row.get("version"),
            linux_driver=row.get("linux_driver"),
            windows_driver=row.get("windows_driver"),
            is_automatic=row.get("auto", False),
        )
        for row in _table("accelerators")["backends"]
    }


@cache
def torch_family() -> tuple[TorchPackage, ...]:
    """The packages that come from a backend's index; of every kind where a row names none."""
    return tuple(
        TorchPackage(
            name=row["name"],
            kinds=frozenset(row.get("kinds", accelerator_kinds())),
            follows_torch=row.get("follows_torch", False),
        )
        for row in _table("accelerators")["packages"]
    )


@cache
def amd_backends() -> dict[str, tuple[str, ...]]:
    """AMD's GPU architectures, in uv's order, and the names of the backends built for each."""
    return {row["architecture"]: tuple(row["backends"]) for row in _table("accelerators")["amd"]}


@cache
def intel_gpu() -> tuple[int, int]:
    """How an Intel GPU is told on the PCI bus: its vendor, and the first byte of its class."""
    row = _table("accelerators")["intel"]
    return int(row["vendor"], 16), int(row["base_class"], 16)


@cache
def mirrors() -> dict[str, Mirror]:
    """The places that have torch's indexes, by name; `official` is pytorch's own."""
    return {row["name"]: Mirror(**row) for row in _table("mirrors")["mirrors"]}


@cache
def secret_rules() -> tuple[SecretRule, ...]:
    """The kinds of secrets that have a form of their own; where two fit, the first is told."""
    return tuple(
        SecretRule(
            name=row["name"],
            what=row["what"],
            begins=tuple(row["begins"]),
            rest=row["rest"],
            random=row.get("random", False),
            source=row["source"],
        )
        for row in _table("secrets")["rules"]
    )


@cache
def secret_files() -> SecretFiles:
    """The names of files that hold secrets."""
    table = _table("secrets")
    return SecretFiles(
        tuple(row["pattern"] for row in table["files"]), tuple(table["shared_files"])
    )


@cache
def secret_names() -> tuple[str, ...]:
    """What names of secrets have in them, in lower case; `_` stands for itself, `-` or nothing."""
    return tuple(_table("secrets")["names"])


@cache
def conda_renamed() -> dict[str, str]:
    """Normalised conda name → PyPI name, where they differ; what was written by hand goes first.

    tools/conda_names.py makes the other table.
    """
    rows = [*_table("conda_names")["names"], *_table("conda_packages")["renamed"]]
    return {row["conda"]: row["pypi"] for row in rows}


@cache
def conda_accelerators() -> dict[str, str]:
    """The conda packages that choose a build of torch → the kind of accelerator, or `build`."""
    return {row["conda"]: row["accelerator"] for row in _table("conda_packages")["chooses"]}


def conda_kind(name: str) -> CondaKind | None:
    """What a conda package is that PyPI has no counterpart of; None for all others.

    Takes a normalised name. A name of its own goes before a pattern.
    """
    if name in conda_renamed() or name in _conda_python():
        return None
    patterns = _conda_patterns()
    found = patterns.get(name) or next(
        (kind for pattern, kind in patterns.items() if fnmatch.fnmatchcase(name, pattern)), None
    )
    return _conda_kinds()[found] if found else None


@cache
def _conda_kinds() -> dict[str, CondaKind]:
    return {row["name"]: CondaKind(**row) for row in _table("conda_packages")["kinds"]}


@cache
def _conda_patterns() -> dict[str, str]:
    """Pattern of normalised names → kind."""
    rows = _table("conda_packages")["patterns"]
    return {normalise(row["pattern"]): row["kind"] for row in rows}


@cache
def _conda_python() -> frozenset[str]:
    """Python packages that a pattern would take for libraries."""
    return frozenset(_table("conda_packages")["python"])


@cache
def module_owners() -> dict[str, tuple[str, ...]]:
    """Module, dotted where a package is shared → the distributions that have it.

    All are normalised, and the first is the one to add. What was written by hand goes first;
    tools/import_names.py makes the other table. Those imported by their own names are in none.
    """
    found = {row["module"]: (row["distribution"],) for row in _table("import_names")["names"]}
    return found | {
        row["module"]: tuple(row["distributions"]) for row in _table("modules")["renamed"]
    }


@cache
def namesakes() -> frozenset[str]:
    """The distributions, normalised, that are imported by their own names."""
    return frozenset(name for line in _table("import_names")["namesakes"] for name in line.split())


@cache
def standard_modules_gone() -> dict[str, StandardModule]:
    """The modules that were of the standard library, those of Python 2 too."""
    return {
        row["module"]: StandardModule(row["gone"], row["now"])
        for row in _table("modules")["standard"]
    }


@cache
def modules_elsewhere() -> dict[str, str]:
    """Module → where it comes from, for what no index has."""
    return {row["module"]: row["told"] for row in _table("modules")["elsewhere"]}


@cache
def own_modules() -> frozenset[str]:
    """The names that people give to modules of their own."""
    return frozenset(_table("modules")["own"])


@cache
def namespaces() -> frozenset[str]:
    """The packages that many distributions share."""
    return frozenset(_table("modules")["namespaces"])


def used_silently(name: str) -> str | None:
    """Why a distribution (normalised) is used without being imported; None for all others."""
    rows = _silent()
    return rows.get(name) or next(
        (why for pattern, why in rows.items() if fnmatch.fnmatchcase(name, pattern)), None
    )


@cache
def _silent() -> dict[str, str]:
    """Pattern of normalised names → why."""
    return {row["distribution"]: row["why"] for row in _table("modules")["silent"]}


def quickstart_notebook() -> Path:
    """The quickstart notebook: inside an installed distribution, else in the source tree."""
    installed = _HERE / "quickstart.ipynb"
    return installed if installed.exists() else _HERE.parent.parent / "notebooks" / installed.name
