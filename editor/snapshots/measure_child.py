"""The process that compares snapshots by loudness: ``python -P -m editor.snapshots.measure_child``.

It reads one line of JSON, the job of ``editor.snapshots.matching``, and answers with lines of JSON:
``{"progress": 0.4}``, then ``{"lufs": [a, b]}`` where None is silence, or ``{"error": "…"}``. It ends when standard
input does.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any


def _tell(**line: Any) -> None:
    sys.stdout.write(json.dumps(line, allow_nan=False) + "\n")
    sys.stdout.flush()


def _watch() -> None:
    """Nobody waits any more: end at once. What is being written is in a folder that the other side removes."""
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    """Do one job."""
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_watch, daemon=True).start()
    try:
        from editor.snapshots.matching import loudness_of
        from graph.patchfile import load

        patch = load(Path(job["patch"]))
        patch.folder = Path(job["folder"])
        found: list[float | None] = []
        for number, name in enumerate(job["snapshots"]):
            with tempfile.TemporaryDirectory(dir=job["scratch"]) as scratch:

                def progress(done: int, whole: int, number: int = number) -> None:
                    _tell(progress=(number + done / max(whole, 1)) / len(job["snapshots"]))

                found.append(
                    loudness_of(patch, name, job["outputs"], job["start_s"], job["seconds"], Path(scratch), progress)
                )
        _tell(lufs=found)
    except (ValueError, OSError, RuntimeError) as error:
        _tell(error=" ".join(str(error).split()))


if __name__ == "__main__":
    main()
