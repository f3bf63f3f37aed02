"""A choice among the MIDI devices that there are: one that is chosen and not here stays, and is shown as such."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.controls.devices import ALL, MidiDevices, absent, choices, words_for
from editor.type_in import type_in

if TYPE_CHECKING:
    from editor.app import App

TYPED = "Type a name…"


class DevicePicker:
    """A list and a button that looks again, made inside the container that is open. ``take`` is told what is chosen."""

    def __init__(
        self, app: App, devices: MidiDevices, tag: str, width: int, take: Callable[[str], None], none: str = ALL
    ) -> None:
        self.app, self.devices, self.tag, self._take, self._none = app, devices, tag, take, none
        self._wanted = ""
        self._shown: object = None
        px = app.look.px
        with dpg.group(horizontal=True, horizontal_spacing=px(4)):
            dpg.add_combo([], tag=tag, width=width - px(36), callback=lambda _, words: self._chosen(words))
            dpg.add_button(label=fonts.ICONS["loop"], tag=f"{tag}:refresh", width=px(32), callback=self._refresh)
            dpg.bind_item_font(f"{tag}:refresh", fonts.font("icon"))
            with dpg.tooltip(f"{tag}:refresh", delay=0.5):
                dpg.add_text("Look for MIDI devices again")
        if not devices.count:
            devices.refresh()

    def _refresh(self) -> None:
        self.devices.refresh()

    def _chosen(self, words: str) -> None:
        if words == TYPED:
            self._shown = None
            self.show(self._wanted)
            left, top = dpg.get_item_rect_min(self.tag)
            width = dpg.get_item_rect_size(self.tag)[0]
            type_in(self.app, (left, top), width, self._wanted, lambda text: self._take(text.strip()))
            return
        wanted = choices(self._wanted, self.devices.names, self._none).get(words, self._wanted)
        if wanted != self._wanted:
            self._take(wanted)

    def show(self, wanted: str) -> None:
        """This device is wanted now."""
        self._wanted = wanted
        names, theme = self.devices.names, self.app.look.theme
        state = wanted, names, self.devices.count
        if state == self._shown:
            return
        self._shown = state
        dpg.configure_item(self.tag, items=[*choices(wanted, names, self._none), TYPED])
        dpg.set_value(self.tag, words_for(wanted, names, self._none))
        gone = bool(self.devices.count) and absent(wanted, names)
        dpg.bind_item_theme(self.tag, _absent_theme(theme.warn) if gone else 0)

    def frame(self) -> None:
        """Some 30 times a second: another look may have been had."""
        self.show(self._wanted)


def _absent_theme(colour: tuple[int, int, int, int]) -> str:
    """The theme of a choice that is not here."""
    tag = "theme:absent"
    if not dpg.does_item_exist(tag):
        dpg.add_theme(tag=tag)
    dpg.delete_item(tag, children_only=True)
    part = dpg.add_theme_component(dpg.mvCombo, parent=tag)
    dpg.add_theme_color(dpg.mvThemeCol_Text, colour, parent=part)
    return tag
