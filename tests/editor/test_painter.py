"""What is drawn on the canvas, and what is left alone: items of Dear PyGui are counted, without a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log10

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from editor import fonts
from editor.canvas.held import Shown
from editor.canvas.painter import MARGIN, Painter
from editor.canvas.scene import Scene
from editor.canvas.view import View
from editor.canvas.waves import Waves
from editor.meters import FALL, HOLD_S, ZERO_PLACE, Meters, meter_place
from editor.model import Session
from editor.theme import Look
from graph.document import Cable, Patch
from graph.edits import Connect, Move, RemoveNode, SetParam
from nodes import kinds

SIZE = (900.0, 600.0)
KIND = ("oscillator", "eq", "compressor", "meter")


class Table:
    """A session with sixty nodes in rows of ten, drawn, and the calls that drew it."""

    def __init__(self, spy: Callable[[], list[tuple[str, object]]]) -> None:
        patch = Patch("Rows")
        for k in range(60):
            patch.add(f"n{k}", KIND[k % 4])
            patch.node(f"n{k}").position = (k % 10 * 260.0, k // 10 * 300.0)
        for k in range(0, 60, 4):
            patch.connect(f"n{k}.out", f"n{k + 1}.in")
            patch.connect(f"n{k + 1}.out", f"n{k + 2}.in")
            patch.connect(f"n{k + 2}.out", f"n{k + 3}.in")
        self.session = Session(patch, kinds())
        self.scene = Scene(self.session)
        self._spy = spy
        dpg.add_drawlist(900, 600, tag="canvas", parent="window")
        self.painter = Painter(self.session, self.scene, Look(), Waves(self.session))
        self.look(0.0, 0.0)

    def look(self, x: float, y: float, zoom: float = 1.0) -> list[tuple[str, object]]:
        """Look at the plane from a point on, and draw; the answer: what was done to which items."""
        self.painter.look_at(View((-x * zoom, -y * zoom), zoom), SIZE)
        return self.sync()

    def sync(self) -> list[tuple[str, object]]:
        """Follow the session, and draw."""
        self.scene.sync(self.session.changes())
        self.painter.sync()
        return self._spy()

    def live(self, readings: dict[str, dict[str, np.ndarray]], now: float) -> list[tuple[str, object]]:
        """Show readings."""
        self.painter.live(readings, now)
        return self._spy()

    def in_view(self) -> set[str]:
        """The nodes that are in view, found one by one."""
        seen = self.painter.view.seen(SIZE).grown(MARGIN / self.painter.view.factor)
        return {id for id in self.scene.places if self.scene.box(id).meets(seen)}

    def inside(self, node: str) -> set[int]:
        """All items of a node's picture."""
        return set(dpg.get_item_children(f"canvas:node:{node}", 2))

    def stacked(self) -> list[str]:
        """The nodes that are drawn, from the lowest to the uppermost."""
        return [
            dpg.get_item_alias(item).removeprefix("canvas:node:") for item in dpg.get_item_children("canvas:nodes", 2)
        ]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    calls: list[tuple[str, object]] = []

    def watched(name: str) -> None:
        real = getattr(dpg, name)

        def call(*args: object, **more: object) -> object:
            calls.append((name, args[0] if args else None))
            return real(*args, **more)

        monkeypatch.setattr(dpg, name, call)

    def told() -> list[tuple[str, object]]:
        found = list(calls)
        calls.clear()
        return found

    dpg.create_context()
    fonts.load(1.0)
    dpg.add_window(tag="window")
    for name in [n for n in dir(dpg) if n.startswith("draw_")] + ["configure_item", "delete_item", "move_item"]:
        watched(name)
    yield Table(told)
    monkeypatch.undo()
    dpg.destroy_context()
    fonts.forget()


def names(calls: list[tuple[str, object]]) -> set[str]:
    return {name for name, _ in calls}


