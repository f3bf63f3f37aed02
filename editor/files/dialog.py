"""What lies over the window until it is answered: the base of all dialogs, and a plain question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.files.stops import Stops
from editor.theme import alpha

if TYPE_CHECKING:
    from editor.app import App

Tag = int | str


class Dialog:
    """A window over all else; the rest is shaded, and gets neither mouse nor keys. Dialogs may lie on dialogs.

    Its items are tagged ``dialog:<id>:<name>``; ``tag(name)`` gives it. Every item can be reached and used by keys
    alone (``editor.files.stops``).
    """

    id = "dialog"
    title = ""
    size = (520, 0)
    """Width and height at scale 1; a height of 0 is what the contents need."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.below: object = None
        """What it lies on: another dialog, the tour, or nothing."""
        self._placed: object = None
        self.is_open = False

    @property
    def busy(self) -> str:
        """What it is doing that would be lost with it, as a sentence; empty where it is doing nothing."""
        return ""

    def tag(self, name: str) -> str:
        """The tag of one of its items."""
        return f"dialog:{self.id}:{name}"

    def open(self) -> None:
        """Show it, unless one like it is there already."""
        if dpg.does_item_exist(self.tag("window")):
            return
        self.below = self.app.dialog
        self.app.dialog = self
        self.is_open = True
        self._make()

    def _make(self) -> None:
        app, look = self.app, self.app.look
        self.stops = Stops(app, self.tag("window"))
        flags = {"no_title_bar": True, "no_move": True, "no_resize": True, "no_collapse": True}
        with dpg.window(
            tag=self.tag("shade"),
            pos=(0, 0),
            width=20000,
            height=20000,
            no_saved_settings=True,
            no_scrollbar=True,
            **flags,
        ):
            pass
        dpg.bind_item_theme(self.tag("shade"), _shade(app))
        width, height = self._room()
        with dpg.window(
            tag=self.tag("window"),
            width=width,
            min_size=(width, 40),
            no_saved_settings=True,
            autosize=not height,
            no_scrollbar=bool(height),
            **flags,
        ):
            with dpg.group(horizontal=True):
                dpg.bind_item_font(dpg.add_text(self.title, tag=self.tag("title")), fonts.font("title"))
            dpg.add_spacer(height=look.px(4))
            self.body(self.tag("window"))
        dpg.bind_item_theme(self.tag("window"), "theme:popup")
        if height:
            dpg.configure_item(self.tag("window"), height=height, min_size=(width, height))
        self._place(width, height or look.px(260))
        self._placed = None
        dpg.focus_item(self.tag("window"))
        self.opened()
        app.touch()

    def _room(self) -> tuple[int, int]:
        """Its size in pixels; never more than the viewport has."""
        px = self.app.look.px
        width = min(px(self.size[0]), dpg.get_viewport_client_width() - px(20))
        return width, min(px(self.size[1]), dpg.get_viewport_client_height() - px(20))

    def step(self) -> None:
        """Once a frame while it is the uppermost: it stays in the middle of the window, whatever it has become."""
        width, height = dpg.get_item_rect_size(self.tag("window"))
        place = width, height, dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        if place != self._placed and height:
            self._placed = place
            self._place(width, height)
            self.app.touch()
        self.stops.step()

    def _place(self, width: float, height: float) -> None:
        x = (dpg.get_viewport_client_width() - width) / 2
        y = (dpg.get_viewport_client_height() - height) * (0.5 if self.size[1] else 0.4)
        dpg.set_item_pos(self.tag("window"), [max(round(x), 0), max(round(y), 0)])

    def remake(self) -> None:
        """Make it anew: the look has changed."""
        if self.is_open:
            self._remove()
            self._make()

    def _remove(self) -> None:
        Stops.hide()
        for name in ("window", "shade"):
            if dpg.does_item_exist(self.tag(name)):
                dpg.delete_item(self.tag(name))

    def body(self, parent: Tag) -> None:
        """Make what is in it, inside ``parent``."""
        raise NotImplementedError

    def opened(self) -> None:
        """It is there: the place to give something the keyboard."""

    def frame(self, now: float) -> None:
        """Some 30 times a second while it is the uppermost."""

    def key(self, keys: str) -> None:
        """A key combination: Enter accepts, Escape gives up, and Tab goes through what there is."""
        if self.stops.key(keys):
            return
        if keys == "escape":
            self.cancel()
        elif keys == "enter":
            self.accept()

    def accept(self) -> None:
        """Do what it is for."""

    def cancel(self) -> None:
        """Close it and do nothing."""
        self.close()

    def close(self) -> None:
        """Show it no more."""
        if not self.is_open:
            return
        self.is_open = False
        self._remove()
        self.app.dialog = self.below  # type: ignore[assignment]
        self.app.touch()

    def buttons(self, *rows: tuple[str, str, Callable[[], object], str], parent: Tag) -> None:
        """A row of buttons at the right: name, label, action, theme ("" for the plain one)."""
        px = self.app.look.px
        size = fonts.ROLES["medium"][1] * self.app.look.scale
        widths = [max(px(92), round(fonts.width(label, "medium", size)) + px(34)) for _, label, _, _ in rows]
        total = sum(widths) + px(8) * (len(rows) - 1)
        with dpg.group(horizontal=True, parent=parent, horizontal_spacing=px(8)):
            room = self._room()[0] - px(24)
            dpg.add_spacer(width=max(room - total - px(8), 0))
            for (name, label, action, theme), width in zip(rows, widths, strict=True):
                button = dpg.add_button(
                    label=label, tag=self.tag(name), width=width, height=px(32), callback=partial(action)
                )
                dpg.bind_item_font(button, fonts.font("medium"))
                if theme:
                    dpg.bind_item_theme(button, theme)

    @contextmanager
    def line(self, label: str, parent: Tag) -> Iterator[None]:
        """A label, and beside it what is made inside."""
        px = self.app.look.px
        room = fonts.width(label, "body", fonts.ROLES["body"][1] * self.app.look.scale) if label else 0
        with dpg.group(horizontal=True, parent=parent):
            if label:
                dpg.add_text(label, color=self.app.look.theme.dim)
            gap = 0 if label else px(8)  # which a label has after it
            dpg.add_spacer(width=max(round(px(110) - room), 1) + gap)
            yield

    def words(self, text: str, parent: Tag, tag: str = "", role: fonts.Role = "body", dim: bool = True) -> Tag:
        """A text that is broken into lines."""
        theme = self.app.look.theme
        wrap = self._room()[0] - self.app.look.px(30)
        item = dpg.add_text(
            text, parent=parent, wrap=wrap, color=theme.dim if dim else theme.text, tag=tag or dpg.generate_uuid()
        )
        dpg.bind_item_font(item, fonts.font(role))
        return item


