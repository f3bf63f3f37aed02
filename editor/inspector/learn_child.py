"""The process in which a node learns: ``python -P -m editor.inspector.learn_child`` (see ``editor.aside``)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from editor.aside import Tell, serve
from graph.document import Patch


def learn(patch: Patch, job: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """What a node learns, as base64, and how many bytes that are."""
    from host.learning import learned_by
    from host.services import FileServices
    from nodes import kinds

    def read(done: int, whole: int) -> None:
        if done >= whole:
            tell(progress=(0, 0), doing="Learning")
        else:
            tell(progress=(done, whole))

    assert patch.folder is not None
    tell(doing="Reading")
    state = learned_by(patch, kinds(), FileServices(patch.folder, progress=read), job["node"])
    return {"state": b64encode(state).decode()}


if __name__ == "__main__":
    serve(learn)
