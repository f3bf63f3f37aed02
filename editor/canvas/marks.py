"""What is shown on the canvas while a macro is being assigned: the knobs it can move, and how far it moves which."""

from __future__ import annotations

from editor import fonts
from editor.canvas.scene import Scene
from editor.canvas.shape import RADIUS
from editor.canvas.view import Point, View
from editor.draw import KNOB_FROM, KNOB_TO, Pen, arc
from editor.faces import to_unit
from editor.macros.assigning import Assigning
from editor.macros.depth import ends as reach
from editor.macros.depth import ends_words, is_bipolar, percent_words
from editor.theme import Look, alpha

RING = 4.5
"""How far outside a knob its mark is."""


def draw_marks(layer: str, look: Look, scene: Scene, view: View, size: Point, macro: Assigning) -> None:
    """Draw into a layer: a faint ring round what it can move, an arc round what it moves."""
    pen, theme, seen, amounts = Pen(layer, look), look.theme, view.seen(size), macro.amounts()
    colour, bipolar, held = theme.pin("control"), is_bipolar(macro.session, macro.macro), macro.held
    labels: list[tuple[Point, str]] = []
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
            value = float(own.face.values.get(knob.param.name, knob.param.default))
            ends = sorted(to_unit(knob.param, end) for end in reach(knob.param, value, amount, bipolar))
            if ends[1] - ends[0] > 0.004:
                a, b = (KNOB_FROM + (KNOB_TO - KNOB_FROM) * end for end in ends)
                pen.lines(arc(centre, radius, a, b), colour, max(3.2 * view.factor, 1.5))
            if (node, knob.param.name) in held:
                words = ends_words(knob.param, value, amount, bipolar)
                labels.append(((centre[0], centre[1] - radius), f"{percent_words(amount)}    {words}"))
    box = scene.box(macro.macro) if macro.macro in scene.places else None
    if box is not None and box.meets(seen):
        (x, y), (right, bottom) = view.to_canvas(box.x, box.y), view.to_canvas(box.right, box.bottom)
        pen.box((x - 3, y - 3), (right + 3, bottom + 3), line=colour, radius=look.px(11), width=2)
    for at, words in labels:
        _label(pen, look, at, words, size[0])


def _label(pen: Pen, look: Look, at: Point, words: str, room: float) -> None:
    """Words above a point, on a ground of their own, inside the canvas."""
    px, theme, size = look.px, look.theme, look.px(13)
    wide, high = fonts.width(words, "medium", size) + px(18), px(24)
    left = min(max(at[0] - wide / 2, px(4)), max(room - wide - px(4), px(4)))
    top = max(at[1] - high - px(6), px(4))
    pen.box((left, top), (left + wide, top + high), fill=theme.raised, line=theme.pin("control"), radius=px(6))
    pen.words((left + px(9), top + px(4)), words, theme.text, "medium", size)


def words_of(macro: Assigning) -> str:
    """What the canvas says meanwhile."""
    title = macro.session.face(macro.macro).title
    return f"Assigning {title}: press a knob and drag to say how far it goes.   Esc ends"
