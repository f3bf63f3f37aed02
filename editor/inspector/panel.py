"""The inspector: all there is to see and to change of what is selected, derived from declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

import dearpygui.dearpygui as dpg

from editor.commands import Command
from editor.inspector.header import toggle_width
from editor.inspector.inside import InsidePage
from editor.inspector.learning import Lessons
from editor.inspector.loudness import History
from editor.inspector.offers import LOUDNESS_NAMES
from editor.inspector.one import NodePage
from editor.inspector.several import SeveralPage
from editor.inspector.words import PatchPage
from editor.link import Readings
from editor.model import Changes
from editor.panel import Panel

if TYPE_CHECKING:
    from editor.app import App


class Page(Protocol):
    """What the inspector shows for one selection."""

    def sync(self, changes: Changes) -> bool:
        """Follow a change; False where the page must be made anew."""
        ...

    def frame(self, now: float, readings: Readings) -> None: ...
    def locate(self, what: str) -> tuple[float, float, float, float] | None: ...
    def free(self) -> None: ...


class Inspector(Panel):
    """Shows the page of what is selected: the patch's words, a node, or what several nodes share."""

    commands: ClassVar[tuple[Command, ...]] = (
        Command("inspector.wide", "Wide inspector", toggle_width, ("ctrl+i",), "View", 2),
    )
    page: Page | None = None

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.lessons = Lessons(app)
        """What learns: it goes on while other things are looked at."""
        self.folded: dict[str, set[str]] = {}
        """The groups of params that are folded, by the addresses of their nodes."""

    def build(self, parent: int | str) -> None:
        self.histories: dict[str, History] = getattr(self, "histories", {})
        """Of the loudness of nodes, by address: they are kept on while other things are looked at."""
        if self.page is not None:
            self.page.free()
        self.page, self._width, self._subject = None, 0, None
        self._parent = parent
        dpg.add_group(tag="inspector:page", parent=parent)

    def _wanted(self) -> object:
        return self.session.path, id(self.session.patch), self.session.selection

    def room(self) -> int:
        """How wide the page may be: the panel without its margins and its scroll bar."""
        px = self.app.look.px
        return max(int(dpg.get_item_width(self._parent) or dpg.get_item_rect_size(self._parent)[0]), px(220)) - px(30)

    def sync(self, changes: Changes) -> None:
        if changes.everything:
            self.lessons.forget_failures()
        fresh = changes.everything or changes.look or self._wanted() != self._subject
        if fresh or self.page is None or not self.page.sync(changes):
            self.remake()

    def remake(self) -> None:
        """Make the page anew."""
        if self.page is not None:
            self.page.free()
            self.page = None
        dpg.delete_item("inspector:page", children_only=True)
        same = self._wanted() == self._subject
        self._subject, self._width = self._wanted(), self.room()
        if not same:
            dpg.set_y_scroll(self._parent, 0)
        here = self.session.here.graph
        chosen = sorted(id for id in self.session.selection if id in here)
        if len(chosen) == 1:
            self.page = NodePage(self, chosen[0], self._width)
        elif chosen:
            self.page = SeveralPage(self.app, tuple(chosen), self._width)
        elif self.session.path:
            self.page = InsidePage(self.app, self._width)
        else:
            self.page = PatchPage(self.app, self._width)

    def frame(self, now: float, readings: Readings) -> None:
        for address, parts in readings.items():
            if all(name in parts for name in LOUDNESS_NAMES):
                history = self.histories.setdefault(address, History())
                history.take(now, float(parts["momentary"][0]), float(parts["short_term"][0]))
        if self.room() != self._width and not self.app.pointer.busy:
            self.remake()
        self.lessons.step()
        if self.page is not None:
            self.page.frame(now, readings)

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        """``inspector:band:3``: a handle on a curve; ``inspector:bypass`` and the like; items by their tags."""
        if not what.startswith("inspector:") or self.page is None:
            return None
        return self.page.locate(what.removeprefix("inspector:"))

    def close(self) -> None:
        self.lessons.close()
        if self.page is not None:
            self.page.free()
