"""Messages: what is sent is what arrives, and nothing wrong gets through, on either side."""

from __future__ import annotations

import dataclasses
import math

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host import messages as m
from host.plugins import messages as of_plugins

EXAMPLES = [
    m.Attach(1, "key"),
    m.Ping(2**53),
    m.Quit(),
    m.SetPatch(7, b"\x00\xff" * 1000, "/a folder/é"),
    m.ChangePatch(8, 7, b"\x00\xff"),
    m.AskPatch(8),
    m.SetParams((("eq", "b1_q", 0.5), ("group/inner", "level_db", -96.0))),
    m.SetPoints("group/inner", "level_db", ((0.0, -6.0, "linear"), (2.5, 0, "hold"))),
    m.Play(),
    m.Stop(),
    m.Locate(0.0),
    m.SetLoop(1.0, 2.5),
    m.SetLoop(None, None),
    m.OpenDevice("Scarlett", "", 48000, 256),
    m.Record(True),
    m.SaveReplay("take.wav", 60.0),
    m.KeepFiles(500),
    m.KeepFiles(None),
    m.Hello(1, 4242, "readings", 3),
    m.Held(m.encode(m.Play())),
    m.Pong(0),
    m.Applied(7, False, (("eq", "nodes.eq", "what is wrong"), ("", "", "x"))),
    m.Status("null", "null", True, 48000, 64, 2, 2, 128, (("out", 64), ("take", 0)), ("a.wav", "b.wav")),
    m.Progress(12, 40),
    m.Notice("warning", "The device is gone."),
    m.ReadingMap(3, (("meter", "peak", 0, 2, ("L", "R")), ("x", "y", 2, 0, ()))),
    of_plugins.OpenPluginWindow("group/fx"),
    of_plugins.ClosePluginWindow("fx"),
    of_plugins.RestartPlugin("fx"),
    of_plugins.AskPlugin(5, "fx", "text", "gain", 0.5, ""),
    of_plugins.AskPlugins(),
    of_plugins.PluginsIn("chain"),
    of_plugins.PluginAnswer(5, "", 0.5, "-6.0", b"\x00state"),
    of_plugins.PluginEdits((("fx", "gain", 0.25, 3, "begin"), ("fx", "gain", 0.5, 3, "perform"))),
    of_plugins.AskPluginStates(6),
    of_plugins.GivePluginState("group/fx"),
    of_plugins.PluginState("fx", b"VST3", True, (("gain", 0.25),)),
    of_plugins.PluginStatesTold(6),
    of_plugins.PluginTitles("fx", (("gain", "Drive", "dB"),)),
    of_plugins.PluginValues("fx", (("gain", 0.25), ("mode", 1.0))),
    of_plugins.PluginStandings((("fx", "ZamComp", "ready", "", "native", 480, True, 1, 1, 2, 3, 4),)),
]


def direction(message: m.Message) -> type[m.Message]:
    return m.ToEngine if isinstance(message, m.ToEngine) else m.FromEngine


@pytest.mark.parametrize("message", EXAMPLES, ids=repr)
def test_a_message_arrives_as_it_was_sent(message):
    back = m.decode(m.encode(message), direction(message))
    assert back == message
    assert type(back) is type(message)


