"""The page of a group's inside, where nothing is selected: what it is, what it shows, and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.faces import counted
from editor.inspector.exposing_view import ExposingView
from editor.link import Readings
from editor.model import Changes

if TYPE_CHECKING:
    from editor.app import App


class InsidePage:
    """What the group in which one is shows to those outside."""

    def __init__(self, app: App, width: int) -> None:
        self.app = app
        session, px, theme, parent = app.session, app.look.px, app.look.theme, "inspector:page"
        self._path = session.path
        here = session.here
        dpg.bind_item_font(dpg.add_text("Inside a group", parent=parent), fonts.font("title"))
        count = f"{counted(len(here.graph), 'node')}, {counted(here.graph.number_of_edges(), 'cable')}"
        dpg.bind_item_font(dpg.add_text(count, color=theme.dim, parent=parent), fonts.font("small"))
        dpg.add_spacer(height=px(4), parent=parent)
        button = dpg.add_button(label="Leave the group", tag="inside:leave", width=width, parent=parent,
                                callback=lambda: session.go(session.path[:-1]))  # fmt: skip
        dpg.bind_item_font(button, fonts.font("medium"))
        dpg.add_spacer(height=px(6), parent=parent)
        title = dpg.add_text("SHOWN OUTSIDE", color=theme.dim, parent=parent)
        dpg.bind_item_font(title, fonts.font("small"))
        self.view = ExposingView(app, parent, self._path, width)

    def sync(self, changes: Changes) -> bool:
        """Follow a change; False where the page must be made anew."""
        if changes.everything or self.app.session.path != self._path:
            return False
        if changes.structure or changes.history:
            self.view.show()
        return True

    def frame(self, now: float, readings: Readings) -> None:
        """Nothing of it is measured."""

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        """Items are found by their tags."""
        return None

    def free(self) -> None:
        """It is there no more."""
