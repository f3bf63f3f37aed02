"""What the editor's own Python costs: a process of its own on an X server, started by ``editor.py``.

``python -m benchmarks.editing FRAMES ANSWER PART...`` measures parts and writes JSON to ANSWER: by label, rows of
``own``, ``drawing``, ``wall`` and ``loop``, in seconds. Own are CPU seconds of the thread that the editor runs in,
without those inside Dear PyGui's frames, which are ``drawing``: there, on a machine without a graphics card, pixels are
made by the processor, in other threads too. ``loop`` is a fixed piece of Python, measured in between.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from math import sin
from pathlib import Path
from time import thread_time
from types import SimpleNamespace
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np

from editor.app import IDLE_S, App
from editor.canvas.held import Keys
from editor.canvas.panel import Canvas
from editor.canvas.view import Point
from editor.link import Sound
from editor.model import Session
from editor.pointer import Touch
from graph import Patch
from graph.document import Cable, NodeEntry
from graph.edits import AddNode, Batch, Connect
from graph.patchfile import load, packed, save
from graph.spec import LANES, Reading
from host.engine.readings import by_node
from host.messages import ReadingMap, SetPatch, encode
from nodes import kinds

TRACK = ("oscillator", "eq", "compressor", "meter")
MASTER = ("bus", "limiter", "loudness", "audio_out")
LOOP = 20_000
STILL = 10
"""Frames at rest that are measured together."""
SIZES = (20, 100, 300)
EDITED = 200
OPENED = 300
TIMES = 7
"""How often what takes long is measured."""
LIVE, OPEN, EDIT = "{} nodes, meters moving", "open {} nodes", "{} nodes: a cable and a node, to the engine"
IDLE, EMPTY = "idle", "an empty frame of Dear PyGui"


def mixed(count: int, placed: bool = True) -> Patch:
    """A mix of so many nodes: tracks of four, a bus, a limiter, a loudness meter, an output."""
    patch = Patch(f"Mix of {count}", 48000)
    for before, kind in zip(("", *MASTER), MASTER, strict=False):
        patch.add(kind, kind)
        if before:
            patch.connect(f"{before}.out", f"{kind}.in")
    for k in range(count - len(MASTER)):
        track, place = divmod(k, len(TRACK))
        id = f"{TRACK[place]}{track}"
        patch.add(id, TRACK[place])
        if place:
            patch.connect(f"{TRACK[place - 1]}{track}.out", f"{id}.in")
        if place == len(TRACK) - 1:
            patch.connect(f"{id}.out", "bus.in")
    if placed:
        _place(patch)
    return patch


def meters(count: int) -> Patch:
    """So many meters in a chain."""
    patch = Patch(f"{count} meters", 48000)
    for k in range(count):
        patch.add(f"meter{k}", "meter")
        if k:
            patch.connect(f"meter{k - 1}.out", f"meter{k}.in")
    _place(patch)
    return patch


def _place(patch: Patch) -> None:
    """In rows of twenty, nothing over anything else."""
    for k, entry in enumerate(patch.nodes().values()):
        row, column = divmod(k, 20)
        entry.position = (column * 220.0, row * 260.0)


class Moving:
    """An engine of which only the readings are there: every value that a node measures, and it moves."""

    def __init__(self, patch: Patch, rolling: bool = True) -> None:
        self.notices: list[Any] = []
        self.plugins = None
        self.calls = 0
        numbers = {"load": 0.3, "worst": 0.4, "xruns": 0.0, "rate": 48000.0}
        self.status = SimpleNamespace(
            alive=True, rolling=rolling, place_s=0.0, numbers=numbers, device=None, problems=(), compiling=None
        )
        entries: list[tuple[str, str, int, int, tuple[str, ...]]] = []
        size = 0
        for id, entry in patch.nodes().items():
            for name, count in _measured(entry.kind):
                entries.append((id, name, size, count, ()))
                size += count
        self._layout = ReadingMap(1, tuple(entries))
        self._phase = np.arange(size) * 0.7

    def readings(self) -> dict[str, Any]:
        if self.status.rolling:
            self.calls += 1
            self.status.place_s = self.calls / 30
        return by_node(self._layout, np.abs(np.sin(self._phase + self.calls * 0.31)).astype(np.float32))

    def costs(self) -> dict[str, Any]:
        return {}

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


def _measured(kind: str) -> Iterator[tuple[str, int]]:
    if kind == "audio_out":
        yield "peak", 2
    for name, item in kinds()[kind].declared.items():
        if isinstance(item, Reading) and not callable(item.shape):
            yield name, 2 if item.shape == (LANES,) else int(np.prod(item.shape))


class Packing:
    """What an engine's client does with a patch, up to the bytes for the socket."""

    def load(self, patch: Patch, wait: bool = True) -> None:
        encode(SetPatch(1, packed(patch), str(patch.folder)))


