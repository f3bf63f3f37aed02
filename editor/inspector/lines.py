"""A long list of lines of one height, of which only those in view are there: hundreds of params cost what a few do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

if TYPE_CHECKING:
    from editor.app import App

HIGH = 32
"""How high a line is, at scale 1, with the gap to the next."""
MORE = 10
"""So many lines beyond those in view are there, on either side."""


class Lines:
    """``make(index, parent)`` makes a line; ``drop()`` is called when all that were made are about to go."""

    def __init__(
        self,
        app: App,
        parent: int | str,
        window: str,
        page: str,
        make: Callable[[int, int | str], None],
        drop: Callable[[], None],
    ) -> None:
        """``window`` is what scrolls, ``page`` the group in it that everything lies in."""
        self.app, self._window, self._page, self._make, self._drop = app, window, page, make, drop
        self._count = 0
        self._built = (0, 0)
        self.root = dpg.add_group(parent=parent)
        self._above = dpg.add_spacer(parent=self.root, height=1)
        self._body = dpg.add_group(parent=self.root)
        self._below = dpg.add_spacer(parent=self.root, height=1)

    @property
    def _line(self) -> int:
        return self.app.look.px(HIGH)

    def show(self, count: int) -> None:
        """There are so many lines, all of them other ones than before."""
        self._count = count
        self._fill(*self._wanted())

    def follow(self) -> bool:
        """Make what has come into view since the last call; whether there was anything."""
        first, last = self._seen()
        if self._count and (first < self._built[0] or last > self._built[1]):
            self._fill(*self._wanted())
            return True
        return False

    def _seen(self) -> tuple[int, int]:
        """The first line in view, and the one after the last."""
        if not dpg.does_item_exist(self._window):
            return 0, 0
        above = dpg.get_item_rect_min(self.root)[1] - dpg.get_item_rect_min(self._page)[1]
        top = dpg.get_y_scroll(self._window) - max(above, 0)
        tall = max(dpg.get_item_rect_size(self._window)[1], 100)
        return max(int(top // self._line), 0), min(max(int((top + tall) // self._line) + 1, 0), self._count)

    def _wanted(self) -> tuple[int, int]:
        first, last = self._seen()
        first = max(min(first, self._count) - MORE, 0)
        return first, min(max(last, first) + 2 * MORE, self._count)

    def _fill(self, first: int, last: int) -> None:
        self._built = first, last
        self._drop()
        dpg.delete_item(self._body, children_only=True)
        for k in range(first, last):
            self._make(k, self._body)
        dpg.configure_item(self._above, height=max(first * self._line, 1))
        dpg.configure_item(self._below, height=max((self._count - last) * self._line, 1))
