"""Nodes laid out by signal flow as an edit; the frames that they are in come along."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from editor.canvas.frames import frame_edit
from editor.canvas.scene import Scene
from editor.canvas.view import Box, Point, around
from editor.model import Session
from graph.edits import Move

FRAME_MARGIN, FRAME_HEAD = 26.0, 20.0


def framing(span: Box) -> Box:
    """Where a frame is that has something in it."""
    wide, high = span.width + 2 * FRAME_MARGIN, span.height + 2 * FRAME_MARGIN + FRAME_HEAD
    return Box(span.x - FRAME_MARGIN, span.y - FRAME_MARGIN - FRAME_HEAD, wide, high)


def arrange_nodes(session: Session, scene: Scene, nodes: Iterable[str], origin: Point) -> None:
    """Lay some nodes out as one step, the upper left one at ``origin``. A frame is put round its nodes again, where all
    of them were moved.
    """
    chosen, name, gesture = frozenset(nodes), "Arrange by signal flow", object()
    framed = [(frame, scene.framed(frame)) for frame in scene.frames]
    places = scene.arranged(chosen, origin)
    session.do(*(Move(id, place) for id, place in places.items()), name=name, gesture=gesture)
    for frame, inside in framed:
        boxes = [Box(*places[id], scene.shapes[id].width, scene.shapes[id].height) for id in inside & chosen]
        span = around(boxes)
        if span is not None and inside <= chosen:
            session.do(frame_edit(session, replace(frame, box=framing(span))), name=name, gesture=gesture)
    session.end_gesture()
