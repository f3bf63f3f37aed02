"""Where the parts of the window lie on it, and the borders between them, which can be dragged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor.draw import Pen
from editor.layout import Rect, Splitter
from editor.pointer import Grip, Touch
from editor.theme import Look

if TYPE_CHECKING:
    from editor.app import App


def put(tag: str, rect: Rect | None) -> None:
    """Bring an item to its place; one without a place is hidden."""
    dpg.configure_item(tag, show=rect is not None)
    if rect is not None:
        dpg.set_item_pos(tag, [round(rect.x), round(rect.y)])
        dpg.configure_item(tag, width=max(round(rect.width), 1), height=max(round(rect.height), 1))


def draw_splitter(tag: str, rect: Rect | None, look: Look) -> None:
    """Draw the border between two parts of the window."""
    dpg.delete_item(tag, children_only=True)
    if rect is None:
        return
    pen, theme = Pen(tag, look), look.theme
    pen.box((0, 0), (rect.width, rect.height), fill=theme.desk)
    x, y, reach = rect.width / 2, rect.height / 2, 14
    a, b = ((x - reach, y), (x + reach, y)) if rect.width > rect.height else ((x, y - reach), (x, y + reach))
    pen.line(a, b, theme.lifted, 2)


class SplitterGrip(Grip):
    """Moves the border between two parts of the window."""

    def __init__(self, app: App, splitter: Splitter) -> None:
        self.app = app
        self.splitter: Splitter = splitter
        self._at = 0.0

    def _along(self, touch: Touch) -> float:
        return touch.screen[1 if self.splitter == "bottom" else 0] / self.app.look.scale

    def press(self, touch: Touch) -> bool:
        self._at = self._along(touch)
        return touch.button == 0

    def drag(self, touch: Touch) -> None:
        along = self._along(touch)
        self.app.arrange(self.app.arrangement.dragged(self.splitter, along - self._at))
        self._at = along
