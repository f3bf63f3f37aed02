"""The objects that plugins call, called as a plugin calls them, with whatever it may pass."""

from __future__ import annotations

import ctypes
from ctypes import c_double, c_int32, c_int64, c_uint8, c_uint32, c_void_p

import pytest

from host.plugins.vst3 import com
from host.plugins.vst3.com import Remote
from host.plugins.vst3.objects import MOST_STATE, Attributes, Handler, Host, Local, Message, Stream

SIZED = (c_void_p, c_int32, c_void_p)


def stream(data: bytes = b"") -> tuple[Stream, Remote]:
    made = Stream(data)
    return made, Remote(made.this)


def test_a_stream_is_read_and_written() -> None:
    made, remote = stream(b"abcdef")
    target, told = ctypes.create_string_buffer(8), c_int32(9)
    assert remote.call(3, target, 4, ctypes.byref(told), types=SIZED) == com.OK
    assert (target.raw[:5], told.value) == (b"abcd\0", 4)
    assert remote.call(3, target, 4, None, types=SIZED) == com.OK
    assert target.raw[:4] == b"efcd"
    assert remote.call(3, target, 4, ctypes.byref(told), types=SIZED) == com.OK
    assert told.value == 0
    assert remote.call(4, b"XYZ", 3, ctypes.byref(told), types=SIZED) == com.OK
    assert (bytes(made.data), told.value) == (b"abcdefXYZ", 3)
    where = c_int64()
    kinds = (c_int64, c_int32, c_void_p)
    for offset, mode, at in ((2, 0, 2), (3, 1, 5), (-1, 2, 8), (12, 0, 12)):
        assert remote.call(5, offset, mode, ctypes.byref(where), types=kinds) == com.OK
        assert where.value == at
    assert remote.call(6, ctypes.byref(where), types=(c_void_p,)) == com.OK
    assert where.value == 12
    assert remote.call(4, b"!", 1, None, types=SIZED) == com.OK
    assert bytes(made.data) == b"abcdefXYZ\0\0\0!"


def test_a_stream_refuses_what_cannot_be() -> None:
    made, remote = stream(b"abc")
    buffer = ctypes.create_string_buffer(8)
    assert remote.call(3, None, 2, None, types=SIZED) != com.OK
    assert remote.call(3, buffer, -1, None, types=SIZED) != com.OK
    assert remote.call(4, None, 2, None, types=SIZED) != com.OK
    assert remote.call(4, buffer, -5, None, types=SIZED) != com.OK
    for offset, mode in ((-1, 0), (MOST_STATE + 1, 0), (1 << 62, 1), (0, 3), (0, -1), (-4, 2)):
        assert remote.call(5, offset, mode, None, types=(c_int64, c_int32, c_void_p)) != com.OK
    assert remote.call(5, MOST_STATE, 0, None, types=(c_int64, c_int32, c_void_p)) == com.OK
    assert remote.call(4, buffer, 1, None, types=SIZED) == com.OUT_OF_MEMORY
    assert remote.call(6, None, types=(c_void_p,)) != com.OK
    assert bytes(made.data) == b"abc"


def test_an_object_that_is_gone_says_no() -> None:
    made, remote = stream(b"abc")
    made.done()
    buffer = ctypes.create_string_buffer(8)
    assert remote.call(3, buffer, 2, None, types=SIZED) != com.OK
    assert remote.call(2, result=c_uint32) == 0
    assert remote.query(com.STREAM) is None


def test_references_do_not_end_what_the_host_still_needs() -> None:
    made, remote = stream(b"abc")
    for _ in range(5):
        remote.call(2, result=c_uint32)
    assert Local.alive[made.this] is made
    other = remote.query(com.STREAM)
    assert other is not None
    assert other.this == made.this
    assert remote.query(com.MESSAGE) is None
    kinds = (c_void_p, c_void_p)
    assert remote.call(0, None, None, types=kinds) != com.OK
    assert remote.call(0, com.STREAM, None, types=(ctypes.c_char_p, c_void_p)) != com.OK


def test_messages_are_made_kept_and_let_go() -> None:
    host = Host()
    remote = Remote(host.this)
    found = c_void_p()
    kinds = (ctypes.c_char_p, ctypes.c_char_p, c_void_p)
    before = len(Local.alive)
    assert remote.call(4, com.MESSAGE, com.MESSAGE, ctypes.byref(found), types=kinds) == com.OK
    assert isinstance(Local.alive[found.value or 0], Message)
    message = Remote(found.value or 0)
    message.call(4, b"x" * 5000, types=(ctypes.c_char_p,), result=None)
    name = message.call(3, result=c_void_p)
    assert ctypes.string_at(name) == b"x" * 256
    message.call(4, None, types=(ctypes.c_char_p,), result=None)
    assert ctypes.string_at(message.call(3, result=c_void_p)) == b""
    assert message.call(2, result=c_uint32) == 0
    assert len(Local.alive) == before
    assert remote.call(4, com.STREAM, com.STREAM, ctypes.byref(found), types=kinds) == com.NO_INTERFACE
    assert found.value is None
    assert remote.call(4, com.MESSAGE, com.MESSAGE, None, types=kinds) != com.OK
    text = (ctypes.c_uint16 * 128)()
    assert remote.call(3, text, types=(c_void_p,)) == com.OK
    assert com.text16(text) == "Patchwright"


