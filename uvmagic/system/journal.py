"""The project's files, changed all or nothing.

A change of a project holds the project lock, and keeps a journal in `.uvmagic/` that can undo it:

    .uvmagic/.gitignore        `*`: none of this is the user's
    .uvmagic/lock              held (flock) by whoever changes the project, and by its uv
    .uvmagic/journal/0, 1, …   each file as it was
    .uvmagic/journal/entry.json    written last, removed first: it makes the journal count
    .uvmagic/kept/…            what stood in a file that healing put back

Undoing renames the copies back, so that it needs no space on a full disk. A process killed at any
moment leaves either no entry (nothing happened, or all of it did) or an entry, and the next
command undoes it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from uvmagic.errors import UvmagicError
from uvmagic.project import Dress
from uvmagic.system.agreed import FOLDER
from uvmagic.system.files import write_atomically, writing
from uvmagic.system.interrupts import held_back
from uvmagic.system.process import stop_what_is_left
from uvmagic.system.project_lock import is_held

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_SCHEMA = 1


@dataclass
class Journal:
    """The journal of one project. Use it with the project lock held.

    Attributes:
        root: the project's root folder.
        keeps_aside: what undoing overwrites is kept, in `.uvmagic/kept`.
    """

    root: Path
    keeps_aside: bool = False
    _before: dict[Path, bytes | None] = field(default_factory=dict)

    @property
    def _folder(self) -> Path:
        return self.root / FOLDER / "journal"

    @property
    def _entry(self) -> Path:
        return self._folder / "entry.json"

    @property
    def is_open(self) -> bool:
        """Whether a change is under way, or was when its process died."""
        return self._entry.exists()

    def open(self, files: Sequence[Path], command: str) -> None:
        """Remember files as they are, to be able to undo. `command` is told to who heals it."""
        with writing(self.root / FOLDER), self._or_nothing():
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            rows = []
            for number, file in enumerate(path.resolve() for path in files):
                exists = file.exists()
                self._before[file] = file.read_bytes() if exists else None
                if exists:
                    _copy_durably(file, self._folder / str(number))
                place = os.path.relpath(file, self.root.resolve())  # the project may be moved
                rows.append({"path": place, "copy": str(number) if exists else None})
            entry = {"schema": _SCHEMA, "command": command, "files": rows}
            write_atomically(self._entry, json.dumps(entry).encode())

    @contextlib.contextmanager
    def _or_nothing(self) -> Iterator[None]:
        """Copies without an entry would only take space, on a disk that may have none."""
        try:
            yield
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def commit(self) -> None:
        """Keep what was changed, in the dress (BOM, line endings) that each file wore."""
        for file, before in self._before.items():
            if before and file.exists():
                after = file.read_bytes()
                dressed = Dress.of(before).put_on(after)
                if dressed != after:
                    write_atomically(file, dressed)
        self._entry.unlink()
        shutil.rmtree(self._folder, ignore_errors=True)

    def undo(self) -> list[Path]:
        """Put every file back, byte for byte; says which ones were not as remembered."""
        entry = json.loads(self._entry.read_text(encoding="utf-8"))
        mended = []
        with writing(self.root, "The next command in this project tries to put it back."):
            for row in entry["files"]:
                file = self.root / row["path"]
                copy = self._folder / row["copy"] if row["copy"] else None
                if copy is None:
                    if file.exists():
                        self._keep_aside(file, row["path"])
                        file.unlink()
                        mended.append(file)
                elif copy.exists() and not _same(copy, file):
                    self._keep_aside(file, row["path"])
                    _move(copy, file)
                    mended.append(file)
                # no copy: it was put back already, by one who died at it
            self._remove_half_written()
        self._entry.unlink()
        shutil.rmtree(self._folder, ignore_errors=True)
        return mended

    def _remove_half_written(self) -> None:
        """Remove what a killed uv has left: it writes beside the file, and renames (uv 0.13.9)."""
        began = self._entry.stat().st_mtime
        for file in self.root.glob(".tmp??????"):
            if file.is_file() and file.stat().st_mtime >= began:
                file.unlink(missing_ok=True)

    def _keep_aside(self, file: Path, place: str) -> None:
        if self.keeps_aside and file.exists() and file.stat().st_size:
            kept = self.root / FOLDER / "kept"
            with contextlib.suppress(OSError):  # on a full disk undoing matters more
                kept.mkdir(exist_ok=True)
                name = place.replace(os.sep, "-")
                shutil.copy2(file, kept / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}")

    def command(self) -> str:
        """The command that the journal belongs to."""
        return str(json.loads(self._entry.read_text(encoding="utf-8"))["command"])


def _copy_durably(source: Path, target: Path) -> None:
    shutil.copy2(source, target)
    with target.open("rb") as stream:  # an entry that outlives a power cut must find its copies
        os.fsync(stream.fileno())


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.read_bytes() == other.read_bytes()


def _move(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        write_atomically(target, source.read_bytes())  # a link that leads to another file system


@contextlib.contextmanager
def transaction(
    root: Path, files: Sequence[Path], command: str, *, discard: bool = False
) -> Iterator[None]:
    """Keep what the block does to the files, or, if it raises, nothing of it.

    Args:
        root: the project's root folder, whose lock is held.
        files: every file that may change, there or not.
        command: what is being done, told to whoever heals it.
        discard: put everything back in any case (for a dry run).
    """
    journal = Journal(root)
    try:
        journal.open(files, command)
        yield
        if not discard:
            with held_back():
                journal.commit()
    finally:
        _undo_if_open(journal)


def _undo_if_open(journal: Journal) -> None:
    """Undo what was not committed, however often the user presses the stop button meanwhile."""
    pressed = False
    while journal.is_open:
        try:
            stop_what_is_left()  # a uv that goes on would undo what is put back
            with held_back():
                journal.undo()
        except KeyboardInterrupt:
            pressed = True
    if pressed:
        raise KeyboardInterrupt


def heal(root: Path) -> str | None:
    """Undo what a killed process left half done. Use it with the project lock held.

    Returns:
        A sentence on what was found and done; None where all was well.

    Raises:
        FilesUnwritable: the files cannot be put back; the journal stays for the next try.
    """
    journal = Journal(root, keeps_aside=True)  # what stands there now may be the user's own
    if not journal.is_open:
        return None
    try:
        command = journal.command()
        mended = journal.undo()
    except (ValueError, KeyError, TypeError) as error:
        raise UvmagicError(
            f"The journal {journal._entry} cannot be read: {error}.",
            "Look at pyproject.toml and uv.lock, then remove that folder.",
        ) from error
    names = " and ".join(file.name for file in mended)
    done = f"{names} put back as before it" if mended else "the files were as before it"
    return f"A killed  {command}  was found: {done}."


def unfinished(root: Path) -> tuple[str, bool] | None:
    """(the command, whether it still runs) of a change that has not ended; changes nothing.

    The command is empty where the journal cannot be read. None where no change has begun.
    """
    journal = Journal(root)
    if not journal.is_open:
        return None
    try:
        command = journal.command()
    except (OSError, ValueError, KeyError, TypeError):
        command = ""
    return command, is_held(root)
