"""What ``check`` finds wrong: every kind of problem, in words that name the place and what there is instead."""

from __future__ import annotations

from typing import Any

import pytest

from graph.check import Problem, notes, problems, refuse
from graph.declare import (
    AudioIns,
    Choice,
    ChoiceSetting,
    ControlIn,
    ControlOut,
    LayoutSetting,
    Param,
    Params,
    Port,
    Setting,
)
from graph.document import NodeEntry, Patch
from graph.errors import PatchError
from graph.groups import expand
from graph.resolve import resolve_params, resolve_settings, shape_of
from graph.spec import AudioIn, AudioOut, Level, Node, Sidechain, Switch


class Gain(Node):
    kind = "gain"
    bypassable = True
    signal = AudioIn("in")
    key = Sidechain("sidechain")
    out = AudioOut("out")
    level = Level("level_db")
    mute = Switch("mute")
    shape = Choice("shape", ["round", "square", "odd"])
    frames = Param("frames", 8, 0, 100, "frames", "integer")


class Source(Node):
    kind = "source"
    out = AudioOut("out", "=layout")
    notes = Port("notes", "out", "events")
    wave = ControlOut("wave")
    layout = LayoutSetting("layout", "mono")
    seed = Setting("seed", 0, "integer", low=0, high=9)
    freq = Param("freq_hz", 440, 1, 20_000, "Hz", "log")
    still = Param("still", 0.5, modulatable=False)


class Sink(Node):
    kind = "sink"
    signals = AudioIns(lambda settings: [f"in{i}" for i in range(settings["count"])])
    control = ControlIn("control")
    played = Port("played", "in", "events")
    count = Setting("count", 2, "integer", low=0, high=4)
    names = Setting("names", {}, "map")
    levels = Params(lambda settings: [Level(f"level{i}_db") for i in range(settings["count"])])


class Fussy(Node):
    kind = "fussy"
    mode = ChoiceSetting("mode", ["a", "b"])

    @classmethod
    def ports(cls, settings: Any) -> tuple[Port, ...]:
        if settings["mode"] == "b":
            raise PatchError("b has no ports", place="settings.mode")
        return super().ports(settings)


KINDS: dict[str, type[Node]] = {kind.kind: kind for kind in (Gain, Source, Sink, Fussy)}


def sound() -> Patch:
    patch = Patch("sound")
    patch.add("src", "source", freq_hz=220)
    patch.add("g", "gain", level_db=-6, mute=True, shape=2, frames=100)
    patch.add("end", "sink", level0_db=-96, level1_db=24.0)
    patch.connect("src.out", "g.in")
    patch.connect("src.out", "g.sidechain")
    patch.connect("g.out", "end.in1")
    patch.connect("src.wave", "g.level_db", amount=0.5)
    patch.connect("src.out", "end.level1_db")
    patch.connect("src.wave", "end.control")
    patch.connect("src.out", "end.control")
    patch.connect("src.notes", "end.played")
    patch.automate("g", "level_db", [(0, -60, "exponential"), (1, -6, "hold"), (1, 0), (2, 6, "exponential")])
    patch.automate("g", "mute", [(0, 0.5), (1, 1)])
    patch.automate("g", "bypass", [(0, 0, "hold"), (1, 1)])
    patch.automate("end", "mute", [(0, 1)])
    patch.automate("g", "level_db", [(0, 0)], enabled=False)
    patch.snapshot("s", {"g": {"level_db": -96, "bypass": 1, "mute": False}, "end": {"level0_db": 0, "mute": 1}})
    return patch


def found(patch: Patch) -> list[str]:
    return [f"{problem.place}: {problem.message}" for problem in problems(patch, KINDS)]


def test_a_sound_patch_has_no_problems() -> None:
    assert problems(sound(), KINDS) == []
    assert notes(sound(), KINDS) == []
    refuse(expand(sound()), KINDS)


