"""The mixer: strips side by side, and what the mouse does with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dearpygui.dearpygui as dpg

from editor.faces import value_text
from editor.link import Readings
from editor.meters import Meters
from editor.mixer.scale import fader_db, fader_place
from editor.mixer.strip_view import GAP, LEAST_HEIGHT, Box, Part, StripView
from editor.mixer.strips import LEVEL, Strip, Wiring, keeping_safe, moving, muting, soloing, strips_of
from editor.model import Changes
from editor.panel import Panel
from editor.pointer import LEFT, RIGHT, Grip, Touch
from editor.turning import FINE, Turning, fresh_gesture, step_name
from editor.type_in import type_in
from graph.edits import Edit, Retitle, SetParam
from graph.spec import Param

if TYPE_CHECKING:
    from editor.app import App

WHEEL_DB, FINE_WHEEL_DB, WHEEL_SHARE = 0.5, 0.1, 0.025
PAN_TRAVEL_PX = 150.0
SLACK_PX = 4.0
HINTS: dict[Part, str] = {
    "head": "Click selects, double click renames, drag puts the strip elsewhere",
    "mute": "Mute",
    "solo": "Solo; with Ctrl: only this one; right click: safe from the solo of others",
    "pan": "Drag pans, with Shift finely; double click: back to the default",
    "fader": "Drag sets the level, with Shift finely; double click: back to the default",
    "number": "Click to type a level",
    "clip": "Lit by samples beyond full scale; click forgets, with Alt everywhere",
}


class Mixer(Panel):
    """Strips for inputs, sends, buses and outputs."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.strips: list[Strip] = []
        self.views: dict[str, StripView] = {}
        self.over: tuple[str, Part] | None = None
        self.dragged: str | None = None
        self._wiring: Wiring | None = None
        self._size: object = None
        self._framed: object = None
        self._meters = Meters()

    def build(self, parent: int | str) -> None:
        self.views.clear()
        self._size = self._framed = self.dragged = None
        dpg.add_child_window(tag="mixer:scroll", parent=parent, border=False, horizontal_scrollbar=True)
        dpg.bind_item_theme("mixer:scroll", "theme:strip")
        dpg.add_drawlist(10, 10, tag="mixer", parent="mixer:scroll")
        self.app.pointer.claim("mixer", _MixerGrip(self))
        self._read()

    def sync(self, changes: Changes) -> None:
        strips = {strip.id for strip in self.strips}
        placed = bool(changes.moved & strips)
        if changes.structure or changes.words or placed or changes.automation or changes.look:
            self._read()
            self._show()
            return
        turned = {node for node, _ in changes.params} & strips
        if turned:
            face = self.session.face
            self.strips = [replace(s, face=face(s.id)) if s.id in turned else s for s in self.strips]
        if turned or changes.selection:
            self._show()
        if changes.selection:
            self._reveal()

    def frame(self, now: float, readings: Readings) -> None:
        state = (self._height(), self.app.look, self.over, self.dragged)
        if state != self._framed:
            self._framed = state
            self._show()
        left, width = dpg.get_x_scroll("mixer:scroll"), dpg.get_item_rect_size("mixer:scroll")[0]
        seen = [view for view in self.views.values() if view.x < left + width and view.x + view.width > left]
        found = [heard for view in seen if (heard := view.meter(readings)) is not None]
        self._meters.show([face for face, _ in found], [levels for _, levels in found], now)

    def _read(self) -> None:
        self.strips, self._wiring = strips_of(self.session.here, self.session.survey)

    def _height(self) -> float:
        slot = self.app.slots.get("bottom")
        px = self.app.look.px
        return max((slot.height if slot else 236) - px(54), px(LEAST_HEIGHT))

    def _show(self) -> None:
        ids = [strip.id for strip in self.strips]
        pans = [strip.face.param("pan") is not None for strip in self.strips]
        size = (ids, pans, self._height(), self.session.path, self.app.look)
        if size != self._size:
            self._size = size
            self._lay_out()
        names = {strip.id: named(strip) for strip in self.strips}
        for strip in self.strips:
            over = self.over[1] if self.over and self.over[0] == strip.id else None
            chosen = strip.id in self.session.selection
            self.views[strip.id].show(strip, over, chosen, strip.id == self.dragged, names)

    def _reveal(self) -> None:
        """Scroll to the strips of what is selected, where none of them is seen."""
        chosen = [view for id, view in self.views.items() if id in self.session.selection]
        left, width = dpg.get_x_scroll("mixer:scroll"), dpg.get_item_rect_size("mixer:scroll")[0]
        if chosen and not any(left <= view.x and view.x + view.width <= left + width for view in chosen):
            middle = chosen[0].x + chosen[0].width / 2 - width / 2
            dpg.set_x_scroll("mixer:scroll", min(max(middle, 0.0), dpg.get_x_scroll_max("mixer:scroll")))

    def _lay_out(self) -> None:
        dpg.delete_item("mixer", children_only=True)
        peaks = {id: view.highest for id, view in self.views.items()}
        self.views = {}
        x, height, px = 0.0, self._height(), self.app.look.px
        rank = ""
        for strip in self.strips:
            x += px(10) if rank and strip.rank != rank else 0
            rank = strip.rank
            view = self.views[strip.id] = StripView(self.app, strip, x, height)
            view.highest = peaks.get(strip.id, view.highest)
            x += view.width + px(GAP)
        if not self.strips:
            words = "Inputs, buses, sends and outputs appear here, each with a fader."
            theme = self.app.look.theme
            dpg.draw_text((px(6), px(8)), words, color=theme.faint, size=px(15), parent="mixer")
        dpg.draw_line((0, 0), (0, height), color=self.app.look.theme.accent, thickness=px(2), show=False,
                      tag="mixer:drop", parent="mixer")  # fmt: skip
        dpg.configure_item("mixer", width=max(round(x), px(480)), height=round(height))

    # -- what the mouse finds and does ---------------------------------------------------------------------------------

    def hit(self, x: float, y: float) -> tuple[str, Part] | None:
        """The strip and the part of it at a point of the drawlist."""
        for id, view in self.views.items():
            if view.x <= x < view.x + view.width and 0 <= y < view.height:
                part = view.plan.part(x - view.x, y)
                return (id, part) if part else None
        return None

    def point_at(self, what: tuple[str, Part] | None) -> None:
        """The mouse is over this."""
        if what != self.over:
            self.over = what
            self.app.hint = HINTS.get(what[1], "") if what else ""
            self._show()

    def strip(self, id: str) -> Strip | None:
        """A strip, if it is still there."""
        return next((strip for strip in self.strips if strip.id == id), None)

    def turning(self, id: str, param: Param) -> Turning:
        """What turns a param of a strip."""
        strip = self.strip(id)
        return Turning(self.session, [id], param, strip.face.values.get(param.name) if strip else None)

    def put(self, id: str, param: Param, value: float, gesture: object) -> None:
        """Give a param a value, as part of a gesture."""
        value = min(max(value, param.low), param.high)
        if self.session.here.node(id).params.get(param.name) != value:
            name = step_name(self.session, "Set", [id], param)
            self.session.do(SetParam(id, param.name, value), name=name, gesture=gesture)

    def do(self, name: str, edits: list[Edit]) -> None:
        """Do edits as one step, if there are any."""
        if edits:
            self.session.do(*edits, name=name)

    def click(self, id: str, part: Part, touch: Touch) -> None:
        """A part of a strip was clicked."""
        strip, here = self.strip(id), self.session.here
        if strip is None or self._wiring is None:
            return
        title = strip.face.title
        match part, touch.button:
            case "mute", 0:
                self.do(f"Mute or unmute {title}", muting(here, strip))
            case "solo", 0:
                self.do(f"Solo of {title}", soloing(here, self.strips, self._wiring, id, touch.ctrl))
            case "solo", 1:
                safe = "" if strip.safe else "safe "
                self.do(f"Make {title} {safe}for solo", keeping_safe(here, self.strips, self._wiring, id))
            case "clip", 0:
                for view in self.views.values() if touch.alt else (self.views[id],):
                    view.highest.forget()
            case "number", 0:
                self._type(id)
            case (("head" | "ways"), 0):
                self.session.select(self.session.selection ^ {id} if touch.ctrl or touch.shift else {id})
            case _:
                return

    def _type(self, id: str) -> None:
        view = self.views[id]
        if view.level is None:
            return
        turning = self.turning(id, view.level)
        a, b, c, _ = view.place("number")
        left, top = dpg.get_item_rect_min("mixer")
        type_in(self.app, (left + a, top + b - self.app.look.px(4)), c - a, f"{turning.value:.4g}", turning.type)

    def rename(self, id: str) -> None:
        """Let a strip's title be typed."""
        strip = self.strip(id)
        if strip is None:
            return
        a, b, c, _ = self.views[id].place("head")
        left, top = dpg.get_item_rect_min("mixer")

        def done(text: str) -> None:
            self.session.do(Retitle(id, text.strip()))

        type_in(self.app, (left + a, top + b), c - a, strip.face.title, done)

    def drop_place(self, x: float) -> int:
        """Before which strip something would be put that is let go there."""
        return sum(x > view.x + view.width / 2 for view in self.views.values())

    def show_drop(self, x: float | None) -> None:
        """Show where a dragged strip would go; None: it is dragged no more."""
        if not dpg.does_item_exist("mixer:drop"):
            return
        if x is None:
            dpg.configure_item("mixer:drop", show=False)
            return
        views, at = list(self.views.values()), self.drop_place(x)
        gap = self.app.look.px(GAP) / 2
        line = views[at].x - gap if at < len(views) else views[-1].x + views[-1].width + gap
        dpg.configure_item("mixer:drop", show=True, p1=(max(line, 1), 0), p2=(max(line, 1), views[0].height))

    def drop(self, id: str, x: float) -> None:
        """Put a strip where it was let go."""
        strip = self.strip(id)
        if strip is not None:
            self.do(
                f"Move the strip of {strip.face.title}", moving(self.session.here, self.strips, id, self.drop_place(x))
            )

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        """``strip:NODE`` or ``strip:NODE.PART``; ``fadercap:NODE`` is what is dragged."""
        kind, _, rest = what.partition(":")
        id, _, part = rest.partition(".")
        if kind not in ("strip", "fadercap") or id not in self.views:
            return None
        view = self.views[id]
        left, top = dpg.get_item_rect_min("mixer")
        box: Box = (view.x, 0, view.x + view.width, view.height)
        if kind == "fadercap" and view.level is not None:
            a, b, c, d = view.plan.fader
            y = d - (d - b) * fader_place(view.level, view.strip.face.values[view.level.name])
            box = (view.x + a, y - 6, view.x + c, y + 6)
        elif part in view.plan.boxes:
            box = view.place(part)  # pyright: ignore[reportArgumentType]
        return left + box[0], top + box[1], box[2] - box[0], box[3] - box[1]


