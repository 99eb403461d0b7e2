"""`python -m uvmagic` is the `uvmagic` command."""

import sys

from uvmagic.cli import main

sys.exit(main())
