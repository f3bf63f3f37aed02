"""The process that renders for the editor: ``python -P -m editor.files.render_child`` (see ``editor.aside``).

Its job is ``editor.files.rendering.Wish``. It tells ``progress`` and ``measuring``, each ``[done, whole]``, and
``result`` as the command line's ``render --json`` prints it; its answer has ``measured``, as ``measure --json`` prints
it. Where it is stopped nothing is left under the final names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from editor.aside import Tell, serve
from graph.document import Patch


def work(patch: Patch, job: Mapping[str, Any], tell: Tell) -> Mapping[str, Any]:
    """Render, then measure what was rendered."""
    from host.measure import measure_file
    from host.rendering import render, render_result

    def rendered(done: int, whole: int) -> None:
        tell(progress=(int(done), int(whole)))

    def measured(done: int, whole: int) -> None:
        tell(measuring=(int(done), int(whole)))

    report = render(patch, job["outputs"], job["inputs"], progress=rendered, **job["options"])
    tell(result=render_result(report))
    return {"measured": [measure_file(file, measured).to_dict() for file in report.files.values()]}


if __name__ == "__main__":
    serve(work, cleans=True)
