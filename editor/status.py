"""The bar at the bottom: how engine and device are, what is selected, what is unsaved."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.commands import Command
from editor.dropouts import Dropouts, DropoutsDialog
from editor.faces import counted
from editor.link import Readings
from editor.model import Changes
from editor.panel import Panel
from editor.pointer import Grip, Touch
from editor.theme import Colour
from editor.troubles import TroublesDialog, known, troubles

if TYPE_CHECKING:
    from editor.app import App
    from editor.canvas.insight import Insight

FIELDS = ("engine", "problems", "work", "load", "xruns", "match", "latency", "device", "patch", "hint")
SPARED = ("patch", "device", "latency")
"""What makes room, in this order, where there is not enough for all."""
CLICKS = {"xruns": "status.dropouts", "work": "edit.undo", "problems": "status.problems"}
"""What a click on a field does."""


class StatusBar(Panel):
    """Short words, each with what they mean when the mouse rests on them."""

    commands: ClassVar[tuple[Command, ...]] = (
        Command("status.dropouts", "Where sound dropped out…", lambda app: _show_dropouts(app), (), "Sound", 3),
        Command("status.problems", "Problems of the patch…", lambda app: TroublesDialog(app).open(), (), "Sound", 3),
    )

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.dropouts = Dropouts()
        self._before: Insight | None = None
        """What was known before another patch was opened, until something is known of that; then None."""

    def build(self, parent: int | str) -> None:
        self._shown: dict[str, tuple[str, Colour]] = {}
        self._fitted: object = None
        px = self.app.look.px
        with dpg.group(horizontal=True, horizontal_spacing=px(22), parent=parent, tag="status-line"):
            dpg.add_spacer(width=px(2))
            for field in FIELDS:
                dpg.add_text("", tag=f"status:{field}")
                dpg.bind_item_font(f"status:{field}", fonts.font("small"))
        for field, command in CLICKS.items():
            self.app.pointer.claim(f"status:{field}", _Click(self.app, command))
        dpg.set_item_pos("status-line", [0, px(5)])

    def sync(self, changes: Changes) -> None:
        if changes.everything:
            self._before = known(self.app)
        here, theme = self.session.here, self.app.look.theme
        nodes, cables, chosen = len(here.graph), len(self.session.survey.cables), len(self.session.selection)
        words = f"{counted(nodes, 'node')}   {counted(cables, 'cable')}" + (f"   {chosen} selected" if chosen else "")
        self._put("patch", words, theme.dim)

    def frame(self, now: float, readings: Readings) -> None:
        self._tell()
        self._make_room()

    def _tell(self) -> None:
        state, theme = self.app.sound.state, self.app.look.theme
        self._put("hint", self.app.hint, theme.faint)
        self._say_troubles()
        going, trim = state.compiling, self.app.sound.trimmed_db
        words = f"Compiling {going[0]} of {going[1]}; a click takes the edit back" if going else ""
        self._put("work", words, theme.accent)
        self._put("match", f"Matched {trim:+.1f} dB".replace("-", "−") if trim else "", theme.warn)
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
        self.dropouts.follow(xruns, state.place_s, worst, self.app.sound.costs)
        self._put("xruns", f"Xruns {xruns}", theme.bad if xruns else theme.dim)
        rate = numbers.get("rate", 0.0)
        if device is not None and rate:
            total = device.device_latency + device.patch_latency
            words = f"Latency {1000 * total / rate:.1f} ms   compensated {device.patch_latency} frames"
            self._put("latency", words, theme.dim)
            self._put("device", f"{device.device}   {rate / 1000:g} kHz   {device.block} frames", theme.dim)

    def _say_troubles(self) -> None:
        """What keeps the patch from sounding as it stands; of one that was just opened the first in words."""
        found, theme = troubles(self.app), self.app.look.theme
        count = len(found)
        self._put("problems", counted(count, "problem") if count else "", theme.warn)
        if self._before is None or known(self.app) is self._before:
            return
        self._before = None
        if found:
            more = f" And {count - 1} more: click on them in the bar below." if count > 1 else ""
            self.app.notices.say("warning", f"{found[0].place or found[0].node}: {found[0].message}.{more}")

    def _put(self, field: str, words: str, colour: Colour) -> None:
        if self._shown.get(field) != (words, colour):
            self._shown[field] = (words, colour)
            dpg.configure_item(f"status:{field}", color=colour)
            dpg.set_value(f"status:{field}", words)

    def _make_room(self) -> None:
        """Show what there is something to say of, and of that as much as fits beside each other."""
        px, size = self.app.look.px, fonts.ROLES["small"][1] * self.app.look.scale
        width = dpg.get_viewport_client_width()
        state = tuple(words for words, _ in self._shown.values()), width
        if state == self._fitted:
            return
        self._fitted = state
        needs = {f: px(22) + fonts.width(words, "small", size) for f, (words, _) in self._shown.items() if words}
        for field in SPARED:
            if sum(needs.values()) + px(24) > width:
                needs.pop(field, None)
        for field in FIELDS:
            dpg.configure_item(f"status:{field}", show=field in needs)


class _Click(Grip):
    """A field that does something."""

    def __init__(self, app: App, command: str) -> None:
        self.app, self.command = app, command

    def press(self, touch: Touch) -> bool:
        return touch.button == 0

    def release(self, touch: Touch) -> None:
        self.app.command(self.command)


def _show_dropouts(app: App) -> None:
    DropoutsDialog(app, cast(StatusBar, app.panels["status"]).dropouts).open()