def test_attributes_give_back_what_was_put_in() -> None:
    made = Attributes()
    remote = Remote(made.this)
    whole, part, text = c_int64(), c_double(), (ctypes.c_uint16 * 4)(*[7] * 4)
    key = ctypes.c_char_p
    assert remote.call(3, b"i", -5, types=(key, c_int64)) == com.OK
    assert remote.call(4, b"i", ctypes.byref(whole), types=(key, c_void_p)) == com.OK
    assert remote.call(5, b"f", 0.5, types=(key, c_double)) == com.OK
    assert remote.call(6, b"f", ctypes.byref(part), types=(key, c_void_p)) == com.OK
    assert (whole.value, part.value) == (-5, 0.5)
    assert remote.call(6, b"i", ctypes.byref(part), types=(key, c_void_p)) != com.OK
    assert remote.call(4, b"none", ctypes.byref(whole), types=(key, c_void_p)) != com.OK
    long = "longer".encode("utf-16-le") + b"\0\0"
    assert remote.call(7, b"t", long, types=(key, key)) == com.OK
    assert remote.call(8, b"t", text, 6, types=(key, c_void_p, c_uint32)) == com.OK
    assert list(text) == [ord("l"), ord("o"), 0, 7]
    assert remote.call(8, b"t", text, 1, types=(key, c_void_p, c_uint32)) != com.OK
    where, size = c_void_p(), c_uint32()
    for data in (b"\0\1\2", b""):
        assert remote.call(9, b"b", data, len(data), types=(key, key, c_uint32)) == com.OK
        kinds = (key, c_void_p, c_void_p)
        assert remote.call(10, b"b", ctypes.byref(where), ctypes.byref(size), types=kinds) == com.OK
        assert ctypes.string_at(where.value or 0, size.value) == data
    for slot, kinds in ((4, (c_void_p,)), (7, (c_void_p,)), (9, (c_void_p, c_uint32))):
        assert remote.call(slot, None, *(0 for _ in kinds), types=(key, *kinds)) != com.OK
    assert remote.call(9, b"b", None, 5, types=(key, c_void_p, c_uint32)) != com.OK
    assert remote.call(9, b"b", b"", MOST_STATE + 1, types=(key, c_void_p, c_uint32)) != com.OK


def test_a_message_does_not_grow_without_end() -> None:
    remote = Remote(Attributes().this)
    codes = [remote.call(3, str(k).encode(), k, types=(ctypes.c_char_p, c_int64)) for k in range(5000)]
    assert codes[0] == com.OK
    assert codes[-1] != com.OK


def test_the_handler_writes_down_each_request_once() -> None:
    edits: list[tuple[float | None, ...]] = []
    made = Handler(lambda *edit: edits.append(edit))
    remote = Remote(made.this)
    for value in (0.5, 2.0, float("nan")):
        assert remote.call(4, 7, value, types=(c_uint32, c_double)) == com.OK
    for _ in range(100):
        remote.call(6, com.LATENCY | com.VALUES, types=(c_int32,))
    assert edits == [(7, False, 0.5), (7, False, 1.0), (7, False, 0.0)]
    assert [n.kind for n in made.taken()] == ["edit", "edit", "edit", "params", "latency"]
    assert made.taken() == []
    for _ in range(10000):
        remote.call(4, 7, 0.5, types=(c_uint32, c_double))
    assert len(made.taken()) == 4096


def test_a_knob_is_in_hand_from_begin_to_end_and_a_state_that_changed_is_told() -> None:
    moves: list[tuple[int, bool, float | None]] = []
    made = Handler(lambda *move: moves.append(move))
    remote = Remote(made.this)
    remote.call(3, 7, types=(c_uint32,))
    remote.call(4, 7, 0.5, types=(c_uint32, c_double))
    remote.call(5, 7, types=(c_uint32,))
    assert moves == [(7, True, None), (7, True, 0.5), (7, False, None)]
    second = remote.query(com.HANDLER_2)
    assert second is not None
    assert second.call(3, 0, types=(c_uint8,)) == com.OK
    assert second.call(3, 1, types=(c_uint8,)) == com.OK
    assert second.call(4, b"editor", types=(ctypes.c_char_p,)) == com.NOT_IMPLEMENTED
    assert (second.call(5), second.call(6)) == (com.OK, com.OK)
    assert [n.kind for n in made.taken()] == ["touch", "edit", "release", "state"]


def test_a_failing_method_is_an_error_code(caplog) -> None:
    def fails(id: int, held: bool, value: float | None) -> None:
        raise RuntimeError("on purpose")

    remote = Remote(Handler(fails).this)
    assert remote.call(4, 7, 0.5, types=(c_uint32, c_double)) == com.INTERNAL
    assert "on purpose" in caplog.text


def test_a_table_without_a_function_counts_as_not_implemented() -> None:
    table = (c_void_p * 20)()
    header = (c_void_p * 1)(ctypes.addressof(table))
    remote = Remote(ctypes.addressof(header))
    assert remote.call(3) == com.NOT_IMPLEMENTED
    assert remote.call(3, result=c_uint32) == 0


@pytest.mark.parametrize("text", ["DCD7BBE37742448DA874AACC979C759E", "00000000000000000000000000000000"])
def test_identifiers_there_and_back(text) -> None:
    assert com.hexadecimal(com.iid(text)) == text
    assert len(com.iid(text)) == 16


def test_texts_are_read_no_further_than_their_zero() -> None:
    assert com.bytes_at(None, 10) == b""
    kept = ctypes.create_string_buffer(b"abc\0def")
    assert com.bytes_at(ctypes.addressof(kept), 10) == b"abc"
    assert com.bytes_at(ctypes.addressof(kept), 2) == b"ab"
