"""The list of what editors have left behind."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor.files.dialog import Ask, Dialog, Tag
from editor.journal import Left

if TYPE_CHECKING:
    from editor.app import App
    from editor.files.panel import Files


class Recovery(Dialog):
    """Each piece of unsaved work, with what happened: to be taken up, or to be discarded."""

    id = "recovery"
    title = "Recover unsaved work"
    size = (640, 0)

    def __init__(self, app: App, files: Files) -> None:
        super().__init__(app)
        self.files = files

    def body(self, parent: Tag) -> None:
        px = self.app.look.px
        if not self.files.left:
            self.words("There is none: every editor that ran on this machine was closed, or still runs.", parent)
        for k, left in enumerate(self.files.left):
            with dpg.group(parent=parent):
                self.words(left.name, dpg.last_container(), role="strong", dim=False)
                self.words(left.words(), dpg.last_container())
                with dpg.group(horizontal=True):
                    dpg.add_button(label="Take it up", tag=self.tag(f"take:{k}"), callback=partial(self._take, left))
                    discard = dpg.add_button(label="Discard…", callback=partial(self._discard, left))
                    dpg.bind_item_theme(discard, "theme:flat")
                dpg.add_spacer(height=px(6))
        dpg.add_spacer(height=px(8), parent=parent)
        self.buttons(("cancel", "Close", self.cancel, "theme:accent"), parent=parent)

    def _take(self, left: Left) -> None:
        self.close()
        self.files.unless_unsaved(lambda: self.files.take_up(left))

    def _discard(self, left: Left) -> None:
        def away() -> None:
            left.discard()
            self.files.left = [other for other in self.files.left if other is not left]
            self.remake()

        answers = [("discard", "Discard", away, "theme:danger")]
        Ask(self.app, "Discard this work?", f"{left.name} stays as it is in its file.", answers, id="discard").open()
