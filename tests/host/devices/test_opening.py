"""Devices open by name, with the native callback, in blocks of any size; what is not there is said."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from host.devices import Choice, DeviceError, devices, open_device, portaudio
from host.devices.kinds import NULL_DEVICE
from host.devices.opening import best_rate, likely
from host.devices.stream import Stream
from host.devices.system import try_thread
from host.native.relay import Relay

from .conftest import FLAGS, LARGEST, SMALLEST, Counting, frames_without_interpreter, until


@pytest.fixture
def said():
    return []


def test_a_device_opens_by_name_and_calls_natively(jack, said):
    renderer = Counting()
    device = open_device(Choice("system"), renderer, inputs=2, outputs=2, rate=48000, notice=said.append)
    try:
        assert (device.name, device.api) == ("system", "JACK Audio Connection Kit")
        assert device.native
        assert (device.rate, device.block, device.inputs, device.outputs) == (48000, 64, 2, 2)
        assert renderer.callbacks == 0
        device.start()
        until(lambda: renderer.callbacks > 50)
        assert device.alive()
        assert renderer.prepared == [(2, 2, 64)]
        assert renderer.words[SMALLEST] == renderer.words[LARGEST] == 64
        device.stop()
        stopped = renderer.callbacks
        assert not device.alive()
        device.start()
        until(lambda: renderer.callbacks > stopped + 10)
    finally:
        device.close()
    assert said == []


@pytest.mark.parametrize(("period", "block", "asked"), [(128, 0, 128), (100, 0, 100), (64, 128, 128), (64, 100, 100)])
def test_blocks_of_any_size(jack, said, period, block, asked):
    jack.stop()
    jack.start(period)
    portaudio.restart()
    renderer = Counting()
    device = open_device(Choice("system", block=block), renderer, inputs=0, outputs=2, rate=48000, notice=said.append)
    try:
        device.start()
        until(lambda: renderer.callbacks > 20)
        assert device.block == asked
        assert renderer.prepared == [(0, 2, asked)]
        assert renderer.words[SMALLEST] == renderer.words[LARGEST] == asked
        assert device.alive()
    finally:
        device.close()
    assert said == []


def test_calls_need_no_interpreter(jack, said):
    renderer = Counting()
    device = open_device(Choice("system"), renderer, inputs=0, outputs=1, rate=48000, notice=said.append)
    try:
        device.start()
        until(lambda: renderer.callbacks)
        assert frames_without_interpreter(renderer) > 640
    finally:
        device.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux leaves this to the programs")
def test_the_thread_that_calls_goes_first_where_that_is_granted(jack, said):
    """The server of the tests runs without realtime scheduling, so its clients get none from it."""
    expected = os.SCHED_FIFO if try_thread().granted else os.SCHED_OTHER
    device = open_device(Choice("system"), Counting(), inputs=0, outputs=1, rate=48000, notice=said.append)
    assert isinstance(device, Stream)
    try:
        for _ in range(2):
            device.start()
            thread = device.relay.thread
            assert thread not in (0, os.getpid())
            assert os.sched_getscheduler(thread) == expected
            device.stop()
    finally:
        device.close()


def test_dropouts_that_the_server_reports_are_counted(jack, said):
    """A server that stands still for a moment has missed its own deadline."""
    renderer = Counting()
    device = open_device(Choice("system"), renderer, inputs=0, outputs=2, rate=48000, notice=said.append)
    try:
        device.start()
        until(lambda: renderer.callbacks > 10)
        before = device.xruns
        jack.signal(signal.SIGSTOP)
        begin = time.monotonic()
        until(lambda: time.monotonic() - begin > 0.1)
        jack.signal(signal.SIGCONT)
        until(lambda: device.xruns > before)
        assert renderer.words[FLAGS] & 0b1111
    finally:
        device.close()


def test_what_is_not_there_is_said_and_the_default_taken(jack, said):
    device = open_device(Choice("Grand Piano"), Counting(), inputs=0, outputs=2, rate=48000, notice=said.append)
    device.close()
    assert device.name == "system"
    assert len(said) == 1
    assert "'Grand Piano'" in said[0]
    assert "'system'" in said[0]


@pytest.mark.parametrize("name", ["SYST", "jack audio", "JACK Audio Connection Kit: system"])
def test_part_of_a_name_is_enough(jack, said, name):
    device = open_device(Choice(name), Counting(), inputs=0, outputs=2, rate=48000, notice=said.append)
    device.close()
    assert device.name == "system"
    assert len(said) == (0 if name.endswith(": system") else 1)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("", "system"),
        ("sys", "system"),
        ("JACK Audio Connection Kit: system", "system"),
        ("none", "system"),
        ("null", "null"),
    ],
)
def test_the_device_that_will_be_tried_is_known_before(jack, asked, name):
    assert likely(Choice(asked)) == name


def test_a_device_that_runs_at_one_rate_only_says_which(jack):
    assert best_rate(Choice("system"), 48000) == 48000
    assert best_rate(Choice("system"), 44100) == 48000
    assert best_rate(Choice("system"), 0) == 48000
    assert best_rate(Choice("Grand Piano"), 44100) == 48000
    assert best_rate(Choice("Grand Piano"), 44100, strict=True) == 44100
    assert best_rate(Choice("null"), 44100) == 44100


def test_fewer_channels_than_wished(jack, said):
    renderer = Counting()
    device = open_device(Choice("system"), renderer, inputs=4, outputs=6, rate=48000, notice=said.append)
    device.close()
    assert (device.inputs, device.outputs) == (2, 2)
    assert said == [
        "system has 2 inputs, and 4 are in use: the others are silent",
        "system has 2 outputs, and 6 are in use: the others are silent",
    ]


def test_only_inputs(jack, said):
    renderer = Counting()
    device = open_device(Choice(), renderer, inputs=2, outputs=0, rate=48000, notice=said.append)
    try:
        device.start()
        until(lambda: renderer.callbacks > 10)
        assert (device.inputs, device.outputs) == (2, 0)
    finally:
        device.close()


def test_an_input_that_is_not_there_is_silence(jack, said):
    device = open_device(Choice("system", "Violin"), Counting(), inputs=2, outputs=2, rate=48000, notice=said.append)
    device.close()
    assert (device.inputs, device.outputs) == (0, 2)
    assert said == ["the input 'Violin' cannot be used: there is none; the inputs are silent"]


def test_another_rate_is_refused_and_said(jack, said):
    device = open_device(Choice("system"), Counting(), inputs=0, outputs=2, rate=44100, notice=said.append)
    assert device.name == "null"
    assert device.rate == 44100
    assert any("44100 Hz" in words and "it runs at 48000 Hz" in words for words in said)
    assert said[-1] == "playing to the null device at 44100 Hz: nothing is heard"


def test_no_server_is_no_device(jack, said):
    jack.stop()
    assert devices(refresh=True)[-1] == NULL_DEVICE
    assert not [d for d in devices() if d.api == portaudio.JACK]


def test_every_device_is_described(jack):
    found = devices(refresh=True)
    system = next(d for d in found if d.api == portaudio.JACK)
    assert (system.name, system.inputs, system.outputs, system.rate) == ("system", 2, 2, 48000)
    assert found[-1] == NULL_DEVICE


def test_the_python_callback_works_and_says_so(jack, said):
    renderer = Counting()
    device = open_device(Choice("system"), renderer, inputs=2, outputs=2, rate=48000, notice=said.append, native=False)
    try:
        assert not device.native
        assert "through the interpreter" in said[0]
        device.start()
        until(lambda: renderer.callbacks > 10)
        assert device.alive()
        assert renderer.prepared == [(2, 2, 64)]
        assert device.block == 64
    finally:
        device.close()


def test_where_the_native_callback_breaks_python_steps_in(jack, said, monkeypatch):
    def broken(*arguments, **options):
        raise AttributeError("'Lib' object has no attribute 'Pa_OpenStream'")

    monkeypatch.setattr(Stream, "_open", broken)
    renderer = Counting()
    device = open_device(Choice("system"), renderer, inputs=0, outputs=2, rate=48000, notice=said.append)
    try:
        device.start()
        until(lambda: renderer.callbacks > 10)
    finally:
        device.close()
    assert not device.native
    assert "has no attribute 'Pa_OpenStream'" in said[0]


@pytest.mark.parametrize("missing", ["library", "package"])
def test_without_portaudio_one_sentence_and_the_null_device(missing, tmp_path, root):
    """In a process of its own: this one has PortAudio."""
    text = {"library": "raise OSError('PortAudio library not found')", "package": "raise ImportError('none')"}[missing]
    (tmp_path / "sounddevice.py").write_text(text)
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from host.devices import Choice, DeviceError, devices, open_device, why_none\n"
        "from host.devices.null import NullDevice\n"
        "said = []\n"
        "class R:\n    callback = user = frames = callbacks = 0\n    def prepare(self, *a): return 0\n"
        "device = open_device(Choice('x'), R(), inputs=0, outputs=2, rate=48000, notice=said.append)\n"
        "print(device.name, len(devices()), *said, sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(tmp_path), str(root)], capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    name, count, *said = done.stdout.splitlines()
    assert (name, count) == ("null", "1")
    words = "apt install libportaudio2" if missing == "library" else "sounddevice"
    assert words in said[0]
    assert len(said) == 2


def test_a_shut_relay_gives_silence_and_never_calls(said):
    """What a device that was given up may still do."""
    renderer = Counting()
    renderer.prepare(0, 2, 64)
    relay = Relay(2)
    call = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_int64] * 6)(relay.callback)
    block = np.ones((64, 2), np.float32)

    def played(frames=64, flags=0):
        block[:] = 1
        assert call(0, block.ctypes.data, frames, 0, flags, relay.user) == 0
        return block.any()

    assert not played()
    assert renderer.callbacks == 0
    relay.open(renderer.callback, renderer.user, 64)
    assert played()
    assert (renderer.callbacks, relay.frames, relay.xruns) == (1, 64, 0)
    assert not played(frames=32) or block[32:].all()
    assert renderer.callbacks == 1  # not the block that was agreed
    played(flags=4)
    played(flags=16)
    assert (relay.xruns, renderer.callbacks) == (1, 3)
    assert relay.shut()
    assert not played()
    assert (renderer.callbacks, relay.calls, relay.last) == (3, 6, 64)


def test_half_made_files_of_jack_are_refused_before_they_kill(tmp_path):
    database = tmp_path / f"jack_db-{os.getuid()}"
    database.mkdir()
    for name in ("__db.001", "metadata.db"):
        (database / name).write_bytes(b"x")
    portaudio.refuse_broken_jack(str(tmp_path))
    (database / "__db.002").touch()
    with pytest.raises(DeviceError, match=f"remove {database}"):
        portaudio.refuse_broken_jack(str(tmp_path))
