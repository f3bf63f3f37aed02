"""The whole engine on a JACK server: what another client hears of it, and servers that die under it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from graph import Patch
from graph.compiler import compile
from graph.form import from_document
from host import Engine
from host.audiofile.tagfiles import read_tags
from host.devices import Choice, open_device, portaudio, stored
from host.devices.roundtrip import measure_round_trip
from host.engine import folder as folders
from host.engine.conductor import Conductor
from host.native.abi import STREAM_END
from host.native.live import Live
from host.offline import run_arrays
from host.services import FileServices
from nodes import kinds

from .conftest import until

RATE = 48000
PERIOD = 512
LONG = 24_000
"""Frames that must be alike in one piece."""
AHEAD_S = 90


@pytest.fixture
def runtime(monkeypatch, tmp_path):
    """A private folder for the engines of one test."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv(folders.VARIABLE, str(folder))
    return folder


class NoTapes:
    """For patches without players."""

    def tape(self, *_):
        raise AssertionError("there is no player here")

    def keep_only(self, keys):
        pass


class Ear:
    """A JACK client of this process that keeps the last seconds of what it hears, natively."""

    def __init__(self) -> None:
        through = from_document(
            {
                "format": "patchwright",
                "version": 1,
                "nodes": {"i": {"kind": "audio_in"}, "o": {"kind": "audio_out"}},
                "cables": [{"from": "i.out", "to": "o.in"}],
            }
        )
        self.live = Live(RATE, PERIOD)
        self.conductor = Conductor(self.live, kinds(), NoTapes(), lambda flow, first, count: [0, 1], replay_s=4)
        self.conductor.set_patch(through, FileServices(Path()))
        while self.conductor.busy:
            self.conductor.step()
        self.conductor.running = True
        said: list[str] = []
        self.device = open_device(Choice("system"), self.live, inputs=2, outputs=2, rate=RATE, notice=said.append)
        assert not said
        self.device.start()

    def heard(self, frames: int) -> np.ndarray:
        """The last so many frames."""
        outlet = self.conductor.outlets[0]
        end = int(outlet.header[STREAM_END])
        return outlet.ring[np.arange(end - frames, end) & (len(outlet.ring) - 1)].copy()


