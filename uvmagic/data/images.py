"""Base images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from uvmagic.data.tables import rows, table

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class BaseImage:
    """A base image; versions are fields in its references: `{uv}`, `{python}`, `{debian}`, ….

    Attributes:
        kind: how a call names it.
        builder: what the environment is made in.
        compiler: the same with a compiler.
        final: what runs the notebook.
        why: what it is good for.
        bytes: of `final`, unpacked and without torch, about.
        source: where the references are written.
        bytes_source: where the size is.
        debian: the oldest minor version of Python, newest first → the release of Debian on which
            there are images of it and later ones.
    """

    kind: str
    builder: str
    compiler: str
    final: str
    why: str
    bytes: int
    source: str
    bytes_source: str
    debian: Mapping[str, str] = field(default_factory=dict)


def base_image(kind: str) -> BaseImage:
    """The base image of a kind. Raises KeyError for a kind that is not in the table."""
    return {image.kind: image for image in rows(BaseImage, table("images")["images"])}[kind]
