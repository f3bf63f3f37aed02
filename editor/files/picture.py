"""A patch in small, for the browser: its nodes in the colours of their families, its cables, its frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from editor.canvas.curves import Curve, line_of
from editor.canvas.scene import Scene
from editor.canvas.shape import HEADER
from editor.canvas.view import Box, Point
from editor.draw import Pen, fitted
from editor.model import Changes, Session
from editor.plugins.shelf import Shelf
from editor.theme import Look, alpha, mix
from graph.patchfile import load
from graph.spec import Kinds

MOST_NODES = 600
"""Of a larger patch there is no picture."""
LARGEST = 0.62
"""How large it may be drawn, beside the canvas at zoom 1: a patch of three nodes need not fill the place."""
MARGIN = 40.0
LEAST_WORDS = 8.5
"""Titles smaller than this, in pixels, are left out."""


@dataclass(frozen=True, slots=True)
class Block:
    """A node: where it is, what it is called, its hue."""

    box: Box
    title: str
    hue: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn of a patch, in units of the plane. ``cables``: each curve, and what it is coloured by."""

    span: Box
    blocks: tuple[Block, ...] = ()
    cables: tuple[tuple[Curve, str], ...] = ()
    frames: tuple[tuple[Box, str, str], ...] = ()
    """Place, colour, title."""


def picture(file: Path, kinds: Kinds | None = None, shelf: Shelf | None = None) -> Picture | None:
    """The picture of the patch in a file, laid out as the canvas would; None where there is nothing to be drawn, or
    too much. Raises PatchError.
    """
    patch = load(file)
    if not 0 < len(patch.nodes()) <= MOST_NODES:
        return None
    scene = Scene(Session(patch, kinds, file, shelf))
    scene.sync(Changes(everything=True))
    span = scene.span()
    if span is None:
        return None
    blocks = (
        Block(scene.box(id), own.face.title, own.face.hue) for id, own in ((id, scene.shapes[id]) for id in scene.order)
    )
    cables = ((curve, scene.types[key]) for key, curve in scene.curves.items())
    frames = ((frame.box, frame.colour, frame.title) for frame in scene.frames)
    return Picture(span, tuple(blocks), tuple(cables), tuple(frames))


def height_for(shown: Picture, look: Look, width: float) -> float:
    """How tall a place of this width must be for a picture, in pixels."""
    span = shown.span.grown(MARGIN)
    return span.height * min(width / span.width, LARGEST * look.scale)


def paint(pen: Pen, shown: Picture, size: Point) -> float:
    """Draw a picture in the middle of a place of this size, in pixels; the answer is its scale."""
    theme, span = pen.look.theme, shown.span.grown(MARGIN)
    factor = min(size[0] / span.width, size[1] / span.height, LARGEST * pen.look.scale)
    left, top = (size[0] - span.width * factor) / 2, (size[1] - span.height * factor) / 2

    def at(x: float, y: float) -> Point:
        return left + (x - span.x) * factor, top + (y - span.y) * factor

    words = 14.0 * factor
    for box, colour, title in shown.frames:
        ink = theme.hue(colour) if colour else theme.accent
        fill, line = alpha(ink, 0.08), alpha(ink, 0.35)
        pen.box(at(box.x, box.y), at(box.right, box.bottom), fill=fill, line=line, radius=10 * factor)
        if words >= LEAST_WORDS:
            x, y = at(box.x + 14, box.y + 8)
            pen.words((x, y), fitted(title, (box.width - 28) * factor, "strong", words), ink, "strong", words)
    for curve, type in shown.cables:
        ink, thick = alpha(theme.pin(type), 0.75), max(2.2 * factor, 1.0)
        pen.cable(line_of(curve, factor) + at(0.0, 0.0), ink, thick)
    for block in shown.blocks:
        box, ink = block.box, theme.hue(block.hue)
        a, b = at(box.x, box.y), at(box.right, box.bottom)
        radius = 7 * factor
        pen.box(a, b, fill=mix(theme.body, ink, 0.16), line=mix(theme.line, ink, 0.4), radius=radius)
        pen.box(a, (b[0], a[1] + max(HEADER * factor, 3.0)), fill=mix(theme.body, ink, 0.72), radius=radius)
        if words >= LEAST_WORDS:
            title = fitted(block.title, (box.width - 16) * factor, "strong", words)
            pen.words((a[0] + 8 * factor, a[1] + 5 * factor), title, theme.text, "strong", words)
    return factor
