"""The pictures of docs/figures.md: which bars of which subjects they show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        label: what it is called in the picture.
        figure: its name among the subject's figures; its parts are those that begin so.
        is_ours: whether uvmagic did it.
    """

    label: str
    figure: str
    is_ours: bool = False


@dataclass(frozen=True)
class Panel:
    """Bars of one scale.

    Attributes:
        subject: whose figures they are.
        bars: from above.
        title: what they have in common, where a picture has several panels.
    """

    subject: str
    bars: tuple[Bar, ...]
    title: str = ""


@dataclass(frozen=True)
class Picture:
    """One picture, as docs/figures/NAME.svg.

    Attributes:
        name: the file's.
        title: what it shows.
        panels: from above.
    """

    name: str
    title: str
    panels: tuple[Panel, ...]


def _of_images(engine: str, what: str, when: str) -> Panel:
    kinds = {"bundle": "uvmagic's bundle", "plain": "COPY . . + uv sync"}
    kinds["multistage"] = "uv's multistage example"
    return Panel(
        f"image after an edit, {engine}",
        tuple(Bar(label, f"{kind}, {when}", kind == "bundle") for kind, label in kinds.items()),
        what,
    )


PICTURES = (
    Picture(
        "add",
        "Adding a package to a project that has 30",
        (
            Panel(
                "add against peers",
                (
                    Bar("uv add, in a shell", "uv add, in a shell"),
                    Bar("%uv add, uvmagic", "uvmagic", is_ours=True),
                    Bar("%uv add, IPython's own", "IPython's own"),
                    Bar("juv add (installs nothing)", "juv add"),
                ),
            ),
        ),
    ),
    Picture(
        "first-cell",
        "From an empty folder to a first cell with pandas, in JupyterLab",
        tuple(
            Panel(
                "first cell against peers",
                tuple(
                    Bar(label, f"{figure}{suffix}", figure == "uvmagic")
                    for label, figure in (
                        ("uvmagic", "uvmagic"),
                        ("juv", "juv"),
                        ("pyproject-local-kernel", "pyproject-local-kernel"),
                        ("uv run --with jupyterlab", "uv run --with jupyterlab"),
                    )
                ),
                title,
            )
            for title, suffix in (
                ("The first time", ""),
                ("The same notebook, opened again", ", again"),
            )
        ),
    ),
    Picture(
        "kernel-start",
        "A kernel's start, to the reply of its first cell",
        (
            Panel(
                "kernel start",
                (
                    Bar("ipykernel's own", "ipykernel's own"),
                    Bar("uvmagic's, of the project", "registered by uvmagic", is_ours=True),
                    Bar("uvmagic's, for all projects", "the uv kernel", is_ours=True),
                    Bar("uv run", "uv run"),
                    Bar("pyproject-local-kernel", "pyproject-local-kernel"),
                    Bar("pyproject-local-kernel, use-venv", "pyproject-local-kernel, use-venv"),
                ),
                "In an environment that has run before",
            ),
            Panel(
                "kernel's first start",
                (
                    Bar("as uv leaves it", "cold"),
                    Bar(
                        "as uvmagic leaves it", "cold, but for what uvmagic compiles", is_ours=True
                    ),
                ),
                "In one that was just installed",
            ),
        ),
    ),
    Picture(
        "headless",
        "A notebook with pandas run to its end, without a Jupyter server",
        (
            Panel(
                "headless run against peers",
                (
                    Bar("uvmagic rerun", "uvmagic rerun", is_ours=True),
                    Bar("uv run --with papermill", "uv run --with papermill"),
                    Bar("juv exec (no kernel)", "juv exec"),
                ),
            ),
        ),
    ),
    Picture(
        "image",
        "Building an image with numpy, pandas and matplotlib",
        (
            _of_images("docker", "Docker, after an edit of the notebook", "edited"),
            _of_images("docker", "Docker, the first build", "first build"),
            _of_images("podman", "podman 4.3, after an edit of the notebook", "edited"),
        ),
    ),
)
