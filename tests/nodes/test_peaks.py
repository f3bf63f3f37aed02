"""The peaks that inputs, sends and buses show: what leaves them, channel by channel."""

from __future__ import annotations

import numpy as np
import pytest

from graph.compiler import compile
from graph.document import Patch
from host.offline import run_arrays
from nodes import kinds

RNG = np.random.default_rng(11)


def db(x):
    return 20 * np.log10(x)


def peaks(played) -> np.ndarray:
    return played.program.readings["node", "peak"]


@pytest.mark.parametrize("kind", ["bus", "send"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_the_peak_is_the_highest_sample_that_leaves(play, kind, channels):
    x = RNG.uniform(-1, 1, (256, channels)).astype(np.float32)
    x[:192] *= 0.1
    played = play(kind, {"in": x}, {"level_db": -6.0})
    assert peaks(played) == pytest.approx(np.abs(played["out"][192:]).max(axis=0), rel=1e-6)


def test_a_bus_shows_what_pan_and_mute_leave(play):
    x = np.full((640, 2), 0.5, np.float32)
    assert peaks(play("bus", {"in": x}, {"pan": -1.0})) == pytest.approx([0.5 * np.sqrt(2), 0.0], abs=1e-7)
    assert peaks(play("bus", {"in": x}, {"mute": 1.0})) == pytest.approx([0.0, 0.0], abs=1e-8)
    assert peaks(play("send", {"in": x}, {"level_db": 0.0, "mute": 1.0})) == pytest.approx([0.0, 0.0], abs=1e-8)


@pytest.mark.parametrize("kind", ["bus", "send"])
def test_the_peak_falls_by_twenty_decibels_in_1_7_seconds(play, kind):
    x = np.zeros((64 + 81_600, 1), np.float32)
    x[10] = -0.5
    assert db(peaks(play(kind, {"in": x}, {"level_db": 0.0}))) == pytest.approx(db(0.5) - 20, abs=0.01)


def test_a_send_whose_level_moves_shows_the_louder_end(play):
    x = np.full((4800, 1), 1.0, np.float32)
    played = play("send", {"in": x}, automation={"level_db": [(0.0, -40.0, "linear"), (0.1, 0.0, "linear")]})
    assert db(peaks(played)) == pytest.approx(0.0, abs=0.6)
    assert db(peaks(played)) == pytest.approx(db(np.abs(played["out"]).max()), abs=1e-3)


def test_what_is_no_number_is_not_shown(play):
    x = np.full((640, 1), 0.25, np.float32)
    x[100:120] = np.nan
    assert peaks(play("bus", {"in": x})) == pytest.approx([0.25])


def test_a_file_player_shows_what_it_plays(play):
    x = RNG.uniform(-0.5, 0.5, (4800, 2)).astype(np.float32)
    played = play("file_player", None, {"level_db": -6.0}, {"path": "a.wav"}, frames=4800, files={"a.wav": (x, 48000)})
    assert db(peaks(played)) == pytest.approx(db(np.abs(played["out"]).max(axis=0)), abs=0.5)
    muted = play("file_player", None, {"play": 0.0}, {"path": "a.wav"}, frames=4800, files={"a.wav": (x, 48000)})
    assert peaks(muted) == pytest.approx([0.0, 0.0], abs=1e-8)


def test_nothing_is_measured_that_nobody_looks_at():
    patch = Patch(sample_rate=48000)
    patch.add("in", "audio_in")
    patch.add("send", "send")
    patch.add("out", "audio_out")
    patch.connect("in.out", "send.in")
    patch.connect("send.out", "out.in")
    schedule, x = compile(patch, kinds(), None), np.full((640, 2), 0.5, np.float32)
    _, program = run_arrays(schedule, None, len(x), {"in": x}, watched=False)
    assert not any(values.any() for values in program.readings.values())
    _, program = run_arrays(schedule, None, len(x), {"in": x}, watched=True)
    assert program.readings["in", "peak"] == pytest.approx([0.5, 0.5])
