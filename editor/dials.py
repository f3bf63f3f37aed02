"""What is turned with the mouse: knobs, bars, boxes with a number, switches. Each stands for a param.

Drag to turn, shift for fine; a double click, or alt and a click, resets; a click on the number, or ctrl and a click
anywhere, lets it be typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor.draw import KNOB_FROM, KNOB_TO, KnobFace, Pen, arc, fitted
from editor.faces import to_unit
from editor.pointer import RIGHT, Grip, Touch
from editor.theme import Colour, alpha, mix
from editor.turning import Turning
from editor.type_in import type_in

if TYPE_CHECKING:
    from editor.app import App
    from editor.macros.assigning import Assigning

TRAVEL_PX = 170.0
"""How far the mouse goes for the whole range, at scale 1."""
SLACK_PX = 3.0
"""How far the mouse may go in a click."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What else moves a param. ``amounts``: how far cables modulate it, in shares of its range."""

    automated: bool = False
    amounts: tuple[float, ...] = ()
    feedback: bool = False
    words: str = ""
    controlled: bool = False
    """Whether a control moves it: that of a MIDI controller."""

    def __bool__(self) -> bool:
        return self.automated or bool(self.amounts) or self.controlled


UNMOVED = Moved()


class Control(Grip):
    """A param in a drawlist of its own. Subclasses draw it; ``show`` brings it up to date."""

    def __init__(
        self, app: App, parent: int | str, turning: Turning, tag: str, size: tuple[int, int], label: str = ""
    ) -> None:
        self.app, self.turning, self.tag = app, turning, tag
        self.width, self.height = size
        self._label = label
        self.moved = UNMOVED
        self.colour: Colour = app.look.theme.accent
        dpg.add_drawlist(*size, tag=tag, parent=parent)
        self.pen = Pen(tag, app.look)
        self._shown: object = None
        self._pressed: Touch | None = None
        self._last = (0.0, 0.0)
        self._dragged = self._over = self._skip = False
        self._macro: Assigning | None = None
        app.pointer.claim(tag, self)

    # -- how it looks --------------------------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """What it is called."""
        return self._label or self.turning.label

    def show(self) -> None:
        """Draw it as it is now, if that is different from what is drawn."""
        state = (
            self.label,
            tuple(self.turning.values()),
            self.text,
            self.moved,
            self._over,
            self._pressed is not None,
            self.colour,
            self.beside,
        )
        if state != self._shown:
            self._shown = state
            self.draw()

    def draw(self) -> None:
        """Draw it, or change what is drawn."""
        raise NotImplementedError

    @property
    def beside(self) -> object:
        """What else is shown with it, to be drawn anew when it changes."""
        return self.assigned

    @property
    def assigned(self) -> tuple[bool, tuple[str, str] | None]:
        """While a macro is being assigned: whether it can move this; how far it does, as a share and as both ends."""
        macro, there = self.app.assigning, self.turning.there
        if macro is None or not macro.valid or not self.turning.assignable or not there or macro.macro in there:
            return False, None
        return self.turning.param.modulatable, macro.words(there[0], self.turning.param)

    @property
    def text(self) -> str:
        """The value, as words."""
        return self.turning.words(self.turning.value) if self.turning.agree else "Mixed"

    def typed_at(self, touch: Touch) -> bool:
        """Whether a click there means to type."""
        return False

    def typing_place(self) -> tuple[float, float, float]:
        """Where the number is, to be typed over: x, y and width in the drawlist."""
        return 0.0, 0.0, float(self.width)

    # -- the mouse -----------------------------------------------------------------------------------------------------

    def press(self, touch: Touch) -> bool:
        if touch.button == RIGHT and self.turning.controllable and len(self.turning.nodes) == 1:
            from editor.controls.menu import open_menu

            open_menu(self.app, touch.screen, self.turning.nodes[0], self.turning.param.name)
        if touch.button != 0:
            return False
        if self._skip:
            self._skip = False
            return False
        macro = self.app.assigning if self.turning.assignable else None
        there = self.turning.there
        if macro is not None and macro.valid and there and macro.macro not in there:
            macro.press(there[0], self.turning.param, *there[1:])
            self._macro = macro
        self._pressed, self._last, self._dragged = touch, touch.screen, False
        self.show()
        return True

    def drag(self, touch: Touch) -> None:
        assert self._pressed is not None
        x, y = touch.screen
        slack = max(abs(x - self._pressed.screen[0]), abs(y - self._pressed.screen[1]))
        if self._macro is not None:
            if slack > SLACK_PX or self._dragged:
                along = (x - self._last[0]) - (y - self._last[1])
                self._dragged, self._last = True, touch.screen
                self._macro.drag(along / (TRAVEL_PX * self.app.look.scale), touch.shift)
            return
        if not self._dragged:
            if slack <= SLACK_PX or self.turning.param.curve == "switch":
                return
            self._dragged, self._last = True, touch.screen
            self.turning.begin()
            return
        along = (x - self._last[0]) - (y - self._last[1])
        self._last = touch.screen
        self.turning.by(along / (TRAVEL_PX * self.app.look.scale), touch.shift)

    def release(self, touch: Touch) -> None:
        pressed, self._pressed = self._pressed, None
        if self._macro is not None:
            self._macro.release()
            self._macro = None
            if not self._dragged and pressed is not None and (touch.ctrl or self.typed_at(touch)):
                self.type_amount()
        elif self._dragged:
            self.turning.end()
        elif pressed is not None:
            self.click(touch)
        self.show()

    def click(self, touch: Touch) -> None:
        """It was clicked."""
        if touch.alt:
            self.turning.reset()
        elif self.turning.param.curve == "switch":
            self.turning.flip()
        elif touch.ctrl or self.typed_at(touch):
            self.type()

    def type(self) -> None:
        """Let its value be typed."""
        left, top = dpg.get_item_rect_min(self.tag)
        x, y, width = self.typing_place()
        number = self.turning.typed
        type_in(self.app, (left + x, top + y), width, number, self.turning.type)

    def type_amount(self) -> None:
        """Let it be typed how far the macro that is being assigned moves this."""
        macro, there = self.app.assigning, self.turning.there
        found = macro.words(there[0], self.turning.param) if macro is not None and there else None
        if macro is not None and found is not None:
            left, top = dpg.get_item_rect_min(self.tag)
            x, y, width = self.typing_place()
            param = self.turning.param
            type_in(self.app, (left + x, top + y), width, found[0], lambda text: macro.type(text, param, *there))

    def double(self, touch: Touch) -> None:
        if self.turning.param.curve != "switch":
            self._skip = True
            self.turning.reset()

    def hover(self, touch: Touch) -> None:
        if not self._over:
            self._over = True
            self.show()

    def leave(self) -> None:
        self._over = False
        self.show()

    # -- what moves it -------------------------------------------------------------------------------------------------

    def show_moved(self, pen: Pen, at: tuple[float, float]) -> None:
        """Small marks of what else moves it, the first with its middle at a place, the next to its left."""
        theme, x = self.app.look.theme, at[0]
        marks = [("C", theme.accent)] * self.moved.controlled + [("A", theme.good)] * self.moved.automated
        marks += [("M", theme.pin("control"))] * bool(self.moved.amounts) + [("F", theme.warn)] * self.moved.feedback
        size = self.app.look.px(10)
        for letter, colour in marks:
            pen.dot((x, at[1]), size * 0.62, alpha(colour, 0.22))
            pen.words((x, at[1] - size * 0.6), letter, colour, "small", size, "centre")
            x -= size * 1.4

    def free(self) -> None:
        """It is there no more."""
        self.app.pointer.free(self.tag)


