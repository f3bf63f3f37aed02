"""The offer to look for plugins, on a first start: a card in a corner, which asks for nothing while it is there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.plugins.scanning import candidates

if TYPE_CHECKING:
    from editor.app import App

WIDTH = 360
TAG = "offer:plugins"


class Offer:
    """Counts the plugin files that there are, aside; and where there are some, offers to look at them.

    ``answer(True)`` begins the scan; either answer is the last word.
    """

    def __init__(self, app: App, answer: Callable[[bool], object]) -> None:
        self.app, self._answer = app, answer
        self._count = -1
        self._open = False
        threading.Thread(target=self._look, name="plugin files", daemon=True).start()

    def _look(self) -> None:
        self._count = candidates()

    def frame(self) -> bool:
        """Show it when it is time; False once nothing is to be offered any more."""
        if self._count < 0 or self.app.dialog is not None:
            return True
        if not self._open and self._count > 0:
            self._show()
        return self._count > 0

    def _show(self) -> None:
        self._open = True
        px, theme = self.app.look.px, self.app.look.theme
        area = self.app.slots["centre"]
        flags = {"no_title_bar": True, "no_move": True, "no_resize": True, "no_scrollbar": True, "autosize": True}
        with dpg.window(
            tag=TAG, pos=(round(area.x) + px(14), round(area.y + area.height) - px(172)), min_size=(px(WIDTH), 40),
            no_saved_settings=True, no_focus_on_appearing=True, **flags,
        ):  # fmt: skip
            dpg.bind_item_font(dpg.add_text("Plugins"), fonts.font("strong"))
            one = self._count == 1
            words = (
                f"{self._count} plugin file{' is' if one else 's are'} on this machine. A scan looks at each in a "
                "process of its own, so that a bad one harms nothing. It takes a moment; you can go on meanwhile."
            )
            dpg.add_text(words, wrap=px(WIDTH - 28), color=theme.dim)
            dpg.add_spacer(height=px(4))
            with dpg.group(horizontal=True, horizontal_spacing=px(8)):
                dpg.add_button(label="Not now", tag=f"{TAG}:no", width=px(100), callback=lambda: self.close(False))
                dpg.add_button(label="Look at them", tag=f"{TAG}:yes", width=px(140), callback=lambda: self.close(True))
                dpg.bind_item_theme(f"{TAG}:yes", "theme:accent")
        dpg.bind_item_theme(TAG, "theme:popup")

    def close(self, yes: bool) -> None:
        """Answer it."""
        self._count = 0
        if dpg.does_item_exist(TAG):
            dpg.delete_item(TAG)
        self._answer(yes)
