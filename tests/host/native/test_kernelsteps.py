"""What a program takes over from the one before: the same sound as without, and nothing that is not there any more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graph.compiler import compile
from graph.document import Patch
from graph.spec import TICK
from host.native import kernelsteps
from host.native.abi import STREAM_DATA, STREAM_END, STREAM_MASK, STREAM_START
from host.native.arena import Arena
from host.native.binding import bind
from host.services import FileServices
from nodes import kinds

RATE = 48000
FRAMES = 8 * TICK


def patch(taps: int, freq_hz: float = 500.0, mode: str = "stereo", level_db: float = -6.0) -> Patch:
    """Noise through an echo, a filter, so many gains side by side, a level that moves, and out."""
    made = Patch(sample_rate=RATE)
    made.add("source", "noise", level_db=-12)
    made.add("echo", "delay", {"mode": mode}, time_ms=3.0, feedback=0.5)
    made.add("tone", "filter", freq_hz=freq_hz)
    made.add("lfo", "lfo", rate_hz=20)
    made.add("moved", "gain", level_db=level_db)
    made.add("out", "audio_out")
    made.add("stereo", "pan")
    made.connect("source.out", "stereo.in")
    made.connect("stereo.out", "echo.in")
    made.connect("echo.out", "tone.in")
    made.connect("lfo.out", "moved.level_db", amount=0.1)
    for k in range(taps):
        made.add(f"tap{k}", "gain", level_db=-k)
        made.connect("tone.out", f"tap{k}.in")
        made.connect(f"tap{k}.out", "moved.in")
    made.connect("moved.out", "out.in")
    return made


EDITS = (
    patch(3),
    patch(4),
    patch(3),
    patch(3, freq_hz=900.0),
    patch(3, mode="ping_pong"),
    patch(3),
    patch(1),
    patch(5, level_db=-3.0),
)


def heard(following: bool) -> list[np.ndarray]:
    """What each of the edits sounds like, one after another over the same state, hard."""
    arena, services = Arena(), FileServices(Path())
    found: list[np.ndarray] = []
    before = context = None
    for edit in EDITS:
        schedule = compile(edit, kinds(), services, RATE)
        program = bind(schedule, arena, services, context=context, before=before if following else None)
        stream = program.streams["out"]
        ring = np.zeros((FRAMES, stream.channels), np.float32)
        stream.header[[STREAM_DATA, STREAM_MASK, STREAM_START, STREAM_END]] = ring.ctypes.data, FRAMES - 1, 0, 0
        program.run(FRAMES)
        arena.keep_only(program.keys)
        before, context = program, program.context
        found.append(ring)
    return found


def test_a_program_that_follows_another_sounds_as_if_it_did_not():
    plain, following = heard(False), heard(True)
    for number, (one, other) in enumerate(zip(plain, following, strict=True)):
        assert np.any(one), f"edit {number} is silent"
        np.testing.assert_array_equal(one, other, err_msg=f"edit {number}")


@pytest.mark.parametrize("blind_to", ["the arena", "params"])
def test_what_is_taken_over_blindly_is_noticed(monkeypatch, blind_to):
    """Seeded faults: state that is not in the arena any more, or params of another edit."""

    def lasts(made, nodes, arena):
        if blind_to == "params":
            return all(arena.find(key) is array for key, array in made.slots)
        return all(a.kind is b.kind and a.config == b.config for a, b in zip(made.nodes, nodes, strict=True))

    keep_only = Arena.keep_only
    if blind_to == "the arena":
        monkeypatch.setattr(Arena, "keep_only", lambda arena, keys: keep_only(arena, ()))
    plain = heard(False)
    np.testing.assert_array_equal(plain[-1], heard(True)[-1])
    monkeypatch.setattr(kernelsteps._Made, "lasts", lasts)
    assert any(not np.array_equal(a, b) for a, b in zip(plain, heard(True), strict=True))


def test_steps_whose_nodes_are_the_same_are_not_made_again(monkeypatch):
    described: list[str] = []
    describe = kernelsteps.KernelSteps._describe

    def counted(self, step, nodes, moving):
        described.append(nodes[0].id)
        return describe(self, step, nodes, moving)

    monkeypatch.setattr(kernelsteps.KernelSteps, "_describe", counted)
    arena, services = Arena(), FileServices(Path())
    first = bind(compile(patch(3), kinds(), services, RATE), arena, services)
    described.clear()
    bind(compile(patch(3, freq_hz=700.0), kinds(), services, RATE), arena, services, before=first)
    assert described == ["tone"]
