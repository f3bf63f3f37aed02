"""``python benchmarks/run.py``: measure and print the tables. ``--help`` says what can be chosen."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from benchmarks.command import main

    sys.exit(main())