class Dial(Control):
    """A knob, its number and its name below it."""

    def __init__(
        self, app: App, parent: int | str, turning: Turning, tag: str, width: int, colour: Colour | None = None
    ) -> None:
        px = app.look.px
        super().__init__(app, parent, turning, tag, (width, px(84)))
        self.colour = colour or self.colour
        self._radius = px(20)
        self._centre = (width / 2, px(6) + self._radius)
        self.show()

    def draw(self) -> None:
        theme, px = self.app.look.theme, self.app.look.px
        pen, middle = self.pen, self.turning.middle
        pen.clear()
        place, param = self.turning.place, self.turning.param
        active = self._over or self._pressed is not None
        if active:
            pen.box((0, 0), (self.width, self.height), alpha(theme.text, 0.035), radius=px(7))
        for amount in self.moved.amounts:
            low, high = sorted((place, min(max(place + amount, 0.0), 1.0)))
            if high - low > 0.005:
                span = [KNOB_FROM + (KNOB_TO - KNOB_FROM) * end for end in (low, high)]
                ring = arc(self._centre, self._radius + px(3), *span)
                pen.lines(ring, alpha(theme.pin("control"), 0.85), px(2))
        colour = self.colour if not self.moved.automated else theme.good
        KnobFace(pen, self._centre, self._radius, colour, middle).turn(place)
        assignable, assigned = self.assigned
        if assignable and assigned is None:
            ring = arc(self._centre, self._radius + px(3), KNOB_FROM, KNOB_TO)
            pen.lines(ring, alpha(theme.pin("control"), 0.28), px(2))
        if assigned is not None:
            self._draw_assigned(*assigned)
            return
        stored = self.turning.value != param.default
        text = fitted(self.text, self.width - px(2), "medium", px(13.5))
        y = self._centre[1] + self._radius + px(3)
        pen.words((self.width / 2, y), text, theme.text if stored or active else mix(theme.text, theme.dim, 0.35),
                  "medium", px(13.5), "centre")  # fmt: skip
        label = fitted(self.label, self.width - px(2), "small", px(12))
        pen.words((self.width / 2, y + px(16)), label, theme.dim, "small", px(12), "centre")
        self.show_moved(pen, (self.width - px(9), px(9)))

    def _draw_assigned(self, share: str, ends: str) -> None:
        """How far the macro that is being assigned moves it, in place of number and name."""
        theme, px, pen, colour = self.app.look.theme, self.app.look.px, self.pen, self.app.look.theme.pin("control")
        pen.words((px(1), 0), share, colour, "small", px(10.5))
        low, _, high = ends.partition("›")
        y, room = self._centre[1] + self._radius + px(3), self.width - px(2)
        pen.words(
            (self.width / 2, y), fitted(low.strip(), room, "medium", px(13)), theme.text, "medium", px(13), "centre"
        )
        far = fitted(f"› {high.strip()}", room, "medium", px(13))
        pen.words((self.width / 2, y + px(16)), far, colour, "medium", px(13), "centre")

    def typed_at(self, touch: Touch) -> bool:
        return touch.at[1] > self._centre[1] + self._radius

    def typing_place(self) -> tuple[float, float, float]:
        return 0.0, self._centre[1] + self._radius, float(self.width)


