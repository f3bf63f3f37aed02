"""What the mouse does on the canvas, handed to whom it concerns: the map, the way back, notices, gestures, menus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from editor.canvas.held import Keys
from editor.canvas.view import Point
from editor.pointer import Grip, Touch

if TYPE_CHECKING:
    from editor.canvas.panel import Canvas


class CanvasGrip(Grip):
    """What the mouse does on the canvas."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self._map = False
        self._right: Point | None = None

    def press(self, touch: Touch) -> bool:
        canvas = self.canvas
        if canvas.session.level != canvas._level:
            return False  # the first of two clicks has led elsewhere, and what is drawn is not there
        self._map = touch.button == 0 and canvas.minimap.holds(*touch.at, canvas.size)
        if self._map:
            canvas.show(canvas.minimap.view_at(*touch.at, canvas.gestures.view, canvas.size))
            return True
        toast = canvas.app.toasts.at(*touch.screen) if touch.button == 0 else None
        if toast is not None:
            canvas.app.notices.dismiss(toast)
            return False
        back = canvas.overlay.crumb_at(touch.at) if touch.button == 0 else None
        if back is not None:
            canvas.session.go(back)
            return False
        self._right = touch.screen if touch.button == 1 else None
        canvas.popups.close_hint()
        canvas.gestures.press(touch.at, touch.button, Keys(touch.shift, touch.ctrl, touch.alt))
        return True

    def drag(self, touch: Touch) -> None:
        if self._map:
            canvas = self.canvas
            canvas.show(canvas.minimap.view_at(*touch.at, canvas.gestures.view, canvas.size))
            return
        self.canvas.dragged(touch)

    def release(self, touch: Touch) -> None:
        canvas = self.canvas
        if self._map:
            self._map = False
            return
        moved = canvas.gestures.held.moved if canvas.gestures.held else True
        canvas.gestures.release(touch.at)
        canvas.moved(touch)
        canvas._show_hand()
        if self._right is not None and not moved:
            canvas.popups.menu(touch)
        self._right = None

    def double(self, touch: Touch) -> None:
        canvas = self.canvas
        if canvas.gestures.reset(touch.at):
            return
        hit = canvas.scene.at(*canvas.gestures.view.to_plane(*touch.at))
        face = canvas.scene.shapes[hit.node].face if hit.node else None
        if face is not None and face.kind == "group":
            canvas.session.enter(hit.node)
        elif face is not None and face.about is not None:
            canvas.app.command("plugins.window")
        elif hit.frame is not None:
            canvas.popups.edit_frame(hit.frame)
        elif not hit.node and hit.pin is None and hit.cable is None:
            canvas.popups.search(canvas.gestures.view.to_plane(*touch.at))

    def wheel(self, touch: Touch, steps: float) -> None:
        canvas = self.canvas
        if touch.shift:
            canvas.show(canvas.gestures.view.panned(steps * 60, 0))
        else:
            canvas.show(canvas.gestures.view.zoomed(1 if steps > 0 else -1, touch.at))

    def hover(self, touch: Touch) -> None:
        self.canvas.moved(touch)

    def leave(self) -> None:
        self.canvas.popups.close_hint()
