"""The bar at the bottom: how engine and device are, what is selected, what is unsaved."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.link import Readings
from editor.model import Changes
from editor.panel import Panel
from editor.theme import Colour

FIELDS = ("engine", "load", "xruns", "latency", "device", "patch", "hint")


class StatusBar(Panel):
    """Short words, each with what they mean when the mouse rests on them."""

    def build(self, parent: int | str) -> None:
        self._shown: dict[str, tuple[str, Colour]] = {}
        px = self.app.look.px
        with dpg.group(horizontal=True, horizontal_spacing=px(22), parent=parent, tag="status-line"):
            dpg.add_spacer(width=px(2))
            for field in FIELDS:
                dpg.add_text("", tag=f"status:{field}")
                dpg.bind_item_font(f"status:{field}", fonts.font("small"))
        dpg.set_item_pos("status-line", [0, px(5)])

    def sync(self, changes: Changes) -> None:
        here, theme = self.session.here, self.app.look.theme
        nodes, cables, chosen = len(here.graph), here.graph.number_of_edges(), len(self.session.selection)
        words = f"{nodes} nodes   {cables} cables" + (f"   {chosen} selected" if chosen else "")
        self._put("patch", words, theme.dim)

    def frame(self, now: float, readings: Readings) -> None:
        state, theme = self.app.sound.state, self.app.look.theme
        self._put("hint", self.app.hint, theme.faint)
        words = {"off": "No engine", "starting": "Engine starting…", "failed": "No engine", "on": "Engine running"}
        colours = {"off": theme.dim, "starting": theme.warn, "failed": theme.bad, "on": theme.good}
        phase = state.phase
        if phase == "on" and not state.alive:
            self._put("engine", "Engine restarting…", theme.warn)
        else:
            self._put("engine", words[phase], colours[phase])
        numbers, device = state.numbers, state.device
        if not numbers:
            return
        load, worst, xruns = numbers.get("load", 0.0), numbers.get("worst", 0.0), int(numbers.get("xruns", 0))
        busy = theme.bad if worst > 0.9 else theme.warn if worst > 0.6 else theme.text
        self._put("load", f"Load {load:.0%}   worst {worst:.0%}", busy)
        self._put("xruns", f"Xruns {xruns}", theme.bad if xruns else theme.dim)
        rate = numbers.get("rate", 0.0)
        if device is not None and rate:
            total = device.device_latency + device.patch_latency
            words = f"Latency {1000 * total / rate:.1f} ms   compensated {device.patch_latency} frames"
            self._put("latency", words, theme.dim)
            self._put("device", f"{device.device}   {rate / 1000:g} kHz   {device.block} frames", theme.dim)

    def _put(self, field: str, words: str, colour: Colour) -> None:
        if self._shown.get(field) != (words, colour):
            self._shown[field] = (words, colour)
            dpg.configure_item(f"status:{field}", color=colour)
            dpg.set_value(f"status:{field}", words)
