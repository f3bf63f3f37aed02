"""The mouse, once a frame: what it presses, drags and hovers over, given to whoever claimed the item below it."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Any

import dearpygui.dearpygui as dpg

Tag = int | str
DOUBLE_S = 0.45
DOUBLE_FRAMES = 6
"""Two clicks make a double click within so long; or within so many frames, where frames are slow."""
DOUBLE_PX = 8
BUTTONS = (0, 1, 2)
LEFT, RIGHT, MIDDLE = BUTTONS


@dataclass(frozen=True, slots=True)
class Touch:
    """Where the mouse is, in the window and in the item it concerns, in pixels, and what is held with it."""

    screen: tuple[float, float]
    at: tuple[float, float]
    button: int = LEFT
    shift: bool = False
    ctrl: bool = False
    alt: bool = False


class Grip:
    """What can be done with an item. ``press`` answers whether it takes the drag that may follow."""

    def press(self, touch: Touch) -> bool:
        """A button goes down on it."""
        return False

    def drag(self, touch: Touch) -> None:
        """The mouse has moved while it is held."""

    def release(self, touch: Touch) -> None:
        """What was pressed is let go."""

    def double(self, touch: Touch) -> None:
        """The left button was clicked twice on it."""

    def wheel(self, touch: Touch, steps: float) -> None:
        """The wheel was turned over it; up is positive."""

    def hover(self, touch: Touch) -> None:
        """The mouse has moved over it, with nothing held."""

    def leave(self) -> None:
        """The mouse is over it no more."""


class Pointer:
    """Finds out what the mouse does. One item has it from a press to the release."""

    def __init__(self) -> None:
        self._grips: dict[Tag, Grip] = {}
        self._held: tuple[Tag, Grip, int] | None = None
        self._over: tuple[Tag, Grip] | None = None
        self._at = (-1.0, -1.0)
        self._steps = 0
        self._clicked = 0.0, -DOUBLE_FRAMES, self._at
        self._wheel = 0.0
        self._registry: Tag = 0

    def start(self) -> None:
        """Begin to listen for the wheel. Needs a context."""
        with dpg.handler_registry() as self._registry:
            dpg.add_mouse_wheel_handler(callback=self._turned)

    def _turned(self, sender: Any, steps: float) -> None:
        self._wheel += float(steps)

    def claim(self, item: Tag, grip: Grip) -> None:
        """Whatever the mouse does on this item concerns ``grip`` from now on, and nobody before."""
        if self._grips.get(item, grip) is not grip:
            self.free(item)
        self._grips[item] = grip

    def free(self, item: Tag) -> None:
        """Nobody is concerned with this item any more."""
        self._grips.pop(item, None)
        if self._held and self._held[0] == item:
            self._held = None
        if self._over and self._over[0] == item:
            self._over = None

    @property
    def busy(self) -> bool:
        """Whether something is held."""
        return self._held is not None

    @property
    def at(self) -> tuple[float, float]:
        """Where it was last seen."""
        return self._at

    def touch(self, item: Tag, button: int = LEFT) -> Touch:
        """The mouse as this item sees it."""
        x, y = dpg.get_mouse_pos(local=False)
        left, top = dpg.get_item_rect_min(item)
        shift = dpg.is_key_down(dpg.mvKey_LShift) or dpg.is_key_down(dpg.mvKey_RShift)
        ctrl = dpg.is_key_down(dpg.mvKey_LControl) or dpg.is_key_down(dpg.mvKey_RControl)
        alt = dpg.is_key_down(dpg.mvKey_LAlt) or dpg.is_key_down(dpg.mvKey_RAlt)
        return Touch((x, y), (x - left, y - top), button, shift, ctrl, alt)

    def step(self) -> bool:
        """Look at the mouse; call after a frame was drawn. The answer: whether it did anything."""
        self._steps += 1
        x, y = dpg.get_mouse_pos(local=False)
        at = float(x), float(y)
        moved, self._at = at != self._at, at
        wheel, self._wheel = self._wheel, 0.0
        if self._held is not None:
            self._hold(moved)
            return True
        over = self._find() if moved or wheel or any(map(dpg.is_mouse_button_clicked, BUTTONS)) else self._over
        if self._over is not None and (over is None or over[0] != self._over[0]):
            self._over[1].leave()
        self._over = over
        if over is not None:
            self._meet(*over, moved, wheel)
        return moved or bool(wheel) or self._held is not None

    def _hold(self, moved: bool) -> None:
        assert self._held is not None
        item, grip, button = self._held
        if not dpg.does_item_exist(item):
            self.free(item)
            return
        if moved:
            if _far(self._at, self._clicked[2]):
                self._clicked = 0.0, -DOUBLE_FRAMES, self._at  # a drag is no click
            grip.drag(self.touch(item, button))
        if not dpg.is_mouse_button_down(button) and self._held is not None:
            self._held = None
            grip.release(self.touch(item, button))

    def _meet(self, item: Tag, grip: Grip, moved: bool, wheel: float) -> None:
        if dpg.is_mouse_button_clicked(LEFT) and self._is_second():
            grip.double(self.touch(item))
        for button in BUTTONS:
            if dpg.is_mouse_button_clicked(button) and self._held is None and item in self._grips:
                if grip.press(self.touch(item, button)):
                    self._held = item, grip, button
        if wheel and item in self._grips:
            grip.wheel(self.touch(item), wheel)
        if moved and self._held is None and item in self._grips:
            grip.hover(self.touch(item))

    def _is_second(self) -> bool:
        """Whether this click makes a double click. Dear ImGui allows too little time where frames are slow."""
        now, (at, step, before) = monotonic(), self._clicked
        soon = now - at < DOUBLE_S or self._steps - step < DOUBLE_FRAMES
        second = soon and not _far(self._at, before)
        self._clicked = (0.0, -DOUBLE_FRAMES, self._at) if second else (now, self._steps, self._at)
        return second

    def _find(self) -> tuple[Tag, Grip] | None:
        gone = [item for item in self._grips if not dpg.does_item_exist(item)]
        for item in gone:
            self.free(item)
        return next(((item, grip) for item, grip in self._grips.items() if dpg.is_item_hovered(item)), None)


def _far(a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Whether two clicks there cannot be one double click."""
    return abs(a[0] - b[0]) + abs(a[1] - b[1]) >= DOUBLE_PX
