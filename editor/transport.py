"""The bar at the top: play, stop, locate, loop, record, the clock, tempo, and what the patch is called."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import dearpygui.dearpygui as dpg

from editor import fonts, timecodes
from editor.draw import Pen, fitted
from editor.link import Readings, State
from editor.meters import MeterFace
from editor.model import Changes
from editor.panel import Panel
from graph.edits import SetPatchField

METER_WIDTH = 150
TEMPO_AT, TEMPO_WIDTH = 446, 104
DEFAULT_LOOP_S = 8.0
MOST_TEMPO, LEAST_TEMPO = 999.0, 10.0


class TransportBar(Panel):
    """Buttons, the clock (type into it to go somewhere), tempo and loop, and the level of what leaves the patch."""

    def build(self, parent: int | str) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        self._place: object = None
        self._outs: list[str] = []
        self._lit: dict[str, bool] = {}
        self._meter: MeterFace | None = None
        self._channels = 0
        buttons = (
            ("start", "Go to the start", lambda: self.app.command("sound.start")),
            ("play", "Play or stop", lambda: self.app.command("sound.play")),
            ("stop", "Stop, and go to the start", self._stop),
            ("record", "Record", self._record),
            ("loop", "Go round in the loop", self._loop),
        )
        with dpg.group(horizontal=True, parent=parent, tag="transport-row", horizontal_spacing=px(6)):
            for name, words, action in buttons:
                tag = f"transport:{name}"
                dpg.add_button(label=fonts.ICONS[name], tag=tag, width=px(38), height=px(34), callback=action)
                dpg.bind_item_font(tag, fonts.font("icon"))
                with dpg.tooltip(tag, delay=0.6):
                    dpg.add_text(words)
            dpg.add_spacer(width=px(8))
            with dpg.group():
                dpg.add_input_text(
                    tag="transport:clock",
                    default_value=clock(0.0),
                    width=px(178),
                    on_enter=True,
                    no_undo_redo=True,
                    callback=lambda _, typed: self._locate(typed),
                )
            dpg.bind_item_font("transport:clock", fonts.font("clock"))
            dpg.bind_item_theme("transport:clock", "theme:clock")
        with dpg.group(horizontal=True, parent=parent, tag="transport-tempo", horizontal_spacing=px(10)):
            dpg.add_drag_float(
                tag="transport:tempo",
                width=px(TEMPO_WIDTH),
                format="%.1f BPM",
                min_value=LEAST_TEMPO,
                max_value=MOST_TEMPO,
                speed=0.2,
                clamped=True,
                callback=lambda _, value: self._tempo(float(value)),
            )
            dpg.add_text("", tag="transport:bars", color=theme.dim)
            dpg.bind_item_font("transport:bars", fonts.font("mono"))
        dpg.set_item_pos("transport-row", [px(12), px(10)])
        dpg.set_item_pos("transport-tempo", [px(TEMPO_AT), px(14)])
        dpg.add_text("", tag="transport:name", parent=parent)
        dpg.bind_item_font("transport:name", fonts.font("strong"))
        dpg.add_text("", tag="transport:where", parent=parent, color=theme.faint)
        dpg.bind_item_font("transport:where", fonts.font("small"))
        with dpg.group(tag="transport:levels", parent=parent):
            dpg.add_drawlist(px(METER_WIDTH), px(18), tag="transport:meter")
        self._width: float = 0.0
        self._words = "", ""

    def sync(self, changes: Changes) -> None:
        if changes.structure or changes.look or (changes.history and self.session.path):
            self._outs = self._outputs()
        if not (changes.words or changes.everything or changes.look):
            return
        session = self.session
        name = session.patch.name or (session.file.stem if session.file else "Untitled")
        where = session.file.name if session.file else "not saved yet"
        self._words = name + ("   •" if session.dirty else ""), where + ("   edited" if session.dirty else "")
        if not dpg.is_item_active("transport:tempo"):
            dpg.set_value("transport:tempo", float(session.patch.transport.tempo))
        self._light("loop", session.patch.transport.loop is not None)
        self._width = 0.0

    def frame(self, now: float, readings: Readings) -> None:
        self._place_words()
        state = self.app.sound.state
        if self._lit.get("play") != state.rolling:
            dpg.configure_item("transport:play", label=fonts.ICONS["pause" if state.rolling else "play"])
        self._light("play", state.rolling)
        self._light("record", bool(state.device is not None and state.device.recording))
        if not dpg.is_item_active("transport:clock"):
            words = self._clock(state)
            if words != self._place:
                self._place = words
                dpg.set_value("transport:clock", words)
                rate = timecodes.rate_of(self.session.patch)
                beat = bars(state.place_s, self.session.patch.transport)
                dpg.set_value("transport:bars", f"{beat}   {rate.name}" if rate else beat)
        levels = [float(v) for id in self._outs for v in readings.get(id, {}).get("peak", ())]
        self._show_levels(levels, now)

    def _clock(self, state: State) -> str:
        """The place as the patch wants it shown."""
        rate = timecodes.rate_of(self.session.patch)
        if rate is None:
            return clock(state.place_s)
        return timecodes.shown(state.place_s, rate, round(state.numbers.get("rate", 0.0)) or timecodes.FRAME_RATE)

    def _place_words(self) -> None:
        slot = self.app.slots.get("top")
        if slot is None or slot.width == self._width:
            return
        self._width = slot.width
        px, scale = self.app.look.px, self.app.look.scale
        rate = timecodes.rate_of(self.session.patch)
        beats = fonts.width(f"000.0   {rate.name if rate else ''}", "mono", fonts.ROLES["mono"][1] * scale)
        left, right = px(TEMPO_AT + TEMPO_WIDTH + 10) + beats + px(16), slot.width - px(METER_WIDTH + 16)
        dpg.set_item_pos("transport:levels", [round(right), px(18)])
        rows: tuple[tuple[str, fonts.Role, int], ...] = (
            ("transport:name", "strong", 9),
            ("transport:where", "small", 30),
        )
        for (tag, role, y), whole in zip(rows, self._words, strict=True):
            size = fonts.ROLES[role][1] * scale
            words = fitted(whole, right - left - px(16), role, size)
            width = fonts.width(words, role, size)
            middle = min(max(slot.width / 2 + px(60), left + width / 2), right - px(16) - width / 2)
            dpg.set_value(tag, words)
            dpg.set_item_pos(tag, [round(middle - width / 2), px(y)])

    def _outputs(self) -> list[str]:
        """The nodes that sound leaves by."""
        kinds = self.session.kinds
        nodes = self.session.patch.nodes()
        return [id for id, e in nodes.items() if e.kind in kinds and not any_outputs(kinds[e.kind])]

    def _show_levels(self, levels: list[float], now: float) -> None:
        if len(levels) != self._channels or self._meter is None:
            self._channels = len(levels)
            dpg.delete_item("transport:meter", children_only=True)
            px = self.app.look.px
            pen = Pen("transport:meter", self.app.look)
            pen.box((0, 0), (px(METER_WIDTH), px(18)), fill=self.app.look.theme.well, radius=3)
            self._meter = MeterFace(pen, (2, 2), (px(METER_WIDTH) - 2, px(18) - 2), min(max(len(levels), 2), 8))
        self._meter.show(levels, now)

    def _light(self, name: str, on: bool) -> None:
        if self._lit.get(name) != on:
            self._lit[name] = on
            lit = "theme:record" if name == "record" else "theme:lit"
            dpg.bind_item_theme(f"transport:{name}", lit if on else "theme:unlit")

    # -- what the controls do ------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        self.app.sound.stop()
        self.app.sound.locate(0.0)

    def _record(self) -> None:
        device = self.app.sound.state.device
        self.app.sound.record(not (device is not None and device.recording))

    def _loop(self) -> None:
        transport = self.session.patch.transport
        start = self.app.sound.state.place_s
        loop = None if transport.loop is not None else (round(start, 3), round(start + DEFAULT_LOOP_S, 3))
        self.session.do_at_root(SetPatchField("transport", replace(transport, loop=loop)), name="Loop")

    def _tempo(self, tempo: float) -> None:
        transport = self.session.patch.transport
        edit = SetPatchField("transport", replace(transport, tempo=round(tempo, 2)))
        self.session.do_at_root(edit, name="Change the tempo", gesture="tempo")

    def _locate(self, typed: str) -> None:
        self._place = None
        rate = timecodes.rate_of(self.session.patch)
        place = timecodes.typed(typed, rate) if rate else None
        try:
            self.app.sound.locate(parse_clock(typed) if place is None else place)
        except ValueError as error:
            self.app.notices.say("warning", str(error))


@lru_cache(maxsize=512)
def any_outputs(kind: type) -> bool:
    """Whether a kind has an output as it comes."""
    return any(p.flow == "out" for p in kind.ports({s.name: s.default for s in kind.settings_declared()}))


def clock(seconds: float) -> str:
    """A place on the timeline as hours, minutes, seconds and milliseconds."""
    sign, ms = ("-" if seconds < 0 else ""), round(abs(seconds) * 1000)
    return f"{sign}{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def parse_clock(typed: str) -> float:
    """Seconds of a typed place: ``12.5``, ``1:30``, ``01:02:03.250``. Raises ValueError, saying what was expected."""
    parts = typed.strip().replace(",", ".").split(":")
    try:
        numbers = [float(p) for p in parts]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 3 or any(not 0 <= n < 1e6 for n in numbers):
        raise ValueError(f"expected a place like 01:02:03.250, 1:30 or 12.5, found {typed[:40]!r}")
    return sum(n * 60**k for k, n in enumerate(reversed(numbers)))


def bars(seconds: float, transport) -> str:
    """A place as bar and beat, both counted from 1."""
    beats = max(seconds, 0.0) * transport.tempo / 60
    per_bar = max(transport.time_signature[0], 1)
    return f"{int(beats // per_bar) + 1}.{int(beats % per_bar) + 1}"
