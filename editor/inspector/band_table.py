"""The bands of a node as a table, a line for each: switch, type, and numbers to drag or to type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.dials import Box, Control
from editor.draw import Pen
from editor.faces import spoken
from editor.inspector.bands import Band, Curves
from editor.inspector.subject import Subject, state_of
from editor.inspector.view import band_colour
from editor.pointer import Grip, Touch
from editor.theme import Colour, alpha
from graph.edits import SetParam

if TYPE_CHECKING:
    from editor.app import App


class _Number(Grip):
    """A band's number in its colour: a click switches it on or off."""

    def __init__(self, app: App, parent: int | str, tag: str, size: int, click: Callable[[], None]) -> None:
        self.app, self.tag, self.size, self._click = app, tag, size, click
        dpg.add_drawlist(size, size, tag=tag, parent=parent)
        self._pen = Pen(tag, app.look)
        app.pointer.claim(tag, self)

    def draw(self, number: int, colour: Colour, on: bool) -> None:
        theme, pen, middle = self.app.look.theme, self._pen, self.size / 2
        pen.clear()
        radius = self.app.look.px(9)
        if on:
            pen.dot((middle, middle), radius, colour)
        else:
            pen.dot((middle, middle), radius, alpha(theme.well, 0.0), alpha(colour, 0.6), self.app.look.px(1.4))
        pen.words((middle, middle - self.app.look.px(7)), str(number), theme.well if on else colour, "small",
                  self.app.look.px(11.5), "centre")  # fmt: skip

    def press(self, touch: Touch) -> bool:
        if touch.button == 0:
            self._click()
        return False


class BandTable:
    """Lines for the bands that were ever set; the others are hidden until they are."""

    def __init__(self, app: App, subject: Subject, parent: int | str, width: int) -> None:
        self.app, self.subject = app, subject
        self._boxes: list[dict[str, Control]] = []
        self._numbers: list[_Number] = []
        px, self._root = app.look.px, dpg.add_group(parent=parent)
        self._visible: list[bool] = []
        self.curves = Curves(subject.face, subject.rate)
        high, dot, gap = px(26), px(26), px(4)
        room = width - dot - 4 * gap
        has_type = any(band.type for band in self.curves.bands)
        shares = {"type": 0.34, "freq": 0.28, "gain": 0.2, "q": 0.18} if has_type else {
            "freq": 0.4, "gain": 0.32, "q": 0.28}  # fmt: skip
        self._widths = {name: int(room * share) for name, share in shares.items()}
        heads = {"type": "Type", "freq": "Frequency", "gain": "Gain", "q": "Q"}
        head = Pen(dpg.add_drawlist(width, px(18), parent=self._root), app.look)
        x = float(dot + gap)
        for name, wide in self._widths.items():
            head.words((x + wide / 2, px(2)), heads[name], app.look.theme.dim, "small", px(11.5), "centre")
            x += wide + gap
        for band in self.curves.bands:
            self._line(band, high, dot, gap)
        self._add = f"inspector:{subject.id}:add-band"
        dpg.add_button(label="+  Add a band", tag=self._add, width=width, parent=self._root, callback=self._add_band)
        dpg.bind_item_font(self._add, fonts.font("medium"))
        dpg.bind_item_theme(self._add, "theme:flat")
        self.show(subject)

    def _free(self) -> Band | None:
        return next((band for band in self.curves.bands if band.on and not self.curves.touched(band)), None)

    def _add_band(self) -> None:
        band = self._free()
        if band is not None and band.on is not None:
            edit = SetParam(self.subject.id, band.on, 1.0)
            self.subject.session.do(edit, name=f"Add band {band.number + 1}")

    def _line(self, band: Band, high: int, dot: int, gap: int) -> None:
        id, face = self.subject.id, self.subject.face
        line = dpg.add_group(
            horizontal=True, horizontal_spacing=gap, parent=self._root, tag=f"inspector:{id}:band{band.number + 1}"
        )
        click: Callable[[], None] = lambda: None  # noqa: E731
        on = face.param(band.on) if band.on else None
        if on is not None:
            click = self.subject.turning(on).flip
        self._numbers.append(_Number(self.app, line, f"inspector:{id}.{band.on or band.freq}:number", dot, click))
        boxes: dict[str, Control] = {}
        for role, name in (("type", band.type), ("freq", band.freq), ("gain", band.gain), ("q", band.q)):
            if role not in self._widths:
                continue
            param = face.param(name) if name else None
            if param is None:
                dpg.add_spacer(width=self._widths[role], parent=line)
                continue
            turning, tag = self.subject.turning(param), f"inspector:{id}.{param.name}"
            if role == "type":
                names = [spoken(choice) for choice in param.choices]
                dpg.add_combo(
                    names, tag=tag, width=self._widths[role], no_arrow_button=True, parent=line,
                    callback=lambda s, chosen, t=turning, n=names: t.put(float(n.index(chosen))),
                )  # fmt: skip
                dpg.bind_item_font(tag, fonts.font("medium"))
            else:
                boxes[role] = Box(self.app, line, turning, tag, (self._widths[role], high))
        self._boxes.append(boxes)
        self._visible.append(True)

    def show(self, subject: Subject) -> None:
        """The node is as this says now."""
        self.subject = subject
        self.curves = Curves(subject.face, subject.rate)
        for band, boxes, number in zip(self.curves.bands, self._boxes, self._numbers, strict=True):
            visible = self.curves.touched(band)
            if visible != self._visible[band.number]:
                self._visible[band.number] = visible
                dpg.configure_item(f"inspector:{subject.id}:band{band.number + 1}", show=visible)
            if not visible:
                continue
            on, colour = self.curves.on(band), band_colour(self.app.look, band.number)
            number.draw(band.number + 1, colour, on)
            for role, box in boxes.items():
                assert isinstance(box, Box)
                box.moved = state_of(subject, box.turning.param.name)
                box.light(on and (role != "gain" or self.curves.has_gain(band)), colour)
            type = subject.face.param(band.type) if band.type else None
            if type is not None:
                dpg.set_value(
                    f"inspector:{subject.id}.{type.name}", spoken(type.choices[round(self._value(type.name))])
                )

        dpg.configure_item(self._add, show=self._free() is not None)

    def _value(self, name: str) -> float:
        return self.subject.face.values[name]

    @property
    def names(self) -> set[str]:
        """The params that it shows."""
        return {name for band in self.curves.bands for name in band.names}

    def free(self) -> None:
        """It is there no more."""
        for boxes in self._boxes:
            for box in boxes.values():
                box.free()
        for number in self._numbers:
            self.app.pointer.free(number.tag)
