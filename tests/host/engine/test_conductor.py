"""Edits while the sound goes on: never a click, nothing lost, nothing else touched."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from graph.errors import PatchError
from host.native.binding import bind

from .stage import RATE, Stage, offline, patch, roughness, sine

SMOOTH = 1.3
"""How much rougher than a plain sine an edit may sound: a ramp of 10 ms is within it, any click far beyond."""
IN = {"kind": "audio_in"}
OUT = {"kind": "audio_out"}
LFO = {"kind": "lfo", "params": {"rate_hz": 3}}


def gain(db: float = 0.0, **rest: Any) -> dict[str, Any]:
    return {"kind": "gain", "params": {"level_db": db}, **rest}


def compressor(ms: float, **rest: Any) -> dict[str, Any]:
    return {"kind": "compressor", "params": {"lookahead_ms": ms, "threshold_db": -30}, **rest}


def lowpass(hz: float = 2000.0, **rest: Any) -> dict[str, Any]:
    return {"kind": "filter", "params": {"freq_hz": hz}, **rest}


PLAIN = {"i": IN, "g": gain(-6), "o": OUT}
CHAIN = "i.out>g.in g.out>o.in"


@pytest.mark.parametrize("block", [64, 256, 448])
def test_live_is_offline_bit_for_bit(block):
    given = patch(
        {
            "i": IN,
            "f": lowpass(),
            "c": compressor(5),
            "l": {"kind": "lfo", "params": {"rate_hz": 3}},
            "g": gain(),
            "o": OUT,
        },
        "i.out>f.in f.out>c.in i.out>c.sidechain c.out>g.in g.out>o.in i.out>o.in l.out>f.freq_hz",
        automation=[{"node": "g", "param": "level_db", "points": [[0.01, -60, "linear"], [0.05, 0, "hold"]]}],
    )
    signal = np.random.default_rng(1).uniform(-0.5, 0.5, (RATE // 4, 2)).astype(np.float32)
    stage = Stage(block=block)
    stage.start(given)
    stage.play(signal, len(signal))
    latency = stage.conductor.latencies()["o"]
    expected = offline(given, len(signal), {"i": signal})["o"]
    assert latency == 240
    assert np.array_equal(stage.heard[latency : len(signal)], expected[: len(signal) - latency])


def test_a_param_of_a_node_that_is_about_to_be_of_another_kind():
    stage = Stage()
    stage.start(patch({"i": IN, "g": lowpass(), "o": OUT}, CHAIN))
    stage.change(patch(PLAIN, CHAIN))
    stage.conductor.set_param("g", "level_db", -12.0)
    signal = sine(RATE // 2)
    stage.play(signal, len(signal))
    end = slice(RATE // 4, RATE // 2)
    np.testing.assert_allclose(stage.heard[end], signal[end] * 10 ** (-12 / 20), atol=1e-6)


@pytest.mark.parametrize("frames", [1, 100, 333, 441, 1000])
def test_blocks_that_are_no_whole_ticks_only_add_latency(frames):
    given = patch(PLAIN, CHAIN)
    signal = sine(max(frames * 40, 400) // frames * frames)
    stage = Stage(block=256)
    added = stage.live.prepare(2, 2, frames)
    stage.start(given)
    parts = []
    for at in range(0, len(signal), frames):
        output = np.empty((frames, 2), np.float32)
        stage.live.process(signal[at : at + frames], output)
        parts.append(output)
    heard = np.concatenate(parts)
    expected = offline(given, len(signal), {"i": signal})["o"]
    assert added == 64 - np.gcd(frames, 64)
    assert not heard[:added].any()
    assert np.array_equal(heard[added:], expected[: len(signal) - added])


EDITS = {
    "insert a node": (PLAIN, CHAIN, {**PLAIN, "f": lowpass()}, "i.out>f.in f.out>g.in g.out>o.in"),
    "insert one with latency": (PLAIN, CHAIN, {**PLAIN, "c": compressor(10)}, "i.out>c.in c.out>g.in g.out>o.in"),
    "insert beside a parallel path": (
        PLAIN,
        CHAIN + " i.out>o.in",
        {**PLAIN, "c": compressor(10)},
        "i.out>c.in c.out>g.in g.out>o.in i.out>o.in",
    ),
    "insert an echo": (
        PLAIN,
        CHAIN,
        {**PLAIN, "e": {"kind": "delay", "params": {"time_ms": 31, "feedback": 0.5}}},
        "i.out>e.in e.out>g.in g.out>o.in",
    ),
    "insert a room": (PLAIN, CHAIN, {**PLAIN, "r": {"kind": "reverb"}}, "i.out>r.in r.out>g.in g.out>o.in"),
    "insert a room behind a late node": (
        PLAIN,
        CHAIN,
        {**PLAIN, "c": compressor(10), "r": {"kind": "reverb"}},
        "i.out>c.in c.out>r.in i.out>r.in r.out>g.in g.out>o.in",
    ),
    "bypass an echo": (
        {**PLAIN, "e": {"kind": "sample_delay", "params": {"frames": 700}}},
        "i.out>e.in e.out>g.in g.out>o.in",
        {**PLAIN, "e": {"kind": "sample_delay", "params": {"frames": 700}, "bypass": True}},
        "i.out>e.in e.out>g.in g.out>o.in",
    ),
    "remove a node": ({**PLAIN, "f": lowpass()}, "i.out>f.in f.out>g.in g.out>o.in", PLAIN, CHAIN),
    "remove a cable": (PLAIN, CHAIN + " i.out>o.in", PLAIN, CHAIN),
    "add a cable": (PLAIN, CHAIN, PLAIN, CHAIN + " i.out>o.in"),
    "change a setting": (
        {**PLAIN, "f": lowpass()},
        "i.out>f.in f.out>g.in g.out>o.in",
        {**PLAIN, "f": lowpass(settings={"type": "highpass"})},
        "i.out>f.in f.out>g.in g.out>o.in",
    ),
    "bypass": ({**PLAIN, "g": gain(-40)}, CHAIN, {**PLAIN, "g": gain(-40, bypass=True)}, CHAIN),
    "bypass with latency": (
        {"i": IN, "g": compressor(10), "o": OUT},
        CHAIN,
        {"i": IN, "g": compressor(10, bypass=True), "o": OUT},
        CHAIN,
    ),
    "mute": (PLAIN, CHAIN, {**PLAIN, "g": gain(-6, mute=True)}, CHAIN),
    "mute beside a late node": (
        {**PLAIN, "c": compressor(10)},
        "i.out>c.in c.out>o.in i.out>g.in g.out>o.in",
        {**PLAIN, "c": compressor(10), "g": gain(-6, mute=True)},
        "i.out>c.in c.out>o.in i.out>g.in g.out>o.in",
    ),
    "mute before a new node": (
        PLAIN,
        CHAIN,
        {**PLAIN, "g": gain(-6, mute=True), "c": compressor(5)},
        "i.out>g.in g.out>c.in c.out>o.in i.out>o.in",
    ),
    "change a param": (PLAIN, CHAIN, {**PLAIN, "g": gain(-30)}, CHAIN),
    "change a latency": (
        {"i": IN, "g": compressor(10), "o": OUT},
        CHAIN,
        {"i": IN, "g": compressor(3), "o": OUT},
        CHAIN,
    ),
    "turn the order round": (
        {**PLAIN, "f": lowpass()},
        "i.out>f.in f.out>g.in g.out>o.in",
        {**PLAIN, "f": lowpass()},
        "i.out>g.in g.out>f.in f.out>o.in",
    ),
    "plug a sidechain": (
        {"i": IN, "s": gain(-30), "g": compressor(5), "o": OUT},
        CHAIN + " i.out>s.in",
        {"i": IN, "s": gain(-30), "g": compressor(5), "o": OUT},
        CHAIN + " i.out>s.in s.out>g.sidechain",
    ),
    "another layout": (
        {"i": IN, "g": gain(), "o": OUT},
        CHAIN,
        {"i": {"kind": "audio_in", "settings": {"layout": "mono"}}, "g": gain(), "o": OUT},
        CHAIN,
    ),
    "another patch": (PLAIN, CHAIN, {"x": IN, "y": lowpass(500), "z": OUT}, "x.out>y.in y.out>z.in"),
    "no output any more": (PLAIN, CHAIN, {"i": IN, "g": gain()}, "i.out>g.in"),
    "close a loop": (
        {**PLAIN, "d": {"kind": "sample_delay", "params": {"frames": 480}}, "b": gain(-12)},
        CHAIN + " g.out>d.in d.out>b.in",
        {**PLAIN, "d": {"kind": "sample_delay", "params": {"frames": 480}}, "b": gain(-12)},
        CHAIN + " g.out>d.in d.out>b.in b.out>g.in",
    ),
    "a node into a loop": (
        {**PLAIN, "b": gain(-12)},
        CHAIN + " g.out>b.in b.out>>g.in",
        {**PLAIN, "b": gain(-12), "f": lowpass()},
        CHAIN + " g.out>f.in f.out>b.in b.out>>g.in",
    ),
    "begin to automate": (
        PLAIN,
        CHAIN,
        PLAIN,
        CHAIN,
        [{"node": "g", "param": "level_db", "points": [[0.0, -30, "hold"]]}],
    ),
    "begin to automate beside another edit": (
        {**PLAIN, "f": lowpass()},
        "i.out>f.in f.out>g.in g.out>o.in",
        {**PLAIN, "f": lowpass(settings={"type": "highpass"})},
        "i.out>f.in f.out>g.in g.out>o.in",
        [{"node": "g", "param": "level_db", "points": [[0.0, -30, "hold"]]}],
    ),
    "begin to modulate": (
        {**PLAIN, "l": {"kind": "lfo", "params": {"phase": 0.25, "rate_hz": 0.1, "depth": 0.05}}},
        CHAIN,
        {**PLAIN, "l": {"kind": "lfo", "params": {"phase": 0.25, "rate_hz": 0.1, "depth": 0.05}}},
        CHAIN + " l.out>g.level_db",
    ),
}


@pytest.mark.parametrize("there_and_back", [False, True], ids=["there", "back"])
@pytest.mark.parametrize("name", EDITS)
def test_an_edit_does_not_click(name, there_and_back):
    nodes, cables, later_nodes, later_cables, *automation = EDITS[name]
    first, second = (
        patch(nodes, cables),
        patch(later_nodes, later_cables, automation=automation[0] if automation else []),
    )
    if there_and_back:
        first, second = second, first
    signal = sine(RATE * 2)
    stage = Stage()
    stage.start(first)
    stage.play(signal, 9600)
    begun = stage.at
    stage.change(second)
    stage.settle(signal)
    assert stage.at - begun < RATE // 4
    stage.play(signal, 9600)
    assert stage.conductor.applied[-1].played
    assert roughness(stage.heard[4800:], signal) < SMOOTH * max(1.0, np.abs(stage.heard[4800:]).max() / 0.5)
    assert not np.isnan(stage.heard).any()


@pytest.mark.parametrize(
    "name", ["insert a node", "insert beside a parallel path", "mute", "bypass", "add a cable", "change a param"]
)
def test_what_an_edit_leads_to_is_the_edited_patch(name):
    nodes, cables, later_nodes, later_cables, *_ = EDITS[name]
    signal = sine(RATE)
    stage = Stage()
    stage.start(patch(nodes, cables))
    stage.play(signal, 4800)
    second = patch(later_nodes, later_cables)
    stage.change(second)
    stage.settle(signal)
    stage.play(signal, 24000)
    latency = stage.conductor.latencies()["o"]
    expected = offline(second, stage.at, {"i": signal})["o"]
    window = slice(stage.at - 2400, stage.at)
    assert np.abs(stage.heard[window] - expected[window.start - latency : window.stop - latency]).max() < 1e-7


def test_the_detector_hears_a_click():
    signal = sine(4800)
    broken = signal.copy()
    broken[2430:] *= 0.9
    assert roughness(broken, signal) > 2 * SMOOTH


def test_paths_that_are_not_touched_are_the_same_to_the_bit():
    """Two seconds of random edits beside a path with filters, feedback and automation."""
    calm = {
        "i": IN,
        "f": lowpass(700),
        "r": {"kind": "delay", "params": {"time_ms": 31, "feedback": 0.6}},
        "m": gain(-3),
        "o": OUT,
    }
    calm_cables = "i.out>f.in f.out>r.in r.out>m.in m.out>o.in r.out>>f.in"
    line = [{"node": "m", "param": "level_db", "points": [[0.1, -20, "linear"], [1.9, 0, "hold"]]}]
    chance = random.Random(7)
    signal = np.random.default_rng(2).uniform(-0.1, 0.1, (RATE * 3, 2)).astype(np.float32)

    def edited() -> Any:
        nodes: dict[str, Any] = {**calm, "p": {"kind": "audio_out", "settings": {"channel": 2}}}
        cables = calm_cables
        before = "i.out"
        for k in range(chance.randrange(5)):
            maker = chance.choice([gain, lowpass])
            nodes[f"n{k}"] = maker(chance.uniform(10, 20), bypass=chance.random() < 0.2, mute=chance.random() < 0.2)
            cables += f" {before}>n{k}.in"
            before = f"n{k}.out"
        return patch(nodes, cables + f" {before}>p.in", automation=line)

    stage = Stage(outputs=4)
    stage.start(edited())
    while stage.at < RATE * 2:
        stage.change(edited())
        stage.play(signal, chance.choice([256, 1024, 4096]))
    stage.settle(signal)
    still = Stage(outputs=4)
    still.start(patch({**calm, "p": {"kind": "audio_out", "settings": {"channel": 2}}}, calm_cables, automation=line))
    still.play(signal, stage.at)
    applied = stage.conductor.applied
    assert len(applied) > 20
    assert all(a.played and not a.problems for a in applied)
    assert np.array_equal(stage.heard[:, :2], still.heard[:, :2])


def test_automation_that_begins_with_what_is_there_changes_no_bit_before_it_moves():
    """Bands of an equaliser go on as they are when one of them is to be switched later."""
    bands = {"b1_on": 1, "b1_freq_hz": 200, "b1_gain_db": 9, "b3_on": 1, "b3_gain_db": 6}
    nodes = {"i": IN, "e": {"kind": "eq", "params": bands}, "o": OUT}
    line = {"node": "e", "param": "b3_on", "points": [[0.0, 1.0, "hold"], [0.3, 0.0, "hold"]]}
    signal, off = sine(RATE), round(0.3 * RATE)
    stage = Stage()
    stage.start(patch(nodes, "i.out>e.in e.out>o.in"))
    stage.play(signal, 4800)
    stage.change(patch(nodes, "i.out>e.in e.out>o.in", automation=[line]))
    stage.settle(signal)
    assert stage.at < off
    stage.play(signal, 2 * off - stage.at)
    still = offline(patch(nodes, "i.out>e.in e.out>o.in"), stage.at, {"i": signal})["o"]
    assert np.array_equal(stage.heard[:off], still[:off])
    assert not np.array_equal(stage.heard[off : stage.at], still[off:])


def test_params_ramp_at_once_and_end_exactly():
    signal = sine(RATE)
    stage = Stage(block=64)
    stage.start(patch(PLAIN, CHAIN))
    stage.play(signal, 6400)
    stage.conductor.set_param("g", "level_db", -20.0)
    begun = stage.at
    stage.play(signal, 64)
    changed = np.flatnonzero(np.abs(stage.heard[begun:] / signal[begun : stage.at] - 10 ** (-6 / 20)) > 1e-3)
    assert len(changed)
    stage.play(signal, 640)
    found = stage.heard[begun + 512 :, 0]
    assert np.array_equal(found, (signal[begun + 512 : stage.at, 0] * np.float32(10 ** (-20 / 20))).astype(np.float32))
    assert roughness(stage.heard, signal) < SMOOTH
    assert stage.conductor.applied[-1].serial == 0
    assert len(stage.conductor.applied) == 1


@pytest.mark.parametrize(
    ("node", "turned"),
    [
        (lowpass(9000), {"freq_hz": 100}),
        ({"kind": "eq", "params": {"b1_on": 1, "b1_freq_hz": 1550, "b1_gain_db": -10}}, {"b1_gain_db": -1}),
        ({"kind": "eq", "params": {"b1_on": 1, "b1_freq_hz": 5000, "b1_gain_db": -12}}, {"b1_freq_hz": 80}),
    ],
    ids=["lowpass", "gain of a band", "frequency of a band"],
)
def test_a_filter_that_is_turned_far_does_not_click(node, turned):
    signal = sine(RATE)
    stage = Stage(block=64)
    stage.start(patch({"i": IN, "f": node, "o": OUT}, "i.out>f.in f.out>o.in"))
    stage.play(signal, 9600)
    for name, value in turned.items():
        stage.conductor.set_param("f", name, value)
    stage.play(signal, 9600)
    assert roughness(stage.heard[4800:], signal) < SMOOTH
    later = {**node, "params": {**node["params"], **turned}}
    expected = offline(patch({"i": IN, "f": later, "o": OUT}, "i.out>f.in f.out>o.in"), stage.at, {"i": signal})["o"]
    assert np.abs(stage.heard[-2400:] - expected[stage.at - 2400 : stage.at]).max() < 1e-6


def test_a_knob_that_is_turned_all_the_time_does_not_click_or_starve_edits():
    signal = sine(RATE * 2)
    stage = Stage(block=64)
    nodes = {**PLAIN, "f": lowpass()}
    stage.start(patch(nodes, "i.out>f.in f.out>g.in g.out>o.in"))
    for k in range(200):
        stage.conductor.set_param("g", "level_db", -10.0 + 9.0 * np.sin(k / 7))
        stage.conductor.set_param("f", "freq_hz", 1500.0 + 1000 * np.sin(k / 9))
        if k == 50:
            changed = patch({**nodes, "c": compressor(5)}, "i.out>f.in f.out>c.in c.out>g.in g.out>o.in")
            stage.change(changed)
        stage.play(signal, 192)
    stage.settle(signal)
    assert "c" in {node.id for node in stage.conductor.playing.program.schedule.nodes}
    assert roughness(stage.heard, signal) < SMOOTH


def test_an_edit_that_comes_before_a_ramp_has_begun_waits_for_it(monkeypatch):
    """The device goes on calling while an edit is compiled, and so the ramp begins meanwhile."""
    signal = sine(RATE)
    stage = Stage(block=64)

    def bind_beside_the_device(*words, **named):
        for _ in range(4 if stage.conductor.running else 0):
            output = np.empty((64, 2), np.float32)
            stage.live.process(signal[stage.at : stage.at + 64], output)
            stage._parts.append(output)
            stage.at += 64
        return bind(*words, **named)

    monkeypatch.setattr("host.engine.conductor.bind", bind_beside_the_device)
    stage.start(patch(PLAIN, CHAIN))
    stage.play(signal, 9600)
    stage.conductor.set_param("g", "level_db", -30.0)
    stage.conductor.step()
    stage.change(patch({**PLAIN, "g": gain(-30), "f": lowpass()}, "i.out>f.in f.out>g.in g.out>o.in"))
    stage.conductor.step()  # before the device has called again
    stage.settle(signal)
    stage.play(signal, 4800)
    assert roughness(stage.heard[4800:], signal) < SMOOTH


def test_a_node_that_leaves_with_a_param_on_its_way_is_forgotten():
    """It ceases to be automated, is turned, and is replaced before it has got there."""
    line = [{"node": "g", "param": "level_db", "points": [[0.0, -30, "hold"]]}]
    signal = sine(RATE)
    stage = Stage(block=64)
    nodes = {**PLAIN, "f": lowpass()}
    cables = "i.out>f.in f.out>g.in g.out>o.in"
    stage.start(patch(nodes, cables, automation=line))
    stage.play(signal, 9600)
    stage.change(patch({**nodes, "f": lowpass(500)}, cables))
    stage.play(signal, 64)
    stage.change(patch({"i": IN, "h": gain(-12), "o": OUT}, "i.out>h.in h.out>o.in"))
    stage.settle(signal)
    stage.play(signal, 4800)
    assert stage.conductor.applied[-1].played
    assert roughness(stage.heard[4800:], signal) < SMOOTH


def test_wide_steps_ramp_one_node_and_leave_the_others():
    count = 8
    nodes: dict[str, Any] = {"i": IN, "o": OUT}
    cables = ""
    for k in range(count):
        nodes[f"f{k}"] = {"kind": "eq", "params": {"b1_on": 1, "b1_freq_hz": 300.0 * (k + 1), "b1_gain_db": 6}}
        nodes[f"g{k}"] = gain(-18)
        cables += f" i.out>f{k}.in f{k}.out>g{k}.in g{k}.out>o.in"
    signal = sine(RATE, 900)
    stage = Stage(block=128)
    stage.start(patch(nodes, cables))
    assert any(len(getattr(s, "nodes", ())) == count for s in stage.conductor.playing.program.schedule.steps)
    stage.play(signal, 9600)
    stage.conductor.set_param("f3", "b1_gain_db", -12.0)
    stage.play(signal, 24000)
    nodes["f3"] = {"kind": "eq", "params": {"b1_on": 1, "b1_freq_hz": 1200.0, "b1_gain_db": -12}}
    expected = offline(patch(nodes, cables), stage.at, {"i": signal})["o"]
    assert roughness(stage.heard[2400:], stage.heard[4800:9600]) < SMOOTH
    assert np.abs(stage.heard[-4800:] - expected[-4800:]).max() < 1e-6


def test_bad_params_and_patches_are_refused_and_nothing_changes():
    signal = sine(RATE)
    stage = Stage()
    stage.start(patch(PLAIN, CHAIN))
    with pytest.raises(PatchError, match="from -96 to 24"):
        stage.conductor.set_param("g", "level_db", 100)
    with pytest.raises(PatchError, match="no param 'nothing'"):
        stage.conductor.set_param("g", "nothing", 1)
    stage.change(patch({**PLAIN, "x": gain(), "y": gain()}, CHAIN + " x.out>y.in y.out>x.in"))
    stage.settle(signal)
    last = stage.conductor.applied[-1]
    assert not last.played
    assert "no delay" in str(last.problems[0])
    stage.play(signal, 4800)
    assert np.array_equal(stage.heard, offline(patch(PLAIN, CHAIN), stage.at, {"i": signal})["o"])


def test_memory_of_what_is_gone_is_given_back():
    signal = sine(RATE)
    stage = Stage()
    stage.start(patch(PLAIN, CHAIN))
    sizes = []
    for k in range(12):
        stage.change(
            patch({**PLAIN, "r": {"kind": "reverb"}}, CHAIN + " i.out>r.in r.out>o.in")
            if k % 2
            else patch(PLAIN, CHAIN)
        )
        stage.settle(signal)
        sizes.append(len(stage.conductor.arena._slots))
    assert sizes[1] == sizes[3] == sizes[-1]
    assert sizes[2] == sizes[4] == sizes[-2]
    assert len(stage.live._kept) <= 2
