"""The objects that a VST3 plugin calls on its control threads: streams, messages, the host itself, the edit handler.

A plugin may hold on to an object for longer than it should, count references wrongly and pass anything; so functions
are shared by all objects of a class, headers are never freed, an object that is gone answers "no", and every pointer
and size is checked before it is used.
"""

from __future__ import annotations

import ctypes
import logging
from collections import deque
from collections.abc import Callable
from ctypes import c_double, c_int32, c_int64, c_uint8, c_uint16, c_uint32, c_void_p
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from host.plugins.instance import Notice, NoticeKind
from host.plugins.vst3 import com

log = logging.getLogger(__name__)

MOST_STATE = 256 * 1024 * 1024
"""Bytes of a plugin's state, or of one message."""
MOST_ENTRIES = 4096
"""Attributes of a message."""
MOST_OBJECTS = 65536
"""Messages that are alive at once."""
LONGEST_KEY = 256
MOST_TOUCHED = 4096

Method = tuple[str, Any, tuple[Any, ...]]


REQUESTS: tuple[tuple[int, NoticeKind], ...] = (
    (com.RELOAD, "reload"),
    (com.IO, "layouts"),
    (com.VALUES, "params"),
    (com.LATENCY, "latency"),
    (com.TITLES, "names"),
    (com.MIDI, "controllers"),
)


class Local:
    """An object of ours that plugins call. A subclass names its interfaces, and its functions after the first three."""

    INTERFACES: ClassVar[tuple[bytes, ...]] = ()
    METHODS: ClassVar[tuple[Method, ...]] = ()
    alive: ClassVar[dict[int, Local]] = {}
    _tables: ClassVar[dict[type[Local], tuple[Any, list[Any]]]] = {}
    _free: ClassVar[list[Any]] = []
    _headers: ClassVar[list[Any]] = []

    def __init__(self) -> None:
        if type(self) not in self._tables:
            self._tables[type(self)] = _table(type(self))
        if not self._free:
            self._headers.append((c_void_p * 2)())
            self._free.append(self._headers[-1])
        self._header = self._free.pop()
        self._header[0] = ctypes.addressof(self._tables[type(self)][0])
        self.this: int = ctypes.addressof(self._header)
        self.references = 1
        self.alive[self.this] = self

    def query(self, identifier: int | None, out: int | None) -> int:
        """``queryInterface``."""
        if not out or not identifier:
            return com.INVALID
        wanted = ctypes.string_at(identifier, 16)
        found = self.this if wanted == com.UNKNOWN or wanted in self.INTERFACES else 0
        c_void_p.from_address(out).value = found
        if not found:
            return com.NO_INTERFACE
        self.references += 1
        return com.OK

    def add(self) -> int:
        """``addRef``."""
        self.references += 1
        return self.references

    def let_go(self) -> int:
        """``release``; our own reference is given back with ``done``."""
        if self.references > 1:
            self.references -= 1
            return self.references
        return 1 if self.held() else self.done()

    def held(self) -> bool:
        """Whether the host still needs the object, so that a plugin's references do not end it."""
        return True

    def done(self) -> int:
        """The object is gone; its header is used again for the next one. Gives 0."""
        if self.alive.pop(self.this, None) is not None:
            self._free.append(self._header)
        return 0


def _guarded(kind: type[Local], name: str, fallback: int | None) -> Callable[..., Any]:
    """A method as plugins may call it: with an object that is gone, or so that it fails."""
    method = getattr(kind, name)

    def call(this: int, *arguments: Any) -> Any:
        found = Local.alive.get(this)
        if not isinstance(found, kind):
            return fallback
        try:
            return method(found, *arguments)
        except Exception:
            log.exception("a plugin's call of %s.%s failed", kind.__name__, name)
            return fallback

    return call


def _table(kind: type[Local]) -> tuple[Any, list[Any]]:
    first: tuple[Method, ...] = (
        ("query", c_int32, (c_void_p, c_void_p)),
        ("add", c_uint32, ()),
        ("let_go", c_uint32, ()),
    )
    functions = []
    for name, result, kinds in first + kind.METHODS:
        fallback = com.INTERNAL if result is c_int32 else None if result is None else 0
        functions.append(com.prototype(result, *kinds)(_guarded(kind, name, fallback)))
    return (c_void_p * len(functions))(*(ctypes.cast(f, c_void_p).value for f in functions)), functions