INPUTS = "the inputs in0, in1, control, played"
LEVELS = "the params level0_db, level1_db"
WRONG: list[tuple[str, Any, str]] = [
    # nodes
    ("kind", lambda p: p.add("x", "tuba"), "nodes.x.kind: there is no kind 'tuba' here"),
    (
        "param",
        lambda p: p.set("g", gain=1),
        "nodes.g.params.gain: there is no param 'gain'; gain has the params level_db, mute, shape, frames",
    ),
    ("no params", lambda p: p.add("f", "fussy", x=1), "nodes.f.params.x: there is no param 'x'; fussy has no params"),
    (
        "range",
        lambda p: p.set("g", level_db=24.5),
        "nodes.g.params.level_db: expected a number from -96 to 24 dB, found 24.5",
    ),
    (
        "log range",
        lambda p: p.set("src", freq_hz=0),
        "nodes.src.params.freq_hz: expected a number from 1 to 20000 Hz, found 0",
    ),
    ("switch", lambda p: p.set("g", mute=0.5), "nodes.g.params.mute: expected 0 or 1 (or false or true), found 0.5"),
    (
        "choice",
        lambda p: p.set("g", shape=1.5),
        "nodes.g.params.shape: expected a whole number from 0 to 2 (0 round, 1 square, 2 odd), found 1.5",
    ),
    (
        "choice range",
        lambda p: p.set("g", shape=3),
        "nodes.g.params.shape: expected a whole number from 0 to 2 (0 round, 1 square, 2 odd), found 3",
    ),
    (
        "integer",
        lambda p: p.set("g", frames=7.5),
        "nodes.g.params.frames: expected a whole number from 0 to 100 frames, found 7.5",
    ),
    (
        "boolean",
        lambda p: p.set("g", level_db=True),
        "nodes.g.params.level_db: expected a number from -96 to 24 dB, found true",
    ),
    (
        "field",
        lambda p: p.set("end", bypass=1),
        "nodes.end.params.bypass: bypass is a field of the node, beside its params",
    ),
    (
        "bypass",
        lambda p: setattr(p.node("end"), "bypass", True),
        "nodes.end.bypass: sink cannot be bypassed; it can be muted",
    ),
    (
        "layout",
        lambda p: p.node("src").settings.update(layout="9.1"),
        "nodes.src.settings.layout: expected one of mono, stereo, lcr, quad, 5.0, 5.1, 7.1, 5.1.4, 7.1.4, found '9.1'",
    ),
    (
        "setting",
        lambda p: p.node("src").settings.update(seed=10),
        "nodes.src.settings.seed: expected a whole number from 0 to 9, found 10",
    ),
    ("ports", lambda p: p.add("f", "fussy", {"mode": "b"}), "nodes.f.settings.mode: b has no ports"),
    # cables
    (
        "output",
        lambda p: p.connect("g.side", "end.in0"),
        "cables.g.side -> end.in0: there is no output 'side'; g has the output out",
    ),
    (
        "from input",
        lambda p: p.connect("g.in", "end.in0"),
        "cables.g.in -> end.in0: g.in is an input, and a cable starts at an output",
    ),
    (
        "input",
        lambda p: p.connect("g.out", "end.in2"),
        f"cables.g.out -> end.in2: there is no input or param 'in2'; end has {INPUTS}, and {LEVELS}",
    ),
    (
        "into output",
        lambda p: p.connect("src.out", "g.out"),
        "cables.src.out -> g.out: g.out is an output, and a cable ends at an input or a param",
    ),
    (
        "into bypass",
        lambda p: p.connect("src.wave", "g.bypass"),
        "cables.src.wave -> g.bypass: g.bypass can be automated, and not modulated",
    ),
    (
        "into choice",
        lambda p: p.connect("src.wave", "g.shape"),
        "cables.src.wave -> g.shape: g.shape cannot be modulated",
    ),
    (
        "into still",
        lambda p: p.connect("g.out", "src.still"),
        "cables.g.out -> src.still: src.still cannot be modulated",
    ),
    (
        "control to audio",
        lambda p: p.connect("src.wave", "g.in"),
        "cables.src.wave -> g.in: src.wave carries control, and g.in "
        "takes audio; control signals feed params and control inputs",
    ),
    (
        "control to sidechain",
        lambda p: p.connect("src.wave", "g.sidechain"),
        "cables.src.wave -> g.sidechain: src.wave carries "
        "control, and g.sidechain takes audio; control signals feed params and control inputs",
    ),
    (
        "control to events",
        lambda p: p.connect("src.wave", "end.played"),
        "cables.src.wave -> end.played: src.wave carries "
        "control, and end.played takes events; control signals feed params and control inputs",
    ),
    (
        "audio to events",
        lambda p: p.connect("g.out", "end.played"),
        "cables.g.out -> end.played: g.out carries audio, and end.played takes events",
    ),
    (
        "events to audio",
        lambda p: p.connect("src.notes", "g.in"),
        "cables.src.notes -> g.in: src.notes carries events, and g.in takes audio",
    ),
    (
        "events to control",
        lambda p: p.connect("src.notes", "end.control"),
        "cables.src.notes -> end.control: src.notes carries events, and end.control takes control or mono audio",
    ),
    (
        "events to param",
        lambda p: p.connect("src.notes", "g.level_db"),
        "cables.src.notes -> g.level_db: src.notes carries events, and a param takes control or mono audio",
    ),
    # automation
    (
        "automated node",
        lambda p: p.automate("x", "y", []),
        "automation.x.y: there is no node 'x', or it has no such param",
    ),
    (
        "automated param",
        lambda p: p.automate("src", "y", []),
        "automation.src.y: there is no param 'y'; source has the params freq_hz, still",
    ),
    (
        "automated bypass",
        lambda p: p.automate("end", "bypass", [(0, 1)]),
        "automation.end.bypass: sink cannot be bypassed; it can be muted",
    ),
    (
        "automated twice",
        lambda p: p.automate("g", "level_db", [(0, 1)]),
        "automation.g.level_db: it is automated twice; one of the two can be switched off",
    ),
    (
        "automated value",
        lambda p: p.automate("src", "freq_hz", [(0, 20), (1, 0)]),
        "automation.src.freq_hz.points[1]: expected a number from 1 to 20000 Hz, found 0",
    ),
    (
        "curve",
        lambda p: p.automate("src", "freq_hz", [(0, 20, "cubic")]),
        "automation.src.freq_hz.points[0]: expected linear, exponential or hold, found the text 'cubic'",
    ),
    (
        "times",
        lambda p: p.automate("src", "freq_hz", [(1, 20), (0.5, 20)]),
        "automation.src.freq_hz.points[1]: expected a time that is not before the last, 1 s, found 0.5",
    ),
    (
        "negative time",
        lambda p: p.automate("src", "freq_hz", [(-1, 20)]),
        "automation.src.freq_hz.points[0]: expected a time from 0 to 1e+07 seconds, found -1",
    ),
    (
        "late time",
        lambda p: p.automate("src", "freq_hz", [(1e300, 20)]),
        "automation.src.freq_hz.points[0]: expected a time from 0 to 1e+07 seconds, found 1e+300",
    ),
    (
        "exponential",
        lambda p: p.automate("end", "level0_db", [(0, 0, "exponential"), (1, 6)]),
        "automation.end.level0_db.points[0]: an exponential curve has ends of one sign and not 0; these are 0 and 6",
    ),
    (
        "exponential signs",
        lambda p: p.automate("end", "level0_db", [(0, -6, "exponential"), (1, 6)]),
        "automation.end.level0_db.points[0]: an exponential curve has ends of one sign and not 0; these are -6 and 6",
    ),
    # snapshots
    (
        "snapshot node",
        lambda p: p.snapshot("t", {"x": {"y": 1}}),
        "snapshots.t.x.y: there is no node 'x', or it has no such param",
    ),
    (
        "snapshot param",
        lambda p: p.snapshot("t", {"src": {"y": 1}}),
        "snapshots.t.src.y: there is no param 'y'; source has the params freq_hz, still",
    ),
    (
        "snapshot value",
        lambda p: p.snapshot("t", {"g": {"mute": 2}}),
        "snapshots.t.g.mute: expected 0 or 1 (or false or true), found 2",
    ),
    (
        "snapshot bypass",
        lambda p: p.snapshot("t", {"end": {"bypass": 1}}),
        "snapshots.t.end.bypass: sink cannot be bypassed; it can be muted",
    ),
]


