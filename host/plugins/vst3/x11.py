"""A bare window on X11 that a plugin's view is put into; only what that takes of the library, called through ctypes.

The library's own way with errors is to end the process, for instance when a plugin touches a window that is gone. So
errors of requests are written to the log instead, before any plugin gets at the display.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
from ctypes import POINTER, c_char_p, c_int, c_long, c_uint, c_ulong, c_void_p
from functools import cache
from typing import Any, NamedTuple

from host.plugins.errors import PluginError

log = logging.getLogger(__name__)

CONFIGURE, CLIENT_MESSAGE, DESTROY = 22, 33, 17
ENTER, LEAVE = 7, 8
STRUCTURE, ENTERING, LEAVING = 1 << 17, 1 << 4, 1 << 5
INFERIOR = 2
"""The detail of a crossing between the window and one inside it."""
NOTIFY, REDIRECT = 1 << 19, 1 << 20
"""The mask of events about the window itself; and those of events that window managers listen to."""
FROM_A_PAGER = 2
"""Who asks for a window to be active: not an application for itself, which many refuse."""
_ErrorHandler = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)


class _Configure(ctypes.Structure):
    _fields_ = [
        *(("type", c_int), ("serial", c_ulong), ("sent", c_int), ("display", c_void_p)),
        *(("event", c_ulong), ("window", c_ulong)),
        *(("x", c_int), ("y", c_int), ("width", c_int), ("height", c_int)),
    ]


class _Message(ctypes.Structure):
    _fields_ = [
        *(("type", c_int), ("serial", c_ulong), ("sent", c_int), ("display", c_void_p)),
        *(("window", c_ulong), ("kind", c_ulong), ("format", c_int), ("data", c_long * 5)),
    ]


class _Crossing(ctypes.Structure):
    _fields_ = [
        *(("type", c_int), ("serial", c_ulong), ("sent", c_int), ("display", c_void_p)),
        *(("window", c_ulong), ("root", c_ulong), ("inside", c_ulong), ("time", c_ulong)),
        *(("x", c_int), ("y", c_int), ("x_root", c_int), ("y_root", c_int), ("mode", c_int), ("detail", c_int)),
    ]


class _Event(ctypes.Union):
    _fields_ = [
        *(("type", c_int), ("configure", _Configure), ("message", _Message), ("crossing", _Crossing)),
        ("room", c_long * 24),
    ]


class Seen(NamedTuple):
    """What happened to the window: a new size; that a person closed it; that the pointer came in or went out."""

    size: tuple[int, int] | None = None
    closed: bool = False
    entered: bool = False
    left: bool = False


@_ErrorHandler
def _told(display: int, event: int) -> int:
    log.warning("a request to the display failed; a plugin's window may look wrong")
    return 0


@cache
def _library() -> Any:
    name = ctypes.util.find_library("X11")
    if name is None:
        raise PluginError("plugins' windows need libX11, which is not here")
    x = ctypes.CDLL(name)
    x.XInitThreads()
    x.XOpenDisplay.restype = c_void_p
    x.XOpenDisplay.argtypes = [c_char_p]
    x.XDefaultRootWindow.restype = c_ulong
    x.XDefaultRootWindow.argtypes = [c_void_p]
    x.XCreateSimpleWindow.restype = c_ulong
    x.XCreateSimpleWindow.argtypes = [c_void_p, c_ulong, c_int, c_int, c_uint, c_uint, c_uint, c_ulong, c_ulong]
    x.XStoreName.argtypes = [c_void_p, c_ulong, c_char_p]
    x.XInternAtom.restype = c_ulong
    x.XInternAtom.argtypes = [c_void_p, c_char_p, c_int]
    x.XChangeProperty.argtypes = [c_void_p, c_ulong, c_ulong, c_ulong, c_int, c_int, c_char_p, c_int]
    x.XSetWMProtocols.argtypes = [c_void_p, c_ulong, POINTER(c_ulong), c_int]
    x.XSelectInput.argtypes = [c_void_p, c_ulong, c_long]
    x.XResizeWindow.argtypes = [c_void_p, c_ulong, c_uint, c_uint]
    x.XNextEvent.argtypes = [c_void_p, POINTER(_Event)]
    x.XSendEvent.argtypes = [c_void_p, c_ulong, c_int, c_long, POINTER(_Event)]
    for function in (x.XMapRaised, x.XDestroyWindow):
        function.argtypes = [c_void_p, c_ulong]
    for function in (x.XCloseDisplay, x.XConnectionNumber, x.XPending, x.XFlush, x.XSync):
        function.argtypes = [c_void_p] if function is not x.XSync else [c_void_p, c_int]
    return x


class X11Window:
    """A window of our own connection to the display. Raises PluginError where there is no display."""

    def __init__(self, title: str, width: int, height: int) -> None:
        self._x = x = _library()
        self._display = x.XOpenDisplay(None)
        if not self._display:
            raise PluginError("plugins' windows need a display (X11), and there is none")
        x.XSetErrorHandler(_told)
        self.id = x.XCreateSimpleWindow(
            self._display, x.XDefaultRootWindow(self._display), 0, 0, width, height, 0, 0, 0
        )
        x.XSelectInput(self._display, self.id, STRUCTURE | ENTERING | LEAVING)
        self._name(title)
        self._delete = x.XInternAtom(self._display, b"WM_DELETE_WINDOW", 0)
        x.XSetWMProtocols(self._display, self.id, ctypes.byref(c_ulong(self._delete)), 1)
        x.XMapRaised(self._display, self.id)
        x.XSync(self._display, 0)

    def _name(self, title: str) -> None:
        x, raw = self._x, title.encode()
        x.XStoreName(self._display, self.id, title.encode("latin-1", "replace"))
        name, kind = (x.XInternAtom(self._display, word, 0) for word in (b"_NET_WM_NAME", b"UTF8_STRING"))
        x.XChangeProperty(self._display, self.id, name, kind, 8, 0, raw, len(raw))

    @property
    def connection(self) -> int:
        """The file descriptor on which the display speaks."""
        return self._x.XConnectionNumber(self._display)

    def resize(self, width: int, height: int) -> None:
        """Give the window a size."""
        self._x.XResizeWindow(self._display, self.id, width, height)
        self._x.XFlush(self._display)

    def front(self) -> None:
        """Show the window before all others, also where it was made an icon."""
        x, root = self._x, self._x.XDefaultRootWindow(self._display)
        x.XMapRaised(self._display, self.id)
        event = _Event()
        event.message.type, event.message.window, event.message.format = CLIENT_MESSAGE, self.id, 32
        event.message.kind = x.XInternAtom(self._display, b"_NET_ACTIVE_WINDOW", 0)
        event.message.data[0] = FROM_A_PAGER
        x.XSendEvent(self._display, root, 0, REDIRECT | NOTIFY, ctypes.byref(event))
        x.XFlush(self._display)

    def seen(self) -> Seen:
        """What happened since the last call."""
        size, closed, crossed = None, False, {ENTER: False, LEAVE: False}
        event = _Event()
        while self._display and self._x.XPending(self._display) > 0:
            self._x.XNextEvent(self._display, ctypes.byref(event))
            if event.type == CONFIGURE and event.configure.window == self.id:
                size = event.configure.width, event.configure.height
            elif event.type == CLIENT_MESSAGE:
                closed |= event.message.data[0] == self._delete
            elif event.type == DESTROY:
                closed |= event.configure.window == self.id
            elif event.type in crossed and event.crossing.detail != INFERIOR:
                crossed[event.type] = True
        return Seen(size, closed, crossed[ENTER], crossed[LEAVE])

    def close(self) -> None:
        """Take the window away."""
        if self._display:
            self._x.XDestroyWindow(self._display, self.id)
            self._x.XSync(self._display, 0)
            self._x.XCloseDisplay(self._display)
            self._display = None