def drawn(calls: list[tuple[str, object]]) -> set[str]:
    """The calls that made items."""
    return {name for name in names(calls) if name.startswith("draw_")}


def test_what_is_in_view_is_drawn_and_nothing_else(table: Table) -> None:
    for x, y, zoom in ((0, 0, 1.0), (700, 500, 1.0), (2000, 1500, 1.0), (-5000, 0, 1.0), (0, 0, 0.25)):
        table.look(x, y, zoom)
        assert set(table.stacked()) == set(table.painter.pictures) == table.in_view()
    assert len(table.in_view()) > 20
    table.look(-5000, 0)
    assert table.stacked() == []


def test_cables_out_of_view_are_not_drawn(table: Table) -> None:
    seen = table.painter.view.seen(SIZE).grown(MARGIN)

    def meets(curve) -> bool:
        xs, ys = [p[0] for p in curve], [p[1] for p in curve]
        across = min(xs) <= seen.right and max(xs) >= seen.x
        return across and min(ys) <= seen.bottom and max(ys) >= seen.y

    expected = sum(meets(curve) for curve in table.scene.curves.values())
    assert 0 < expected < len(table.scene.curves)
    assert len(dpg.get_item_children("canvas:cables", 2)) == expected


def test_nothing_is_drawn_twice(table: Table) -> None:
    assert table.sync() == []
    calls = table.look(3.0, 2.0)
    assert calls == [], "a view a little further on has the same nodes"


def test_looking_elsewhere_draws_only_what_comes_into_view(table: Table) -> None:
    before = {id: table.inside(id) for id in table.painter.pictures}
    table.look(400, 0)
    stays = before.keys() & table.painter.pictures.keys()
    assert stays
    assert before.keys() - stays
    assert all(table.inside(id) == before[id] for id in stays)


def test_a_turned_knob_changes_items_of_its_node_alone(table: Table) -> None:
    assert "n2" in table.painter.pictures
    table.session.do(SetParam("n2", "threshold_db", -33.0))
    calls = table.sync()
    assert calls
    assert names(calls) == {"configure_item"}
    assert {item for _, item in calls} <= table.inside("n2")


def test_a_moved_node_takes_its_cables_along_and_nothing_else(table: Table) -> None:
    table.session.do(Move("n1", (270.0, 20.0)))
    calls = table.sync()
    cables = {item for node in dpg.get_item_children("canvas:cables", 2) for item in dpg.get_item_children(node, 2)}
    assert names(calls) == {"configure_item"}
    assert {item for _, item in calls} <= cables
    assert len(calls) == 4, "two cables, of two lines each"


def test_a_raised_node_is_moved_not_drawn(table: Table) -> None:
    table.scene.raise_(["n0"])
    calls = table.sync()
    assert names(calls) == {"move_item"}
    assert len(calls) == 1
    assert table.stacked() == [id for id in table.scene.order if id in table.painter.pictures]
    assert table.stacked()[-1] == "n0"


def test_what_comes_into_view_lies_where_it_belongs(table: Table) -> None:
    table.scene.raise_(["n0", "n11"])
    for x, y in ((0, 0), (500, 300), (0, 0), (250, 100)):
        table.look(x, y)
        assert table.stacked() == [id for id in table.scene.order if id in table.painter.pictures]


def test_a_new_cable_draws_itself_and_the_pins_it_fills(table: Table) -> None:
    before = {id: table.inside(id) for id in table.painter.pictures}
    table.session.do(Connect(Cable("n0", "out", "n2", "sidechain")))
    table.sync()
    assert {id for id in before if table.inside(id) != before[id]} == {"n2"}


def test_a_node_that_is_gone_leaves_nothing(table: Table) -> None:
    table.session.do(RemoveNode("n1"))
    table.sync()
    assert not dpg.does_item_exist("canvas:node:n1")
    assert set(table.stacked()) == table.in_view()


