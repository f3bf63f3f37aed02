"""The plugin browser: every file that a scan looked at, with its verdict and why; scans are begun and ended here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.canvas.adding import add_item
from editor.files.dialog import Ask, Dialog, Tag
from editor.plugins.rows import SHOWS, Row, Show, counts, facts, ordered, rows, shown
from editor.plugins.table import Table, verdict_colour
from editor.theme import mix

if TYPE_CHECKING:
    from editor.app import App
    from editor.canvas.panel import Canvas
    from editor.palette import Palette
    from editor.plugins.panel import Plugins

ABOUT, FACTS = 372, 92
"""How wide the card at the right is, and the names of facts in it, at scale 1."""


class PluginBrowser(Dialog):
    """Lists plugins, has them looked at, and adds one to the patch; with ``choose`` it is told which one instead."""

    id = "plugins"
    title = "Plugins"
    size = (1240, 740)

    def __init__(
        self, app: App, plugins: Plugins, choose: Callable[[str], object] | None = None, words: str = ""
    ) -> None:
        super().__init__(app)
        self.plugins, self._choose, self._words = plugins, choose, words
        self.work, self.shelf = plugins.work, app.session.shelf
        self.typed = ""
        self.show: Show = "good" if choose else "all"
        self.order: tuple[str, bool] = ("title", False)
        self.at = 0
        self.listed: list[Row] = []
        self.table: Table | None = None
        self._count = -1
        self._working: object = None

    # -- what it shows -------------------------------------------------------------------------------------------------

    def body(self, parent: Tag) -> None:
        px = self.app.look.px
        width, height = self._room()
        if self._words:
            self.words(self._words, parent)
        with dpg.group(horizontal=True, parent=parent, horizontal_spacing=px(8)):
            dpg.add_input_text(
                tag=self.tag("search"), hint="Search name, maker, use, verdict", width=px(300),
                default_value=self.typed, callback=lambda _, text: self._search(text),
            )  # fmt: skip
            names = list(SHOWS.values())
            dpg.add_combo(
                names, default_value=SHOWS[self.show], tag=self.tag("show"), width=px(150),
                callback=lambda _, word: self._filter(next(k for k, v in SHOWS.items() if v == word)),
            )  # fmt: skip
            dpg.add_text("", tag=self.tag("counts"), color=self.app.look.theme.dim)
        dpg.add_spacer(height=px(2), parent=parent)
        foot = px(206) + (px(26) if self._words else 0)
        middle = height - foot
        left = width - px(ABOUT) - px(38)
        with dpg.group(horizontal=True, parent=parent, horizontal_spacing=px(14)):
            with dpg.group():
                self.table = Table(
                    self.app, dpg.last_item(), self.tag("table"), (left, middle - px(26)), self.choose,
                    self._take, self._sort,
                )  # fmt: skip
            dpg.add_child_window(
                tag=self.tag("about"), width=px(ABOUT), height=middle + px(2), border=False,
                always_use_window_padding=True,
            )  # fmt: skip
        dpg.bind_item_theme(self.tag("about"), "theme:card")
        dpg.add_spacer(height=px(4), parent=parent)
        dpg.add_group(tag=self.tag("work"), parent=parent)
        self._working = None
        self._show_work()
        dpg.add_spacer(height=px(4), parent=parent)
        word = "Use it" if self._choose else "Add to the patch"
        self.buttons(
            ("cancel", "Cancel" if self._choose else "Close", self.cancel, ""),
            ("accept", word, self.accept, "theme:accent"),
            parent=parent,
        )
        self._count = -1
        self._refresh()

    def opened(self) -> None:
        self.app.keyboard.give(self.tag("search"))

    def frame(self, now: float) -> None:
        if self.table is None:
            return
        self._show_work()
        self._refresh()
        self.table.draw()

    def _refresh(self) -> None:
        """List anew what is known, where that has changed."""
        key = self.shelf.count
        if key == self._count:
            return
        self._count = key
        kept = self.listed[self.at].id if self.at < len(self.listed) else ""
        self._list(kept)

    def _list(self, kept: str = "") -> None:
        known = self.shelf.known
        self.listed = ordered(shown(rows(known), self.show, self.typed), *self.order)
        self.at = next((k for k, row in enumerate(self.listed) if row.id == kept), 0)
        words = known.problem or counts(known)
        dpg.set_value(self.tag("counts"), words)
        assert self.table is not None
        self.table.order = self.order
        self.table.stars = frozenset(self._palette.favourites)
        self.table.show(self.listed, self.at)
        self._about()

    @property
    def _palette(self) -> Palette:
        return cast("Palette", self.app.panels["palette"])

    def _search(self, typed: str) -> None:
        self.typed = typed
        self._list()

    def _filter(self, show: Show) -> None:
        self.show = show
        self._list()

    def _sort(self, column: str) -> None:
        self.order = (column, not self.order[1] if self.order[0] == column else False)
        self._list(self.listed[self.at].id if self.listed else "")

    def choose(self, k: int) -> None:
        """Show what is known of a row."""
        self.at = min(max(k, 0), max(len(self.listed) - 1, 0))
        if self.table is not None:
            self.table.show(self.listed, self.at)
            self.table.reveal()
        self._about()

    @property
    def chosen(self) -> Row | None:
        """The row that is chosen."""
        return self.listed[self.at] if self.at < len(self.listed) else None

    def _about(self) -> None:
        px, theme, parent = self.app.look.px, self.app.look.theme, self.tag("about")
        dpg.delete_item(parent, children_only=True)
        row = self.chosen
        dpg.configure_item(self.tag("accept"), enabled=bool(row and row.item))
        if row is None:
            self._nothing(parent)
            return
        wrap = px(ABOUT - 30)
        title = dpg.add_text(row.title, parent=parent, wrap=wrap)
        dpg.bind_item_font(title, fonts.font("title"))
        maker = "  ".join(word for word in (row.vendor, row.version and f"version {row.version}") if word)
        if maker:
            dpg.add_text(maker, parent=parent, color=theme.dim, wrap=wrap)
        dpg.add_spacer(height=px(4), parent=parent)
        self._verdict(row, parent, wrap)
        dpg.add_spacer(height=px(6), parent=parent)
        for name, text in facts(row, self.shelf.known.latencies):
            with dpg.group(horizontal=True, parent=parent, horizontal_spacing=0):
                dpg.add_text(name, color=theme.dim)
                size = fonts.ROLES["body"][1] * self.app.look.scale
                dpg.add_spacer(width=max(round(px(FACTS) - fonts.width(name, "body", size)), 1))
                dpg.add_text(text, wrap=wrap - px(FACTS))
        note = row.known.note if row.known else ""
        if note:
            dpg.bind_item_font(dpg.add_text(note, parent=parent, color=theme.dim, wrap=wrap), fonts.font("small"))
        path = dpg.add_text(row.file.path, parent=parent, color=theme.faint, wrap=wrap)
        dpg.bind_item_font(path, fonts.font("small"))
        dpg.add_spacer(height=px(8), parent=parent)
        with dpg.group(horizontal=True, parent=parent, horizontal_spacing=px(6)):
            idle = not self.work.busy
            dpg.add_button(
                label="Look again", tag=self.tag("again"), enabled=idle and row.file.present,
                callback=lambda: self.work.scan(again=True, paths=[Path(row.file.path)]),
            )  # fmt: skip
            if row.item:
                dpg.add_button(
                    label="Measure latency", tag=self.tag("measure"), enabled=idle,
                    callback=lambda: self.work.measure([row.known.uid if row.known else row.title]),
                )  # fmt: skip
                starred = row.item in self._palette.favourites
                label = "Favourite" if not starred else "No favourite"
                dpg.add_button(label=label, tag=self.tag("star"), callback=lambda: self._star(row.item))
            for name in ("again", "measure", "star"):
                if dpg.does_item_exist(self.tag(name)):
                    dpg.bind_item_theme(self.tag(name), _on_card(self.app))

    def _verdict(self, row: Row, parent: Tag, wrap: int) -> None:
        theme = self.app.look.theme
        colour = mix(verdict_colour(row.verdict, theme), theme.text, 0.3)
        word = row.verdict[:1].upper() + row.verdict[1:] if row.file.present else "The file is no longer there"
        head = dpg.add_text(word, parent=parent, color=colour)
        dpg.bind_item_font(head, fonts.font("strong"))
        for part in filter(None, row.reason.split("; ")):
            dpg.add_text(part[:1].upper() + part[1:], parent=parent, wrap=wrap)
        if row.file.detail and not row.good:
            text = dpg.add_text(row.file.detail, parent=parent, color=theme.dim, wrap=wrap)
            dpg.bind_item_font(text, fonts.font("mono"))

    def _nothing(self, parent: Tag) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        wrap = px(ABOUT - 30)
        if self.shelf.known.files:
            dpg.add_text("Choose a plugin to see what is known of it.", parent=parent, color=theme.dim, wrap=wrap)
            return
        head = dpg.add_text("No plugins yet", parent=parent)
        dpg.bind_item_font(head, fonts.font("title"))
        words = (
            "A scan looks at each plugin file in a process of its own. One that crashes or hangs takes nothing with "
            "it; it is listed here with the reason, and can be tried again."
        )
        dpg.add_text(words, parent=parent, color=theme.dim, wrap=wrap)

    # -- the work ------------------------------------------------------------------------------------------------------

    def _show_work(self) -> None:
        """The row of what can be done; or how far the work is, and how to end it."""
        progress = self.work.progress
        state: object = None if progress is None else progress.what
        if state != self._working or not dpg.get_item_children(self.tag("work"), 1):
            self._working = state
            dpg.delete_item(self.tag("work"), children_only=True)
            if progress is None:
                self._idle()
            else:
                self._busy()
            if self.table is not None and dpg.does_item_exist(self.tag("accept")):
                self._about()
        if progress is not None:
            done = f"{progress.done} of {progress.due}" if progress.due else "begins"
            dpg.set_value(self.tag("bar"), progress.share)
            dpg.configure_item(self.tag("bar"), overlay=f"{progress.what}: {done}")
            dpg.set_value(self.tag("last"), progress.last)

    def _idle(self) -> None:
        px, parent = self.app.look.px, self.tag("work")
        jobs: tuple[tuple[str, str, Callable[[], object], str], ...] = (
            ("scan", "Look for new and changed", lambda: self.work.scan(), "Looks at what a scan has not seen yet."),
            ("all", "Look at all again", lambda: self.work.scan(again=True), "Also what has not changed."),
            ("retry", "Retry what failed", lambda: self.work.retry(), "Looks again at everything that is not good."),
            ("ping", "Measure all latencies", lambda: self.work.measure(), "Sends an impulse through each plugin."),
            ("folders", "Folders and processes…", self._folders, "Where plugins are looked for, and what they share."),
        )
        with dpg.group(horizontal=True, parent=parent, horizontal_spacing=px(8)):
            for name, label, action, help in jobs:
                button = dpg.add_button(label=label, tag=self.tag(name), height=px(30), callback=partial(action))
                with dpg.tooltip(button, delay=0.6):
                    dpg.add_text(help)
        if not self.shelf.known.files:
            dpg.bind_item_theme(self.tag("scan"), "theme:accent")

    def _busy(self) -> None:
        px, parent = self.app.look.px, self.tag("work")
        with dpg.group(horizontal=True, parent=parent, horizontal_spacing=px(10)):
            dpg.add_progress_bar(tag=self.tag("bar"), width=px(460), height=px(30))
            dpg.add_button(label="Cancel", tag=self.tag("stop"), height=px(30), callback=lambda: self.work.stop())
            dpg.add_text("", tag=self.tag("last"), color=self.app.look.theme.dim)

    def _folders(self) -> None:
        Folders(self.app, self).open()

    def _star(self, item: str) -> None:
        self._palette.star(item)
        self._list(self.listed[self.at].id)

    # -- what it does --------------------------------------------------------------------------------------------------

    def key(self, keys: str) -> None:
        if keys in ("up", "down"):
            self.choose(self.at + (1 if keys == "down" else -1))
        else:
            super().key(keys)

    def _take(self, k: int) -> None:
        self.choose(k)
        self.accept()

    def accept(self) -> None:
        row = self.chosen
        if row is None or not row.item:
            return
        self.close()
        if self._choose is not None:
            self._choose(row.item)
            return
        canvas = cast("Canvas", self.app.panels["canvas"])
        add_item(canvas, row.item, canvas.free_place())

    def close(self) -> None:
        if self.table is not None:
            self.table.free()
            self.table = None
        super().close()

    def remake(self) -> None:
        if self.table is not None:
            self.table.free()
        super().remake()


def _on_card(app: App) -> str:
    """The theme of buttons on a card, which has the colour that buttons have elsewhere."""
    tag = "theme:on-card"
    if not dpg.does_item_exist(tag):
        dpg.add_theme(tag=tag)
    dpg.delete_item(tag, children_only=True)
    with dpg.theme_component(dpg.mvAll, parent=tag):
        dpg.add_theme_color(dpg.mvThemeCol_Button, app.look.theme.lifted)
        dpg.add_theme_color(dpg.mvThemeCol_ButtonHovered, mix(app.look.theme.lifted, app.look.theme.text, 0.12))
    return tag


class Folders(Dialog):
    """Where plugins are looked for, the system's folders and the user's own; and which of them share a process."""

    id = "plugin-folders"
    title = "Folders and processes"
    size = (640, 0)

    def __init__(self, app: App, browser: PluginBrowser) -> None:
        super().__init__(app)
        self.browser = browser

    def body(self, parent: Tag) -> None:
        from host.plugins.folders import standard_folders

        px, theme = self.app.look.px, self.app.look.theme
        self.words("Plugins are looked for in these folders and below, links followed.", parent)
        dpg.add_spacer(height=px(4), parent=parent)
        for folder in standard_folders():
            there = folder.is_dir()
            with dpg.group(horizontal=True, parent=parent):
                dpg.add_text(str(folder), color=theme.text if there else theme.faint)
                if not there:
                    dpg.add_text("is not there", color=theme.faint)
        own = self.browser.shelf.known.folders
        if own:
            dpg.add_spacer(height=px(6), parent=parent)
            dpg.bind_item_font(dpg.add_text("YOUR OWN", color=theme.faint, parent=parent), fonts.font("small"))
        for k, folder in enumerate(own):
            with dpg.group(horizontal=True, parent=parent):
                dpg.add_button(label="Remove", tag=self.tag(f"remove:{k}"), callback=partial(self._remove_one, folder))
                dpg.add_text(str(folder), color=theme.text if folder.is_dir() else theme.faint)
        dpg.add_spacer(height=px(10), parent=parent)
        self._processes(parent)
        dpg.add_spacer(height=px(12), parent=parent)
        self.buttons(
            ("cancel", "Close", self.cancel, ""), ("add", "Add a folder…", self._add, "theme:accent"), parent=parent
        )

    def _processes(self, parent: Tag) -> None:
        plugins = self.browser.plugins
        words = {
            "plugin": "Each plugin in a process of its own",
            "chain": "The plugins of a chain share a process",
            "patch": "All plugins of a patch share a process",
        }
        head = dpg.add_text("PROCESSES", color=self.app.look.theme.faint, parent=parent)
        dpg.bind_item_font(head, fonts.font("small"))
        dpg.add_combo(
            list(words.values()), default_value=words[plugins.grouping], tag=self.tag("grouping"), parent=parent,
            width=self.app.look.px(380),
            callback=lambda _, chosen: plugins.group(next(k for k, v in words.items() if v == chosen)),
        )  # fmt: skip
        text = (
            "A plugin that crashes takes along what shares its process; all come back with their last state. Sharing "
            "costs less. It holds for plugins that are loaded from now on."
        )
        self.words(text, parent, role="small")

    def _add(self) -> None:
        from editor.files.chooser import Chooser

        def take(path: Path) -> None:
            self.close()
            self.browser.work.add_folder(path)

        Chooser(self.app, "folder", "A folder with plugins", take, folder=Path.home()).open()

    def _remove_one(self, folder: Path) -> None:
        def remove() -> None:
            self.close()
            self.browser.work.remove_folder(folder)

        text = f"Plugins below {folder} stay known until a scan finds them gone. No file is deleted."
        answers = [("remove", "Remove", remove, "theme:danger")]
        Ask(self.app, "No longer look here?", text, answers, id="remove-folder").open()
