"""What nodes learn from files, kept in the patch: ``patchwright learn``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graph.errors import PatchError

if TYPE_CHECKING:
    from graph.document import Patch
    from graph.spec import Kinds, Node, Services


def learned(patch: Patch, kinds: Kinds, services: Services, wanted: Sequence[str] = ()) -> dict[str, bytes]:
    """What the nodes of a patch learn from the files that their settings name, by id; those inside groups aside.

    With ``wanted``, of these nodes only. Raises PatchError, also where one of these learns nothing.
    """
    from graph.compiler import compile

    schedule = compile(patch, kinds, services)
    found: dict[str, bytes] = {}
    for node in schedule.nodes:
        if node.id in patch.graph and (not wanted or node.id in wanted):
            state = node.kind.learned(node.config, services)
            if state is not None:
                found[node.id] = state
    for id in wanted:
        if id not in patch.graph:
            raise PatchError(f"there is no node {id!r} in the patch", node=id)
        if id not in found:
            raise PatchError(f"{id} names no file that it learns from", node=id)
    return found


def learned_by(patch: Patch, kinds: Kinds, services: Services, node: str) -> bytes:
    """What one node learns from the file that its settings name; ``group/inner`` for one that is inside a group.

    What is missing elsewhere in the patch does not matter. Raises PatchError, also where it names no file.
    """
    from graph.compiler import compile
    from graph.edits import SetState, inside

    *groups, id = node.split("/")
    fresh = patch.copy()
    # What is kept already would stand in for a file that is not there.
    inside(groups, SetState(id, None)).apply(fresh)
    missing: list[PatchError] = []
    schedule = compile(fresh, kinds, services, missing=missing)
    found = next((each for each in schedule.nodes if each.id == node), None)
    if found is None:
        raise PatchError(f"there is no node {node!r} in the patch", node=node)
    state = found.kind.learned(found.config, services)
    if state is None:
        for error in missing:
            if error.node == node:
                raise error
        raise PatchError("it names no file to learn from", node=node)
    return state


def learns(kind: type[Node]) -> bool:
    """Whether nodes of a kind can learn."""
    from graph.spec import Node

    return kind.learned.__func__ is not Node.learned.__func__


def learn(
    patch: Annotated[Path, typer.Argument(metavar="PATCH")],
    nodes: Annotated[list[str] | None, typer.Argument(metavar="NODE…", help="Default: all that learn.")] = None,
) -> None:
    """Keep in the patch what its nodes learn from files, such as noise, so that it can do without them."""
    from graph.patchfile import load, save
    from host.services import FileServices
    from nodes import kinds

    try:
        document = load(patch)
        found = learned(document, kinds(), FileServices(patch.parent), nodes or ())
        if not found:
            raise PatchError("no node names a file that it learns from")
        for id, state in found.items():
            document.node(id).state = state
        save(document, patch)
    except (PatchError, OSError) as error:
        sys.stderr.write(f"patchwright: {patch}: {error}\n")
        raise typer.Exit(1) from None
    for id, state in found.items():
        print(f"{id}: {len(state)} bytes kept")