class Bar(Control):
    """A line of its own: the name, a track that is filled so far, the number."""

    def __init__(
        self,
        app: App,
        parent: int | str,
        turning: Turning,
        tag: str,
        width: int,
        colour: Colour | None = None,
        label: str = "",
    ) -> None:
        super().__init__(app, parent, turning, tag, (width, app.look.px(28)), label)
        self.colour = colour or self.colour
        self.show()

    def draw(self) -> None:
        theme, px, pen = self.app.look.theme, self.app.look.px, self.pen
        pen.clear()
        active = self._over or self._pressed is not None
        left = self.width * 0.42
        a, b = (left, px(3)), (self.width, self.height - px(3))
        count = self.moved.controlled + self.moved.automated + bool(self.moved.amounts) + self.moved.feedback
        marks = px(14) * count
        label = fitted(self.label, left - px(8) - marks, "body", px(14))
        pen.words((0, px(5)), label, theme.text if active else theme.dim, "body", px(14))
        self.show_moved(pen, (left - px(12), self.height / 2))
        pen.box(a, b, theme.lifted if active else theme.raised, radius=px(5))
        span = b[0] - a[0]
        start, end = sorted((self.turning.middle, self.turning.place))
        if end - start > 0.002:
            fill = alpha(self.colour, 0.34 if active else 0.26)
            pen.box((a[0] + span * start, a[1]), (a[0] + span * end, b[1]), fill, radius=px(4))
        x = a[0] + span * min(max(self.turning.place, 0.005), 0.995)
        pen.line((x, a[1] + px(2)), (x, b[1] - px(2)), self.colour, px(2))
        assignable, assigned = self.assigned
        if assignable:
            colour = theme.pin("control")
            pen.box(a, b, line=alpha(colour, 0.9 if assigned else 0.35), radius=px(5))
        text = "   ".join(assigned) if assigned else self.text
        text = fitted(text, span - px(12), "medium", px(13))
        pen.words((b[0] - px(9), px(6)), text, theme.text, "medium", px(13), "right")

    def typed_at(self, touch: Touch) -> bool:
        return touch.at[0] > self.width * 0.42

    def typing_place(self) -> tuple[float, float, float]:
        return self.width * 0.42, 0.0, self.width * 0.58


