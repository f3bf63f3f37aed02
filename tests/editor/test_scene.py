"""The canvas without a window: shapes, places, what is at a point, gestures, arrangement, copies, groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.canvas.arrange import TALL, _spread, arrange
from editor.canvas.arranging import arrange_nodes
from editor.canvas.clip import copied, paste_edits, pasted
from editor.canvas.curves import curve, distance, point_at
from editor.canvas.gestures import Gestures
from editor.canvas.grouping import group, ungroup
from editor.canvas.held import Keys
from editor.canvas.plugging import items_that_fit, judge
from editor.canvas.scene import PinAt, Scene
from editor.canvas.shape import HEADER, shape
from editor.canvas.view import Box, View
from editor.canvas.waves import overview
from editor.faces import face, from_unit, param_label, parse_value, to_unit, value_text
from editor.model import Session
from graph.document import Cable, NodeEntry, Patch
from graph.edits import Edit, RemoveNode
from graph.errors import PatchError
from nodes import kinds

KINDS = kinds()


class Table:
    """A session with its scene and gestures, as the canvas keeps them, and what they said and asked."""

    def __init__(self, patch: Patch) -> None:
        self.session = Session(patch)
        self.scene = Scene(self.session)
        self.said: list[str] = []
        self.loops: list[Cable] = []
        self.wanted: list[tuple[PinAt, tuple[float, float]]] = []
        self.gestures = Gestures(
            self.session,
            self.scene,
            say=self.said.append,
            ask_loop=lambda cable, _: self.loops.append(cable),
            ask_kind=lambda pin, at: self.wanted.append((pin, at)),
        )
        self.gestures.view = View((0.0, 0.0))
        self.sync()

    def sync(self) -> None:
        changes = self.session.changes()
        if changes:
            self.scene.sync(changes)

    def pin(self, node: str, name: str, flow: str = "out") -> tuple[float, float]:
        place = self.scene.pin_place(node, name, flow)  # type: ignore[arg-type]
        assert place is not None
        return place

    def drag(self, a: tuple[float, float], b: tuple[float, float], keys: Keys | None = None) -> None:
        self.gestures.press(a, keys=keys)
        self.sync()
        for share in (0.4, 0.8, 1.0):
            at = (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)
            self.gestures.drag(at, keys)
            self.sync()
        self.gestures.release(b)
        self.sync()

    @property
    def cables(self) -> set[str]:
        return {c.place.removeprefix("cables.") for c in self.session.here.cables()}


def chain() -> Patch:
    patch = Patch("Chain")
    for id, kind, x in (("in", "audio_in", 0.0), ("level", "gain", 300.0), ("out", "audio_out", 600.0)):
        patch.add(id, kind)
        patch.node(id).position = (x, 0.0)
    patch.connect("in.out", "level.in")
    patch.connect("level.out", "out.in")
    patch.add("filter", "filter")
    patch.node("filter").position = (300.0, 400.0)
    return patch


# -- shapes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_has_a_shape_with_its_ports_at_the_edges_and_all_parts_inside(name: str) -> None:
    own = shape(face("node", NodeEntry(name), KINDS), KINDS[name])
    declared = {(p.name, p.flow) for p in own.face.inputs + own.face.outputs}
    assert {(p.name, p.flow) for p in own.pins} == declared
    for pin in own.pins:
        assert pin.at[0] == (0.0 if pin.flow == "in" else own.width)
        assert HEADER < pin.at[1] < own.height
    whole = Box(0, 0, own.width, own.height)
    boxes = [p.box for p in own.parts] + [Box(k.at[0] - 16, k.at[1] - 16, 32, 48) for k in own.knobs]
    assert all(whole.encloses(box) for box in boxes)
    assert not [1 for a, b in combinations(boxes, 2) if a.grown(-0.5).meets(b)]


@pytest.mark.parametrize("name", sorted(KINDS))
def test_values_of_every_param_survive_knob_and_text(name: str) -> None:
    own = face("node", NodeEntry(name), KINDS)
    for param in own.params:
        assert param_label(param)
        for value in (param.low, param.default, param.high):
            assert from_unit(param, to_unit(param, value)) == pytest.approx(value, rel=1e-9, abs=1e-9)
            read = parse_value(param, value_text(param, value))
            assert read == pytest.approx(value, rel=0.01, abs=0.051), (param.name, value_text(param, value))


def test_typed_values_are_refused_with_what_was_expected() -> None:
    param = next(p for p in face("f", NodeEntry("filter"), KINDS).params if p.name == "freq_hz")
    assert parse_value(param, "2.5k") == 2500
    assert parse_value(param, "2,5 kHz") == 2500
    with pytest.raises(ValueError, match="10 to 24000"):
        parse_value(param, "-3")
    with pytest.raises(ValueError, match="a number"):
        parse_value(param, "loud")


def test_an_unknown_kind_shows_the_ports_its_cables_have() -> None:
    cables = [Cable("a", "out", "odd", "side"), Cable("odd", "wet", "b", "in")]
    own = face("odd", NodeEntry("oddity"), KINDS, cables)
    assert not own.known
    assert [p.name for p in own.inputs] == ["side"]
    assert [p.name for p in own.outputs] == ["wet"]


# -- view and curves ---------------------------------------------------------------------------------------------------


@given(st.floats(-500, 500), st.floats(-500, 500), st.integers(-12, 12))
def test_zooming_leaves_the_point_below_the_mouse_where_it_is(x: float, y: float, steps: int) -> None:
    view = View((37.0, -12.0), 0.83)
    before = view.to_plane(x, y)
    assert view.zoomed(steps, (x, y)).to_plane(x, y) == pytest.approx(before, abs=1e-6)


def test_showing_brings_all_of_a_box_into_view() -> None:
    box = Box(-900, 300, 2400, 500)
    view = View().showing(box, (1000.0, 600.0))
    assert view.seen((1000.0, 600.0)).encloses(box)


@given(st.floats(-800, 800), st.floats(-800, 800), st.floats(0, 1))
def test_points_of_a_cable_are_on_it(dx: float, dy: float, t: float) -> None:
    c = curve((0.0, 0.0), (dx, dy))
    assert point_at(c, 0) == (0.0, 0.0)
    assert point_at(c, 1) == pytest.approx((dx, dy))
    # the distance is to a line through points of the curve, so it is not quite 0 between them
    assert distance(c, *point_at(c, t)) < 8.0


# -- arranging ---------------------------------------------------------------------------------------------------------


Wiring = tuple[dict[str, tuple[float, float]], list[tuple[str, str, float, float]]]


@st.composite
def wirings(draw: st.DrawFn) -> Wiring:
    count = draw(st.integers(0, 14))
    sizes = {f"n{k}": (draw(st.floats(60, 240)), draw(st.floats(40, 300))) for k in range(count)}
    ends = st.integers(0, max(count - 1, 0))
    cables = draw(st.lists(st.tuples(ends, ends, st.floats(0, 100), st.floats(0, 100)), max_size=30)) if count else []
    return sizes, [(f"n{a}", f"n{b}", out, into) for a, b, out, into in cables]


@given(wirings())
def test_arranged_nodes_never_overlap(
    wiring: Wiring,
) -> None:
    sizes, cables = wiring
    places = arrange(sizes, cables)
    assert places.keys() == sizes.keys()
    boxes = {n: Box(*places[n], sizes[n][0], sizes[n][1] - 1) for n in sizes}
    assert not [(a, b) for a, b in combinations(sizes, 2) if boxes[a].meets(boxes[b])]
    # in whatever order the patch lists things
    assert arrange(dict(reversed(sizes.items())), list(reversed(cables))) == places


def test_arranged_nodes_are_right_of_what_feeds_them() -> None:
    cables = [(a, b, 0.0, 0.0) for a, b in ("ab", "bc", "ac", "cd", "db")]
    places = arrange(dict.fromkeys("abcd", (100.0, 80.0)), cables)
    assert places["a"][0] < places["b"][0] < places["c"][0] < places["d"][0], "the cable back to b counts for nothing"


def test_the_cables_of_a_chain_are_level_whatever_the_nodes_are_like() -> None:
    patch = Patch("Row")
    for id, kind in (("a", "audio_in"), ("b", "eq"), ("c", "compressor"), ("d", "bus"), ("e", "audio_out")):
        patch.add(id, kind)
    for a, b in ("ab", "bc", "cd", "de"):
        patch.connect(f"{a}.out", f"{b}.in")
    scene = Table(patch).scene
    assert len({scene.shapes[id].height for id in "abcde"}) > 2
    assert all(c[0][1] == pytest.approx(c[-1][1], abs=1.0) for c in scene.curves.values())


def test_a_column_that_would_be_too_tall_stands_as_several_and_its_rows_stay_together() -> None:
    sizes = {f"track{k:02}": (180.0, 170.0) for k in range(60)} | {f"bus{k}": (180.0, 120.0) for k in range(6)}
    cables = [(f"track{k:02}", f"bus{k // 10}", 40.0, 40.0) for k in range(60)]
    found = arrange(sizes, cables)
    boxes = {node: Box(*place, *sizes[node]) for node, place in found.items()}
    assert all(not a.meets(b) for m, a in boxes.items() for n, b in boxes.items() if m < n)
    assert all(boxes[a].right < boxes[b].x for a, b, _, _ in cables)
    assert max(box.bottom for box in boxes.values()) < 1.5 * TALL, "60 tracks are no tower"
    heights = [found[f"track{k:02}"][1] for k in range(60)]
    assert all(max(heights[k : k + 10]) - min(heights[k : k + 10]) < TALL / 3 for k in range(0, 60, 10))


def test_frames_come_along_when_their_nodes_are_arranged() -> None:
    patch = chain()
    patch.node("level").position, patch.node("out").position = (0.0, 600.0), (300.0, 700.0)
    patch.metadata["frames"] = [
        {"title": "Both", "colour": "teal", "box": [-30, 550, 700, 600]},
        {"title": "Empty", "colour": "red", "box": [2000, 0, 100, 100]},
    ]
    table = Table(patch)
    before = patch.to_json()
    assert table.scene.framed(table.scene.frames[0]) == {"level", "out"}
    arrange_nodes(table.session, table.scene, table.scene.places, (0.0, 0.0))
    table.sync()
    assert {"level", "out"} <= table.scene.framed(table.scene.frames[0])
    assert table.scene.frames[0].title == "Both"
    assert table.scene.frames[1].box == Box(2000.0, 0.0, 100.0, 100.0)
    assert table.session.undo() == "Arrange by signal flow"
    assert table.session.patch.to_json() == before


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(1, 50)), min_size=1, max_size=12))
def test_spreading_keeps_the_order_and_is_no_further_off_than_it_must_be(items: list[tuple[float, float]]) -> None:
    wishes, heights = [w for w, _ in items], [h for _, h in items]
    places = _spread(wishes, heights)
    for k in range(len(places) - 1):
        assert places[k] + heights[k] <= places[k + 1] + 1e-6
    cost = sum((p - w) ** 2 for p, w in zip(places, wishes, strict=True))
    for shift in (-0.5, 0.5):
        moved = sum((p + shift - w) ** 2 for p, w in zip(places, wishes, strict=True))
        assert cost <= moved + 1e-6, "all of it a little up or down would be better"


# -- gestures ----------------------------------------------------------------------------------------------------------


def test_a_cable_from_pin_to_pin() -> None:
    table = Table(chain())
    table.drag(table.pin("level", "out"), table.pin("filter", "in", "in"))
    assert "level.out -> filter.in" in table.cables
    assert table.session.history.done == ["Connect level to filter"]


def test_a_cable_may_be_drawn_backwards_and_dropped_on_a_node() -> None:
    table = Table(chain())
    table.drag(table.pin("filter", "in", "in"), table.pin("in", "out"))
    assert "in.out -> filter.in" in table.cables
    table.session.undo()
    table.sync()
    table.drag(table.pin("in", "out"), (table.scene.box("filter").x + 60, table.scene.box("filter").y + 10))
    assert "in.out -> filter.in" in table.cables


def test_a_cable_pulled_off_an_input_goes_elsewhere_or_away() -> None:
    table = Table(chain())
    table.drag(table.pin("level", "in", "in"), table.pin("filter", "in", "in"))
    assert table.cables == {"in.out -> filter.in", "level.out -> out.in"}
    assert len(table.session.history.done) == 1
    table.drag(table.pin("filter", "in", "in"), (900.0, 700.0))
    assert table.cables == {"level.out -> out.in"}


def test_a_cable_dropped_on_nothing_asks_for_a_kind_that_fits() -> None:
    table = Table(chain())
    table.drag(table.pin("level", "out"), (900.0, 700.0))
    assert table.wanted[0][0].node == "level"
    assert table.wanted[0][1] == (900.0, 700.0)
    fitting = items_that_fit(table.session, "audio", "out")
    assert "compressor" in fitting
    assert "oscillator" not in fitting


def test_a_control_cable_dropped_on_a_knob_moves_its_param() -> None:
    patch = chain()
    patch.add("lfo", "lfo")
    patch.node("lfo").position = (0.0, 400.0)
    table = Table(patch)
    knob = next(k for k in table.scene.shapes["filter"].knobs if k.param.name == "freq_hz")
    box = table.scene.box("filter")
    table.drag(table.pin("lfo", "out"), (box.x + knob.at[0], box.y + knob.at[1]))
    assert "lfo.out -> filter.freq_hz" in table.cables
    cable, _ = table.session.here.cable(("lfo", "out", "filter", "freq_hz"))
    assert cable.amount == 0.25
    assert table.scene.shapes["filter"].pin("freq_hz", "in") is not None, "it has a pin while it has a cable"


def test_what_does_not_fit_is_refused_in_words_and_nothing_changes() -> None:
    patch = chain()
    patch.add("lfo", "lfo")
    patch.node("lfo").position = (0.0, 400.0)
    table = Table(patch)
    before = table.session.patch.copy()
    table.drag(table.pin("lfo", "out"), table.pin("level", "in", "in"))
    assert table.said == ["in takes no control signal"]
    assert table.session.patch == before


def test_layouts_that_do_not_fit_are_refused_with_the_way_out() -> None:
    patch = chain()
    patch.add("wide", "audio_in", settings={"layout": "5.1"})
    patch.node("wide").position = (0.0, 400.0)
    session = Session(patch)
    verdict = judge(session, Cable("wide", "out", "out", "in"))
    assert "downmix" in verdict.refused


def test_a_loop_is_offered_as_a_feedback_cable_unless_something_breaks_it() -> None:
    patch = chain()
    patch.connect("level.out", "filter.in")
    table = Table(patch)
    table.drag(table.pin("filter", "out"), table.pin("level", "in", "in"))
    assert [(c.key, c.feedback) for c in table.loops] == [(("filter", "out", "level", "in"), True)]
    assert "filter.out -> level.in" not in table.cables
    patch = chain()
    patch.add("hold", "sample_delay", frames=4800)
    patch.connect("level.out", "hold.in")
    assert judge(Session(patch), Cable("hold", "out", "level", "in"))


def test_a_node_dropped_on_a_cable_is_in_it_as_one_step() -> None:
    table = Table(chain())
    before = table.session.patch.copy()
    start = table.scene.box("filter").x + 60, table.scene.box("filter").y + 12
    middle = point_at(table.scene.curves[("level", "out", "out", "in")], 0.5)
    table.drag(start, middle)
    assert table.cables == {"in.out -> level.in", "level.out -> filter.in", "filter.out -> out.in"}
    assert len(table.session.history.done) == 1
    table.session.undo()
    assert table.session.patch == before


@pytest.mark.parametrize("synced", [True, False])
@pytest.mark.parametrize("what", ["node", "knob", "cable"])
def test_a_drag_of_what_is_deleted_meanwhile_comes_to_nothing(what: str, synced: bool) -> None:
    table = Table(chain())
    box = table.scene.box("filter")
    knob = table.scene.shapes["filter"].knobs[0].at
    start = {
        "node": (box.x + 60, box.y + 12),
        "knob": (box.x + knob[0], box.y + knob[1]),
        "cable": table.pin("filter", "out"),
    }[what]
    middle = point_at(table.scene.curves[("level", "out", "out", "in")], 0.5)
    table.gestures.press(start)
    table.sync()
    table.gestures.drag((middle[0] - 40, middle[1]))
    table.gestures.drag(middle)
    table.sync()
    table.session.do(RemoveNode("filter"))
    before = table.session.patch.copy()
    if synced:
        table.sync()
        table.gestures.drag((middle[0] + 40, middle[1]))
    table.gestures.release(middle)
    table.sync()
    assert table.gestures.held is None
    assert table.session.patch == before


def test_alt_drag_leaves_the_original_and_moves_a_copy_with_its_cables() -> None:
    table = Table(chain())
    table.session.select({"in", "level"})
    place = table.scene.places["level"]
    start = place[0] + 60, place[1] + 12
    table.drag(start, (start[0], start[1] + 200), Keys(alt=True))
    assert table.scene.places["level"] == place
    assert {"in2", "level2"} <= table.session.here.nodes().keys()
    assert "in2.out -> level2.in" in table.cables
    assert table.scene.places["level2"] == (place[0], place[1] + 200)
    assert table.session.selection == {"in2", "level2"}
    assert len(table.session.history.done) == 1


@pytest.mark.parametrize("when", ["while it is dragged", "after it was dropped", "after it was given up"])
def test_alt_drag_waits_for_what_was_done_in_plugins_windows(when: str) -> None:
    table = Table(chain())
    waiting: list[Callable[[], object]] = []
    table.gestures.settle = waiting.append
    place = table.scene.places["level"]
    start = place[0] + 20, place[1] + 10
    table.gestures.press(start, keys=Keys(alt=True))
    table.gestures.drag((start[0], start[1] + 50))
    assert len(waiting) == 1
    assert table.session.history.done == []
    if when == "while it is dragged":
        waiting.pop()()
        table.sync()
    table.gestures.drag((start[0], start[1] + 100))
    table.sync()
    if when == "after it was given up":
        table.gestures.cancel()
    else:
        table.gestures.release((start[0], start[1] + 100))
    for then in waiting:
        then()
    table.sync()
    assert table.scene.places["level"] == place
    if when == "after it was given up":
        assert table.session.history.done == []
    else:
        assert table.scene.places["level2"] == (place[0], place[1] + 100)
        assert len(table.session.history.done) == 1


def test_a_band_selects_what_it_touches_and_a_click_on_nothing_lets_go() -> None:
    table = Table(chain())
    table.drag((-50.0, -50.0), (400.0, 60.0))
    assert table.session.selection == {"in", "level"}
    table.gestures.press((900.0, 900.0))
    table.gestures.release((900.0, 900.0))
    assert table.session.selection == frozenset()


def test_a_knob_turns_within_its_range_and_finely_with_shift() -> None:
    table = Table(chain())
    knob = table.scene.shapes["level"].knobs[0]
    box = table.scene.box("level")
    at = box.x + knob.at[0], box.y + knob.at[1]
    table.drag(at, (at[0], at[1] - 18), Keys(shift=True))
    fine = table.session.here.node("level").params["level_db"]
    assert 0 < fine < 2
    table.drag(at, (at[0], at[1] - 900))
    assert table.session.here.node("level").params["level_db"] == 24
    assert len(table.session.history.done) == 2
    assert table.gestures.reset(at)
    assert "level_db" not in table.session.here.node("level").params


def test_deleting_closes_the_gap_when_asked_to() -> None:
    table = Table(chain())
    table.session.select({"level"})
    table.gestures.delete(heal=True)
    table.sync()
    assert table.cables == {"in.out -> out.in"}
    table.session.undo()
    table.sync()
    table.session.select({"level"})
    table.gestures.delete()
    assert table.cables == set()


def test_moving_a_frame_moves_what_is_in_it() -> None:
    patch = chain()
    patch.metadata["frames"] = [{"title": "Front", "colour": "mix", "box": [-40, -60, 280, 400]}, "no frame"]
    table = Table(patch)
    assert [f.title for f in table.scene.frames] == ["Front"]
    table.drag((100.0, -50.0), (150.0, 0.0))
    assert table.scene.places["in"] == (50.0, 50.0)
    assert table.scene.places["level"] == (300.0, 0.0)
    assert table.scene.frames[0].box == Box(10, -10, 280, 400)
    assert len(table.session.history.done) == 1


# -- copies and groups -------------------------------------------------------------------------------------------------


def done(session: Session, edits: Iterable[Edit]) -> Session:
    session.do(*edits, name="Test")
    return session


def test_what_is_copied_comes_out_of_a_text_the_same_beside_the_names() -> None:
    patch = chain()
    patch.automate("level", "level_db", [(0.0, -6.0), (1.0, 0.0)])
    session = Session(patch)
    clip = pasted(session, copied(session, {"in", "level"}).to_json())
    edits, names = paste_edits(session, clip, None, (10.0, 20.0))
    assert names == {"in": "in2", "level": "level2"}
    done(session, edits)
    assert session.here.node("level2").position == (310.0, 20.0)
    assert {line.node for line in session.here.automation} == {"level", "level2"}
    assert session.here.graph.has_edge("in2", "level2")


@pytest.mark.parametrize("text", ["", "hello", "{}", "[1, 2]", '{"format": "patchwright", "version": 1}'])
def test_a_clipboard_with_something_else_is_refused(text: str) -> None:
    with pytest.raises(PatchError):
        pasted(Session(chain()), text)


def test_grouping_and_ungrouping_gives_the_same_patch_back() -> None:
    patch = chain()
    patch.add("lfo", "lfo")
    patch.connect("lfo.out", "level.level_db", amount=0.5)
    patch.automate("level", "mute", [(0.0, 0.0, "hold"), (1.0, 1.0, "hold")])
    patch.snapshot("low", {"level": {"level_db": -20.0, "mute": 1.0}, "lfo": {"rate_hz": 3.0}})
    patch.metadata = {"controls": [{"from": "cc 1 7", "node": "level", "param": "level_db"}, "unknown"]}
    session = Session(patch)
    before = session.patch.copy()
    scene = Scene(session)
    scene.sync(session.changes())
    id = group(session, frozenset({"level"}), scene.places)
    assert session.patch.snapshots["low"] == {
        id: {"level_db": -20.0},
        f"{id}/level": {"mute": 1.0},
        "lfo": {"rate_hz": 3.0},
    }
    controls = [{"from": "cc 1 7", "node": id, "param": "level_db"}, "unknown"]
    assert session.patch.metadata == {"controls": controls}
    own = face(id, session.here.node(id), KINDS)
    assert [p.name for p in own.inputs] == ["in"]
    assert [p.name for p in own.outputs] == ["out"]
    assert [p.name for p in own.params] == ["level_db"]
    assert {c.place.removeprefix("cables.") for c in session.here.cables()} == {
        f"in.out -> {id}.in",
        f"{id}.out -> out.in",
        f"lfo.out -> {id}.level_db",
    }
    place = session.here.node(id).position
    assert place is not None
    assert ungroup(session, id, place) == ["level"]
    assert session.patch == before


def test_a_shipped_patch_grouped_still_compiles(root: Path) -> None:
    from graph.compiler import compile
    from host.services import FileServices

    path = root / "patches" / "duck_music_under_dialogue.json"
    patch = Patch.load(path)
    session = Session(patch, file=path)
    scene = Scene(session)
    scene.sync(session.changes())
    chosen = frozenset({"duck", "music_bus", "room_send", "room"})
    latency = {n.id: n.arrival for n in compile(patch, KINDS, FileServices(path.parent)).nodes}
    id = group(session, chosen, scene.places)
    after = {n.id: n.arrival for n in compile(session.patch, KINDS, FileServices(path.parent)).nodes}
    assert after == {(f"{id}/{n}" if n in chosen else n): at for n, at in latency.items()}


def test_an_overview_has_the_shape_of_the_file(tmp_path: Path) -> None:
    import soundfile

    ramp = np.linspace(0.0, 0.5, 48000, dtype=np.float32)
    ramp[::2] *= -1
    soundfile.write(tmp_path / "ramp.wav", np.stack([ramp, ramp * 0.1], axis=1), 48000, subtype="FLOAT")
    found = overview(tmp_path / "ramp.wav", 50)
    assert found == pytest.approx(np.arange(1, 51) / 50, abs=0.005)


@pytest.mark.parametrize("corner", [(2600.0, 1200.0), (2600.0, 300.0)])
def test_what_is_shown_whole_is_not_under_the_map(corner: tuple[float, float]) -> None:
    from editor.canvas.minimap import Minimap
    from editor.canvas.view import View, spanning
    from editor.theme import look

    patch = Patch()
    for k in range(5):
        patch.add(f"n{k}", "gain")
        patch.node(f"n{k}").position = (300.0 * k, 0.0)
    patch.add("far", "gain")
    patch.node("far").position = corner
    scene = Scene(session := Session(patch))
    scene.sync(session.changes())
    size, overview = (1200.0, 700.0), Minimap(scene, look("dark", 1.0, False))
    span = scene.span(None)
    assert span is not None

    def hidden(view: View) -> set[str]:
        places = [(x, y) for x in range(0, 1200, 4) for y in range(0, 700, 4) if overview.holds(x, y, size)]
        seen = spanning(view.to_plane(*places[0]), view.to_plane(*places[-1]))
        return {id for id in scene.places if scene.box(id).meets(seen)}

    first = View().showing(span, size)
    found = overview.clear_of(first, span, size)
    assert not hidden(found)
    assert all(found.seen(size).holds(*scene.box(id).middle) for id in scene.places)
    if corner[1] > 1000:
        assert hidden(first) == {"far"}
    else:
        assert found == first