def longest_alike(heard: np.ndarray, expected: np.ndarray) -> int:
    """How many frames on end of the first are those of the second, wherever they begin there."""
    best = 0
    for middle in range(LONG // 2, len(heard), LONG // 2):
        starts = np.flatnonzero((expected[:, 0] == heard[middle, 0]) & (expected[:, 1] == heard[middle, 1]))
        for start in starts[:10]:
            back = min(middle, start)
            count = min(len(heard) - middle, len(expected) - start) + back
            one = heard[middle - back : middle - back + count]
            wrong = np.flatnonzero((one != expected[start - back : start - back + count]).any(axis=1))
            edges = np.concatenate([[-1], wrong, [count]])
            best = max(best, int(np.diff(edges).max()) - 1)
    return best


def noisy() -> Patch:
    """Noise by way of what moves, looks ahead and remembers."""
    patch = Patch("Noise", RATE)
    patch.add("noise", "noise", level_db=-20)
    patch.add("place", "pan", pan=0.3)
    patch.add("tone", "filter", freq_hz=2000)
    patch.add("sweep", "lfo", rate_hz=3)
    patch.add("comp", "compressor", threshold_db=-30, lookahead_ms=5)
    patch.add("room", "reverb", mix=0.3)
    patch.add("out", "audio_out")
    for cable in ("noise.out place.in", "place.out tone.in", "tone.out comp.in", "comp.out room.in", "room.out out.in"):
        patch.connect(*cable.split())
    patch.connect("sweep.out", "tone.freq_hz", amount=0.2)
    return patch


def test_what_another_client_hears_is_the_render_bit_for_bit(jack, runtime):
    jack.stop()
    jack.start(PERIOD)
    portaudio.restart()
    patch = noisy()
    with Engine(patch, device="system") as engine:
        until(lambda: engine.status.device is not None and engine.status.device.block == PERIOD)
        until(lambda: engine.status.numbers.get("clock", 0) > 0)
        ours = [port for port in jack.ports() if "out" in port]
        assert len(ours) == 2
        ear = Ear()
        try:
            theirs = sorted(port for port in jack.ports() if "in_" in port)
            assert len(theirs) == 2
            for source, target in zip(sorted(ours), theirs, strict=True):
                jack.connect(source, target)
            begun = ear.live.frames
            until(lambda: ear.live.frames > begun + 3 * RATE)
            heard = ear.heard(2 * RATE)
            frames = int(engine.status.numbers["clock"]) + RATE
        finally:
            ear.device.close()
        assert engine.status.device.api == portaudio.JACK
    assert frames < AHEAD_S * RATE
    expected, _ = run_arrays(compile(patch, kinds(), FileServices(Path()), RATE), FileServices(Path()), frames)
    assert np.abs(heard).max() > 0.01
    assert longest_alike(heard, expected["out"]) >= LONG
    assert longest_alike(heard * np.float32(1.0000001), expected["out"]) < LONG


def test_a_map_to_channels_beyond_the_patch_is_heard_there(jack, runtime, monkeypatch, tmp_path):
    monkeypatch.setenv("PATCHWRIGHT_CONFIG", str(tmp_path / "settings"))
    stored.keep(stored.Stored().with_map("system", stored.ChannelMap((), (3, 2))))
    jack.stop()
    jack.start(PERIOD, channels=4)
    portaudio.restart()
    patch = Patch("Right only", RATE)
    patch.add("tone", "oscillator")
    patch.add("sides", "merge", settings={"layout": "stereo"})
    patch.add("out", "audio_out")
    patch.connect("tone.out", "sides.R")
    patch.connect("sides.out", "out.in")
    with Engine(patch) as engine:
        until(lambda: engine.status.device is not None and engine.status.device.outputs == 4)
        until(lambda: engine.status.numbers.get("clock", 0) > 0)
        ours = sorted(port for port in jack.ports() if "out_" in port)
        assert len(ours) == 4
        ear = Ear()
        try:
            theirs = sorted(port for port in jack.ports() if "in_" in port)
            for source, target in zip(ours[2:], theirs, strict=True):
                jack.connect(source, target)
            until(lambda: np.abs(ear.heard(PERIOD)[:, 0]).max() > 0.1)
            assert np.abs(ear.heard(PERIOD)[:, 1]).max() == 0.0
        finally:
            ear.device.close()


@pytest.mark.parametrize("block", [0, 100])
def test_a_take_through_a_cable_lies_where_it_was_played(jack, runtime, monkeypatch, tmp_path, block):
    """To the frame, by what was measured: also where blocks are no whole ticks and outputs late."""
    monkeypatch.setenv("PATCHWRIGHT_CONFIG", str(tmp_path / "settings"))
    jack.stop()
    jack.start(PERIOD)
    portaudio.restart()
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (20 * RATE, 2)).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", noise, RATE, subtype="FLOAT")

    def plug(name: str) -> None:
        until(lambda: len([port for port in jack.ports() if "in_" in port or "out_" in port]) >= 2)
        ports = sorted(jack.ports())
        ins, outs = ([port for port in ports if part in port] for part in ("in_", "out_"))
        for source, target in zip(outs, ins, strict=True):
            jack.connect(source, target)

    stored.keep(
        stored.Stored().with_round_trip(measure_round_trip(Choice("system", "", 0, block), notice=print, ready=plug))
    )
    patch = Patch("Overdub", RATE)
    patch.folder = tmp_path
    for name, kind, settings in (
        ("band", "file_player", {"path": "noise.wav"}),
        ("ahead", "latency", {"frames": 777}),
        ("out", "audio_out", {}),
        ("in", "audio_in", {}),
        ("tape", "file_recorder", {"path": "take.wav", "subtype": "FLOAT"}),
    ):
        patch.add(name, kind, settings=settings)
    for cable in ("band.out ahead.in", "ahead.out out.in", "in.out tape.in"):
        patch.connect(*cable.split())
    with Engine(patch, device="system", block=block) as engine:
        until(lambda: len(jack.ports()) == 4)
        plug("system")
        engine.locate(1.5)
        engine.play()
        until(lambda: engine.status.place_s > 2.0)
        engine.record(True)
        until(lambda: engine.status.place_s > 3.5)
        engine.record(False)
        until(lambda: engine.status.device is not None and not engine.status.device.recording)
        until(lambda: engine.status.place_s > 4.0)
    take, _ = soundfile.read(tmp_path / "take.wav", dtype="float32")
    place = int(read_tags(tmp_path / "take.wav")["time_reference"])
    assert 1.5 * RATE < place < 3.0 * RATE
    assert len(take) > RATE // 2
    alike = (take == noise[place : place + len(take)]).all(axis=1)
    assert np.mean(alike) > 0.5  # a dropout of a busy machine moves what follows it


def test_a_server_that_dies_is_waited_for_and_played_to_again(jack, runtime):
    with Engine(noisy(), device="system") as engine:
        pid = engine.status.pid
        engine.play()

        def plays() -> bool:
            peak = engine.readings().get("out", {}).get("peak")
            return peak is not None and float(np.max(peak)) > 0.001

        until(lambda: engine.status.device is not None and engine.status.device.api == portaudio.JACK)
        until(plays)
        jack.kill()
        until(lambda: any("the sound waits until it is back" in n.text for n in engine.notices))
        still = engine.status.numbers["clock"]
        engine.set("place", "pan", -0.5)
        engine.sync()  # it answers meanwhile
        jack.start()
        until(lambda: any(n.text.endswith("is back") for n in engine.notices))
        until(lambda: engine.status.numbers["clock"] > still + RATE)
        assert plays()
        assert engine.status.pid == pid
        assert engine.patch.node("place").params["pan"] == -0.5