def named(strip: Strip) -> str:
    """A strip as others list it; a send with its level."""
    level = strip.face.param(LEVEL)
    if strip.rank != "send" or level is None:
        return strip.face.title
    db = strip.face.values[LEVEL]
    return f"{strip.face.title} {value_text(level, db).removesuffix(' dB').removesuffix('.0')}"


class _MixerGrip(Grip):
    """The mouse on the strips."""

    def __init__(self, mixer: Mixer) -> None:
        self.mixer = mixer
        self._held: tuple[str, Part] | None = None
        self._pressed: Touch | None = None
        self._turning: Turning | None = None
        self._last = (0.0, 0.0)
        self._place = 0.0
        self._moved = False
        self._gesture: object = None
        self._wheel: tuple[Any, object] = (None, None)

    def _param(self, id: str, part: Part) -> Param | None:
        view = self.mixer.views[id]
        return view.level if part == "fader" else view.pan if part == "pan" else None

    def press(self, touch: Touch) -> bool:
        self._held = self.mixer.hit(*touch.at)
        if self._held is None or touch.button not in (LEFT, RIGHT):
            return False
        self._pressed, self._last, self._moved, self._turning = touch, touch.screen, False, None
        return True

    def drag(self, touch: Touch) -> None:
        if self._held is None or self._pressed is None or self._pressed.button != LEFT:
            return
        id, part = self._held
        if id not in self.mixer.views:
            return
        if not self._moved:
            way = max(abs(a - b) for a, b in zip(touch.screen, self._pressed.screen, strict=True))
            if way <= (SLACK_PX if part == "head" else 1):
                return
            self._moved = True
            param = self._param(id, part)
            if param is not None:
                self._turning = self.mixer.turning(id, param)
                self._place = fader_place(param, self._turning.value)
                self._gesture = fresh_gesture(id, part)
                self._turning.begin()
        if part == "head":
            self.mixer.dragged = id
            self.mixer.show_drop(touch.at[0])
        elif self._turning is not None:
            self._turn(touch, part, self.mixer.views[id])
        self._last = touch.screen

    def _turn(self, touch: Touch, part: Part, view: StripView) -> None:
        assert self._turning is not None
        across, down = touch.screen[0] - self._last[0], touch.screen[1] - self._last[1]
        if part == "pan":
            self._turning.by((across - down) / (PAN_TRAVEL_PX * view.px), touch.shift)
            return
        _, top, _, bottom = view.plan.fader
        self._place -= down / (bottom - top) * (FINE if touch.shift else 1)
        db = round(fader_db(self._turning.param, self._place), 2 if touch.shift else 1)
        self.mixer.put(view.strip.id, self._turning.param, db, self._gesture)

    def release(self, touch: Touch) -> None:
        held, self._held = self._held, None
        if self._turning is not None:
            self._turning.end()
            self._turning = None
        elif self.mixer.dragged is not None:
            id, self.mixer.dragged = self.mixer.dragged, None
            self.mixer.show_drop(None)
            self.mixer.drop(id, touch.at[0])
        elif held is not None and not self._moved and held[0] in self.mixer.views:
            self.mixer.click(*held, touch)

    def double(self, touch: Touch) -> None:
        found = self.mixer.hit(*touch.at)
        if found is None:
            return
        param = self._param(*found)
        if param is not None:
            self.mixer.turning(found[0], param).reset()
        elif found[1] == "head":
            self.mixer.rename(found[0])

    def wheel(self, touch: Touch, steps: float) -> None:
        found = self.mixer.hit(*touch.at)
        param = self._param(*found) if found else None
        if found is None or param is None:
            return
        if self._wheel[0] != found:
            self._wheel = (found, fresh_gesture(*found))
        turning = self.mixer.turning(found[0], param)
        fine = touch.shift or touch.ctrl
        step = (FINE_WHEEL_DB if fine else WHEEL_DB) if found[1] == "fader" else WHEEL_SHARE * (FINE if fine else 1) * 2
        self.mixer.put(found[0], param, round(turning.value + steps * step, 3), self._wheel[1])

    def hover(self, touch: Touch) -> None:
        self.mixer.point_at(self.mixer.hit(*touch.at))

    def leave(self) -> None:
        self._wheel = (None, None)
        self.mixer.point_at(None)
