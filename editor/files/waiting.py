"""What lies over the window while a file dialog of the system is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor.files.dialog import Dialog, Tag
from editor.files.native import Asking

if TYPE_CHECKING:
    from editor.app import App


class Waiting(Dialog):
    """Waits for the system's dialog: ``done`` gets the path; ``own`` opens the editor's dialog in its place."""

    id = "system"
    size = (440, 0)

    def __init__(
        self, app: App, title: str, asking: Asking, done: Callable[[Path], object], own: Callable[[], object]
    ) -> None:
        super().__init__(app)
        self.title, self._asking, self._done, self._own = title, asking, done, own

    def body(self, parent: Tag) -> None:
        self.words("The system asks in a window of its own.", parent)
        dpg.add_spacer(height=self.app.look.px(12), parent=parent)
        self.buttons(("own", "Choose here", self._here, ""), ("cancel", "Cancel", self.cancel, ""), parent=parent)

    def accept(self) -> None:
        """There is nothing to accept here."""

    def _here(self) -> None:
        self.close()
        self._own()

    def frame(self, now: float) -> None:
        answer = self._asking.answer()
        if answer is None:
            return
        self.close()
        if answer.problem:
            self.app.notices.say("warning", f"The system's file dialog does not work here: {answer.problem}")
            self._own()
        elif answer.path is not None:
            self._done(answer.path)

    def close(self) -> None:
        self._asking.end()
        super().close()
