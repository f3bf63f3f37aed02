"""The file dialog: folders, places, a filter, a name; with the mouse, or with keys alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.files.dialog import Ask, Dialog, Tag
from editor.files.folders import SHIPPED, home, presets_folder
from editor.files.listing import Listing, Row, crumbs, listed, size_words, target
from editor.files.native import Asking, Mode, Question, command
from editor.files.waiting import Waiting
from editor.pointer import DOUBLE_FRAMES, DOUBLE_S

if TYPE_CHECKING:
    from editor.app import App
    from editor.files.panel import Files


class Chooser(Dialog):
    """Chooses a file to open, a name to save under, or a folder; ``done`` gets the path once it is chosen. Where the
    system has a file dialog of its own, that one asks, unless the settings say otherwise.

    Up and Down move along the rows, Enter goes into a folder or accepts, Alt+Up and Backspace (with nothing typed) go
    to the folder above, Ctrl+H shows what is hidden, Ctrl+L takes a path.
    """

    id = "file"
    size = (860, 560)

    def __init__(
        self,
        app: App,
        mode: Mode,
        title: str,
        done: Callable[[Path], object],
        *,
        folder: Path | None = None,
        name: str = "",
        suffixes: Sequence[str] = (),
        recent: Sequence[Path] = (),
        accept: str = "",
        ask: bool = True,
    ) -> None:
        super().__init__(app)
        self.mode, self.title, self.done = mode, title, done
        self.suffixes = tuple(suffixes)
        self.recent = list(recent)
        self.folder = folder if folder is not None and folder.is_dir() else home()
        self.name = name
        self.words_typed = ""
        self.hidden = False
        self.ask = ask
        self.chosen = -1
        self.listing = Listing(self.folder)
        self._clicked = (-1, 0.0, 0)
        self._accept = accept or {"open": "Open", "save": "Save", "folder": "Choose"}[mode]

    def open(self) -> None:
        """Ask, in the system's way or in the editor's."""
        wanted = cast("Files", self.app.panels["files"]).settings.system_dialogs
        words = command(Question(self.mode, self.title, self.folder, self.name, self.suffixes)) if wanted else None
        if words is None:
            super().open()
            return
        try:
            asking = Asking(words)
        except OSError as error:
            self.app.notices.say("warning", f"The system's file dialog cannot be shown: {error.strerror}")
            super().open()
            return
        Waiting(self.app, self.title, asking, self._answered, super().open).open()

    def _answered(self, path: Path) -> None:
        """The system's dialog has asked whether a file is to be replaced, but under the name that was typed."""
        whole = target(self.folder, str(path), self.suffixes if self.mode == "save" else ())
        problem = self._problem(whole) if whole else "Choose a file."
        if whole is None or problem:
            self.app.notices.say("warning", problem)
        elif self.mode == "save" and self.ask and whole != path and whole.exists():
            self._ask_to_replace(whole)
        else:
            self._finish(whole)

    # -- what it shows -------------------------------------------------------------------------------------------------

    def body(self, parent: Tag) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        middle = self._room()[1] - px(216)
        with dpg.group(horizontal=True, parent=parent):
            up = dpg.add_button(
                label=fonts.ICONS["up"], tag=self.tag("up"), width=px(34), height=px(30), callback=lambda: self.above()
            )
            dpg.bind_item_font(up, fonts.font("icons"))
            dpg.add_group(tag=self.tag("crumbs"), horizontal=True, horizontal_spacing=px(2))
        with dpg.group(horizontal=True, parent=parent):
            dpg.add_child_window(tag=self.tag("places"), width=px(190), height=middle, border=False)
            with dpg.child_window(tag=self.tag("rows"), width=-1, height=middle, border=False):
                pass
        for name in ("places", "rows"):
            dpg.bind_item_theme(self.tag(name), "theme:card")
        with dpg.group(horizontal=True, parent=parent):
            label = {"save": "Name", "open": "Name or filter", "folder": "Folder"}[self.mode]
            dpg.add_text(label.ljust(6), color=theme.dim)
            dpg.add_input_text(
                tag=self.tag("name"),
                default_value=self.name,
                width=-1,
                hint="Type a name or a path",
                callback=lambda _, text: self._typed(text),
            )
        dpg.add_spacer(height=px(4), parent=parent)
        with dpg.group(horizontal=True, parent=parent):
            dpg.add_text("", tag=self.tag("problem"), color=theme.warn)
        self.buttons(
            ("cancel", "Cancel", self.cancel, ""), ("accept", self._accept, self.accept, "theme:accent"), parent=parent
        )
        self._places()
        self.go(self.folder)

    def opened(self) -> None:
        self.app.keyboard.give(self.tag("name"))

    def _places(self) -> None:
        px, parent = self.app.look.px, self.tag("places")
        places = [("home", "Home", Path.home()), ("folder", "Documents", home())]
        places += [("star", "Shipped patches", SHIPPED), ("plug", "My patches", presets_folder())]
        for icon, label, path in places:
            if path.is_dir():
                self._place_row(parent, icon, label, lambda p=path: self.go(p))
        if self.recent and self.mode == "open":
            dpg.add_spacer(height=px(8), parent=parent)
            head = dpg.add_text("RECENT", color=self.app.look.theme.faint, parent=parent)
            dpg.bind_item_font(head, fonts.font("small"))
            for path in self.recent[:10]:
                self._place_row(parent, "clock", path.name, lambda p=path: self._finish(p))

    def _place_row(self, parent: Tag, icon: str, label: str, action: Callable[[], object]) -> None:
        with dpg.group(horizontal=True, parent=parent):
            item = dpg.add_text(fonts.ICONS[icon], color=self.app.look.theme.dim)
            dpg.bind_item_font(item, fonts.font("icons"))
            dpg.add_selectable(label=label, callback=lambda s: (dpg.set_value(s, False), action()))

    def go(self, folder: Path) -> None:
        """List another folder."""
        if folder != self.folder and self.mode == "open":
            self.words_typed = ""
            self.app.keyboard.put(self.tag("name"), "")
        if folder != self.folder:
            self.app.keyboard.give(self.tag("name"))  # which Enter takes the keys from
        self.folder = folder
        self.chosen = -1
        dpg.delete_item(self.tag("crumbs"), children_only=True)
        for label, path in crumbs(folder):
            dpg.add_button(
                label=label,
                parent=self.tag("crumbs"),
                callback=partial(self.go, path),
                height=self.app.look.px(30),
            )
        self._fill()

    def _fill(self) -> None:
        theme, px = self.app.look.theme, self.app.look.px
        suffixes = self.suffixes if self.mode != "folder" else ("\n",)  # which no file ends in
        self.listing = listed(self.folder, suffixes, self.words_typed, self.hidden)
        dpg.delete_item(self.tag("rows"), children_only=True)
        self._say(self.listing.problem)
        if not self.listing.rows and not self.listing.problem:
            dpg.add_text("There is nothing here that fits.", color=theme.faint, parent=self.tag("rows"))
        with dpg.table(
            parent=self.tag("rows"),
            header_row=False,
            policy=dpg.mvTable_SizingFixedFit,
            no_host_extendX=True,
            tag=self.tag("table"),
        ):
            dpg.add_table_column(width_fixed=True, init_width_or_weight=px(24))
            dpg.add_table_column(width_stretch=True)
            dpg.add_table_column(width_fixed=True, init_width_or_weight=px(70))
            dpg.add_table_column(width_fixed=True, init_width_or_weight=px(120))
            for k, row in enumerate(self.listing.rows):
                self._row(k, row)
        if self.listing.more:
            words = f"… and {self.listing.more} more: type part of a name"
            dpg.add_text(words, color=theme.faint, parent=self.tag("rows"))

    def _row(self, k: int, row: Row) -> None:
        theme = self.app.look.theme
        with dpg.table_row():
            icon = dpg.add_text(
                fonts.ICONS["folder" if row.folder else "file"], color=theme.accent if row.folder else theme.dim
            )
            dpg.bind_item_font(icon, fonts.font("icons"))
            dpg.add_selectable(
                label=f"{row.name}##{k}",
                tag=self.tag(f"row:{row.name}"),
                callback=lambda: self._click(k),
                span_columns=True,
            )
            dim = dpg.add_text("" if row.folder else size_words(row.size), color=theme.dim)
            when = dpg.add_text(time.strftime("%d %b %Y  %H:%M", time.localtime(row.changed)), color=theme.faint)
            for item in (dim, when):
                dpg.bind_item_font(item, fonts.font("small"))

    def _say(self, words: str) -> None:
        dpg.set_value(self.tag("problem"), words)

    # -- what is done with it ------------------------------------------------------------------------------------------

    def _click(self, k: int) -> None:
        before, at, frame = self._clicked
        now = time.monotonic()
        self._clicked = (k, now, self.app.frames)
        self.choose(k)
        if before == k and (now - at < DOUBLE_S or self.app.frames - frame < DOUBLE_FRAMES):
            self._clicked = (-1, 0.0, 0)
            self._enter_row(self.listing.rows[k])

    def choose(self, k: int) -> None:
        """Mark a row; a file's name goes into the field."""
        if not self.listing.rows:
            return
        self.chosen = min(max(k, 0), len(self.listing.rows) - 1)
        for n, row in enumerate(self.listing.rows):
            dpg.set_value(self.tag(f"row:{row.name}"), n == self.chosen)
        row = self.listing.rows[self.chosen]
        if not row.folder:
            self.name = row.name
            self.app.keyboard.put(self.tag("name"), row.name)

    def _enter_row(self, row: Row) -> None:
        if row.folder:
            self.go(self.folder / row.name)
        else:
            self.accept()

    def _typed(self, text: str) -> None:
        self.name = text
        if self.mode == "open":
            filtering = text if "/" not in text and "\\" not in text else ""
            self.words_typed = filtering
            self.chosen = -1
            self._fill()

    def above(self) -> None:
        """Go to the folder above."""
        self.go(self.folder.parent)

    def key(self, keys: str) -> None:
        match keys:
            case "down":
                self.choose(self.chosen + 1)
            case "up":
                self.choose(self.chosen - 1)
            case "alt+up":
                self.above()
            case "backspace" if not self.app.keyboard.text(self.tag("name")) and not self.name:
                self.above()
            case "ctrl+h":
                self.hidden = not self.hidden
                self._fill()
            case "ctrl+l":
                self.app.keyboard.give(self.tag("name"))
            case _:
                super().key(keys)
        self.name = self.app.keyboard.text(self.tag("name")) if self.is_open else self.name

    def accept(self) -> None:
        typed = str(self.app.keyboard.text(self.tag("name")))
        row = self.listing.rows[self.chosen] if 0 <= self.chosen < len(self.listing.rows) else None
        if row is not None and row.folder and self.mode != "folder":
            self.go(self.folder / row.name)
            return
        if self.mode == "folder":
            path = (
                self.folder / row.name if row is not None and not typed else target(self.folder, typed) or self.folder
            )
            if problem := self._problem(path):
                self._say(problem)
            else:
                self._finish(path)
            return
        only = [r for r in self.listing.rows if not r.folder]
        if self.mode == "open" and len(only) == 1 and self.words_typed and not (self.folder / typed).is_file():
            typed = only[0].name
        path = target(self.folder, typed, self.suffixes if self.mode == "save" else ())
        if path is None:
            self._say("Type a name, or choose a file.")
        elif path.is_dir():
            self.go(path)
        elif problem := self._problem(path):
            self._say(problem)
        elif self.mode == "save" and self.ask and path.exists():
            self._ask_to_replace(path)
        else:
            self._finish(path)

    def _problem(self, path: Path) -> str:
        """Why a path cannot be what is chosen; nothing if it can."""
        if self.mode == "open" and not path.is_file():
            return f"There is no file {path.name} here."
        needed = path.parent if self.mode == "save" else path
        return "" if self.mode == "open" or needed.is_dir() else f"There is no folder {needed}."

    def _ask_to_replace(self, path: Path) -> None:
        answers = [("replace", "Replace", lambda: self._finish(path), "theme:danger")]
        words = f"{path.name} is in this folder already. Its older contents stay in its backups."
        Ask(self.app, "Replace the file?", words, answers, id="replace").open()

    def _finish(self, path: Path) -> None:
        self.close()
        self.done(path)
