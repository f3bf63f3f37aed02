"""``python benchmarks/run.py``: measure and print the tables. ``--help`` says what can be chosen. ``run.py live`` is
``live.py``, ``run.py editor`` is ``editor.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    if sys.argv[1:2] == ["live"]:
        from benchmarks.live import main

        sys.exit(main(sys.argv[2:]))
    if sys.argv[1:2] == ["editor"]:
        from benchmarks.editor import main

        sys.exit(main(sys.argv[2:]))
    from benchmarks.command import main

    sys.exit(main())