def test_a_pin_under_the_mouse_may_go_with_its_node(table: Table) -> None:
    table.painter.hand(Shown(), ("n2", "out", "out"), None)
    assert dpg.get_item_children("canvas:hand", 2)
    table.session.do(RemoveNode("n2"))
    table.sync()
    table.painter.hand(Shown(), ("n2", "out", "out"), None)
    assert not dpg.get_item_children("canvas:hand", 2)


def test_only_meters_that_move_are_drawn(table: Table) -> None:
    def readings(level: float) -> dict[str, dict[str, np.ndarray]]:
        still = np.array([0.25, 0.25], np.float32)
        own = {id: {"peak": still, "rms": still, "highest": still} for id in table.painter.pictures}
        return {**own, "n3": {name: np.array([level, 0.25], np.float32) for name in ("peak", "rms", "highest")}}

    assert "n3" in table.painter.pictures
    assert table.live(readings(0.25), 10.0)
    assert table.live(readings(0.25), 10.03) == []
    calls = table.live(readings(0.5), 10.06)
    assert 0 < len(calls) <= 2, "a bar and its held peak"
    assert names(calls) == {"configure_item"}
    assert {item for _, item in calls} <= table.inside("n3")


class Face:
    """A meter that remembers what it was told to show."""

    def __init__(self, channels: int, length: float = 1000.0) -> None:
        self.channels, self.length = channels, length
        self.bars, self.marks = [0.0] * channels, [(0.0, False)] * channels

    def light(self, channel: int, place: float) -> None:
        self.bars[channel] = place

    def mark(self, channel: int, place: float, clipped: bool) -> None:
        self.marks[channel] = (place, clipped)


def test_places_on_a_meter_are_decibels() -> None:
    for level in (1e-3, 0.01, 0.25, 0.7, 1.0, 1.9):
        assert meter_place(level) == pytest.approx(((20 * log10(level) + 60) / 66) ** 1.6)
    assert [meter_place(level) for level in (0.0, 1e-9, float("nan"), 10.0)] == [0.0, 0.0, 0.0, 1.0]


def test_peaks_hold_and_then_fall_in_every_meter_by_itself() -> None:
    meters, one, two = Meters(), Face(2), Face(1)
    shown = [one, two]
    meters.show(shown, [[0.5, 0.1], [1.5]], 0.0)  # type: ignore[arg-type]
    assert one.bars == pytest.approx([meter_place(0.5), meter_place(0.1)], abs=6e-4)
    assert two.marks[0] == (pytest.approx(meter_place(1.5), abs=6e-4), True)
    for k in range(1, 60):
        now = k / 30
        meters.show(shown, [[0.1, 0.1], None], now)  # type: ignore[arg-type]
        fallen = FALL * max(now - HOLD_S, 0.0)
        assert one.marks[0][0] == pytest.approx(max(meter_place(0.5) - fallen, meter_place(0.1)), abs=FALL / 30 + 1e-3)
        clipped = meter_place(1.5) - fallen
        if abs(clipped - ZERO_PLACE) > FALL / 30:
            assert two.marks[0][1] == (clipped > ZERO_PLACE)
    assert one.bars == pytest.approx([meter_place(0.1)] * 2, abs=6e-4)
    assert two.bars == [0.0]


def test_peaks_are_kept_when_other_meters_come_and_go() -> None:
    meters, one, two = Meters(), Face(1), Face(2)
    meters.show([one], [[0.5]], 0.0)  # type: ignore[arg-type]
    meters.show([two, one], [[0.2, 0.9, 0.3], [0.1]], 0.03)  # type: ignore[arg-type]
    assert one.marks[0][0] == pytest.approx(meter_place(0.5), abs=6e-4)
    assert two.bars == pytest.approx([meter_place(0.2), meter_place(0.9)], abs=6e-4)
    meters.show([], [], 0.06)
    meters.show([one], [[0.1]], 0.09)  # type: ignore[arg-type]
    assert one.marks[0][0] == pytest.approx(meter_place(0.1), abs=6e-4)
