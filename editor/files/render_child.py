"""The process that renders for the editor: ``python -P -m editor.files.render_child``.

It reads one line of JSON, the job (``editor.files.rendering.Wish`` and where the patch is), and answers with lines of
JSON: ``{"progress": [done, whole]}``, ``{"result": …}`` and ``{"measured": […]}`` as the command line's ``render`` and
``measure`` print them with ``--json``, or ``{"error": "…"}``. It ends when standard input does: then nothing is left
under the final names.
"""

from __future__ import annotations

import _thread
import json
import sys
import threading
from pathlib import Path
from time import monotonic
from typing import Any

EVERY_S = 0.05


def _tell(**line: Any) -> None:
    sys.stdout.write(json.dumps(line, allow_nan=False) + "\n")
    sys.stdout.flush()


class _Progress:
    """Tells how far it is, not too often."""

    def __init__(self, name: str) -> None:
        self.name, self._at = name, 0.0

    def __call__(self, done: int, whole: int) -> None:
        now = monotonic()
        if now - self._at >= EVERY_S:
            self._at = now
            _tell(**{self.name: [int(done), int(whole)]})


def _watch() -> None:
    """End the work when nobody waits for it."""
    sys.stdin.read()
    _thread.interrupt_main()


def main() -> None:
    """Do one job."""
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_watch, daemon=True).start()
    try:
        from graph.patchfile import load
        from host.measure import measure_file
        from host.rendering import render, render_result

        patch = load(Path(job["patch"]))
        patch.folder = Path(job["folder"])
        report = render(patch, job["outputs"], job["inputs"], progress=_Progress("progress"), **job["options"])
        _tell(result=render_result(report))
        measured = [measure_file(file, _Progress("measuring")).to_dict() for file in report.files.values()]
        _tell(measured=measured)
    except KeyboardInterrupt:
        _tell(stopped=True)
    except (ValueError, OSError, RuntimeError) as error:
        _tell(error=" ".join(str(error).split()))


if __name__ == "__main__":
    main()