def test_every_message_has_an_example():
    assert {type(example).__name__ for example in EXAMPLES} == set(m.KINDS)
    declared = {
        value.__name__
        for value in (*vars(m).values(), *vars(of_plugins).values())
        if isinstance(value, type) and issubclass(value, m.Message) and dataclasses.is_dataclass(value)
    }
    assert declared == set(m.KINDS)


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda e: type(e).__name__)
def test_the_other_direction_is_refused(message):
    other = m.FromEngine if isinstance(message, m.ToEngine) else m.ToEngine
    with pytest.raises(m.MessageError, match="in this direction"):
        m.decode(m.encode(message), other)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: m.Locate(math.nan), ["Locate.seconds", "not-a-number"]),
        (lambda: m.Locate(math.inf), ["Locate.seconds", "infinity"]),
        (lambda: m.Locate(-1.0), ["Locate.seconds", "-1"]),
        (lambda: m.Locate(True), ["Locate.seconds", "true"]),
        (lambda: m.Locate("0"), ["Locate.seconds", "'0'"]),
        (lambda: m.SetParams((("a b", "q", 1.0),)), ["SetParams.values[0][0]", "a node"]),
        (lambda: m.SetParams((("a", "", 1.0),)), ["SetParams.values[0][1]"]),
        (lambda: m.SetParams((("a", "q", math.nan),)), ["SetParams.values[0][2]"]),
        (lambda: m.SetParams((("a", "q"),)), ["SetParams.values[0]", "a list of 3"]),
        (lambda: m.SetParams("aqx"), ["SetParams.values", "a list"]),
        (lambda: m.SetPoints("a b", "q", ()), ["SetPoints.node", "a node"]),
        (lambda: m.SetPoints("a", "q", "aqx"), ["SetPoints.points", "a list"]),
        (lambda: m.SetPoints("a", "q", ((0.0, 1.0),)), ["SetPoints.points[0]", "[seconds, value, curve]"]),
        (lambda: m.SetPoints("a", "q", ((0.0, math.nan, "hold"),)), ["SetPoints.points[0][1]"]),
        (lambda: m.SetLoop(2.0, 1.0), ["SetLoop", "after 2"]),
        (lambda: m.SetLoop(2.0, None), ["SetLoop", "neither"]),
        (lambda: m.OpenDevice("x", "", 10**9, 0), ["OpenDevice.rate"]),
        (lambda: m.OpenDevice("x" * 1001, "", 0, 0), ["OpenDevice.output", "1001"]),
        (lambda: m.OpenDevice("x\0", "", 0, 0), ["OpenDevice.output", "zero"]),
        (lambda: m.OpenDevice("\ud800", "", 0, 0), ["OpenDevice.output", "UTF-8"]),
        (lambda: m.Record(1), ["Record.on", "true or false"]),
        (lambda: m.KeepFiles(-1), ["KeepFiles.megabytes", "-1"]),
        (lambda: m.KeepFiles(0.5), ["KeepFiles.megabytes", "whole number"]),
        (lambda: m.SetPatch(1, "text", ""), ["SetPatch.patch", "bytes"]),
        (lambda: m.SetPatch(1.0, b"", ""), ["SetPatch.serial", "whole number"]),
        (lambda: m.Notice("loud", ""), ["Notice.level", "info"]),
    ],
)
def test_a_wrong_field_is_refused_where_the_message_is_made(make, words):
    with pytest.raises(m.MessageError) as caught:
        make()
    assert all(word in str(caught.value) for word in words), caught.value
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x93",
        msgpack.packb(None),
        msgpack.packb(["Play"]),
        msgpack.packb(["Play", {}]),
        msgpack.packb(["Play", [1]]),
        msgpack.packb(["Locate", []]),
        msgpack.packb(["Locate", [{"seconds": 1}]]),
        msgpack.packb(["__init__", []]),
        msgpack.packb(["Message", []]),
        msgpack.packb(["Ping", [msgpack.ExtType(1, b"x")]]),
        msgpack.packb(["Play", []]) + b"\x00",
        b"\x92\xa4Play" + b"\x91" * 5000 + b"\x90",
        b"\x92\xa4Play\xdd\xff\xff\xff\xff",
        msgpack.packb(["SetParams", [[["a", "q", 1.0]] * 100_001]]),
    ],
)
def test_bytes_that_are_no_message_are_refused_in_one_line(data):
    with pytest.raises(m.MessageError) as caught:
        m.decode(data, m.ToEngine)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


def round_or_refused(data: bytes, way: type[m.Message]) -> None:
    message, refusal = None, ""
    try:
        message = m.decode(data, way)
    except m.MessageError as error:
        refusal = str(error)
    if message is None:
        assert refusal
        assert "\n" not in refusal
    else:
        assert m.decode(m.encode(message), way) == message


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(data):
    round_or_refused(data, m.ToEngine)


leaves = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary()
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3))


@given(st.sampled_from(sorted(m.KINDS)), st.lists(values, max_size=6))
def test_any_fields_are_a_message_or_refused(name, fields):
    way = m.ToEngine if issubclass(m.KINDS[name], m.ToEngine) else m.FromEngine
    data = msgpack.packb([name, fields], unicode_errors="surrogatepass")
    round_or_refused(data, way)


def test_what_is_too_large_is_not_sent():
    with pytest.raises(m.MessageError, match=r"SetPatch\.patch"):
        m.SetPatch(1, bytes(m.MOST_PATCH_BYTES + 1), "")
    with pytest.raises(m.MessageError, match="Held"):
        m.encode(m.Held(bytes(m.MOST_MESSAGE_BYTES)))


def test_the_largest_patch_can_be_sent_and_handed_on():
    largest = m.encode(m.SetPatch(1, bytes(m.MOST_PATCH_BYTES), "x" * 10_000))
    assert m.decode(m.encode(m.Held(largest)), m.FromEngine) == m.Held(largest)
