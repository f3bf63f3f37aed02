"""The binary interface of VST3 as it is published: identifiers, structures, and calls through tables of functions.

Every call gives a result code or a number that is not to be trusted; who calls checks it. Slots are counted from
``queryInterface``, which is 0 in every interface.
"""

from __future__ import annotations

import ctypes
import math
import sys
from ctypes import c_char, c_double, c_int32, c_uint8, c_uint16, c_uint32, c_void_p
from functools import cache
from typing import Any

OK, FALSE = 0, 1
if sys.platform == "win32":
    NO_INTERFACE, INVALID, NOT_IMPLEMENTED, INTERNAL, OUT_OF_MEMORY = (
        c_int32(code).value for code in (0x80004002, 0x80070057, 0x80004001, 0x80004005, 0x8007000E)
    )
else:
    NO_INTERFACE, INVALID, NOT_IMPLEMENTED, INTERNAL, OUT_OF_MEMORY = -1, 2, 3, 4, 6

Unit16 = c_uint16 * 128
"""A text of up to 128 UTF-16 units; whether it ends in zero is up to the plugin."""
Id = c_char * 16


def iid(text: str) -> bytes:
    """The 16 bytes of an identifier written as 32 hexadecimal digits; Windows keeps the first half in its own order."""
    raw = bytes.fromhex(text)
    if sys.platform == "win32":
        return raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]
    return raw


def hexadecimal(raw: bytes) -> str:
    """The 32 digits that programs and presets write for a class id's 16 bytes."""
    if sys.platform == "win32":
        raw = raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]
    return raw.hex().upper()


UNKNOWN = iid("0000000000000000C000000000000046")
FACTORY_2 = iid("0007B650F24B4C0BA464EDB9F00B2ABB")
FACTORY_3 = iid("4555A2ABC1234E579B12291036878931")
COMPONENT = iid("E831FF31F2D54301928EBBEE25697802")
PROCESSOR = iid("42043F99B7DA453CA569E79D9AAEC33D")
CONTROLLER = iid("DCD7BBE37742448DA874AACC979C759E")
CONNECTION = iid("70A4156F6E6E4026989148BFAA60D8D1")
MIDI_MAPPING = iid("DF0FF9F749B74669B63AB7327ADBF5E5")
UNITS = iid("3D4BD6B5913A4FD2A886E768A5EB92C1")
HOST_APPLICATION = iid("58E595CCDB2D49698B6AAF8C36A664E5")
MESSAGE = iid("936F033BC6C047DBBB0882F813C1E613")
ATTRIBUTES = iid("1E5F0AEBCC7F4533A254401138AD5EE4")
STREAM = iid("C3BF6EA2309947529B6BF9901EE33E9B")
HANDLER = iid("93A0BEA30BD045DB8E890B0CC1E46AC6")
HANDLER_2 = iid("F040B4B3A36045ECABCDC045B4D5A2CC")


class FactoryInfo(ctypes.Structure):
    """PFactoryInfo."""

    _fields_ = [("vendor", c_char * 64), ("url", c_char * 256), ("email", c_char * 128), ("flags", c_int32)]


class ClassInfo(ctypes.Structure):
    """PClassInfo."""

    _fields_ = [("cid", Id), ("cardinality", c_int32), ("category", c_char * 32), ("name", c_char * 64)]


class ClassInfo2(ctypes.Structure):
    """PClassInfo2, which begins as PClassInfo."""

    _fields_ = [
        *ClassInfo._fields_,
        ("flags", c_uint32),
        ("subcategories", c_char * 128),
        ("vendor", c_char * 64),
        ("version", c_char * 64),
        ("sdk", c_char * 64),
    ]


class ClassInfoW(ctypes.Structure):
    """PClassInfoW: the same with names in UTF-16."""

    _fields_ = [
        ("cid", Id),
        ("cardinality", c_int32),
        ("category", c_char * 32),
        ("name", c_uint16 * 64),
        ("flags", c_uint32),
        ("subcategories", c_char * 128),
        ("vendor", c_uint16 * 64),
        ("version", c_uint16 * 64),
        ("sdk", c_uint16 * 64),
    ]


class BusInfo(ctypes.Structure):
    """BusInfo."""

    _fields_ = [
        ("media", c_int32),
        ("direction", c_int32),
        ("channels", c_int32),
        ("name", Unit16),
        ("type", c_int32),
        ("flags", c_uint32),
    ]


class ParameterInfo(ctypes.Structure):
    """ParameterInfo."""

    _fields_ = [
        ("id", c_uint32),
        ("title", Unit16),
        ("short", Unit16),
        ("units", Unit16),
        ("steps", c_int32),
        ("default", c_double),
        ("unit", c_int32),
        ("flags", c_int32),
    ]


