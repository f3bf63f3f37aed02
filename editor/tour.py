"""A short tour of the window: a few places with a few words each, that can be left at any time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.draw import Pen
from editor.layout import Rect, Slot
from editor.theme import alpha

if TYPE_CHECKING:
    from editor.app import App
    from editor.files.panel import Files

WIDTH = 400


@dataclass(frozen=True, slots=True)
class Step:
    """A place, and what to say of it. Without a place it is said in the middle."""

    slot: Slot | None
    title: str
    words: str


def steps(keys: Callable[[str], str]) -> tuple[Step, ...]:
    """The tour; ``keys`` gives the keys of a command as they are shown."""
    find, undo, render = keys("help.commands"), keys("edit.undo"), keys("file.render")
    return (
        Step(
            None,
            "Welcome to Patchwright",
            "A patch is open and plays: music that makes way for a voice. It is a copy, so try what you like.",
        ),
        Step(
            "centre",
            "The canvas",
            "Sound goes from left to right. Drag a cable from pin to pin; drop it on the empty canvas to see what fits "
            "there. Turn a knob by dragging it; the wheel zooms.",
        ),
        Step("left", "Nodes", "Everything you can add. Drag it onto the canvas, or onto a cable to put it in between."),
        Step("right", "The inspector", "Whatever is selected, in full: each value with its unit, curves and meters."),
        Step(
            "bottom",
            "Mixer, automation, snapshots",
            "Levels of all buses, what moves along time, and states to go back to.",
        ),
        Step(
            "top", "The transport", f"Play and stop with Space. {undo} takes back whatever was done; nothing is lost."
        ),
        Step(
            None,
            "Ready",
            f"{find} finds every command. {render} writes the result to a file. The tour is in the Help menu.",
        ),
    )


class Tour:
    """Shows one step after another beside the place it is about; the window can be used meanwhile.

    It takes the keys while it is shown: Enter, Right and Left go on and back, Escape leaves.
    """

    title = "Tour"

    def __init__(self, app: App, files: Files) -> None:
        self.app, self.files = app, files
        self.at = 0
        self.steps = steps(self._keys)
        self._below: object = None
        self._key: object = None

    def _keys(self, command: str) -> str:
        from editor.commands import shown

        keys = self.app.commands.keys_of(command) if command in self.app.commands else ()
        return shown(keys[0]) if keys else "The menu"

    def open(self) -> None:
        """Begin."""
        if isinstance(self.app.dialog, Tour):
            return
        self._below, self.app.dialog = self.app.dialog, self
        self._show()

    def _show(self) -> None:
        self._remove()
        step, look = self.steps[self.at], self.app.look
        px, theme = look.px, look.theme
        place = self.app.slots.get(step.slot) if step.slot else None
        flags = {"no_title_bar": True, "no_move": True, "no_resize": True, "no_scrollbar": True, "autosize": True}
        x, y = self._where(place)
        with dpg.window(tag="tour:window", pos=(x, y), min_size=(px(WIDTH), 40), no_saved_settings=True, **flags):
            dpg.bind_item_font(dpg.add_text(step.title, tag="tour:title"), fonts.font("title"))
            dpg.add_text(step.words, wrap=px(WIDTH - 30), color=theme.dim)
            dpg.add_spacer(height=px(6))
            with dpg.group(horizontal=True):
                last = self.at == len(self.steps) - 1
                dpg.add_button(
                    label="Done" if last else "Next",
                    tag="tour:next",
                    width=px(90),
                    height=px(30),
                    callback=lambda: self.go(1),
                )
                dpg.bind_item_theme("tour:next", "theme:accent")
                if self.at:
                    dpg.add_button(label="Back", tag="tour:back", height=px(30), callback=lambda: self.go(-1))
                if not last:
                    dpg.add_button(label="Skip the tour", tag="tour:skip", height=px(30), callback=lambda: self.close())
                    dpg.bind_item_theme("tour:skip", "theme:flat")
                dots = dpg.add_text(f"{self.at + 1} / {len(self.steps)}", color=theme.faint)
                dpg.bind_item_font(dots, fonts.font("small"))
        dpg.bind_item_theme("tour:window", "theme:popup")
        if place is not None:
            dpg.add_viewport_drawlist(tag="tour:frame", front=True)
            pen = Pen("tour:frame", look)
            a, b = (place.x + 1, place.y + 1), (place.x + place.width - 1, place.y + place.height - 1)
            pen.box(a, b, line=theme.accent, radius=px(6))
            pen.box((a[0] - 1, a[1] - 1), (b[0] + 1, b[1] + 1), line=alpha(theme.accent, 0.4), radius=px(7))
        self._key = self._state()
        self.app.touch()

    def _state(self) -> object:
        return id(self.app.look), tuple(self.app.slots.items())

    def _where(self, place: Rect | None) -> tuple[int, int]:
        """Where the words stand: beside their place, and on the window."""
        width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        w, h, gap = self.app.look.px(WIDTH), self.app.look.px(190), self.app.look.px(16)
        if place is None:
            return round((width - w) / 2), round(height * 0.36)
        if place.height < height * 0.2 or place.width > width * 0.9:
            x = place.x + gap
            y = place.y + place.height + gap if place.y < height / 2 else place.y - h - gap
        elif place.width < width / 3:
            x, y = (place.x + place.width + gap if place.x < width / 2 else place.x - w - gap), place.y + gap * 3
        else:
            x, y = place.x + (place.width - w) / 2, place.y + place.height - h - gap
        return round(min(max(x, gap), width - w - gap)), round(min(max(y, gap), height - h - gap))

    def frame(self, now: float) -> None:
        """Follow the window when it changes."""
        if self._key != self._state():
            self._show()

    def go(self, by: int) -> None:
        """To the next step, or another; past the last it is over."""
        self.at += by
        if self.at >= len(self.steps):
            self.close()
            return
        self.at = max(self.at, 0)
        self._show()

    def key(self, keys: str) -> None:
        """Enter and the arrows move, Escape leaves; Space plays, as ever."""
        match keys:
            case "enter" | "right":
                self.go(1)
            case "left":
                self.go(-1)
            case "escape":
                self.close()
            case "space":
                self.app.command("sound.play")

    def close(self) -> None:
        """It is over, and is not shown again by itself."""
        self._remove()
        if self.app.dialog is self:
            self.app.dialog = self._below  # type: ignore[assignment]
        self.files.choose_settings(toured=True)
        self.app.touch()

    @staticmethod
    def _remove() -> None:
        for tag in ("tour:window", "tour:frame"):
            if dpg.does_item_exist(tag):
                dpg.delete_item(tag)