@pytest.mark.parametrize(("name", "spoil", "error"), WRONG, ids=[name for name, _, _ in WRONG])
def test_what_is_wrong_is_found_where_it_is(name: str, spoil: Any, error: str) -> None:
    patch = sound()
    spoil(patch)
    assert found(patch) == [error]
    if not name.startswith("snapshot") and name != "kind":
        with pytest.raises(PatchError) as caught:
            refuse(expand(patch), KINDS)
        assert str(caught.value) == error
        assert caught.value.node == problems(patch, KINDS)[0].node
    else:
        refuse(expand(patch), KINDS)


def test_everything_that_is_wrong_is_found_at_once() -> None:
    patch = sound()
    several = [spoil for name, spoil, _ in WRONG if name in ("range", "switch", "output", "times", "snapshot value")]
    for spoil in several:
        spoil(patch)
    assert len(found(patch)) == len(several)


def test_of_an_unknown_kind_nothing_more_is_said() -> None:
    patch = sound()
    patch.add("x", "tuba", anything=1e9)
    patch.node("x").bypass = True
    patch.connect("src.notes", "x.whatever")
    patch.connect("x.whatever", "g.in")
    patch.connect("x.whatever", "g.nothing")
    patch.automate("x", "anything", [(0, 1)])
    patch.snapshot("t", {"x": {"anything": 5}})
    wrong = problems(patch, KINDS)
    assert wrong[0] == Problem("x", "nodes.x.kind", "there is no kind 'tuba' here", unknown_kind=True)
    assert [problem.place for problem in wrong[1:]] == ["cables.x.whatever -> g.nothing"]
    assert not any(problem.unknown_kind for problem in wrong[1:])


