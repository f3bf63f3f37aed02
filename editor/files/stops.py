"""Through a dialog with keys alone: Tab and Shift+Tab go from one item to the next, and a ring shows which has them.

Dear ImGui's own keyboard navigation is for the whole program or for none of it, and the canvas has other uses for its
keys; without it Tab finds nothing but fields of text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dearpygui.dearpygui as dpg

from editor.draw import Pen
from editor.keys import FIELDS

if TYPE_CHECKING:
    from editor.app import App

Tag = int | str
RING = "dialog:ring"
BUTTONS = ("Button", "ImageButton", "Selectable")
CHOICES = ("Combo", "RadioButton")
STEPS = {"up": -1, "left": -1, "down": 1, "right": 1}
INSIST_FRAMES = 8
"""So long Dear ImGui, which has its own idea of where Tab goes, is told again."""


class Stops:
    """The items of a window that keys can do something with, in the order in which they are shown."""

    def __init__(self, app: App, window: str) -> None:
        self.app, self.window = app, window
        self.at: Tag | None = None
        """The one that has the keys; None: none has, and keys are the dialog's."""
        self._insist = 0
        self._drawn: object = None

    def key(self, keys: str) -> bool:
        """Do what a key does here; False: it does nothing, and is for the dialog."""
        if keys in ("tab", "shift+tab"):
            self._go(1 if keys == "tab" else -1)
            return True
        at = self.at
        if at is None or not _usable(at):
            return False
        kind = _kind(at)
        if kind in BUTTONS:
            if keys in ("left", "right"):
                self._go(STEPS[keys])
            elif keys in ("space", "enter"):
                self._told(at, None)
            else:
                return False
        elif kind == "Checkbox" and keys == "space":
            self._choose(at, not dpg.get_value(at))
        elif kind in CHOICES and keys in STEPS:
            items = list(dpg.get_item_configuration(at)["items"])
            now = dpg.get_value(at)
            place = items.index(now) + STEPS[keys] if now in items else 0
            if 0 <= place < len(items):
                self._choose(at, items[place])
        else:
            return False
        return True

    def _choose(self, item: Tag, value: Any) -> None:
        dpg.set_value(item, value)
        self._told(item, value)

    def _told(self, item: Tag, value: Any) -> None:
        self.app.answer(dpg.get_item_callback(item), item, value, dpg.get_item_user_data(item))

    def _go(self, by: int) -> None:
        """To the next, and round; from a field that is typed in, from that one."""
        stops = list(_stops(self.window))
        if not stops:
            return
        typed = next((k for k, item in enumerate(stops) if _kind(item) in FIELDS and dpg.is_item_active(item)), None)
        here = stops.index(self.at) if self.at in stops else typed
        self.at = stops[(here + by) % len(stops)] if here is not None else stops[0 if by > 0 else -1]
        self._insist = INSIST_FRAMES
        self._give()
        self._reveal()

    def _give(self) -> None:
        """Let it be typed in, where that can be, and no other one."""
        if self.at is not None:
            dpg.focus_item(self.at)

    def _reveal(self) -> None:
        """Scroll until it is in sight."""
        assert self.at is not None
        top, tall = dpg.get_item_rect_min(self.at)[1], dpg.get_item_rect_size(self.at)[1]
        above, room = dpg.get_item_pos(self.window)[1], dpg.get_item_rect_size(self.window)[1]
        margin, scroll = self.app.look.px(24), dpg.get_y_scroll(self.window)
        if top < above + margin:
            dpg.set_y_scroll(self.window, max(scroll - (above + margin - top), 0))
        elif top + tall > above + room - margin:
            dpg.set_y_scroll(self.window, scroll + top + tall - (above + room - margin))

    def step(self) -> None:
        """Once a frame: draw the ring, and take it away when the mouse is used instead."""
        if self.at is not None and (not _usable(self.at) or any(map(dpg.is_mouse_button_down, range(3)))):
            self.at = None
        if self._insist and self.at is not None:
            self._insist -= 1
            other = [item for item in _stops(self.window) if _kind(item) in FIELDS and dpg.is_item_active(item)]
            if other != ([self.at] if _kind(self.at) in FIELDS else []):
                self._give()
        place = None
        if self.at is not None:
            place = (*dpg.get_item_rect_min(self.at), *dpg.get_item_rect_size(self.at))
        if (place, self.app.look) != self._drawn or (place and not dpg.does_item_exist(RING)):
            self._drawn = place, self.app.look
            self.hide()
            if place is not None:
                self._draw(*place)

    def _draw(self, x: float, y: float, width: float, height: float) -> None:
        look = self.app.look
        dpg.add_viewport_drawlist(tag=RING, front=True)
        gap = look.px(2)
        corners = (x - gap, y - gap), (x + width + gap, y + height + gap)
        Pen(RING, look).box(*corners, line=look.theme.accent, radius=look.px(6))
        self.app.touch()

    @staticmethod
    def hide() -> None:
        """Show no ring."""
        if dpg.does_item_exist(RING):
            dpg.delete_item(RING)


def _kind(item: Tag) -> str:
    return dpg.get_item_type(item).removeprefix("mvAppItemType::mv")


def _usable(item: Tag) -> bool:
    return dpg.does_item_exist(item) and bool(dpg.is_item_shown(item) and dpg.is_item_enabled(item))


def _stops(parent: Tag) -> Iterator[Tag]:
    for item in dpg.get_item_children(parent, 1) or ():  # pyright: ignore[reportGeneralTypeIssues]
        if not dpg.is_item_shown(item):
            continue
        kind = _kind(item)
        if kind in (*BUTTONS, *CHOICES, *FIELDS, "Checkbox"):
            if dpg.is_item_enabled(item):
                yield dpg.get_item_alias(item) or item
        elif kind != "Table":  # its rows are gone along with arrows
            yield from _stops(item)
