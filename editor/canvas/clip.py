"""Copy, paste and duplicate. What is copied is a patch of its own, as JSON, so it travels through any clipboard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from editor.canvas.view import Point
from editor.model import Session
from graph.document import Automation, Patch
from graph.edits import AddNode, Connect, Edit, SetAutomation
from graph.errors import PatchError


def copied(session: Session, nodes: Iterable[str]) -> Patch:
    """The nodes with the cables and automation among them, as a patch."""
    here, chosen = session.here, set(nodes)
    found = Patch(here.name)
    for id, entry in here.nodes().items():
        if id in chosen:
            found.put(id, entry.copy())
    for cable in here.cables():
        if cable.source in chosen and cable.target in chosen:
            found.plug(cable)
    found.automation = [line for line in here.automation if line.node.split("/")[0] in chosen]
    return found


def pasted(session: Session, text: str) -> Patch:
    """The patch that a text is. Raises PatchError, saying what was expected."""
    if not text.strip().startswith("{"):
        raise PatchError("expected nodes that were copied here, or the JSON of a patch; the clipboard has neither")
    found = Patch.from_json(text)
    if not found.graph:
        raise PatchError("there are no nodes in what the clipboard has")
    return found


def paste_edits(
    session: Session, clip: Patch, to: Point | None, by: Point = (0.0, 0.0)
) -> tuple[list[Edit], dict[str, str]]:
    """The edits that add a clip, and the ids its nodes get, by those they have in the clip.

    ``to``: where its upper left corner comes; None: where it was, moved by ``by``.
    """
    names: dict[str, str] = {}
    for id in clip.nodes():
        names[id] = id if _free(session, id, names) else session.fresh_id(_stem(id), names.values())
    places = {id: e.position for id, e in clip.nodes().items() if e.position is not None}
    left, top = min((p[0] for p in places.values()), default=0.0), min((p[1] for p in places.values()), default=0.0)
    dx, dy = (to[0] - left, to[1] - top) if to is not None else by
    edits: list[Edit] = []
    for k, (id, entry) in enumerate(clip.nodes().items()):
        x, y = places.get(id, (left + 30.0 * k, top + 30.0 * k))
        edits.append(AddNode(names[id], replace(entry.copy(), position=(x + dx, y + dy))))
    for cable in clip.cables():
        edits.append(Connect(replace(cable, source=names[cable.source], target=names[cable.target])))
    for line in clip.automation:
        node, *inner = line.node.split("/")
        if node in names:
            address = "/".join((names[node], *inner))
            edits.append(SetAutomation(address, line.param, Automation(address, line.param, line.points, line.enabled)))
    return edits, names


def _free(session: Session, id: str, names: dict[str, str]) -> bool:
    return session.fresh_id(id, names.values()) == id


def _stem(id: str) -> str:
    return id.rstrip("0123456789") or id
