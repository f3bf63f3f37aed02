"""The collect dialog: where to, as a folder or a zip, and how far it is."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor.files.chooser import Chooser
from editor.files.collect import StoppedError, collected, to_folder, to_zip
from editor.files.dialog import Dialog, Tag
from editor.files.folders import SHIPPED, home
from editor.files.listing import size_words
from graph.errors import PatchError

if TYPE_CHECKING:
    from editor.app import App
    from editor.files.panel import Files

HOW = ("A folder", "A zip file")
CLOSING_S = 10.0
"""How long it may take to stop: it looks after every file."""


class Collecting(Dialog):
    """Asks where to, and copies aside."""

    id = "collect"
    title = "Collect with all files"
    size = (600, 0)

    def __init__(self, app: App, files: Files) -> None:
        super().__init__(app)
        from editor.files.panel import file_name

        session = app.session
        self.collection = collected(session.patch, session.kinds)
        self.name = session.file.stem if session.file else file_name(session.patch.name)
        own = session.file.resolve().parent.parent if session.file else home()
        self.folder = files.settings.folder("patch_folder") or (own if own != SHIPPED.parent else home())
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._share, self._end = 0.0, ("", "")

    def body(self, parent: Tag) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        count = len(self.collection.files)
        words = (
            f"The patch and {count} file{'s' if count > 1 else ''} that it reads, {size_words(self.collection.size)}."
        )
        self.words(words if count else "The patch, which reads no files.", parent)
        if self.collection.missing:
            words = f"Missing, and so not with it: {', '.join(self.collection.missing[:5])}"
            dpg.add_text(words, color=theme.warn, wrap=px(560), parent=parent)
        dpg.add_spacer(height=px(6), parent=parent)
        with self.line("As", parent):
            dpg.add_radio_button(HOW, default_value=HOW[0], tag=self.tag("how"), horizontal=True)
        with self.line("Name", parent):
            dpg.add_input_text(tag=self.tag("name"), default_value=self.name, width=-1)
        with self.line("Folder", parent):
            dpg.add_input_text(tag=self.tag("folder"), default_value=str(self.folder), width=px(350))
            dpg.add_button(label="Choose…", callback=self._choose)
        dpg.add_text("", tag=self.tag("problem"), color=theme.warn, wrap=px(560), parent=parent)
        dpg.add_progress_bar(tag=self.tag("bar"), parent=parent, width=-1, height=px(20), show=False)
        dpg.add_spacer(height=px(6), parent=parent)
        self.buttons(
            ("cancel", "Cancel", self.cancel, ""), ("accept", "Collect", self.accept, "theme:accent"), parent=parent
        )

    def _choose(self) -> None:
        Chooser(
            self.app, "folder", "Collect into", lambda p: dpg.set_value(self.tag("folder"), str(p)), folder=self.folder
        ).open()

    def accept(self) -> None:
        if self._thread is not None:
            return
        name, folder = dpg.get_value(self.tag("name")).strip(), Path(dpg.get_value(self.tag("folder")).strip())
        zipped = dpg.get_value(self.tag("how")) == HOW[1]
        problem = ""
        if not name or name.startswith(".") or any(c in name for c in "/\\\0"):
            problem = "Give it a name without slashes."
        elif not folder.is_dir():
            problem = f"There is no folder {folder}."
        elif (folder / (f"{name}.zip" if zipped else name)).exists():
            problem = "There is something of this name already."
        dpg.set_value(self.tag("problem"), problem)
        if problem:
            return
        dpg.configure_item(self.tag("bar"), show=True)

        def work() -> None:
            try:
                if zipped:
                    done = to_zip(self.collection, folder / f"{name}.zip", name, self._tell, self._stop.is_set)
                else:
                    done = to_folder(self.collection, folder, name, self._tell, self._stop.is_set)
                self._end = ("good", f"Collected: {done}")
            except StoppedError:
                self._end = ("info", "Stopped. Nothing was written.")
            except (OSError, PatchError, ValueError) as error:
                self._end = ("error", f"It cannot be collected: {error}")

        self._thread = threading.Thread(target=work, name="collect", daemon=True)
        self._thread.start()

    def _tell(self, done: int, whole: int) -> None:
        self._share = done / whole

    def frame(self, now: float) -> None:
        if self._thread is None:
            return
        dpg.set_value(self.tag("bar"), self._share)
        if not self._thread.is_alive():
            self._thread = None
            self.close()
            self.app.notices.say(*self._end)

    @property
    def busy(self) -> str:
        return "The patch is being collected." if self._thread is not None else ""

    def cancel(self) -> None:
        self._stop.set()
        if self._thread is None:
            self.close()

    def close(self) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join(CLOSING_S)
            self._thread = None
        super().close()
