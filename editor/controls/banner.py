"""What lies over the window while a control is waited for: for what, from which devices, and how to stop waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.controls.devices import MidiDevices

if TYPE_CHECKING:
    from editor.app import App

TAG = "learning"
WIDTH = 440


def hearing_words(devices: MidiDevices, listening: bool) -> tuple[str, bool]:
    """From what a control is heard, and whether there is anything."""
    if listening:
        return "The controller in use is heard.", True
    if not devices.count:
        return "Looking for MIDI devices…", True
    if not devices.names:
        return devices.why or "There is no MIDI device here. Plug one in, and look again.", False
    return f"Heard: {', '.join(devices.names)}.", True


class Banner:
    """A small window above the canvas; nothing where nothing is waited for."""

    def __init__(self, app: App, cancel: Callable[[], object], again: Callable[[], object]) -> None:
        self.app, self._cancel, self._again = app, cancel, again
        self._shown: object = None

    def remake(self) -> None:
        """The look has changed."""
        self._shown = None

    def show(self, words: str, devices: MidiDevices, listening: bool) -> None:
        """A control for this is waited for; for nothing: take the banner away."""
        slot = self.app.slots.get("centre")
        heard, good = hearing_words(devices, listening)
        state = (words, heard, good, slot) if words else None
        if state == self._shown:
            return
        self._shown = state
        if dpg.does_item_exist(TAG):
            dpg.delete_item(TAG)
        if not words:
            return
        px, theme = self.app.look.px, self.app.look.theme
        width = px(WIDTH)
        x = slot.x + (slot.width - width) / 2 if slot else 0.0
        y = slot.y + px(52) if slot else 0.0
        with dpg.window(
            tag=TAG, pos=[round(max(x, 0)), round(y)], width=width, min_size=[width, 20], autosize=True,
            no_title_bar=True, no_resize=True, no_move=True, no_scrollbar=True, no_collapse=True,
            no_saved_settings=True, no_focus_on_appearing=True,
        ):  # fmt: skip
            head = dpg.add_text(f"Learn a control for {words}", tag="learning:what", wrap=width - px(24))
            dpg.bind_item_font(head, fonts.font("strong"))
            dpg.add_text("Turn a knob, move a fader or press a button on a controller.", wrap=width - px(24))
            text = dpg.add_text(
                heard, tag="learning:heard", wrap=width - px(24), color=theme.dim if good else theme.warn
            )
            dpg.bind_item_font(text, fonts.font("small"))
            with dpg.group(horizontal=True, horizontal_spacing=px(6)):
                dpg.add_button(label="Cancel", tag="learning:cancel", callback=lambda: self._cancel())
                dpg.add_button(label="Look again", tag="learning:again", callback=lambda: self._again())
        dpg.bind_item_theme(TAG, "theme:popup")