def test_what_is_kept_without_effect_is_noted() -> None:
    patch = sound()
    patch.node("src").settings["layot"] = "stereo"
    patch.node("g").extra["colour"] = "red"
    patch.extra["later"] = 1
    patch.connect("g.out", "end.in0", amount=0.5)
    patch.add("x", "tuba", {"any": 1})
    assert [f"{note.place}: {note.message}" for note in notes(patch, KINDS)] == [
        "later: this field is not known here; it is kept",
        "nodes.g.colour: this field is not known here; it is kept",
        "nodes.src.settings.layot: source does not have it; it is kept",
        "cables.g.out -> end.in0.amount: an amount only scales a cable into a param",
    ]
    assert [problem.place for problem in problems(patch, KINDS)] == ["nodes.x.kind"]


def grouped(**settings: Any) -> Patch:
    patch = sound()
    inner = {"nodes": {"a": {"kind": "gain"}}, "cables": []}
    patch.add(
        "grp",
        "group",
        {"patch": inner, "ports": {"in": "a.in", "out": "a.out"}, "params": {"amount": "a.level_db"}, **settings},
    )
    return patch


def test_inside_a_group_problems_have_the_inner_address() -> None:
    patch = grouped(patch={"nodes": {"a": {"kind": "gain", "params": {"level_db": 99}}}, "cables": []})
    patch.automate("grp/a", "level_db", [(0, 50)])
    patch.automate("grp", "amount", [(0, 60)], enabled=False)
    patch.snapshot("t", {"grp": {"amount": 70}, "grp/a": {"level_db": 80}, "grp/b": {"x": 1}})
    patch.connect("src.wave", "grp.in")
    range_ = "expected a number from -96 to 24 dB, found"
    assert found(patch) == [
        f"nodes.grp/a.params.level_db: {range_} 99",
        "cables.src.wave -> grp/a.in: src.wave carries control, and grp/a.in takes audio; "
        "control signals feed params and control inputs",
        f"automation.grp/a.level_db.points[0]: {range_} 50",
        f"automation.grp/a.level_db.points[0]: {range_} 60",
        f"snapshots.t.grp.amount: {range_} 70",
        f"snapshots.t.grp/a.level_db: {range_} 80",
        "snapshots.t.grp/b.x: there is no node 'grp/b', or it has no such param",
    ]


def test_a_group_that_cannot_be_opened_does_not_hide_the_rest() -> None:
    patch = grouped(ports={"in": "b.in"})
    patch.set("g", level_db=99)
    patch.connect("src.out", "grp.in")
    wrong = problems(patch, KINDS)
    assert wrong[0].node == "grp"
    assert [problem.place for problem in wrong[1:]] == ["nodes.g.params.level_db"]


def test_settings_and_params_resolve_to_their_types_with_defaults_filled_in() -> None:
    settings = resolve_settings(Source, NodeEntry("source", {"seed": 3.0, "unheard_of": 1}))
    assert settings == {"layout": "mono", "seed": 3}
    assert type(settings["seed"]) is int
    params = resolve_params(Gain, {}, NodeEntry("gain", params={"mute": True, "shape": 1, "unheard_of": 5}))
    assert params == {"level_db": 0.0, "mute": 1.0, "shape": 1.0, "frames": 8.0}
    assert all(type(value) is float for value in params.values())
    assert list(params) == ["level_db", "mute", "shape", "frames"]
    with pytest.raises(PatchError, match=r"params\.level_db: expected a number from -96 to 24 dB, found 25"):
        resolve_params(Gain, {}, NodeEntry("gain", params={"level_db": 25}))
    with pytest.raises(PatchError, match=r"settings\.seed: expected a whole number from 0 to 9, found 'x'"):
        resolve_settings(Source, NodeEntry("source", {"seed": "x"}))


def test_defaults_of_settings_are_not_shared() -> None:
    first = resolve_settings(Sink, NodeEntry("sink"))
    first["names"]["a"] = 1
    assert resolve_settings(Sink, NodeEntry("sink")) == {"count": 2, "names": {}}
    assert Sink.names.default == {}


def test_shapes_follow_the_settings_and_are_remembered() -> None:
    assert list(shape_of(Sink, {"count": 1, "names": {"any": "map"}}).params) == ["level0_db"]
    assert list(shape_of(Sink, {"count": 3, "names": {}}).inputs) == ["in0", "in1", "in2", "control", "played"]


def test_a_shape_is_asked_for_once() -> None:
    calls: list[int] = []

    class Counted(Node):
        kind = "counted"

        @classmethod
        def ports(cls, settings: Any) -> tuple[Port, ...]:
            calls.append(settings["n"])
            return ()

    for n in (1, 2, 1, 2):
        shape_of(Counted, {"n": n})
    assert calls == [1, 2]