class Stream(Local):
    """IBStream over bytes in memory."""

    INTERFACES = (com.STREAM,)
    METHODS = (
        ("read", c_int32, (c_void_p, c_int32, c_void_p)),
        ("write", c_int32, (c_void_p, c_int32, c_void_p)),
        ("seek", c_int32, (c_int64, c_int32, c_void_p)),
        ("tell", c_int32, (c_void_p,)),
    )

    def __init__(self, data: bytes = b"") -> None:
        super().__init__()
        self.data = bytearray(data)
        self.at = 0

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.done()

    def read(self, target: int | None, size: int, told: int | None) -> int:
        found = bytes(self.data[self.at : self.at + max(size, 0)])
        if found and not target:
            return com.INVALID
        if target:
            ctypes.memmove(target, found, len(found))
        self.at += len(found)
        if told:
            c_int32.from_address(told).value = len(found)
        return com.INVALID if size < 0 else com.OK

    def write(self, source: int | None, size: int, told: int | None) -> int:
        if size < 0 or (size and not source):
            return com.INVALID
        if self.at + size > MOST_STATE:
            return com.OUT_OF_MEMORY
        if source and size:
            self.data.extend(bytes(max(0, self.at - len(self.data))))
            self.data[self.at : self.at + size] = ctypes.string_at(source, size)
            self.at += size
        if told:
            c_int32.from_address(told).value = size
        return com.OK

    def seek(self, offset: int, mode: int, told: int | None) -> int:
        if mode not in (0, 1, 2):
            return com.INVALID
        at = (0, self.at, len(self.data))[mode] + offset
        if not 0 <= at <= MOST_STATE:
            return com.INVALID
        self.at = at
        if told:
            c_int64.from_address(told).value = at
        return com.OK

    def tell(self, told: int | None) -> int:
        if not told:
            return com.INVALID
        c_int64.from_address(told).value = self.at
        return com.OK


