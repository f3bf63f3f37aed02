"""What nodes learn from files, kept in the patch: ``patchwright learn``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graph.errors import PatchError
from host.commands import fail

if TYPE_CHECKING:
    from graph.document import Patch
    from graph.spec import Kinds, Node, Services


def learned(patch: Patch, kinds: Kinds, services: Services, wanted: Sequence[str] = ()) -> dict[str, bytes]:
    """What nodes learn from the files that their settings name, by id; ``group/inner`` for one inside a group.

    With ``wanted``, of these nodes only; else of all that name a file. What is missing elsewhere in the patch does not
    matter. Raises PatchError, also where one that is wanted learns nothing.
    """
    from graph.compiler import compile
    from graph.edits import SetState, inside
    from graph.groups import expand

    flat = expand(patch).nodes
    for id in wanted:
        if id not in flat:
            raise PatchError(f"there is no node {id!r} in the patch", node=id)
    learners = [id for id in wanted or flat if (kind := kinds.get(flat[id].kind)) is not None and learns(kind)]
    fresh = patch.copy()
    for id in learners:  # what is kept already would stand in for a file that is not there
        *groups, inner = id.split("/")
        inside(groups, SetState(inner, None)).apply(fresh)
    missing: list[PatchError] = []
    found: dict[str, bytes] = {}
    for node in compile(fresh, kinds, services, missing=missing).nodes:
        if node.id in learners:
            state = node.kind.learned(node.config, services)
            if state is not None:
                found[node.id] = state
    for error in missing:
        if error.node in learners and error.node not in found:
            raise error
    for id in wanted:
        if id not in found:
            raise PatchError("it names no file to learn from", node=id, place=f"nodes.{id}")
    return found


def learned_by(patch: Patch, kinds: Kinds, services: Services, node: str) -> bytes:
    """What one node learns, as ``learned`` says."""
    return learned(patch, kinds, services, [node])[node]


def learns(kind: type[Node]) -> bool:
    """Whether nodes of a kind can learn."""
    from graph.spec import Node

    return kind.learned.__func__ is not Node.learned.__func__


def learn(
    patch: Annotated[Path, typer.Argument(metavar="PATCH")],
    nodes: Annotated[list[str] | None, typer.Argument(metavar="NODE…", help="Default: all that learn.")] = None,
) -> None:
    """Keep in the patch what its nodes learn from files, such as noise, so that it can do without them."""
    from graph.edits import SetState, inside
    from graph.patchfile import load, save
    from host.services import FileServices
    from nodes import kinds

    try:
        document = load(patch)
        found = learned(document, kinds(), FileServices(patch.parent), nodes or ())
        if not found:
            raise PatchError("no node names a file that it learns from")
        for id, state in found.items():
            *groups, inner = id.split("/")
            inside(groups, SetState(inner, state)).apply(document)
        save(document, patch)
    except (PatchError, OSError) as error:
        fail(f"{patch}: {error}")
    for id, state in found.items():
        print(f"{id}: {len(state)} bytes kept")
