"""The words that uvmagic owns, and the options that each takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from uvmagic.data import uv

AnyOption: TypeAlias = "Option | uv.UvOption"


@dataclass(frozen=True, slots=True)
class Option:
    """An option of uvmagic's own: its spellings, its value's name (None: a flag), its help.

    `choices` are values that it takes, perhaps beside others; `arity` is how many values follow,
    for `-p NAME VALUE`.
    """

    names: tuple[str, ...]
    help: str
    value: str | None = None
    choices: tuple[str, ...] = ()
    arity: int = 1

    @property
    def name(self) -> str:
        """The long spelling, by which a Command knows it."""
        return self.names[-1]

    @property
    def values(self) -> int:
        """How many values follow the option."""
        return self.arity if self.value else 0


_JSON = Option(("--json",), "Print one JSON object instead of a table")
_DRY_RUN = Option(("--dry-run",), "Say what would change, change nothing")
_BACKENDS = (
    Option(("--cuda",), "Take torch built for this CUDA: 126, 12.6, cu126 or auto", "VERSION"),
    Option(("--rocm",), "Take torch built for this ROCm: 6.4 or auto", "VERSION"),
    Option(("--xpu",), "Take torch built for Intel GPUs"),
    Option(("--cpu",), "Take torch built for the CPU alone"),
)
_MIRROR = Option(("--mirror",), "Where torch's wheels lie: nju, sjtu, aliyun, a URL", "MIRROR")
QUIET = Option(("-q", "-qq", "--quiet"), "Tell nothing but errors")
HELP = Option(("-h", "--help"), "Show this help")
COMMON = (QUIET, HELP)
"""The options that every word of uvmagic's takes; uv is never asked to be quiet of an error."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that uvmagic owns.

    Attributes:
        name: the word.
        usage: what follows it.
        summary: one sentence.
        options: uvmagic's own options.
        uv: the uv command whose options it takes too, or None.
        examples: calls without the leading `%uv`.
    """

    name: str
    usage: str
    summary: str
    options: tuple[Option, ...] = ()
    uv: str | None = None
    examples: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


WORDS: dict[str, Word] = {
    word.name: word
    for word in (
        Word(
            "init",
            "[PATH]",
            "Make this folder a project: a pyproject.toml, nothing else.",
            (_JSON,),
            uv="init",
            examples=("init", "init --python 3.12", "init study"),
        ),
        Word(
            "add",
            "REQUIREMENT…",
            "Add requirements to pyproject.toml, lock, install: all or nothing.",
            (
                *_BACKENDS,
                _MIRROR,
                _DRY_RUN,
                _JSON,
            ),
            uv="add",
            examples=(
                "add pandas matplotlib",
                'add "numpy>=2" --dev',
                "add torch --cuda 126",
                "add torch torchvision --cuda auto --cpu",
                "add torch --cuda 126 --mirror nju",
                "add ./my-package --editable",
                "add {name} --dry-run",
            ),
        ),
        Word(
            "remove",
            "NAME…",
            "Remove requirements from pyproject.toml, lock, uninstall: all or nothing.",
            (_DRY_RUN, _JSON),
            uv="remove",
            examples=("remove matplotlib", "remove pytest --dev", "remove torch --dry-run"),
        ),
        Word(
            "sync",
            "",
            "Make the environment what the lock says.",
            (*_BACKENDS, _JSON),
            uv="sync",
            examples=("sync", "sync --locked", "sync --group docs", "sync --cpu"),
        ),
        Word(
            "lock",
            "",
            "Bring uv.lock up to date with pyproject.toml.",
            (_DRY_RUN, _JSON),
            uv="lock",
            examples=("lock", "lock --upgrade --dry-run", "lock -P numpy"),
        ),
        Word(
            "adopt",
            "FILE|ENV",
            "Have the project ask for what another tool's file, or an environment, asks for.",
            (
                *_BACKENDS,
                _MIRROR,
                Option(
                    ("--as-of",),
                    "Resolve as of a day: 2023-05-31, git (FILE's last commit) or auto",
                    "DATE",
                    ("git", "auto"),
                ),
                Option(("-p", "--python"), "The Python to use, over the source's own", "PYTHON"),
                Option(("--group",), "The dependency group that it all goes to", "GROUP"),
                _DRY_RUN,
                _JSON,
            ),
            examples=(
                "adopt environment.yml",
                "adopt requirements.txt --as-of git",
                "adopt environment.yml --cuda 126 --dry-run",
                "adopt ../old/.venv",
                "adopt analysis.ipynb",
            ),
        ),
        Word(
            "scan",
            "[PATH…]",
            "What notebooks import against what the project asks for; changes nothing by itself.",
            (
                Option(("--add",), "Add what is missing: all or nothing"),
                Option(
                    ("--as-of",),
                    "Add as of a day: 2023-05-31, git (the last commit) or auto",
                    "DATE",
                    ("git", "auto"),
                ),
                _DRY_RUN,
                _JSON,
            ),
            examples=("scan", "scan analysis.ipynb --add", "scan old.ipynb --add --as-of auto"),
        ),
        Word(
            "bundle",
            "[NOTEBOOK]",
            "Turn notebook, project and lock into a folder that reruns anywhere.",
            (
                Option(("-o", "--output"), "The folder to make (default: NOTEBOOK-bundle)", "DIR"),
                Option(("--include",), "More files of the project; may be repeated", "GLOB"),
                Option(("--keep-outputs",), "Keep the outputs that are saved in the notebook"),
                *_BACKENDS,
                Option(
                    ("--base",),
                    "What the image stands on: uv (slim), pytorch, IMAGE",
                    "IMAGE",
                    ("uv", "pytorch"),
                ),
                Option(("--archive",), "Pack the bundle to a .tar.gz as well", "FILE"),
                Option(("--no-compile",), "Make no bytecode: a smaller image that starts slower"),
                Option(
                    ("--keep-index",), "Lock from this index of the project, not from PyPI", "INDEX"
                ),
                Option(
                    ("--allow-secret",),
                    "Let what looks like a secret go along; may be repeated",
                    "FINGERPRINT",
                ),
                Option(("--dry-run",), "List what would go in, write nothing"),
                _JSON,
            ),
            examples=(
                "bundle",
                "bundle analysis.ipynb --include 'data/*.csv'",
                "bundle --keep-outputs --archive analysis.tar.gz",
                "bundle --base pytorch --dry-run",
            ),
        ),
        Word(
            "rerun",
            "BUNDLE",
            "Run a bundle from nothing, in an environment made from its lock.",
            (
                Option(
                    ("--engine",),
                    "Where it runs: local, docker, podman, buildah, auto",
                    "ENGINE",
                    ("local", "docker", "podman", "buildah", "auto"),
                ),
                Option(
                    ("-p", "--parameter"), "Set a parameter of the notebook", "NAME VALUE", arity=2
                ),
                Option(
                    ("-f", "--parameters-file"),
                    "Set parameters from a YAML or JSON file; may be repeated",
                    "FILE",
                ),
                Option(("--timeout",), "How long a cell may run", "SECONDS"),
                Option(
                    ("-o", "--output"), "The executed copy (default: NOTEBOOK-rerun.ipynb)", "FILE"
                ),
                Option(("--compare",), "Fail where outputs are not those saved in the bundle"),
                Option(
                    ("--tolerance",),
                    "How far numbers that are not whole may differ, relative (default: 1e-6)",
                    "NUMBER",
                ),
                Option(
                    ("--report",),
                    "The comparison as a page (default: beside the copy, its name and -compare)",
                    "FILE",
                ),
                _JSON,
            ),
            examples=(
                "rerun analysis-bundle",
                "rerun analysis-bundle -p alpha 0.1 -o run1.ipynb",
                "rerun analysis-bundle -f params.yaml --timeout 600",
                "rerun analysis-bundle --engine docker --compare",
            ),
        ),
        Word(
            "kernel",
            "use|restart|install|list|remove|prune [NAME]",
            "The notebook's kernel, and the project's: only kernels that uvmagic made.",
            (
                Option(("--force",), "Move although variables are lost (use)"),
                Option(("--display-name",), "What the kernel menu shows (install)", "TEXT"),
                Option(("--prefix",), "Where kernels lie: below this folder", "DIR"),
                Option(("--sys-prefix",), "Where kernels lie: in this Python's own environment"),
                Option(("--dry-run",), "Say what prune would remove, remove nothing"),
                _JSON,
            ),
            examples=(
                "kernel use",
                "kernel restart",
                "kernel install --display-name Study",
                "kernel install uv",
                "kernel list",
                "kernel prune --dry-run",
            ),
            actions=("use", "restart", "install", "list", "remove", "prune"),
        ),
        Word(
            "status",
            "",
            "Which notebook, project and Python this is, and whether they belong together.",
            (_JSON,),
            examples=("status", "status --json"),
        ),
        Word(
            "doctor",
            "",
            "What will go wrong here, before it does, and what to do about it.",
            (Option(("--fix",), "Do what is safe of it, then look again"), _JSON),
            examples=("doctor", "doctor --fix"),
        ),
        Word(
            "demo",
            "[DIR]",
            "The whole story on a scratch project, in about a minute (shell).",
            (_JSON,),
            examples=("demo", "demo story"),
        ),
    )
}


EXAMPLES = (
    "init",
    "add pandas matplotlib",
    "add torch --cuda 126",
    "adopt environment.yml",
    "scan --add",
    "doctor",
    "bundle",
)
"""What most begin with."""

CHOICES = (*(option.name for option in _BACKENDS), "--mirror")
"""The options that choose which torch; `add` may have them and name nothing."""


def options_of(word: Word) -> list[AnyOption]:
    """All options that a word takes: uvmagic's own, then those of uv that it does not take over."""
    own = (*word.options, *COMMON)
    taken = {name for option in own for name in option.names}
    return [*own, *(o for o in uv_options(word.uv) if taken.isdisjoint(o.names))]


def arity_of(options: Iterable[AnyOption]) -> dict[str, tuple[str, int]]:
    """Each spelling → (long name, number of values)."""
    return {name: (option.name, option.values) for option in options for name in option.names}


def uv_options(word: str | None) -> list[uv.UvOption]:
    """Uv's own options for one of its words, as the table has them."""
    from uvmagic.data import uv  # by the first call, not by %load_ext

    return [option for option in uv.options() if word in option.words]
