"""The inspector's part of a node of the user's own: its file, whether it runs, and what can be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.inspector.subject import Subject
from editor.link import Readings
from editor.turning import Turning
from graph.spec import Param

if TYPE_CHECKING:
    from editor.app import App
    from editor.usernodes.panel import OwnNodesPanel


class OwnSection:
    """Made for one node, brought up to date by ``show`` and ``frame``."""

    def __init__(self, app: App, subject: Subject, parent: int | str, width: int, pick: Callable[[str], None]) -> None:
        self.app, self.subject, self.width, self._pick = app, subject, width, pick
        self.panel = cast("OwnNodesPanel", app.panels["usernodes"])
        self.root = dpg.add_group(parent=parent)
        self._shown: object = None
        self.frame(0.0, {})

    def tag(self, name: str) -> str:
        """The tag of one of its items."""
        return f"inspector:{self.subject.id}:own:{name}"

    def _standing(self) -> tuple[str, Any]:
        path = str(self.subject.face.settings.get("path") or "")
        return path, self.panel.standing.get(path)

    def _make(self, path: str, own: Any) -> None:
        theme = self.app.look.theme
        dpg.delete_item(self.root, children_only=True)
        if not path:
            self._words("No file is chosen yet. Sound passes.")
            self._button("choose", "Choose a file…", lambda: self._pick("path"))
            return
        if own is None:
            return
        if own.about is not None and own.about.doc:
            self._words(own.about.doc)
        if own.trusted:
            self._words("Your own, and trusted as it is.", "small", theme.dim)
        elif own.problem:
            self._words(f"{own.problem}. Its cables and params are kept, and sound passes.", "body", theme.warn)
            self._button("choose", "Choose another file…", lambda: self._pick("path"))
        elif own.changed:
            words = "The file has changed. What played before goes on until you trust it as it is now."
            self._words(words, "body", theme.warn)
            self._button("trust", "Trust and reload…", lambda: self.panel.ask(path))
        else:
            self._words("It is not trusted, so its code does not run. Cables and params are kept, and sound passes.")
            self._button("trust", "Look at it, and trust it…", lambda: self.panel.ask(path))
        self._button("copy", "Copy its path", lambda: dpg.set_clipboard_text(str(own.file.resolve())), plain=True)

    def _words(self, text: str, role: fonts.Role = "body", colour: Any = None) -> None:
        item = dpg.add_text(text, wrap=self.width, color=colour or self.app.look.theme.dim, parent=self.root)
        dpg.bind_item_font(item, fonts.font(role))

    def _button(self, name: str, label: str, action: Callable[[], object], plain: bool = False) -> None:
        item = dpg.add_button(
            label=label, tag=self.tag(name), width=self.width, parent=self.root, callback=lambda: action()
        )
        if not plain:
            dpg.bind_item_theme(item, "theme:accent")

    def turning(self, param: Param, plain: Turning) -> Turning:
        """A param as something to turn."""
        return plain

    def show(self, subject: Subject) -> None:
        """The node is as this says now."""
        self.subject = subject
        self.frame(0.0, {})

    def frame(self, now: float, readings: Readings) -> None:
        """Some 30 times a second."""
        standing = self._standing()
        if standing != self._shown:
            self._shown = standing
            self._make(*standing)
