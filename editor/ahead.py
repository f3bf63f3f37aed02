"""What is typed before a field can take it: it stands before the text of the field, and belongs to it.

A field that is given the keys has them two frames later, and then marks all that it holds, so nothing could be put into
it meanwhile that the next letter would not replace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.draw import Pen
from editor.fonts import Role

if TYPE_CHECKING:
    from editor.app import App

DRAWN = "ahead"
PADDING = (9, 5)
"""Of fields at scale 1, as ``editor.styling`` has it."""


class Ahead:
    """The letters that came too early for a field, drawn into its left end while it is typed in."""

    def __init__(self, app: App, field: int, role: Role) -> None:
        self.app, self.field, self._role = app, field, role
        self.text = ""
        self._drawn: object = None
        self._shifted: int | str = 0
        """The theme that keeps the field's own text out of the way."""

    @property
    def there(self) -> bool:
        """Whether its field is."""
        return bool(dpg.does_item_exist(self.field))

    @property
    def whole(self) -> str:
        """What was typed into the field, all of it."""
        return self.text + str(dpg.get_value(self.field))

    def take(self, letter: str) -> None:
        """Add a letter. The first one replaces what the field held, as it would have."""
        if not self.text:
            dpg.set_value(self.field, "")
        self.text += letter
        self._tell()

    def cut(self, end: int) -> None:
        """Keep its letters up to an end."""
        self.text = self.text[:end]
        self._tell()

    @property
    def on_enter(self) -> bool:
        """Whether the field says what it holds only at the end."""
        return bool(dpg.get_item_configuration(self.field)["on_enter"])

    def _tell(self) -> None:
        self.draw()
        if not self.on_enter:
            self.answer()

    def answer(self) -> None:
        """Tell whoever asked for the field what it holds."""
        item = self.field
        # as an answer of the field's own, which has what comes ahead put before it
        self.app.answer(dpg.get_item_callback(item), item, dpg.get_value(item), dpg.get_item_user_data(item))

    def draw(self) -> None:
        """Show it where it belongs, and the field's own text after it."""
        if not self.there:
            self.hide()
            return
        left, top = dpg.get_item_rect_min(self.field)
        seen = self.text, left, top, self.app.look
        if seen == self._drawn or (not self.text and self._drawn is None):
            return
        self.hide()
        look = self.app.look
        role, size = self._role, fonts.ROLES[self._role][1] * look.scale
        x, y = look.px(PADDING[0]), look.px(PADDING[1])
        dpg.add_viewport_drawlist(tag=DRAWN, front=True)
        Pen(DRAWN, look).words((left + x, top + y), self.text, look.theme.text, role, size)
        with dpg.theme() as self._shifted, dpg.theme_component(dpg.mvAll):
            dpg.add_theme_style(dpg.mvStyleVar_FramePadding, x + fonts.width(self.text, role, size), y)
        dpg.bind_item_theme(self.field, self._shifted)
        self._drawn = seen

    def hide(self) -> None:
        """Draw it no more."""
        self._drawn = None
        for item in (DRAWN, self._shifted):
            if item and dpg.does_item_exist(item):
                dpg.delete_item(item)
        self._shifted = 0

    def end(self) -> None:
        """The field holds all of it from now on."""
        if self.there and self.text:
            dpg.set_value(self.field, self.whole)
        self.text = ""
        self.hide()
