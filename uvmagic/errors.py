"""Everything that can go wrong, one class for each thing that a user can do about it.

UvmagicError
├── UsageError            mend the call                                   exit status 2
├── UvUnavailable         install or update uv
├── UvFailed              read what uv says: no resolution, a build that fails, no network
├── ProjectMissing        `%uv init`, or go to the project's folder
├── ProjectUnclear        say which project is meant
├── ProjectInvalid        mend pyproject.toml (or uv.lock) by hand
├── FilesUnwritable       free space, or get permission
├── ChangeRejected        uv said yes, the files say no: nothing was kept
├── Interrupted           nothing: it was asked for                       exit status 130
├── KernelRefused         choose another kernelspec, or remove the other by hand
├── NotebookUnknown       name the notebook
├── BundleRefused         change what goes into the bundle
├── SourceInvalid         mend the file that is adopted, or name another
├── EngineFailed          start the container engine, or rerun with  --engine local
├── EnvironmentFixed      the bundle's environment lacks what a cell asks for: bundle again
├── CellRaised            the rerun notebook failed: mend its cell
└── FoundWrong            the report above says what: outputs that differ
"""

from __future__ import annotations


class UvmagicError(Exception):
    """An error that says what happened and why, and what to do about it.

    Args:
        message: what and why; may have several lines.
        hint: what to do, or None where the message already tells.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n→ {self.hint}"

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback; the cell still fails."""
        from uvmagic.display.visible import visible  # by who shows it

        return visible(str(self)).splitlines()


class UsageError(UvmagicError):
    """The call itself was wrong; nothing was tried."""

    exit_code = 2


class UvUnavailable(UvmagicError):
    """There is no uv, it is too old, or what is there is not uv."""


class UvFailed(UvmagicError):
    """The uv command ended with an error of its own, for one passed through with its status."""

    def __init__(self, message: str, hint: str | None = None, exit_code: int = 1) -> None:
        super().__init__(message, hint)
        self.exit_code = exit_code


class ProjectMissing(UvmagicError):
    """No project here."""


class ProjectUnclear(UvmagicError):
    """Notebook, current folder and kernel belong to different projects."""


class ProjectInvalid(UvmagicError):
    """A project file cannot be read."""


class FilesUnwritable(UvmagicError):
    """The project's folder takes no writes."""


class ChangeRejected(UvmagicError):
    """What the command promised does not hold afterwards; both files are as they were."""


class Interrupted(UvmagicError):
    """The user stopped it."""

    exit_code = 130


class KernelRefused(UvmagicError):
    """A kernelspec that uvmagic did not make, or one that cannot be made."""


class NotebookUnknown(UvmagicError):
    """It is not known which notebook is meant, or it cannot be read."""


class BundleRefused(UvmagicError):
    """Something may not go into the bundle, or the folder is no bundle."""


class SourceInvalid(UvmagicError):
    """What is to be adopted is not there, or cannot be read."""


class EngineFailed(UvmagicError):
    """The container engine is not there, or could not build the image."""


class EnvironmentFixed(UvmagicError):
    """The bundle's environment lacks what a cell asks for."""


class CellRaised(UvmagicError):
    """A cell of the rerun notebook raised."""


class FoundWrong(UvmagicError):
    """What was looked into is not as it should be; the outcome that was shown tells how."""
