"""What is wrong with the patch: how much the status bar says of it, and the list with what can be done about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.files.dialog import Dialog, Tag
from graph.edits import Disconnect

if TYPE_CHECKING:
    from editor.app import App
    from editor.canvas.insight import Insight
    from editor.canvas.panel import Canvas
    from host.checking import Finding

MOST = 100
"""So many are listed at once."""


def known(app: App) -> Insight:
    """What the compiler knows of the patch, since it looked last."""
    return cast("Canvas", app.panels["canvas"]).insights.now


def troubles(app: App) -> tuple[Finding, ...]:
    """What it found wrong."""
    return known(app).problems


def show_node(app: App, address: str) -> None:
    """Look at a node, in whichever group it is."""
    *groups, node = address.split("/")
    session, canvas = app.session, cast("Canvas", app.panels["canvas"])
    session.go(tuple(groups))
    app.sync()
    canvas.fly_to(node)


class TroublesDialog(Dialog):
    """The list of them. Nodes can be looked at; a cable to a port that no node has, which nothing shows, can go."""

    id, title, size = "troubles", "Problems of the patch", (760, 470)

    def body(self, parent: Tag) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        self.listed = troubles(self.app)
        words = "Until these are mended the sound is without them, or is that of the patch before."
        dpg.add_text(words if self.listed else "Nothing is wrong.", color=theme.dim, parent=parent)
        dpg.add_spacer(height=px(4), parent=parent)
        with dpg.child_window(parent=parent, height=-px(44), border=False, tag=self.tag("list")):
            dpg.bind_item_theme(dpg.last_container(), "theme:card")
            for number, found in enumerate(self.listed[:MOST]):
                self._row(number, found)
        if len(self.listed) > MOST:
            dpg.add_text(f"and {len(self.listed) - MOST} more", color=theme.faint, parent=parent)
        self.buttons(("close", "Close", self.close, "theme:accent"), parent=parent)

    def _row(self, number: int, found: Finding) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        with dpg.group(horizontal=True, horizontal_spacing=px(10)):
            icon = dpg.add_text(fonts.ICONS["warning"], color=theme.warn)
            dpg.bind_item_font(icon, fonts.font("icons"))
            dpg.add_text(found.place or found.node, wrap=px(700))
        with dpg.group(horizontal=True, horizontal_spacing=px(10)):
            dpg.add_spacer(width=px(14))
            dpg.add_text(found.message[:1].upper() + found.message[1:], color=theme.dim, wrap=px(520))
            if self._cable(found) is not None:
                dpg.add_button(label="Remove the cable", tag=self.tag(f"remove:{number}"), small=True,
                               callback=lambda: self._remove_cable(found))  # fmt: skip
            elif self._node(found):
                dpg.add_button(label="Show", tag=self.tag(f"show:{number}"), small=True,
                               callback=lambda: self._show(found))  # fmt: skip
        dpg.add_spacer(height=px(6))

    def _cable(self, found: Finding) -> Disconnect | None:
        """What removes the cable that is wrong, where it is one of the outermost patch."""
        for cable in self.app.session.patch.cables():
            if cable.place == found.place:
                return Disconnect(cable.source, cable.source_port, cable.target, cable.target_port)
        return None

    def _node(self, found: Finding) -> bool:
        return bool(found.node) and found.node.split("/")[0] in self.app.session.patch.nodes()

    def _show(self, found: Finding) -> None:
        self.close()
        show_node(self.app, found.node)

    def _remove_cable(self, found: Finding) -> None:
        edit = self._cable(found)
        self.close()
        if edit is not None:
            self.app.session.do_at_root(edit)

    def accept(self) -> None:
        self.close()
