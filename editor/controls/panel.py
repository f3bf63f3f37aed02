"""The page of controls: which controller is in use, where OSC is heard, and everything that moves a param, in lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import dearpygui.dearpygui as dpg

from editor import clipboard, fonts
from editor.controls.board import (
    curve_words,
    exchanged,
    nodes_of,
    place_words,
    source_words,
    turned_round,
    ways,
    within,
)  # fmt: skip
from editor.controls.hands import Hands, hands_of
from editor.controls.picker import DevicePicker
from editor.draw import fitted
from editor.faces import value_text
from editor.link import Readings
from editor.model import Changes
from editor.panel import Panel
from editor.type_in import type_in
from graph.spec import Param
from host.remote.addresses import Place, address_of
from host.remote.buttons import Button
from host.remote.mappings import Control
from host.remote.transport import WORDS, Word

if TYPE_CHECKING:
    from editor.files.panel import Files

NONE = "No controller"
FIRST_PORT = 9000
TRANSPORT_WORDS: dict[Word, str] = {
    "play": "Play", "stop": "Stop", "toggle": "Play or stop", "start": "To the start", "loop": "Loop",
    "record": "Record",
}  # fmt: skip
COLUMNS = (("Control", 150), ("Moves", 250), ("From", 92), ("To", 92), ("Curve", 104), ("How", 168), ("", 110))
EXPLAINED = (
    "A control of a MIDI controller can move any param: press the right button over a knob, choose Learn control, and "
    "move something. The patch keeps it. Every param has an OSC address too."
)


class Controls(Panel):
    """Everything that moves a param from outside, and what it does."""

    def build(self, parent: int | str) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        self._shown: object = None
        self._said: object = None
        dpg.add_child_window(tag="controls", parent=parent, border=False, horizontal_scrollbar=True)
        dpg.bind_item_theme("controls", "theme:strip")
        with dpg.group(horizontal=True, parent="controls", horizontal_spacing=px(8), tag="controls:head"):
            dpg.add_text("Controller", color=theme.dim)
            self._picker = DevicePicker(
                self.app, self._hands.devices, "controls:controller", px(290), self._controller, NONE
            )
            dpg.add_text("", tag="controls:state", color=theme.dim)
            dpg.add_spacer(width=px(12))
            dpg.add_checkbox(label="OSC, port", tag="controls:osc", callback=lambda _, on: self._osc(bool(on)))
            dpg.add_input_int(
                tag="controls:port", width=px(84), step=0, on_enter=True, callback=lambda _, port: self._port(port)
            )
            dpg.add_spacer(width=px(12))
            dpg.add_combo(
                [TRANSPORT_WORDS[word] for word in WORDS], tag="controls:button", width=px(180), no_arrow_button=True,
                default_value="Learn a button…", callback=lambda _, words: self._learn_button(words),
            )  # fmt: skip
        dpg.bind_item_font("controls:state", fonts.font("small"))
        dpg.add_spacer(height=px(4), parent="controls")
        dpg.add_group(tag="controls:list", parent="controls")
        self._show()

    @property
    def _hands(self) -> Hands:
        return hands_of(self.app)

    @property
    def _files(self) -> Files:
        return cast("Files", self.app.panels["files"])

    def sync(self, changes: Changes) -> None:
        if changes.structure or changes.words or changes.look:
            self._show()

    def frame(self, now: float, readings: Readings) -> None:
        self._head()

    # -- the head ------------------------------------------------------------------------------------------------------

    def _head(self) -> None:
        hands, settings, theme = self._hands, self._files.settings, self.app.look.theme
        self._picker.show(settings.controller)
        words = hands.controller_words(settings.controller)
        if hands.trouble:
            words = hands.trouble
        state = words, hands.listening, settings.osc_port
        if state == self._said:
            return
        self._said = state
        colour = theme.warn if hands.trouble else theme.good if hands.listening else theme.dim
        dpg.configure_item("controls:state", default_value=words, color=colour)
        dpg.set_value("controls:osc", bool(settings.osc_port))
        if not dpg.is_item_active("controls:port"):
            dpg.set_value("controls:port", settings.osc_port or FIRST_PORT)

    def _controller(self, name: str) -> None:
        self._files.choose_settings(controller=name)

    def _osc(self, on: bool) -> None:
        self._port(int(dpg.get_value("controls:port")) if on else 0)

    def _port(self, port: int) -> None:
        if port and not 1024 <= port <= 65535:
            self.app.notices.say("warning", f"Expected a port from 1024 to 65535, found {port}.")
            port = self._files.settings.osc_port
        self._files.choose_settings(osc_port=port)
        self._said = None

    def _learn_button(self, words: str) -> None:
        dpg.set_value("controls:button", "Learn a button…")
        self._hands.learn_button(next(word for word, shown in TRANSPORT_WORDS.items() if shown == words))

    # -- the list ------------------------------------------------------------------------------------------------------

    def _rows(self) -> list[tuple[Control, Place | None, str, str]]:
        board, nodes = self._hands.board, nodes_of(self.session.patch)
        rows: list[tuple[Control, Place | None, str, str]] = []
        for control in self._hands.kept.controls:
            place = board.addresses.find(control.node, control.param)
            words = place_words(nodes, place.node if place else control.node, place and place.param, control.param)
            rows.append((control, place, *words))
        return rows

    def _show(self) -> None:
        kept, rows = self._hands.kept, self._rows()
        state = rows, kept.buttons, kept.problems, self.app.look, [control.extra for control in kept.controls]
        if state == self._shown:
            return
        self._shown = state
        px, theme = self.app.look.px, self.app.look.theme
        dpg.delete_item("controls:list", children_only=True)
        if not rows and not kept.buttons:
            dpg.add_text(EXPLAINED, tag="controls:explained", wrap=px(700), color=theme.dim, parent="controls:list")
        else:
            with dpg.table(
                parent="controls:list", header_row=True, policy=dpg.mvTable_SizingFixedFit, no_host_extendX=True,
                borders_innerH=True,
            ):  # fmt: skip
                for title, width in COLUMNS:
                    dpg.add_table_column(label=title, init_width_or_weight=px(width), width_fixed=True)
                for number, (control, place, node, label) in enumerate(rows):
                    with dpg.table_row():
                        self._row(number, control, place, f"{node}  ›  {label}")
                for button in kept.buttons:
                    with dpg.table_row():
                        self._button_row(button)
        for problem in kept.problems[:3]:
            text = dpg.add_text(problem, wrap=px(900), color=theme.warn, parent="controls:list")
            dpg.bind_item_font(text, fonts.font("small"))

    def _row(self, number: int, control: Control, place: Place | None, words: str) -> None:
        px, theme, tag = self.app.look.px, self.app.look.theme, f"controls:{number}"
        dpg.add_text(source_words(control))
        size = fonts.ROLES["body"][1] * self.app.look.scale
        name = dpg.add_text(
            fitted(words, px(244), "body", size), tag=f"{tag}:moves", color=theme.text if place else theme.warn
        )
        with dpg.tooltip(name, delay=0.4):
            dpg.add_text(f"OSC: {address_of(control.node, control.param)}")
            if place is None:
                dpg.add_text("There is no such param in the patch now.", color=theme.warn)
        if place is None:
            for words in ("–", "–", "", "It is not there"):
                dpg.add_text(words, color=theme.faint)
        else:
            self._range(tag, control, place.param)
        with dpg.group(horizontal=True, horizontal_spacing=px(2)):
            if place is not None:
                key = place.key
                self._icon("record", f"{tag}:learn", lambda: self._hands.learn_again(key), "Learn another control")
                self._icon("loop", f"{tag}:turn", lambda: self._put(control, turned_round(control, place.param)),
                           "Turn it round: from high to low")  # fmt: skip
            address = address_of(control.node, control.param)
            self._icon("link", f"{tag}:copy", lambda: clipboard.put(address), "Copy the OSC address")
            self._icon("trash", f"{tag}:remove", lambda: self._put(control, None), "Remove this control")

    def _range(self, tag: str, control: Control, param: Param) -> None:
        px = self.app.look.px
        for end, value in (("low", control.low), ("high", control.high)):
            own = param.low if end == "low" else param.high
            dpg.add_button(
                label=f"{value_text(param, own if value is None else value)}##{end}", tag=f"{tag}:{end}", width=px(86),
                user_data=end, callback=lambda _, __, which: self._type(tag, control, param, which),
            )  # fmt: skip
            dpg.bind_item_theme(f"{tag}:{end}", "theme:lifted" if value is not None else "theme:unlit")
        dpg.add_text(curve_words(param), color=self.app.look.theme.dim)
        words = ways(control, param)
        now = next((shown for shown, way in words.items() if all(getattr(control, k) == v for k, v in way.items())), "")
        dpg.add_combo(
            list(words), tag=f"{tag}:how", width=px(160), default_value=now,
            callback=lambda _, chosen: self._put(control, replace(control, **words[chosen])),
        )  # fmt: skip

    def _button_row(self, button: Button) -> None:
        theme, word = self.app.look.theme, button.word
        dpg.add_text(source_words(button))
        dpg.add_text(f"Transport  ›  {TRANSPORT_WORDS[word]}", tag=f"controls:{word}:moves")
        for _ in range(3):
            dpg.add_text("", color=theme.faint)
        dpg.add_text("When it is pressed", color=theme.dim)
        with dpg.group(horizontal=True, horizontal_spacing=self.app.look.px(2)):
            self._icon("record", f"controls:{word}:learn", lambda: self._hands.learn_button(word), "Learn another one")
            self._icon("trash", f"controls:{word}:remove", lambda: self._hands.free_button(word), "Remove this control")

    def _icon(self, icon: str, tag: str, act: object, words: str) -> None:
        dpg.add_button(label=fonts.ICONS[icon], tag=tag, callback=act)  # pyright: ignore
        dpg.bind_item_font(tag, fonts.font("icons"))
        dpg.bind_item_theme(tag, "theme:flat")
        with dpg.tooltip(tag, delay=0.5):
            dpg.add_text(words)

    # -- what is done --------------------------------------------------------------------------------------------------

    def _put(self, old: Control, new: Control | None) -> None:
        name = f"Change what {old.source} does" if new else f"Remove {old.source} from {old.node}.{old.param}"
        self._hands.edit(exchanged(self.session.patch.metadata, old, new), name)

    def _type(self, tag: str, control: Control, param: Param, end: str) -> None:
        x, y = dpg.get_item_rect_min(f"{tag}:{end}")
        value = control.low if end == "low" else control.high
        now = (param.low if end == "low" else param.high) if value is None else value
        type_in(
            self.app, (x, y), self.app.look.px(86), f"{now:.6g}",
            lambda text: self._put(control, within(control, param, end, text)),
        )  # fmt: skip
