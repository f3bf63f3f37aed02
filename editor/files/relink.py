"""The dialog about files that are not where the patch says: each is found again by a search, or shown by hand."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.files.chooser import Chooser
from editor.files.dialog import Dialog, Tag
from editor.files.folders import home
from editor.files.listing import AUDIO
from editor.files.missing import Named, as_named, missing_files, search
from graph.edits import Batch

if TYPE_CHECKING:
    from editor.app import App
    from editor.files.panel import Files


class Relink(Dialog):
    """What is missing, what was found in its place, and where to search."""

    id = "relink"
    title = "Missing files"
    size = (720, 0)

    def __init__(self, app: App, files: Files) -> None:
        super().__init__(app)
        self.files = files
        self.lost: list[Named] = missing_files(app.session.patch, app.session.kinds)
        self.found: dict[str, Path] = {}
        """By the path that the patch names."""
        self.folder = app.session.patch.folder or home()
        self._search: threading.Thread | None = None
        self._stop = threading.Event()
        self._results: dict[str, list[Path]] | None = None

    def body(self, parent: Tag) -> None:
        px = self.app.look.px
        if not self.lost:
            self.words("Nothing is missing: every file that this patch reads is where it says.", parent)
            dpg.add_spacer(height=px(10), parent=parent)
            self.buttons(("cancel", "Close", self.cancel, "theme:accent"), parent=parent)
            return
        self.words(
            "These files are not where the patch says. Search a folder with all that is in it, or show each.", parent
        )
        dpg.add_spacer(height=px(4), parent=parent)
        dpg.add_group(tag=self.tag("rows"), parent=parent)
        dpg.add_spacer(height=px(6), parent=parent)
        with dpg.group(horizontal=True, parent=parent):
            dpg.add_button(label="Search a folder…", tag=self.tag("search"), callback=self._choose_folder)
            dpg.add_text("", tag=self.tag("status"), color=self.app.look.theme.dim)
        dpg.add_spacer(height=px(8), parent=parent)
        self.buttons(
            ("cancel", "Leave it", self.cancel, ""),
            ("accept", "Use what was found", self.accept, "theme:accent"),
            parent=parent,
        )
        self._fill()

    def opened(self) -> None:
        if self.lost and not self.found:
            self.begin(self.folder)

    def _fill(self) -> None:
        theme, px = self.app.look.theme, self.app.look.px
        dpg.delete_item(self.tag("rows"), children_only=True)
        for named in self.lost:
            found = self.found.get(named.path)
            with dpg.group(horizontal=True, parent=self.tag("rows")):
                icon = dpg.add_text(
                    fonts.ICONS["good" if found else "warning"], color=theme.good if found else theme.warn
                )
                dpg.bind_item_font(icon, fonts.font("icons"))
                dpg.add_text(f"{named.address}:  {named.path[-60:]}")
                dpg.add_button(label="Show…", user_data=named.path, callback=lambda _, __, path: self._choose(path))
            words = f"      {str(found)[-90:]}" if found else "      not found yet"
            line = dpg.add_text(words, color=theme.dim if found else theme.faint, parent=self.tag("rows"))
            dpg.bind_item_font(line, fonts.font("small"))
        dpg.add_spacer(height=px(2), parent=self.tag("rows"))

    def _choose_folder(self) -> None:
        Chooser(self.app, "folder", "Search this folder", self.begin, folder=self.folder, accept="Search").open()

    def _choose(self, path: str) -> None:
        def use(file: Path) -> None:
            self.found[path] = file
            others = [n.path for n in self.lost if n.path not in self.found]
            for other, files in search(others, [file.parent]).items():  # what lay together often still does
                if files:
                    self.found[other] = files[0]
            self._fill()

        Chooser(self.app, "open", f"Where is {Path(path).name}?", use, folder=self.folder, suffixes=AUDIO).open()

    def begin(self, folder: Path) -> None:
        """Search a folder, aside."""
        if self._search is not None and self._search.is_alive():
            return
        self.folder = folder
        wanted = [n.path for n in self.lost if n.path not in self.found]

        def work() -> None:
            self._results = search(wanted, [folder], self._stop.is_set)

        self._search = threading.Thread(target=work, name="file search", daemon=True)
        self._search.start()
        dpg.set_value(self.tag("status"), f"Searching {folder} …")

    def frame(self, now: float) -> None:
        results, self._results = self._results, None
        if results is None:
            return
        for path, files in results.items():
            if files:
                self.found[path] = files[0]
        count = len({n.path for n in self.lost})
        dpg.set_value(self.tag("status"), f"{len(self.found)} of {count} found")
        self._fill()
        self.app.touch()

    def accept(self) -> None:
        folder = self.app.session.patch.folder or Path.cwd()
        edits = [n.naming(as_named(self.found[n.path], folder)) for n in self.lost if n.path in self.found]
        self.close()
        if edits:
            self.app.session.do_at_root(Batch("Relink files", tuple(edits)), name="Relink files")
            self.app.notices.say("good", f"{len(edits)} of {len(self.lost)} files are found again.")

    def close(self) -> None:
        self._stop.set()
        super().close()