def _shade(app: App) -> Tag:
    """The theme of what darkens the rest."""
    tag = "theme:shade"
    if not dpg.does_item_exist(tag):
        with dpg.theme(tag=tag), dpg.theme_component(dpg.mvAll):
            dpg.add_theme_color(dpg.mvThemeCol_WindowBg, alpha((0, 0, 0, 255), 0.55))
            dpg.add_theme_style(dpg.mvStyleVar_WindowBorderSize, 0)
            dpg.add_theme_style(dpg.mvStyleVar_WindowRounding, 0)
    return tag


class Ask(Dialog):
    """A question with its answers: name, label, action, theme. The last is what Enter does; Escape does nothing."""

    id = "ask"

    def __init__(
        self,
        app: App,
        title: str,
        text: str,
        answers: Sequence[tuple[str, str, Callable[[], object], str]],
        id: str = "ask",
        width: int = 480,
    ) -> None:
        super().__init__(app)
        self.title, self.text, self.id = title, text, id
        self.answers = [(name, label, self._closing(action), theme) for name, label, action, theme in answers]
        self.size = (width, 0)

    def _closing(self, action: Callable[[], object]) -> Callable[[], None]:
        def act() -> None:
            self.close()
            action()

        return act

    def body(self, parent: Tag) -> None:
        self.words(self.text, parent)
        dpg.add_spacer(height=self.app.look.px(12), parent=parent)
        cancel = ("cancel", "Cancel", self.cancel, "")
        self.buttons(cancel, *self.answers, parent=parent)

    def accept(self) -> None:
        self.answers[-1][2]()
