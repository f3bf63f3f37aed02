"""Cables of events: what comes together, in which order, how late; what has no room; and where they may not go."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.check import problems
from graph.compiler import compile
from graph.document import Patch
from graph.errors import PatchError
from graph.order import LoopError
from host.offline import run_arrays
from host.services import FileServices
from nodes.dsp.events import CONTROL, NOTE_OFF, NOTE_ON, RELEASE

spec = importlib.util.spec_from_file_location("events_rig", Path(__file__).with_name("events_rig.py"))
assert spec is not None
assert spec.loader is not None
rig = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rig)

RATE, TICK = rig.RATE, 64
FRAMES = 2048
Events = list[tuple[int, int]]


def packed(status: int, first: int = 0, second: int = 0) -> int:
    return status | first << 8 | second << 16


def on(note: int, velocity: int = 100, channel: int = 0) -> int:
    return packed(NOTE_ON | channel, note, velocity)


def off(note: int, channel: int = 0, velocity: int = 64) -> int:
    return packed(NOTE_OFF | channel, note, velocity)


def patch_of(scripts: Sequence[Events], delay: int = 0) -> Patch:
    """Scripts into one probe; with a delay, beside a sound that is so late."""
    patch = Patch(sample_rate=RATE)
    patch.add("probe", "event_probe")
    for k, events in enumerate(scripts):
        patch.add(f"s{k}", "script", settings=rig.script(events))
        patch.connect(f"s{k}.out", "probe.in")
    if delay:
        patch.add("in", "audio_in")
        patch.add("late", "latency", settings={"frames": delay})
        patch.connect("in.out", "late.in")
        patch.connect("late.out", "probe.beside")
    return patch


def ticks_of(events: Events) -> dict[int, Events]:
    """What each tick brings, as far as it has room; the rest comes in the next, at its first frame."""
    found: dict[int, Events] = {}
    waiting = sorted(events, key=lambda event: event[0])
    tick = 0
    while waiting:
        late = [(max(frame, tick * TICK), event) for frame, event in waiting if frame < (tick + 1) * TICK]
        found[tick] = late[:TICK]
        waiting = late[TICK:] + [each for each in waiting if each[0] >= (tick + 1) * TICK]
        tick += 1
    return found


def merged(scripts: Sequence[Events]) -> Events:
    """What is heard of several scripts: by frame, at one frame by their names; what has no room a tick later."""
    parts = [ticks_of(events) for events in scripts]
    result: Events = []
    waiting: list[int] = []
    tick = 0
    while waiting or any(tick <= max(part, default=-1) for part in parts):
        new = [
            (frame, k, n, event) for k, part in enumerate(parts) for n, (frame, event) in enumerate(part.get(tick, []))
        ]
        here = [(tick * TICK, event) for event in waiting] + [(frame, event) for frame, _, _, event in sorted(new)]
        result += here[:TICK]
        waiting = [event for _, event in here[TICK:]]
        tick += 1
    return result


messages = st.builds(
    packed,
    st.sampled_from([NOTE_ON, NOTE_OFF, CONTROL, 0xA3, 0xC1, 0xDF, 0xE7]),
    st.integers(0, 119),  # beyond lie controllers that end notes
    st.integers(0, 127),
)
scripts = st.lists(
    st.lists(st.tuples(st.integers(TICK, FRAMES // 2), messages), max_size=60).map(
        lambda events: sorted(events, key=lambda event: event[0])
    ),
    min_size=1,
    max_size=4,
)
quick = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(scripts, st.sampled_from([64, 448, 512]))
def test_cables_come_together_by_frame_and_then_by_name(written, block):
    assert rig.heard(patch_of(written), FRAMES, block=block) == (merged(written), 0)


@quick
@given(scripts, st.integers(1, 300))
def test_events_are_delayed_with_the_sound_beside_them_to_the_frame(written, delay):
    assert rig.heard(patch_of(written, delay), FRAMES) == (merged(written), 0)


@pytest.mark.parametrize("delay", [0, 37])
def test_what_a_tick_has_no_room_for_comes_in_the_next_ones_in_order(delay):
    crowd = [[(200 + k // 40, packed(CONTROL | s, k % 100, 1)) for k in range(150)] for s in range(3)]
    assert rig.heard(patch_of(crowd, delay), FRAMES)[1] == 0
    assert rig.heard(patch_of(crowd), FRAMES) == (merged(crowd), 0)


def test_of_what_has_no_room_at_all_note_offs_have_the_last_and_the_rest_is_counted():
    """More comes than goes: in the end only what ends a note is taken in."""
    span = 40 * TICK
    floods = [[(frame, packed(CONTROL, 7, frame % 128)) for frame in range(TICK, TICK + span)] for _ in range(4)]
    offs = [(frame, off(frame % 128)) for frame in range(TICK, TICK + span, 8)]
    found, lost = rig.heard(patch_of([*floods, offs]), 400 * TICK)
    assert lost == 4 * span + len(offs) - len(found) > 0
    assert [event for _, event in found if event & 0xF0 == NOTE_OFF] == [event for _, event in offs]


def test_a_release_ends_what_came_by_the_same_cable_and_nothing_else():
    one = [(100, on(60)), (110, on(60)), (120, on(61, channel=3)), (130, off(61, 3)), (140, packed(CONTROL, 64, 127))]
    one += [(500, RELEASE), (700, on(62))]
    other = [(90, on(60)), (800, off(60))]
    found, _ = rig.heard(patch_of([one, other]), FRAMES)
    ended = [(500, off(60)), (500, off(60)), (500, packed(CONTROL, 64, 0))]
    assert found == sorted([*one[:5], *ended, one[6], *other], key=lambda each: each[0])


def test_what_is_no_event_ends_its_tick():
    bad = [(100, 0x50), (101, on(1))]
    found, _ = rig.heard(patch_of([bad]), FRAMES)
    assert found == [(101, on(1))], "a status that is none is left out"


def test_events_go_round_a_loop_a_tick_later():
    patch = patch_of([[(100, on(5))]])
    patch.add("hold", "hold")
    patch.connect("s0.out", "hold.in")
    patch.connect("hold.out", "probe.in")
    patch.add("back", "hold")
    patch.connect("hold.out", "back.in")
    patch.connect("back.out", "hold.in")
    with pytest.raises(LoopError):
        compile(patch, rig.registry(), FileServices(Path()))
    patch.disconnect("back.out", "hold.in")
    patch.connect("back.out", "hold.in", feedback=True)
    found, _ = rig.heard(patch, 512)
    assert found == [(100, on(5))] + [(100 + TICK * k, on(5)) for k in range(7) if 100 + TICK * k < 512]


def test_threads_hear_the_same():
    written = [[(100 + 7 * k, on(k % 128, channel=s)) for k in range(60)] for s in range(4)]
    assert rig.heard(patch_of(written, 77), FRAMES, threads=2) == rig.heard(patch_of(written, 77), FRAMES)


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("s0.out", "bus.in", "s0.out carries events, and bus.in takes audio"),
        ("s0.out", "bus.level_db", "s0.out carries events, and a param takes control or mono audio"),
        ("lfo.out", "probe.in", "lfo.out carries control, and probe.in takes events"),
        ("in.out", "probe.in", "in.out carries audio, and probe.in takes events"),
        ("s0.out", "comp.sidechain", "s0.out carries events, and comp.sidechain takes audio"),
    ],
)
def test_events_go_only_from_events_to_events(source, target, words):
    patch = patch_of([[]])
    for id, kind in (("bus", "bus"), ("lfo", "lfo"), ("in", "audio_in"), ("comp", "compressor")):
        patch.add(id, kind)
    patch.connect(source, target)
    (problem,) = problems(patch, rig.registry())
    assert words in problem.message
    with pytest.raises(PatchError, match=words.split(",")[0]):
        compile(patch, rig.registry(), FileServices(Path()))


def test_what_is_missing_takes_events_and_makes_no_sound_of_them():
    patch = patch_of([[(100, on(1))]])
    patch.add("gone", "no_such_kind")
    patch.add("out", "audio_out")
    patch.connect("s0.out", "gone.notes")
    patch.connect("gone.out", "out.in")
    patch.connect("gone.thru", "probe.in")
    missing: list[PatchError] = []
    services = FileServices(Path())
    schedule = compile(patch, rig.registry(), services, RATE, missing=missing)
    assert [error.node for error in missing] == ["gone"]
    found, _ = run_arrays(schedule, services, 512)
    assert not found["out"].any()
    assert rig.decoded(found["probe"]) == [(100, on(1))]


def test_events_go_into_groups_and_out_of_them():
    patch = patch_of([])
    patch.add("song", "script", settings=rig.script([(100, on(1)), (300, off(1))]))
    inner = {"nodes": {"a": {"kind": "hold"}, "b": {"kind": "hold"}}, "cables": [{"from": "a.out", "to": "b.in"}]}
    patch.add("group", "group", settings={"patch": inner, "ports": {"in": "a.in", "out": "b.out"}, "params": {}})
    patch.connect("song.out", "group.in")
    patch.connect("group.out", "probe.in")
    assert rig.heard(patch, FRAMES) == ([(100, on(1)), (300, off(1))], 0)


def test_the_node_in_the_documentation_does_what_it_says(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
    (code,) = [part.partition("```")[0] for part in text.split("```python\n")[1:]]
    (tmp_path / "soften.py").write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("soften", tmp_path / "soften.py")
    assert spec is not None
    assert spec.loader is not None
    soften = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(soften)
    patch = patch_of([])
    song = [(100, on(60, 101)), (101, packed(CONTROL, 7, 100)), (300, off(60))]
    patch.add("song", "script", settings=rig.script(song))
    patch.add("soft", "soften", touch=0.25)
    patch.connect("song.out", "soft.in")
    patch.connect("soft.out", "probe.in")
    services = FileServices(Path())
    schedule = compile(patch, {**rig.registry(), "soften": soften.Soften}, services, RATE)
    found, _ = run_arrays(schedule, services, FRAMES)
    assert rig.decoded(found["probe"]) == [(100, on(60, 25)), *song[1:]]


def test_what_ends_all_notes_of_a_channel_ends_each_for_those_who_do_not_know_it():
    """Few plugins look at these controllers."""
    panic, reset, pedal = packed(CONTROL | 2, 123), packed(CONTROL | 2, 121), packed(CONTROL | 2, 64, 127)
    song = [(100, on(60, channel=2)), (101, on(61, channel=2)), (102, on(60, channel=3)), (103, pedal)]
    found, _ = rig.heard(patch_of([[*song, (200, panic), (300, reset), (400, RELEASE)]]), FRAMES)
    offs = [(200, off(60, 2)), (200, off(61, 2)), (200, panic), (300, packed(CONTROL | 2, 64, 0)), (300, reset)]
    assert found == [*song, *offs, (400, off(60, 3))]


def test_a_missing_instrument_is_silent_and_keeps_its_cables():
    patch = patch_of([[(100, on(1))]])
    patch.add("synth", "plugin", settings={"uid": "0" * 32, "name": "Nobody has it"})
    patch.add("out", "audio_out")
    patch.connect("s0.out", "synth.events")
    patch.connect("synth.out", "out.in")
    missing: list[PatchError] = []
    services = NoPlugins(Path())
    schedule = compile(patch, rig.registry(), services, RATE, missing=missing)
    assert [error.node for error in missing] == ["synth"]
    found, _ = run_arrays(schedule, services, 512)
    assert not found["out"].any()
    assert schedule.node("synth").config.layouts["events"] == "events"


class NoPlugins(FileServices):
    """A machine without plugins."""

    def plugin(self, settings: Mapping[str, Any]) -> Any:
        raise PatchError("there is no such plugin")
