"""Datagrams: what python-osc builds is read, and nothing that anyone may send does harm."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from host.remote.wire import DEEPEST, MOST_BYTES, MOST_MESSAGES, Message, WireError, read, write


def built(address: str, *arguments: tuple[str, object]) -> bytes:
    builder = OscMessageBuilder(address)
    for type, value in arguments:
        builder.add_arg(value, type)  # pyright: ignore[reportArgumentType]
    return builder.build().dgram


def bundle(*parts: bytes) -> bytes:
    return b"#bundle\0" + struct.pack(">Q", 1) + b"".join(struct.pack(">i", len(p)) + p for p in parts)


ADDRESS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40).map(lambda t: "/" + t)
ARGUMENT = st.one_of(
    st.tuples(st.just("f"), st.floats(width=32, allow_nan=False)),
    st.tuples(st.just("d"), st.floats(allow_nan=False)),
    st.tuples(st.just("i"), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just("h"), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just("s"), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)),
    st.tuples(st.just("T"), st.just(True)),
    st.tuples(st.just("F"), st.just(False)),
)


@given(address=ADDRESS, arguments=st.lists(ARGUMENT, max_size=8))
def test_what_is_built_is_read(address, arguments) -> None:
    assert read(built(address, *arguments)) == [Message(address, tuple(value for _, value in arguments))]


def test_a_bundle_of_python_osc_is_read_in_order() -> None:
    inner = OscBundleBuilder(IMMEDIATELY)
    inner.add_content(OscMessageBuilder("/b").build())
    outer = OscBundleBuilder(2_000_000_000)  # in the future: not waited for
    outer.add_content(OscMessageBuilder("/a").build())
    outer.add_content(inner.build())
    outer.add_content(OscMessageBuilder("/c").build())
    assert [m.address for m in read(outer.build().dgram)] == ["/a", "/b", "/c"]


def test_a_message_without_types_has_no_arguments() -> None:
    assert read(b"/ab\0") == [Message("/ab")]


@given(data=st.binary(max_size=200))
def test_noise_is_refused_in_words(data: bytes) -> None:
    for datagram in (data, b"/" + data, b"#bundle\0" + data, b"/a\0\0," + data, bundle(b"/a\0\0," + data)):
        with contextlib.suppress(WireError):
            read(datagram)


@given(data=st.data(), arguments=st.lists(ARGUMENT, max_size=6))
def test_one_wrong_byte_does_no_harm(data, arguments) -> None:
    datagram = bytearray(bundle(built("/node/param", *arguments), bundle(built("/x", *arguments))))
    datagram[data.draw(st.integers(0, len(datagram) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(datagram)))
    for each in (bytes(datagram), bytes(datagram[:cut])):
        with contextlib.suppress(WireError):
            read(each)


def nested(depth: int) -> bytes:
    data = write("/a")
    for _ in range(depth):
        data = bundle(data)
    return data


@pytest.mark.parametrize(
    ("datagram", "says"),
    [
        (b"#bundle\0" + bytes(8) + struct.pack(">i", -4), "part of 1 to 0 bytes"),
        (b"#bundle\0" + bytes(8) + struct.pack(">i", -4) + write("/a"), "found -4"),
        (b"#bundle\0" + bytes(8) + struct.pack(">i", 2**31 - 1) + write("/a"), "found 2147483647"),
        (b"#bundle\0" + bytes(8) + struct.pack(">i", 0), "found 0"),
        (b"#bundle\0" + bytes(8) + b"ab", "within a size"),
        (b"#bundle\0ab", "time tag"),
        (nested(DEEPEST + 1), "nest at most"),
        (nested(300), "nest at most"),
        (bundle(*[b"/a\0\0"] * (MOST_MESSAGES + 1)), "messages in a datagram"),
        (bytes(MOST_BYTES + 1), "bytes in a datagram"),
        (b"", "begins with /"),
        (b"/abc\0", "multiple of 4"),
        (b"/" + b"a" * 600 + bytes(3), "address of at most"),
        (b"/a\xff\0", "printable ASCII"),
        (b"/a b\0\0\0\0", "printable ASCII"),
        (b"/abc", "address of at most"),
        (b"/a\0\0," + b"T" * 100 + bytes(3), "arguments of the types"),
        (b"/a\0\0,[f]\0\0\0\0", "arguments of the types"),
        (b"/a\0\0,b\0\0" + struct.pack(">i", -1), "arguments of the types"),
        (b"/a\0\0,f\0\0\0", "multiple of 4"),
        (b"/a\0\0,f\0\0", "as long as"),
        (b"/a\0\0,ff\0" + bytes(4), "as long as"),
        (b"/a\0\0,d\0\0" + bytes(4), "as long as"),
        (b"/a\0\0,s\0\0", "as long as"),
        (b"/a\0\0,sf\0abcd\0\0\0\0", "as long as"),
        (b"/a\0\0,i\0\0" + bytes(8), "as long as"),
        (b"/a\0\0,s\0\0\xff\xfe\0\0", "cannot be read"),
        (b"/a\0\0,s\0\0" + b"x" * 600 + bytes(4), "text of at most"),
    ],
)
def test_what_is_refused(datagram: bytes, says: str) -> None:
    with pytest.raises(WireError, match=says):
        read(datagram)


def test_the_deepest_bundle_there_may_be() -> None:
    assert read(nested(DEEPEST)) == [Message("/a")]
