"""Automation that is given other points while it plays: heard at once, without compiling and without a click."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graph.errors import PatchError
from host import Engine

from .conftest import until
from .stage import RATE, Stage, offline, patch, roughness, sine

SIGNAL = sine(2 * RATE)
DOWN = [[0.0, 0.0, "linear"], [0.5, -20.0, "hold"]]
UP = [[0.0, -40.0, "hold"], [0.1, -30.0, "exponential"], [0.3, -6.0, "linear"], [0.6, 0.0, "hold"]]
RAMP = 480 + 256
"""A ramp, and the block in which it begins."""


def automated(points: Any = DOWN, kind: str = "gain", param: str = "level_db", **rest: Any) -> Any:
    line = {"node": "g", "param": param, "points": points, **rest}
    return patch(
        {"i": {"kind": "audio_in"}, "g": {"kind": kind}, "o": {"kind": "audio_out"}},
        "i.out>g.in g.out>o.in",
        automation=[line],
    )


def grouped(points: Any) -> Any:
    line = {"node": "g", "param": "level_db", "points": points}
    settings = {
        "patch": {"nodes": {"g": {"kind": "gain"}}, "cables": [], "automation": [line]},
        "ports": {"in": "g.in", "out": "g.out"},
    }
    nodes = {
        "i": {"kind": "audio_in"},
        "x": {"kind": "group", "settings": settings},
        "o": {"kind": "audio_out"},
    }
    return patch(nodes, "i.out>x.in x.out>o.in")


@pytest.mark.parametrize(
    ("made", "node"), [(automated, "g"), (grouped, "x/g")], ids=["in the patch", "in a group of its own"]
)
def test_other_points_are_heard_at_once_and_nothing_is_compiled(made, node):
    stage = Stage()
    stage.start(made(DOWN))
    playing = stage.conductor.playing
    stage.play(SIGNAL, 9600)
    at = stage.at
    stage.conductor.set_points(node, "level_db", [tuple(point) for point in UP])
    stage.play(SIGNAL, 38400)
    expected = offline(made(UP), stage.at, {"i": SIGNAL[: stage.at]})["o"]
    before = offline(made(DOWN), at, {"i": SIGNAL[:at]})["o"]
    assert np.array_equal(stage.heard[:at], before)
    assert np.array_equal(stage.heard[at + RAMP :], expected[at + RAMP :])
    assert roughness(stage.heard, SIGNAL) < 1.3
    assert stage.conductor.playing is playing
    # The patch holds them: compiled anew, it goes on as it was.
    stage.conductor.compile_again()
    stage.settle(SIGNAL)
    stage.play(SIGNAL, 4800)
    assert stage.conductor.playing is not playing
    expected = offline(made(UP), stage.at, {"i": SIGNAL[: stage.at]})["o"]
    assert np.array_equal(stage.heard[at + RAMP :], expected[at + RAMP :])


def test_points_that_are_dragged_do_not_click_or_pile_up():
    stage = Stage()
    stage.start(automated())
    playing = stage.conductor.playing
    for k in range(100):
        points = [(0.0, -0.2 * k, "linear"), (0.5 + 0.001 * k, -20.0 + 0.1 * k, "hold")]
        stage.conductor.set_points("g", "level_db", points)
        stage.play(SIGNAL, 512)
    assert roughness(stage.heard, SIGNAL) < 1.3
    assert stage.conductor.playing is playing
    assert len(playing.program.moved[next(iter(playing.program.moved))].bends) <= 2
    stage.play(SIGNAL, 9600)
    expected = offline(automated([list(point) for point in points]), stage.at, {"i": SIGNAL[: stage.at]})["o"]
    assert np.array_equal(stage.heard[-4800:], expected[-4800:])


def test_points_that_come_while_a_patch_is_on_its_way_are_of_that_patch():
    stage = Stage()
    stage.start(automated(kind="gain"))
    stage.play(SIGNAL, 4800)
    stage.change(automated([[0.0, 200.0, "hold"]], kind="filter", param="freq_hz"))
    with pytest.raises(PatchError, match="not automated"):
        stage.conductor.set_points("g", "level_db", [(0.0, -3.0, "hold")])
    stage.conductor.set_points("g", "freq_hz", [(0.0, 1000.0, "hold")])
    stage.settle(SIGNAL)
    stage.play(SIGNAL, 19200)
    given = automated([[0.0, 1000.0, "hold"]], kind="filter", param="freq_hz")
    expected = offline(given, stage.at, {"i": SIGNAL[: stage.at]})["o"]
    np.testing.assert_allclose(stage.heard[-4800:], expected[-4800:], atol=1e-6)


def test_without_points_the_stored_value_is_heard_and_with_some_they_are():
    stage = Stage()
    stage.start(automated())
    stage.conductor.set_points("g", "level_db", [])
    stage.settle(SIGNAL)
    stage.play(SIGNAL, 4800)
    assert np.array_equal(stage.heard[-1024:], SIGNAL[stage.at - 1024 : stage.at])
    stage.conductor.set_points("g", "level_db", [(0.0, -20.0, "hold")])
    stage.settle(SIGNAL)
    stage.play(SIGNAL, 4800)
    np.testing.assert_allclose(stage.heard[-1024:], 0.1 * SIGNAL[stage.at - 1024 : stage.at], atol=1e-6)


def test_automation_that_is_switched_off_stays_so():
    stage = Stage()
    stage.start(automated(enabled=False))
    stage.conductor.set_points("g", "level_db", [(0.0, -20.0, "hold")])
    stage.settle(SIGNAL)
    stage.play(SIGNAL, 4800)
    assert np.array_equal(stage.heard, SIGNAL[: stage.at])
    assert stage.conductor.patch.automation[0].points == ((0.0, -20.0, "hold"),)


@pytest.mark.parametrize(
    ("address", "points", "words"),
    [
        (("g", "mute"), [(0.0, 1.0, "hold")], "not automated"),
        (("z", "level_db"), [(0.0, 1.0, "hold")], "no node 'z'"),
        (("g", "level_db"), [(0.0, 25.0, "hold")], r"points\[0\].*from -96 to 24"),
        (("g", "level_db"), [(1.0, 0.0, "hold"), (0.5, 0.0, "hold")], r"points\[1\].*not before the last"),
        (("g", "level_db"), [(-1.0, 0.0, "hold")], r"points\[0\].*from 0 to"),
        (("g", "level_db"), [(0.0, 0.0, "wavy")], "linear, exponential or hold"),
        (("g", "level_db"), [(0.0, -1.0, "exponential"), (1.0, 1.0, "hold")], "of one sign"),
    ],
)
def test_points_that_cannot_be_are_refused_and_nothing_changes(address, points, words):
    stage = Stage()
    stage.start(automated())
    with pytest.raises(PatchError, match=words):
        stage.conductor.set_points(*address, points)
    stage.play(SIGNAL, 9600)
    expected = offline(automated(), stage.at, {"i": SIGNAL[: stage.at]})["o"]
    assert np.array_equal(stage.heard, expected)
    assert not stage.conductor.busy


def test_an_engine_is_told_of_points_and_keeps_them(runtime, tmp_path):
    given = patch(
        {"t": {"kind": "oscillator"}, "g": {"kind": "gain"}, "m": {"kind": "meter"}, "o": {"kind": "audio_out"}},
        "t.out>g.in g.out>m.in m.out>o.in",
        automation=[{"node": "g", "param": "level_db", "points": [[0.0, 0.0, "hold"]]}],
    )
    given.folder = tmp_path
    with Engine(given, device="null") as engine:
        engine.play()
        until(lambda: engine.readings().get("m", {}).get("peak", [0])[0] > 0.2)
        engine.set_points("g", "level_db", [(0.0, -60.0, "hold")])
        until(lambda: 0.0 < engine.readings()["m"]["peak"][0] < 0.01)
        assert engine.patch.automation[0].points == ((0.0, -60.0, "hold"),)
        assert not [n for n in engine.notices if n.level == "error"]
        engine.set_points("t", "level_db", [(0.0, -60.0)])
        engine.sync()
        assert "level_db of 't' is not automated" in engine.notices[-1].text
