"""The bar at the top: play, stop, locate, loop, record, the clock, tempo, and what the patch is called."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.link import Readings
from editor.model import Changes
from editor.panel import Panel


class TransportBar(Panel):
    """Buttons and the clock."""

    def build(self, parent: int | str) -> None:
        px = self.app.look.px
        self._place = ""
        with dpg.group(horizontal=True, parent=parent, tag="transport-row", horizontal_spacing=px(6)):
            dpg.add_spacer(width=px(4))
            for name, action in (
                ("start", lambda: self.app.command("sound.start")),
                ("play", lambda: self.app.command("sound.play")),
                ("stop", lambda: self.app.sound.stop()),
            ):
                button = dpg.add_button(
                    label=fonts.ICONS[name], tag=f"transport:{name}", width=px(38), height=px(32), callback=action
                )
                dpg.bind_item_font(button, fonts.font("icon"))
            dpg.add_spacer(width=px(10))
            dpg.add_text("00:00:00.000", tag="transport:clock", color=self.app.look.theme.accent)
            dpg.bind_item_font("transport:clock", fonts.font("clock"))
            dpg.add_spacer(width=px(20))
            dpg.add_text("", tag="transport:name")
            dpg.bind_item_font("transport:name", fonts.font("strong"))
        dpg.set_item_pos("transport-row", [px(8), px(10)])

    def sync(self, changes: Changes) -> None:
        if changes.words or changes.everything:
            session = self.session
            name = session.patch.name or (session.file.stem if session.file else "Untitled")
            dpg.set_value("transport:name", name + ("  •" if session.dirty else ""))

    def frame(self, now: float, readings: Readings) -> None:
        state = self.app.sound.state
        place = clock(state.place_s)
        if place != self._place:
            self._place = place
            dpg.set_value("transport:clock", place)
        dpg.configure_item("transport:play", label=fonts.ICONS["pause" if state.rolling else "play"])


def clock(seconds: float) -> str:
    """A place on the timeline as hours, minutes, seconds and milliseconds."""
    sign, ms = ("-" if seconds < 0 else ""), round(abs(seconds) * 1000)
    return f"{sign}{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"
