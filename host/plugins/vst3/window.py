"""A plugin's own window: its view (IPlugView) in a window of ours, and the loop of events that it asks us to run."""

from __future__ import annotations

import ctypes
import select
import sys
import time
from collections.abc import Callable
from ctypes import c_char_p, c_int32, c_uint64, c_void_p

from host.plugins.errors import PluginError
from host.plugins.instance import Notice
from host.plugins.vst3 import com
from host.plugins.vst3.com import Remote
from host.plugins.vst3.objects import Local
from host.plugins.vst3.x11 import X11Window

VIEW_SUPPORTS, VIEW_ATTACHED, VIEW_REMOVED, VIEW_SIZE, VIEW_ON_SIZE = 3, 4, 5, 9, 10
VIEW_SET_FRAME, VIEW_CAN_RESIZE, VIEW_CONSTRAIN = 12, 13, 14
ON_EVENT = 3
"""``onFDIsSet`` of an event handler, and ``onTimer`` of a timer handler."""
PLATFORM = b"X11EmbedWindowID"
FRAME = com.iid("367FAF01AFA946938D4DA2A0ED0882A3")
RUN_LOOP = com.iid("18C3536697764F1A9C5B83857A871389")
LARGEST = 16384
MOST_HANDLERS = 256
FASTEST_S = 0.001


class Rect(ctypes.Structure):
    """ViewRect."""

    _fields_ = [("left", c_int32), ("top", c_int32), ("right", c_int32), ("bottom", c_int32)]

    def size(self) -> tuple[int, int]:
        """Width and height. Raises PluginError where they make no sense."""
        width, height = self.right - self.left, self.bottom - self.top
        if not 1 <= width <= LARGEST or not 1 <= height <= LARGEST:
            raise PluginError(f"the plugin's window would be {width} by {height} pixels")
        return width, height


class RunLoop(Local):
    """IRunLoop: files and timers that the plugin wants to hear of, on the thread of its window."""

    INTERFACES = (RUN_LOOP,)
    METHODS = (
        ("add_file", c_int32, (c_void_p, c_int32)),
        ("remove_file", c_int32, (c_void_p,)),
        ("add_timer", c_int32, (c_void_p, c_uint64)),
        ("remove_timer", c_int32, (c_void_p,)),
    )

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[int, int] = {}
        """File descriptors by handler."""
        self.timers: dict[int, tuple[float, float]] = {}
        """Period and next time, in seconds, by handler."""

    def add_file(self, handler: int | None, file: int) -> int:
        if not handler or file < 0 or len(self.files) >= MOST_HANDLERS:
            return com.INVALID
        self.files[handler] = file
        return com.OK

    def remove_file(self, handler: int | None) -> int:
        return com.OK if self.files.pop(handler or 0, None) is not None else com.INVALID

    def add_timer(self, handler: int | None, milliseconds: int) -> int:
        if not handler or len(self.timers) >= MOST_HANDLERS:
            return com.INVALID
        period = max(milliseconds / 1000, FASTEST_S)
        self.timers[handler] = period, time.monotonic() + period
        return com.OK

    def remove_timer(self, handler: int | None) -> int:
        return com.OK if self.timers.pop(handler or 0, None) is not None else com.INVALID

    def turn(self, other: int, seconds: float) -> None:
        """Wait until something is due, at most so long, and tell whom it concerns. ``other`` is one more file."""
        due = min((at for _, at in self.timers.values()), default=float("inf"))
        wait = max(0.0, min(seconds, due - time.monotonic()))
        try:
            ready, _, _ = select.select([other, *set(self.files.values())], [], [], wait)
        except (OSError, ValueError):
            ready = self._forget_closed()
        for handler, file in list(self.files.items()):
            if file in ready and handler in self.files:
                Remote(handler).call(ON_EVENT, file, types=(c_int32,), result=None)
        now = time.monotonic()
        for handler, (period, at) in list(self.timers.items()):
            if at <= now and handler in self.timers:
                self.timers[handler] = period, now + period
                Remote(handler).call(ON_EVENT, result=None)

    def _forget_closed(self) -> list[int]:
        """A plugin closed a file that it wanted to hear of."""
        for handler, file in list(self.files.items()):
            try:
                select.select([file], [], [], 0)
            except (OSError, ValueError):
                del self.files[handler]
        return []


