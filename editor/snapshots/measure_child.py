"""The process that compares snapshots by loudness: ``python -P -m editor.snapshots.measure_child`` (see
``editor.aside``).

Its job is that of ``editor.snapshots.matching.Measuring``; its answer has the loudness of each snapshot in ``lufs``,
where None is silence.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from editor.aside import Tell, serve
from editor.snapshots.matching import loudness_of
from graph.document import Patch


def work(patch: Patch, job: Mapping[str, Any], tell: Tell) -> Mapping[str, Any]:
    """Render and measure the passage with each snapshot in it."""
    found: list[float | None] = []
    count = len(job["snapshots"])
    for number, name in enumerate(job["snapshots"]):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch:

            def progress(done: int, whole: int, number: int = number) -> None:
                tell(progress=(number + done / max(whole, 1), count))

            found.append(
                loudness_of(patch, name, job["outputs"], job["start_s"], job["seconds"], Path(scratch), progress)
            )
    return {"lufs": found}


if __name__ == "__main__":
    serve(work)