class UnitInfo(ctypes.Structure):
    """UnitInfo."""

    _fields_ = [("id", c_int32), ("parent", c_int32), ("name", Unit16), ("list", c_int32)]


class ProgramListInfo(ctypes.Structure):
    """ProgramListInfo."""

    _fields_ = [("id", c_int32), ("name", Unit16), ("count", c_int32)]


class ProcessSetup(ctypes.Structure):
    """ProcessSetup: mode 0 is real time, size 0 is 32-bit."""

    _fields_ = [("mode", c_int32), ("size", c_int32), ("most", c_int32), ("rate", c_double)]


AUDIO, EVENTS = 0, 1
INPUT, OUTPUT = 0, 1
AUX = 1
DEFAULT_ACTIVE = 1
CAN_AUTOMATE, READ_ONLY, WRAP, LIST, HIDDEN, PROGRAM, BYPASS = 1, 2, 4, 8, 16, 1 << 15, 1 << 16

RELOAD, IO, VALUES, LATENCY, TITLES, MIDI = 1, 2, 4, 8, 16, 32
"""Flags of ``restartComponent``."""

# The slots we call, by interface.
QUERY, RELEASE = 0, 2
FACTORY_INFO, COUNT_CLASSES, CLASS_INFO, CREATE, CLASS_INFO_2, CLASS_INFO_W, HOST_CONTEXT = 3, 4, 5, 6, 7, 8, 9
INITIALIZE, TERMINATE = 3, 4
CONTROLLER_CLASS, BUS_COUNT, BUS_INFO, ACTIVATE_BUS, SET_ACTIVE, SET_STATE, GET_STATE = 5, 7, 8, 10, 11, 12, 13
SET_ARRANGEMENTS, GET_ARRANGEMENT, CAN_SAMPLE_SIZE, GET_LATENCY, SETUP, SET_PROCESSING, PROCESS, GET_TAIL = range(3, 11)
(SET_COMPONENT_STATE, C_SET_STATE, C_GET_STATE, PARAM_COUNT, PARAM_INFO, PARAM_TEXT, PARAM_VALUE) = range(5, 12)
GET_PARAM, SET_PARAM, SET_HANDLER, CREATE_VIEW = 14, 15, 16, 17
CONNECT, DISCONNECT = 3, 4
CC_MAPPING = 3
UNIT_COUNT, UNIT_INFO, LIST_COUNT, LIST_INFO, PROGRAM_NAME = 3, 4, 5, 6, 7


@cache
def prototype(result: Any, *arguments: Any) -> Any:
    """A type of function that takes an object first. The interpreter's lock is let go of while it runs."""
    return ctypes.CFUNCTYPE(result, c_void_p, *arguments)


def address(this: int, slot: int) -> int:
    """The address of an object's function."""
    table = c_void_p.from_address(this).value
    return c_void_p.from_address((table or 0) + slot * ctypes.sizeof(c_void_p)).value or 0


class Remote:
    """An object of the plugin's, with one reference that is ours."""

    def __init__(self, this: int) -> None:
        self.this = this

    def call(self, slot: int, *arguments: Any, types: tuple[Any, ...] = (), result: Any = c_int32) -> Any:
        """Call a function of its table. A table without the function counts as "not implemented"."""
        where = address(self.this, slot)
        if not where:
            return NOT_IMPLEMENTED if result is c_int32 else 0
        return prototype(result, *types)(where)(self.this, *arguments)

    def query(self, identifier: bytes) -> Remote | None:
        """Another interface of the same object, or None."""
        found = c_void_p()
        kinds = (ctypes.c_char_p, ctypes.POINTER(c_void_p))
        code = self.call(QUERY, identifier, ctypes.byref(found), types=kinds)
        return Remote(found.value) if code == OK and found.value else None

    def release(self) -> None:
        """Give our reference back."""
        if self.this:
            self.call(RELEASE, result=c_uint32)
            self.this = 0


def text16(units: Any) -> str:
    """A fixed array of UTF-16 units as text, ended by a zero or by the array."""
    return _clean(bytes(units).decode("utf-16-le", "replace"))


def text8(raw: bytes) -> str:
    """Bytes as text."""
    return _clean(raw.decode("utf-8", "replace"))


def _clean(text: str) -> str:
    """Up to the first zero, without what no name has: control characters, and halves of pairs."""
    kept = text.split("\0", 1)[0]
    return "".join(letter for letter in kept if letter.isprintable()).strip()


def bytes_at(where: int | None, most: int) -> bytes:
    """The bytes of a plugin's text up to its zero, at most ``most``; never reads beyond the zero."""
    found = bytearray()
    while where and len(found) < most:
        byte = c_uint8.from_address(where + len(found)).value
        if not byte:
            break
        found.append(byte)
    return bytes(found)


def unit(value: float) -> float:
    """A normalised value, whatever the plugin said."""
    return min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0
