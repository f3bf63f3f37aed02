"""Windows of real plugins on a display of the test's own; each test in a child, for a display ends whom it dislikes."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from ctypes import byref, c_int32, c_uint64, c_void_p
from pathlib import Path

import pytest

from host.plugins.vst3 import com
from host.plugins.vst3.com import Remote
from host.plugins.vst3.window import FRAME, LARGEST, RUN_LOOP, Frame, Rect, RunLoop

ROOT = Path(__file__).resolve().parents[4]
ZAM = sorted(Path("/usr/lib/vst3").glob("Za*.vst3"))
on_screen = pytest.mark.skipif(
    not ZAM or not all(map(shutil.which, ("Xvfb", "xdotool"))), reason="takes zam-plugins, Xvfb and xdotool"
)

BEGIN = """
import json, subprocess, sys, time
from pathlib import Path
import numpy as np
from host.plugins.errors import PluginError
from host.plugins.vst3.plugin import Vst3Plugin

def opened(path):
    plugin = Vst3Plugin(Path(path))
    plugin.prepare(48000, 64)
    return plugin, plugin.open_window("Window of " + plugin.description.name)

def until(window, condition):
    deadline = time.monotonic() + 60
    while not (found := condition()):
        window.turn(0.01)
        assert time.monotonic() < deadline
    return found

def children(window):
    shown = subprocess.run(["xdotool", "search", "--name", window], capture_output=True, text=True).stdout
    return shown.split()

def do(*words):
    subprocess.run(["xdotool", *map(str, words)], check=True)
"""


def child(program: str, display: str, *words: object) -> list:
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{BEGIN}{program}"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, *map(str, words)],
        env=os.environ | {"DISPLAY": display},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


@on_screen
def test_every_window_opens_shows_itself_and_closes(display) -> None:
    program = """
for path in sys.argv[1:]:
    plugin, window = opened(path)
    until(window, lambda: children(plugin.description.name))
    width, height = window.size
    print(json.dumps([plugin.description.name, width > 100 and height > 50, window.open]))
    window.close()
    window.close()
    assert not window.open
    again = plugin.open_window("again")
    again.turn()
    plugin.close()
    assert not again.open
"""
    assert child(program, display, *ZAM) == [[path.stem, True, True] for path in ZAM]


@on_screen
def test_a_knob_turned_by_a_mouse_is_told_and_heard(display) -> None:
    """The knob of the threshold, dragged down: what is told is what the param then has, also in the next block."""
    program = """
plugin, window = opened(sys.argv[1])
until(window, lambda: children(plugin.description.name))
until(window, lambda: window.turn(0.2) or True)
threshold = next(p.id for p in plugin.description.params if p.name == "Threshold")
do("mousemove", 212, 65, "mousedown", 1)
for y in range(66, 106, 4):
    do("mousemove", 212, y)
    window.turn(0.02)
do("mouseup", 1)
found = []
until(window, lambda: found.extend(plugin.notices()) or any(n.kind == "release" for n in found))
edits = [n for n in found if n.kind == "edit"]
silence, out = np.zeros((1, 64), np.float32), np.zeros((1, 64), np.float32)
plugin.process([silence, silence], [out])
print(json.dumps([n.kind for n in found if n.kind in ("touch", "release")]))
print(json.dumps([{n.id for n in edits} == {threshold}, 0 <= edits[-1].value < 1,
                  abs(plugin.get(threshold) - edits[-1].value) < 1e-6]))
window.close()
other = Vst3Plugin(Path(sys.argv[1]))
other.set_state(plugin.state())
print(json.dumps([abs(other.get(threshold) - edits[-1].value) < 1e-4]))
"""
    path = next(path for path in ZAM if path.stem == "ZamComp")
    assert child(program, display, path) == [["touch", "release"], [True, True, True], [True]]


@on_screen
def test_a_window_that_is_taken_away_from_outside_is_closed(display) -> None:
    program = """
plugin, window = opened(sys.argv[1])
(mine,) = until(window, lambda: children("Window of"))
do("windowclose", mine)
until(window, lambda: not window.open)
print(json.dumps([window.open]))
plugin.open_window("again").turn()
plugin.close()
"""
    assert child(program, display, ZAM[0]) == [[False]]


@on_screen
def test_without_a_display_it_is_said() -> None:
    program = """
try:
    opened(sys.argv[1])
except PluginError as error:
    print(json.dumps([str(error)]))
"""
    ((words,),) = child(program, "", ZAM[0])
    assert "need a display" in words


def test_the_loop_takes_files_and_timers_and_forgets_closed_files() -> None:
    made = RunLoop()
    loop = Remote(made.this)
    told: list[object] = []

    kept = []
    for note in ("file", "timer", "lost"):
        kind = com.prototype(None, c_int32)
        function = kind(lambda this, file, note=note: told.append(note))
        table = (c_void_p * 4)(0, 0, 0, ctypes.cast(function, c_void_p).value)
        header = (c_void_p * 1)(ctypes.addressof(table))
        kept.append((header, table, function))
    file, timer, lost = (ctypes.addressof(header) for header, _, _ in kept)
    read, write = os.pipe()
    closed, end = os.pipe()
    assert loop.call(3, file, read, types=(c_void_p, c_int32)) == com.OK
    assert loop.call(3, lost, closed, types=(c_void_p, c_int32)) == com.OK
    assert loop.call(5, timer, 0, types=(c_void_p, c_uint64)) == com.OK
    os.write(write, b"x")
    while told.count("timer") < 2:
        made.turn(read, 1.0)
    assert "file" in told
    os.close(closed)
    made.turn(read, 0.0)
    assert list(made.files) == [file]
    assert loop.call(4, file, types=(c_void_p,)) == com.OK
    assert loop.call(4, file, types=(c_void_p,)) != com.OK
    assert loop.call(6, timer, types=(c_void_p,)) == com.OK
    assert loop.call(6, None, types=(c_void_p,)) != com.OK
    for wrong in ((None, read), (file, -1)):
        assert loop.call(3, *wrong, types=(c_void_p, c_int32)) != com.OK
    for number in (read, write, end):
        os.close(number)


def test_a_frame_refuses_sizes_that_cannot_be() -> None:
    sizes: list[tuple[int, int]] = []
    made = Frame(RunLoop(), sizes.append)
    frame = Remote(made.this)
    kinds = (c_void_p, c_void_p)
    for rect in (Rect(0, 0, 0, 10), Rect(0, 0, 10, -1), Rect(0, 0, LARGEST + 1, 10), Rect(5, 0, 4, 4)):
        assert frame.call(3, None, byref(rect), types=kinds) != com.OK
    assert frame.call(3, None, None, types=kinds) != com.OK
    assert frame.call(3, None, byref(Rect(10, 10, 110, 60)), types=kinds) == com.OK
    assert sizes == [(100, 50)]
    loop = frame.query(RUN_LOOP)
    assert loop is not None
    assert loop.query(FRAME) is None
    assert frame.query(com.STREAM) is None
