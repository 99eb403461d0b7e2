"""Not a test: a real IPython shell in a process of its own, that runs one cell.

    python one_shell.py '%uv add alpha'

Ends with 0 if the cell did.
"""

import sys

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


def main(cell: str) -> int:
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("load_ext", "uvmagic")
    return 0 if shell.run_cell(cell).success else 1  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
