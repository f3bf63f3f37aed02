"""The panel of automation: which params have a lane, and the lane that is worked on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.automation.lane import HINT, Lane
from editor.automation.points import Points, face_at
from editor.faces import Face, trimmed, value_text
from editor.link import Readings
from editor.model import Changes
from editor.panel import Panel
from graph.document import Automation as Line
from graph.edits import SetAutomation
from graph.spec import Param

if TYPE_CHECKING:
    from editor.app import App
    from editor.plugins.panel import Plugins


class Automation(Panel):
    """Lanes of automation: choose a param, draw how it moves."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.target: tuple[str, str] | None = None
        """Node and param of the lane that is shown."""
        self._offered: dict[str, tuple[str, str]] = {}
        self._shown: object = None
        self.lane: Lane | None = None

    def build(self, parent: int | str) -> None:
        px = self.app.look.px
        self._shown = None
        with dpg.group(horizontal=True, parent=parent, horizontal_spacing=px(10)):
            with dpg.child_window(tag="automation:left", width=px(270), border=False):
                dpg.add_combo([], tag="automation:choice", width=-1, callback=lambda _, words: self._choose(words))
                dpg.add_child_window(tag="automation:list", border=False)
            dpg.add_child_window(tag="automation:right", border=False, no_scrollbar=True, no_scroll_with_mouse=True)
        dpg.bind_item_theme("automation:left", "theme:panel")
        dpg.bind_item_theme("automation:right", "theme:strip")
        start, span = (self.lane.start, self.lane.span) if self.lane else (0.0, 30.0)
        self.lane = Lane(self, "automation:right", start, span)

    def sync(self, changes: Changes) -> None:
        if changes.everything:
            lines = self.session.here.automation
            self.target = (lines[0].node, lines[0].param) if lines else None
            if self.lane and lines:
                self.lane.fit(lines[0].points)
        if changes.structure or changes.automation or changes.selection or changes.look:
            self._show(changes.structure or changes.selection or changes.look)
        elif self.target and self.target in changes.params and self.lane:
            self.lane.draw()

    def frame(self, now: float, readings: Readings) -> None:
        if self.lane:
            self.lane.frame(self.app.sound.state.place_s)

    # -- what there is -------------------------------------------------------------------------------------------------

    def face(self, node: str) -> Face | None:
        """The face of a node, by its address from here."""
        here = self.session.here
        if "/" in node:
            return face_at(here, node, self.session.kinds)
        return self.session.face(node) if node in here.graph else None

    def param(self) -> Param | None:
        """The param whose lane is shown, if it is there."""
        found = self.face(self.target[0]) if self.target else None
        return found.param(self.target[1]) if found and self.target else None

    def words(self, param: Param, value: float) -> str:
        """A value of the param whose lane is shown, as people read it."""
        found = self.face(self.target[0]) if self.target else None
        if found is None or self.target is None or param.name not in found.own:
            return value_text(param, value)
        playing = cast("Plugins", self.app.panels["plugins"]).playing
        own = playing.text(self.session.address(self.target[0]), param.name, value)
        return found.text(param, value) if own is None else trimmed(own, found.own[param.name].unit)

    def line(self) -> Line | None:
        """The automation that is shown, if the param has any."""
        lines = [line for line in self.session.here.automation if (line.node, line.param) == self.target]
        return next((line for line in lines if line.enabled), lines[0] if lines else None)

    def title(self, node: str, param: str) -> str:
        """A lane's name."""
        found = self.face(node)
        declared = found.param(param) if found else None
        return f"{found.title if found else node}  ·  {found.label(declared) if found and declared else param}"

    def _choices(self) -> dict[str, tuple[str, str]]:
        """The params that can be chosen, the selected nodes' first."""
        here = self.session.here
        nodes = sorted(here.nodes(), key=lambda node: (node not in self.session.selection, node))
        found: dict[str, tuple[str, str]] = {}
        for node in nodes:
            for param in known.params if (known := self.face(node)) else ():
                title = self.title(node, param.name)
                found[title if title not in found else f"{title} ({node}.{param.name})"] = (node, param.name)
        return found

    def _show(self, choices: bool = False) -> None:
        lines = [(line.node, line.param, line.enabled, len(line.points)) for line in self.session.here.automation]
        titles = [self.title(node, param) for node, param, *_ in lines]
        if choices:
            self._offered = self._choices()
            dpg.configure_item("automation:choice", items=list(self._offered))
            dpg.set_value("automation:choice", "Choose a param to automate")
        state = (lines, titles, self.target, self.app.look)
        if state != self._shown:
            self._shown = state
            self._list(lines, titles)
        if self.lane:
            self.lane.draw()

    def _list(self, lines: list[tuple[str, str, bool, int]], titles: list[str]) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        dpg.delete_item("automation:list", children_only=True)
        shown = {(node, param) for node, param, *_ in lines}
        rows = [(*line, title) for line, title in zip(lines, titles, strict=True)]
        if self.target and self.target not in shown:
            rows.insert(0, (*self.target, True, 0, self.title(*self.target)))
        for k, (node, param, enabled, count, title) in enumerate(rows):
            with dpg.group(horizontal=True, parent="automation:list", horizontal_spacing=px(4)):
                key, name = (node, param), f"{node}.{param}"
                tag = f"lane:{name}" if not dpg.does_item_exist(f"lane:{name}") else f"lane:{name}:{k}"
                dpg.add_checkbox(default_value=enabled, user_data=key, enabled=count > 0,
                                 tag=tag.replace("lane:", "lane-on:"),
                                 callback=lambda _, on, at: self.enable(at, on))  # fmt: skip
                dpg.add_button(label=title, tag=tag, width=px(196), user_data=key,
                               callback=lambda _, __, at: self.choose(at))  # fmt: skip
                dpg.bind_item_theme(tag, "theme:lit" if key == self.target else "theme:unlit")
                if count:
                    trash = tag.replace("lane:", "lane-delete:")
                    dpg.add_button(label=fonts.ICONS["trash"], tag=trash, user_data=key,
                                   callback=lambda _, __, at: self.delete(at))  # fmt: skip
                    dpg.bind_item_font(trash, fonts.font("icons"))
                    dpg.bind_item_theme(trash, "theme:flat")
        if not rows:
            dpg.add_text(HINT, color=theme.faint, wrap=px(250), parent="automation:list")

    # -- what is done --------------------------------------------------------------------------------------------------

    def _choose(self, words: str) -> None:
        if words in self._offered:
            self.choose(self._offered[words])
            dpg.set_value("automation:choice", "Choose a param to automate")

    def choose(self, target: tuple[str, str]) -> None:
        """Show the lane of a param."""
        self.target = target
        line = self.line()
        if self.lane and line:
            self.lane.reach(line.points)
        self._show()

    def enable(self, target: tuple[str, str], on: bool) -> None:
        """Let automation move its param, or not."""
        line = next((one for one in self.session.here.automation if (one.node, one.param) == target), None)
        if line is not None:
            name = f"Switch automation of {self.title(*target)} {'on' if on else 'off'}"
            self.session.do(SetAutomation(*target, replace(line, enabled=on)), name=name)

    def delete(self, target: tuple[str, str]) -> None:
        """Take a param's automation away."""
        self.session.do(SetAutomation(*target, None), name=f"Delete automation of {self.title(*target)}")

    def put(self, points: Points, name: str, gesture: object = None) -> None:
        """Give the lane that is shown these points; none: it has no automation."""
        if self.target is None:
            return
        before = self.line()
        line = replace(before, points=points) if before else Line(*self.target, points)
        if before is None or before.points != points:
            edit = SetAutomation(*self.target, line if points else None)
            self.session.do(edit, name=f"{name} of {self.title(*self.target)}", gesture=gesture)

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        """``point:K`` of the lane that is shown."""
        return self.lane.locate(what) if self.lane else None