class Clock:
    """CPU seconds of this thread, those inside Dear PyGui's frames counted apart."""

    def __init__(self) -> None:
        self.drawing = 0.0
        self._render = dpg.render_dearpygui_frame
        dpg.render_dearpygui_frame = self._frame

    def _frame(self) -> None:
        began = thread_time()
        self._render()
        self.drawing += thread_time() - began

    def cost(self, act: Callable[[], object]) -> tuple[float, float, float]:
        """Own, drawing and wall seconds of an act."""
        began, drawn, wall = thread_time(), self.drawing, time.perf_counter()
        act()
        drawn = self.drawing - drawn
        return thread_time() - began - drawn, drawn, time.perf_counter() - wall


def loop() -> None:
    """A fixed piece of Python."""
    found: dict[int, float] = {}
    for k in range(LOOP):
        found[k & 255] = found.get(k & 255, 0.0) + sin(k)


class Book:
    """What was measured, by label."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.rows: dict[str, dict[str, list[float]]] = {}

    def note(self, label: str, own: float, drawing: float, wall: float) -> None:
        """Write a measurement down."""
        row = self.rows.setdefault(label, {"own": [], "drawing": [], "wall": [], "loop": []})
        for name, value in (("own", own), ("drawing", drawing), ("wall", wall)):
            row[name].append(value)

    def compare(self, label: str) -> None:
        """Measure the loop, beside what was just measured."""
        self.rows[label]["loop"].append(self.clock.cost(loop)[0])


def empty(book: Book, frames: int) -> None:
    """Frames of a window with nothing in it."""
    dpg.create_context()
    dpg.create_viewport(width=1680, height=1000)
    dpg.setup_dearpygui()
    dpg.show_viewport()
    for k in range(frames + 5):
        cost = book.clock.cost(lambda: dpg.render_dearpygui_frame())
        if k >= 5:
            book.note(EMPTY, *cost)
    book.compare(EMPTY)
    dpg.destroy_context()


class Bench:
    """One window, in which everything is measured in turn."""

    def __init__(self, book: Book, frames: int) -> None:
        self.book, self.frames = book, frames
        self.player = Moving(Patch())
        self.app = App(Session(Patch()), lambda: self.player)
        self.app.start()
        canvas = self.app.panels["canvas"]
        assert isinstance(canvas, Canvas)
        self.canvas = canvas

    def measure(self, label: str, act: Callable[[int], object] = lambda k: None) -> None:
        """Frames in each of which something is done, and in each of which there are new readings."""

        def frame(k: int) -> None:
            act(k)
            self.app.turn()

        for k in range(self.frames):
            self.app._lively = 0.0
            self.book.note(label, *self.book.clock.cost(partial(frame, k)))
            if k % 10 == 0:
                self.book.compare(label)

    def show(self, patch: Patch, rolling: bool = True, settle: int = 30) -> None:
        """Open a patch, and wait until all that follows is done."""
        self.app.session.open(patch)
        self.player = self.app.sound._player = Moving(patch, rolling)
        for _ in range(settle):
            self.app.turn()

    # -- what is measured ----------------------------------------------------------------------------------------------

    def live(self) -> None:
        """Frames with meters that move, all nodes being in view."""
        for count in SIZES:
            self.show(mixed(count))
            self.measure(LIVE.format(count))
        self.show(meters(100))
        self.measure("100 meters in two channels, moving")

    def gestures(self) -> None:
        """Panning, dragging a node, turning a knob, while meters move."""
        self.show(mixed(100))
        canvas, middle = self.canvas, (self.canvas.size[0] / 2, self.canvas.size[1] / 2)
        self._pan("100 nodes, panning over all", middle, 6)
        canvas.fly_to("compressor0")
        canvas.show(canvas.gestures.view.at_zoom(1.0, middle))
        self._pan("100 nodes, panning at full size", middle, 40)
        for count in (100, 300):
            self.show(mixed(count))
            self._drag(f"{count} nodes, dragging a node", "move")
            self._drag(f"{count} nodes, turning a knob", "turn")

    def _pan(self, label: str, at: Point, step: float) -> None:
        self.canvas.gestures.press(at, 1)
        self.measure(label, lambda k: self._drag_to((at[0] + k % 50 * step, at[1])))
        self.canvas.gestures.release(at)

    def _drag_to(self, at: Point) -> None:
        self.canvas.dragged(Touch(at, at))

    def _drag(self, label: str, what: str) -> None:
        canvas, view = self.canvas, self.canvas.gestures.view
        box, knob = canvas.scene.box("compressor0"), canvas.scene.shapes["compressor0"].knobs[0]
        off = (60.0, 12.0) if what == "move" else knob.at
        x, y = view.to_canvas(box.x + off[0], box.y + off[1])
        canvas.gestures.press((x, y), 0, Keys())
        held = canvas.gestures.held
        assert held is not None
        assert held.what == what
        across = 3 if what == "move" else 0
        self.measure(label, lambda k: self._drag_to((x + (k % 40 - 20) * across, y + (k % 40 - 20) * 3)))
        canvas.gestures.release((x, y))
        self.app.session.end_gesture()

    def idle(self) -> None:
        """CPU seconds in a second in which nothing is done and nothing sounds: of as many frames as come in it where
        the machine has time for them.
        """
        self.show(mixed(100), rolling=False)
        self.app._touched = 0.0
        clock = self.book.clock
        for _ in range(TIMES):
            own, drawing, wall = clock.cost(lambda: [self.app.turn() for _ in range(STILL)])
            frames = STILL * IDLE_S
            self.book.note(IDLE, own / frames, drawing / frames, wall)
        self.book.compare(IDLE)

    def opening(self) -> None:
        """From the command to the end of the frame in which the canvas is drawn."""
        with tempfile.TemporaryDirectory(prefix="patchwright-bench-") as folder:
            for placed in (True, False):
                label = OPEN.format(OPENED) + ("" if placed else ", none of which has a place")
                file = Path(folder) / f"{placed}.pwp"
                save(mixed(OPENED, placed), file)

                def act(file: Path = file) -> None:
                    self.app.session.open(load(file), file)
                    self.app.turn()
                    self.app.turn()

                for _ in range(TIMES):
                    self.show(Patch(), rolling=False)
                    self.book.note(label, *self.book.clock.cost(act))
                self.book.compare(label)

    def editing(self) -> None:
        """From an edit of the structure to the bytes for the engine."""
        session, label = Session(mixed(EDITED)), EDIT.format(EDITED)
        told: list[Callable[[Any], object]] = []
        sound = Sound(None, lambda *_: None)
        sound.ask = told.append
        sound.follow(session)
        for k in range(3 * TIMES):
            sound._sent_at = -1.0
            told.clear()
            edit = Batch("Add", (AddNode(f"new{k}", NodeEntry("gain")), Connect(Cable("bus", "out", f"new{k}", "in"))))

            def act(edit: Batch = edit) -> None:
                session.do(edit)
                sound.follow(session)
                for task in told:
                    task(Packing())

            self.book.note(label, *self.book.clock.cost(act))
        self.book.compare(label)


def main() -> None:
    """Measure what the command line names."""
    frames, answer, *parts = sys.argv[1:]
    book = Book()
    if parts == ["empty"]:
        empty(book, int(frames))
    else:
        bench = Bench(book, int(frames))
        for part in parts:
            getattr(bench, part)()
        problems = [n.text for n in bench.app.notices.listed() if n.level == "error"]
        bench.app.close()
        if problems:
            sys.exit(f"the editor reports: {problems[0]}")
    Path(answer).write_text(json.dumps(book.rows), encoding="utf-8")


if __name__ == "__main__":
    main()
