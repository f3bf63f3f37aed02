"""The head of the inspector for one node: its title to be changed, what it is and where it stands, bypass and mute."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.draw import Pen, fitted
from editor.faces import spoken
from editor.inspector.subject import Subject
from editor.layout import Arrangement
from editor.pointer import Grip, Touch
from editor.theme import Colour, alpha, mix
from editor.type_in import type_in
from graph.edits import Edit, Retitle, SetBypass, SetMute

if TYPE_CHECKING:
    from editor.app import App


WIDE = 600.0
"""How wide the inspector is for large curves, at scale 1."""


def toggle_width(app: App) -> None:
    """Make the inspector wide for large curves, or as it is by default."""
    right = Arrangement().right if app.arrangement.right >= WIDE else WIDE
    app.arrange(replace(app.arrangement, right=right, shows_right=True))


class Header(Grip):
    """Title, kind and neighbours, drawn; buttons for bypass and mute at the right."""

    def __init__(self, app: App, subject: Subject, parent: int | str, width: int) -> None:
        self.app, self.subject, self.width = app, subject, width
        px = app.look.px
        self.height = px(46)
        self.tag = f"inspector:{subject.id}:title"
        dpg.add_drawlist(width, self.height, tag=self.tag, parent=parent)
        self._pen = Pen(self.tag, app.look)
        self._over = ""
        self._shown: object = None
        app.pointer.claim(self.tag, self)
        self.show(subject)

    def _buttons(self) -> dict[str, tuple[float, float]]:
        """The middles of the buttons that there are."""
        px, x = self.app.look.px, self.width - self.app.look.px(13)
        found: dict[str, tuple[float, float]] = {}
        if self.subject.face.bypassable:
            found["bypass"] = (x, px(14))
            x -= px(30)
        if self.subject.face.outputs or self.subject.face.inputs:
            found["mute"] = (x, px(14))
            x -= px(30)
        found["colour"] = (x, px(14))
        x -= px(30)
        if self.subject.offers.pictures:
            found["wide"] = (x, px(14))
        return found

    def show(self, subject: Subject) -> None:
        """The node is as this says now."""
        self.subject = subject
        face, theme, px, pen = subject.face, self.app.look.theme, self.app.look.px, self._pen
        shown = (face.title, face.bypass, face.mute, face.kind, face.hue, self._over, self._around())
        if shown == self._shown:
            return
        self._shown = shown
        pen.clear()
        family = theme.hue(face.hue)
        pen.box((0, px(3)), (px(4), px(25)), family, radius=px(2))
        room = self.width - px(14) - px(30) * len(self._buttons()) - px(22)
        title = fitted(face.title, room, "title", px(20))
        pen.words((px(13), px(1)), title, theme.text, "title", px(20))
        if self._over == "title":
            pen.icon((px(13) + fonts.width(title, "title", px(20)) + px(13), px(15)), "pencil", theme.dim, px(12))
        kind = "Group" if face.kind == "group" else spoken(face.kind)
        pen.words((px(13), px(30)), kind, mix(family, theme.text, 0.35), "small", px(12.5))
        left = px(13) + fonts.width(kind, "small", px(12.5)) + px(10)
        around = fitted(self._around(), self.width - left, "small", px(12.5))
        pen.words((left, px(30)), around, theme.dim, "small", px(12.5))
        for name, at in self._buttons().items():
            self._button(name, at, {"bypass": face.bypass, "mute": face.mute, "wide": self._wide}.get(name, False))

    @property
    def _wide(self) -> bool:
        return self.app.arrangement.right >= WIDE

    def _button(self, name: str, at: tuple[float, float], on: bool) -> None:
        theme, px, pen = self.app.look.theme, self.app.look.px, self._pen
        colours: dict[str, tuple[str, Colour]] = {
            "bypass": ("power", theme.faint if on else theme.good),
            "mute": ("mute" if on else "volume", theme.bad if on else theme.dim),
            "wide": ("right" if on else "left", theme.dim),
            "colour": ("record", theme.hue(self.subject.face.hue)),
        }
        icon, colour = colours[name]
        fill = theme.lifted if self._over == name else alpha(theme.raised, 0.7)
        pen.box((at[0] - px(13), at[1] - px(12)), (at[0] + px(13), at[1] + px(12)), fill, radius=px(5))
        pen.icon(at, icon, colour, px(14))

    def _around(self) -> str:
        """What is before it and after it."""
        session, id = self.subject.session, self.subject.id
        own = session.survey.cables_of(id)
        before = list(dict.fromkeys(session.face(c.source).title for c in own if c.target == id))
        after = list(dict.fromkeys(session.face(c.target).title for c in own if c.source == id))

        def said(listed: list[str]) -> str:
            return ", ".join(listed[:2]) + (f" +{len(listed) - 2}" if len(listed) > 2 else "")

        return "   ".join(
            word for word in (f"from {said(before)}" if before else "", f"to {said(after)}" if after else "") if word
        )

    def _at(self, touch: Touch) -> str:
        half = self.app.look.px(13)
        for name, (x, y) in self._buttons().items():
            if abs(touch.at[0] - x) <= half and abs(touch.at[1] - y) <= half:
                return name
        return "title" if touch.at[1] < self.app.look.px(28) else ""

    def hover(self, touch: Touch) -> None:
        self._over = self._at(touch)
        self.show(self.subject)

    def leave(self) -> None:
        self._over = ""
        self.show(self.subject)

    def press(self, touch: Touch) -> bool:
        return touch.button == 0

    def release(self, touch: Touch) -> None:
        id, face, session = self.subject.id, self.subject.face, self.subject.session
        match self._at(touch):
            case "bypass":
                session.do(SetBypass(id, not face.bypass))
            case "mute":
                session.do(SetMute(id, not face.mute))
            case "wide":
                toggle_width(self.app)
            case "colour":
                self.app.command("node.colour")
            case "title":
                left, top = dpg.get_item_rect_min(self.tag)
                stored = session.here.node(id).title
                type_in(self.app, (left, top), self.width - self.app.look.px(64), stored or face.title, self._retitle)
            case _:
                pass

    def _retitle(self, text: str) -> None:
        edit: Edit = Retitle(self.subject.id, text.strip())
        self.subject.session.do(edit)

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        """Where a button is on the window: ``bypass`` or ``mute``."""
        at = self._buttons().get(what)
        if at is None:
            return None
        left, top = dpg.get_item_rect_min(self.tag)
        half = self.app.look.px(12)
        return left + at[0] - half, top + at[1] - half, 2.0 * half, 2.0 * half

    def free(self) -> None:
        """It is there no more."""
        self.app.pointer.free(self.tag)