class Box(Control):
    """A number in a box; ``lit`` is off where it does not count."""

    def __init__(
        self, app: App, parent: int | str, turning: Turning, tag: str, size: tuple[int, int], lit: bool = True
    ) -> None:
        super().__init__(app, parent, turning, tag, size)
        self.lit = lit
        self.show()

    def light(self, lit: bool, colour: Colour) -> None:
        """Let it count or not, and give it a colour."""
        if (lit, colour) != (self.lit, self.colour):
            self.lit, self.colour = lit, colour
            self._shown = None
        self.show()

    def draw(self) -> None:
        theme, px, pen = self.app.look.theme, self.app.look.px, self.pen
        pen.clear()
        active = self._over or self._pressed is not None
        pen.box((0, 0), (self.width, self.height), theme.lifted if active else theme.raised, radius=px(4))
        param, value = self.turning.param, self.turning.value
        text = self.turning.words(value)
        if param.unit == "dB":
            text = text.removesuffix(" dB")
        assignable, assigned = self.assigned
        if assignable:
            edge = alpha(theme.pin("control"), 0.9 if assigned else 0.35)
            pen.box((0, 0), (self.width, self.height), line=edge, radius=px(4))
        colour = theme.text if self.lit else theme.faint
        text = fitted(assigned[0] if assigned else text, self.width - px(4), "medium", px(13))
        pen.words((self.width / 2, (self.height - px(13)) / 2 - px(1)), text, colour, "medium", px(13), "centre")
        start, end = sorted((self.turning.middle, to_unit(param, value)))
        if self.lit:
            y, inset = self.height - px(2), px(5)
            span = self.width - 2 * inset
            pen.line(
                (inset + span * start, y), (inset + span * max(end, start + 0.01), y), alpha(self.colour, 0.85), px(1.6)
            )
        self.show_moved(pen, (self.width - px(6), px(5)))

    def typed_at(self, touch: Touch) -> bool:
        return True

    def typing_place(self) -> tuple[float, float, float]:
        return 0.0, (self.height - self.app.look.px(26)) / 2, float(self.width)


class Flip(Control):
    """An on/off param: a switch with its name beside it."""

    def __init__(self, app: App, parent: int | str, turning: Turning, tag: str, width: int, label: str = "") -> None:
        super().__init__(app, parent, turning, tag, (width, app.look.px(28)), label)
        self.show()

    def draw(self) -> None:
        theme, px, pen = self.app.look.theme, self.app.look.px, self.pen
        pen.clear()
        on = self.turning.value >= 0.5
        high, wide = px(16), px(30)
        top = (self.height - high) / 2
        fill = self.colour if on else theme.lifted
        pen.box((0, top), (wide, top + high), mix(fill, theme.text, 0.1 if self._over else 0.0), radius=high / 2)
        x = wide - high / 2 if on else high / 2
        pen.dot((x, top + high / 2), high / 2 - px(2), theme.body if on else theme.dim)
        colour = theme.text if on or self._over else theme.dim
        pen.words((wide + px(9), px(5)), fitted(self.label, self.width - wide - px(24), "body", px(14)), colour, "body",
                  px(14))  # fmt: skip
        if not self.turning.agree:
            pen.words((self.width, px(6)), "Mixed", theme.faint, "small", px(12), "right")
        self.show_moved(pen, (self.width - px(9), self.height / 2))
