"""What is shown on the canvas while a macro is being assigned: the knobs it can move, and how far it moves which."""

from __future__ import annotations

from editor.canvas.scene import Scene
from editor.canvas.shape import RADIUS
from editor.canvas.view import Point, View
from editor.draw import KNOB_FROM, KNOB_TO, Pen, arc
from editor.faces import to_unit
from editor.macros.assigning import Assigning
from editor.theme import Look, alpha

RING = 4.5
"""How far outside a knob its mark is."""


def draw_marks(layer: str, look: Look, scene: Scene, view: View, size: Point, macro: Assigning) -> None:
    """Draw into a layer: a faint ring round what it can move, an arc round what it moves."""
    pen, theme, seen, amounts = Pen(layer, look), look.theme, view.seen(size), macro.amounts()
    colour = theme.pin("control")
    for node in scene.places:
        box = scene.box(node)
        if not box.meets(seen):
            continue
        own = scene.shapes[node]
        for knob in own.knobs:
            if not macro.can_move(node, knob.param):
                continue
            centre = view.to_canvas(box.x + knob.at[0], box.y + knob.at[1])
            radius = (RADIUS + RING) * view.factor
            pen.lines(arc(centre, radius, KNOB_FROM, KNOB_TO), alpha(colour, 0.28), max(2 * view.factor, 1))
            amount = amounts.get((node, knob.param.name))
            if amount is None:
                continue
            place = to_unit(knob.param, float(own.face.values.get(knob.param.name, knob.param.default)))
            ends = sorted((place, min(max(place + amount, 0.0), 1.0)))
            if ends[1] - ends[0] > 0.004:
                a, b = (KNOB_FROM + (KNOB_TO - KNOB_FROM) * end for end in ends)
                pen.lines(arc(centre, radius, a, b), colour, max(3.2 * view.factor, 1.5))
    box = scene.box(macro.macro) if macro.macro in scene.places else None
    if box is not None and box.meets(seen):
        (x, y), (right, bottom) = view.to_canvas(box.x, box.y), view.to_canvas(box.right, box.bottom)
        pen.box((x - 3, y - 3), (right + 3, bottom + 3), line=colour, radius=look.px(11), width=2)


def words_of(macro: Assigning) -> str:
    """What the canvas says meanwhile."""
    title = macro.session.face(macro.macro).title
    return f"Assigning {title}: press a knob and drag to say how far it goes.   Esc ends"
