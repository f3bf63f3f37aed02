"""Adding nodes: at a point, at the end of a cable, into a cable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from editor.canvas.plugging import first_input, first_output, judge
from editor.canvas.scene import PinAt
from editor.canvas.shape import HEADER, shape
from editor.canvas.view import Point
from editor.faces import face
from editor.model import Session
from graph.document import Cable, CableKey, NodeEntry
from graph.edits import AddNode, Connect, Edit
from graph.errors import PatchError

if TYPE_CHECKING:
    from editor.canvas.panel import Canvas

GRID = 10.0


def add_item(canvas: Canvas, item: str, at: Point, into: CableKey | None = None) -> str:
    """Add a node of something in stock with its header round a point, into a cable if one is given; the answer is its
    id.
    """
    session = canvas.session
    id, entry = _new(session, item)
    look = face(id, entry, session.kinds)
    own = shape(look, look.real)
    entry.position = _snapped(at[0] - own.width / 2, at[1] - HEADER / 2)
    gesture = ("add", id, len(session.history.done))
    session.do(AddNode(id, entry), gesture=gesture)
    session.select({id})
    canvas.app.sync()
    if into is not None:
        canvas.gestures.insert(id, into, gesture=gesture)
    session.end_gesture()
    return id


def _new(session: Session, item: str) -> tuple[str, NodeEntry]:
    """A node of something in stock, and an id for it. Raises PatchError where it is not in stock any more."""
    found = session.stock.get(item)
    if found is None:
        raise PatchError(f"there is no {item} to add any more")
    return session.fresh_id(found.stem), found.entry()


def connect_new(canvas: Canvas, item: str, pin: PinAt, at: Point) -> None:
    """Add a node of something in stock, plugged to a pin by its first port that fits, with that port at a point."""
    session = canvas.session
    id, entry = _new(session, item)
    look = face(id, entry, session.kinds)
    own = shape(look, look.real)
    port = (first_input if pin.pin.flow == "out" else first_output)(own.face, pin.pin.type)
    if port is None:
        add_item(canvas, item, at)
        return
    there = own.pin(port.name, port.flow)
    dx, dy = there.at if there else (0.0, 0.0)
    entry.position = _snapped(at[0] - dx, at[1] - dy)
    ends = (pin.node, pin.pin.name, id, port.name)
    cable = Cable(*(ends if pin.pin.flow == "out" else (*ends[2:], *ends[:2])))
    gesture = ("add", id, len(session.history.done))
    session.do(AddNode(id, entry), gesture=gesture)
    session.select({id})
    verdict = judge(session, cable)
    if verdict:
        edit: Edit = Connect(cable)
        session.do(edit, gesture=gesture)
    else:
        canvas.gestures.say(verdict.refused or "this cable would close a loop")
    session.end_gesture()


def _snapped(x: float, y: float) -> Point:
    return round(x / GRID) * GRID, round(y / GRID) * GRID