class Frame(Local):
    """IPlugFrame: the plugin wants another size, or the loop of events."""

    INTERFACES = (FRAME,)
    METHODS = (("resize", c_int32, (c_void_p, c_void_p)),)

    def __init__(self, loop: RunLoop, wanted: Callable[[tuple[int, int]], None]) -> None:
        super().__init__()
        self._loop = loop
        self._wanted = wanted

    def query(self, identifier: int | None, out: int | None) -> int:
        code = super().query(identifier, out)
        return self._loop.query(identifier, out) if code == com.NO_INTERFACE else code

    def resize(self, view: int | None, rect: int | None) -> int:
        if not rect:
            return com.INVALID
        try:
            self._wanted(Rect.from_address(rect).size())
        except PluginError:
            return com.INVALID
        return com.OK


class PluginWindow:
    """The open window of one plugin. All of it belongs to one thread, which calls ``turn`` over and over."""

    def __init__(self, controller: Remote, title: str, say: Callable[[Notice], object] = lambda notice: None) -> None:
        if not sys.platform.startswith("linux"):
            raise PluginError("our own host opens plugins' windows on X11 only; use the panel of its params")
        found = controller.call(com.CREATE_VIEW, b"editor", types=(c_char_p,), result=c_void_p)
        if not found:
            raise PluginError("the plugin has no window; use the panel of its params")
        self._view = Remote(found)
        self._say = say
        self._window: X11Window | None = None
        self._loop = RunLoop()
        self._frame = Frame(self._loop, self._resize)
        self._attached = False
        self.size = (0, 0)
        try:
            self._open(title)
        except PluginError:
            self.close()
            raise

    def _open(self, title: str) -> None:
        if self._view.call(VIEW_SUPPORTS, PLATFORM, types=(c_char_p,)) != com.OK:
            raise PluginError("the plugin's window is not for X11; use the panel of its params")
        rect = Rect()
        if self._view.call(VIEW_SIZE, ctypes.byref(rect), types=(c_void_p,)) != com.OK:
            rect = Rect(0, 0, 640, 480)
        self.size = rect.size()
        self._window = X11Window(title, *self.size)
        self._view.call(VIEW_SET_FRAME, self._frame.this, types=(c_void_p,))
        code = self._view.call(VIEW_ATTACHED, self._window.id, PLATFORM, types=(c_void_p, c_char_p))
        if code != com.OK:
            raise PluginError(f"the plugin did not put its view into the window (attached gave {code})")
        self._attached = True

    @property
    def open(self) -> bool:
        """Whether it is there."""
        return self._window is not None

    def front(self) -> None:
        """Bring it before all others."""
        if self._window is not None:
            self._window.front()

    def _resize(self, size: tuple[int, int]) -> None:
        """The plugin wants a size: the window gets it, and the view is told, as the interface has it."""
        if self._window is not None:
            self.size = size
            self._window.resize(*size)
            self._tell_size()

    def _tell_size(self) -> None:
        self._view.call(VIEW_ON_SIZE, ctypes.byref(Rect(0, 0, *self.size)), types=(c_void_p,))

    def turn(self, seconds: float = 0.0) -> None:
        """Let the plugin and the display have their say; wait at most so long for either."""
        if self._window is None:
            return
        self._loop.turn(self._window.connection, seconds)
        if self._window is None:
            return
        seen = self._window.seen()
        if seen.entered:
            self._say(Notice("entered"))
        if seen.left:
            self._say(Notice("left"))
        if seen.closed:
            self.close()
        elif seen.size is not None and seen.size != self.size:
            self._resized(seen.size)

    def _resized(self, size: tuple[int, int]) -> None:
        """A person gave the window a size; a view that cannot have it keeps its own."""
        rect = Rect(0, 0, *size)
        if self._view.call(VIEW_CAN_RESIZE) == com.OK:
            self._view.call(VIEW_CONSTRAIN, ctypes.byref(rect), types=(c_void_p,))
            self.size = rect.size()
        if self._window is not None and self.size != size:
            self._window.resize(*self.size)
        self._tell_size()

    def close(self) -> None:
        """Take view and window away; more than once is harmless."""
        if self._attached:
            self._attached = False
            self._view.call(VIEW_REMOVED)
        if self._view.this:
            self._view.call(VIEW_SET_FRAME, None, types=(c_void_p,))
            self._view.release()
            self._frame.done()
            self._loop.done()
        if self._window is not None:
            window, self._window = self._window, None
            window.close()