class Attributes(Local):
    """IAttributeList."""

    INTERFACES = (com.ATTRIBUTES,)
    METHODS = (
        ("set_value", c_int32, (c_void_p, c_int64)),
        ("get_int", c_int32, (c_void_p, c_void_p)),
        ("set_value", c_int32, (c_void_p, c_double)),
        ("get_float", c_int32, (c_void_p, c_void_p)),
        ("set_text", c_int32, (c_void_p, c_void_p)),
        ("get_text", c_int32, (c_void_p, c_void_p, c_uint32)),
        ("set_bytes", c_int32, (c_void_p, c_void_p, c_uint32)),
        ("get_bytes", c_int32, (c_void_p, c_void_p, c_void_p)),
    )

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[bytes, Any] = {}

    def held(self) -> bool:
        return False

    def _put(self, key: int | None, value: Any) -> int:
        name = com.bytes_at(key, LONGEST_KEY)
        if not key or (name not in self.values and len(self.values) >= MOST_ENTRIES):
            return com.INVALID
        self.values[name] = value
        return com.OK

    def _find(self, key: int | None, kind: Any) -> Any:
        found = self.values.get(com.bytes_at(key, LONGEST_KEY))
        return found if isinstance(found, kind) else None

    def set_value(self, key: int | None, value: float) -> int:
        return self._put(key, value)

    def get_int(self, key: int | None, out: int | None) -> int:
        found = self._find(key, int)
        if found is None or not out:
            return com.FALSE
        c_int64.from_address(out).value = found
        return com.OK

    def get_float(self, key: int | None, out: int | None) -> int:
        found = self._find(key, float)
        if found is None or not out:
            return com.FALSE
        c_double.from_address(out).value = found
        return com.OK

    def set_text(self, key: int | None, text: int | None) -> int:
        units: list[int] = []
        while text and len(units) < MOST_STATE // 64 and (value := c_uint16.from_address(text + 2 * len(units)).value):
            units.append(value)
        return self._put(key, tuple(units)) if text else com.INVALID

    def get_text(self, key: int | None, out: int | None, size: int) -> int:
        found = self._find(key, tuple)
        if found is None or not out or size < 2:
            return com.FALSE
        kept = [*found[: size // 2 - 1], 0]
        ctypes.memmove(out, (c_uint16 * len(kept))(*kept), 2 * len(kept))
        return com.OK

    def set_bytes(self, key: int | None, source: int | None, size: int) -> int:
        if size > MOST_STATE or (size and not source):
            return com.INVALID
        data = ctypes.string_at(source, size) if source else b""
        return self._put(key, (c_uint8 * size).from_buffer_copy(data))

    def get_bytes(self, key: int | None, out: int | None, size: int | None) -> int:
        found = self._find(key, ctypes.Array)
        if found is None or not out or not size:
            return com.FALSE
        c_void_p.from_address(out).value = ctypes.addressof(found)
        c_uint32.from_address(size).value = len(found)
        return com.OK


class Message(Local):
    """IMessage."""

    INTERFACES = (com.MESSAGE,)
    METHODS = (("get_id", c_void_p, ()), ("set_id", None, (c_void_p,)), ("get_attributes", c_void_p, ()))

    def __init__(self) -> None:
        super().__init__()
        self.id = ctypes.create_string_buffer(LONGEST_KEY + 1)
        self.attributes = Attributes()

    def held(self) -> bool:
        return False

    def done(self) -> int:
        self.attributes.done()
        return super().done()

    def get_id(self) -> int:
        return ctypes.addressof(self.id)

    def set_id(self, text: int | None) -> None:
        self.id.value = com.bytes_at(text, LONGEST_KEY)

    def get_attributes(self) -> int:
        return self.attributes.this


class Host(Local):
    """IHostApplication: our name, and a maker of messages."""

    INTERFACES = (com.HOST_APPLICATION,)
    METHODS = (("get_name", c_int32, (c_void_p,)), ("create", c_int32, (c_void_p, c_void_p, c_void_p)))

    def get_name(self, out: int | None) -> int:
        if not out:
            return com.INVALID
        name = "Patchwright\0".encode("utf-16-le")
        ctypes.memmove(out, name, len(name))
        return com.OK

    def create(self, kind: int | None, identifier: int | None, out: int | None) -> int:
        if not out or not kind:
            return com.INVALID
        c_void_p.from_address(out).value = 0
        classes: dict[bytes, type[Local]] = {com.MESSAGE: Message, com.ATTRIBUTES: Attributes}
        wanted = classes.get(ctypes.string_at(kind, 16))
        if wanted is None:
            return com.NO_INTERFACE
        if len(Local.alive) >= MOST_OBJECTS:
            return com.OUT_OF_MEMORY
        c_void_p.from_address(out).value = wanted().this
        return com.OK


class Handler2(Local):
    """IComponentHandler2, of which only that the state became another is taken up."""

    INTERFACES = (com.HANDLER_2,)
    METHODS = (
        ("dirty", c_int32, (c_uint8,)),
        ("refused", c_int32, (c_void_p,)),
        ("grouped", c_int32, ()),
        ("grouped", c_int32, ()),
    )

    def __init__(self, notices: deque[Notice]) -> None:
        super().__init__()
        self._notices = notices

    def dirty(self, on: int) -> int:
        if on:
            self._notices.append(Notice("state"))
        return com.OK

    def refused(self, name: int | None) -> int:
        return com.NOT_IMPLEMENTED

    def grouped(self) -> int:
        return com.OK


class Handler(Local):
    """IComponentHandler: what a person does in the plugin's window, and what the plugin asks for.

    It only writes down: calls may come on any thread, also in the middle of a block. ``moved`` is told of each at once:
    whether the knob is in hand then, and its new value, if it has one.
    """

    INTERFACES = (com.HANDLER,)
    METHODS = (
        ("begin", c_int32, (c_uint32,)),
        ("perform", c_int32, (c_uint32, c_double)),
        ("end", c_int32, (c_uint32,)),
        ("restart", c_int32, (c_int32,)),
    )

    def __init__(self, moved: Callable[[int, bool, float | None], None]) -> None:
        super().__init__()
        self.notices: deque[Notice] = deque(maxlen=4096)
        self.flags: deque[int] = deque(maxlen=4096)
        self._moved = moved
        self._touched: set[int] = set()
        self._second = Handler2(self.notices)

    def query(self, identifier: int | None, out: int | None) -> int:
        code = super().query(identifier, out)
        return self._second.query(identifier, out) if code == com.NO_INTERFACE else code

    def done(self) -> int:
        self._second.done()
        return super().done()

    def begin(self, id: int) -> int:
        if len(self._touched) < MOST_TOUCHED:
            self._touched.add(id)
        self._moved(id, id in self._touched, None)
        self.notices.append(Notice("touch", id))
        return com.OK

    def perform(self, id: int, value: float) -> int:
        value = com.unit(value)
        self._moved(id, id in self._touched, value)
        self.notices.append(Notice("edit", id, value))
        return com.OK

    def end(self, id: int) -> int:
        self._touched.discard(id)
        self._moved(id, False, None)
        self.notices.append(Notice("release", id))
        return com.OK

    def restart(self, flags: int) -> int:
        self.flags.append(flags)
        return com.OK

    def taken(self) -> list[Notice]:
        """What was written down since the last call; each request once."""
        flags = reduce(or_, [self.flags.popleft() for _ in range(len(self.flags))], 0)
        requests = [Notice(kind) for flag, kind in REQUESTS if flags & flag]
        count = len(self.notices)
        return [self.notices.popleft() for _ in range(count)] + requests
