"""Ways of cables: behind no node as long as there is a way round, in lanes of their own, still while a node moves."""

from __future__ import annotations

import numpy as np
import pytest

from editor.canvas.cables import dashes
from editor.canvas.curves import along, at_lengths, curve, distance, extent, line_of, point_at, points_of
from editor.canvas.overlay import SHARES, clear
from editor.canvas.routes import CLEAR, lane_of, way
from editor.canvas.scene import Scene
from editor.canvas.view import Box
from editor.model import Changes, Session
from graph.document import Cable, Patch
from graph.edits import Connect, Move


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float64).reshape(-1, 4)


def behind(c, nodes) -> int:
    """How many points of a finely drawn curve are inside nodes."""
    x, y = points_of(c, 200).T[:, :, None]
    left, top, right, bottom = np.array(nodes).T
    return int(((x > left + 1) & (x < right - 1) & (y > top + 1) & (y < bottom - 1)).any(axis=1).sum())


def bend(c) -> float:
    """The sharpest turn between neighbouring parts of a finely drawn curve, in radians."""
    d = np.diff(points_of(c, 40), axis=0)
    d = d[np.hypot(*d.T) > 1e-6]
    turns = np.diff(np.unwrap(np.arctan2(d[:, 1], d[:, 0])))
    return float(np.abs(turns).max())


A, B = (0, 0, 180, 150), (-400, 60, -220, 200)


@pytest.mark.parametrize(
    "nodes",
    [
        [A, B],
        [A, (0, 300, 180, 450)],
        [A, A],
        [A, B, (-200, -60, -20, 260)],
        [A, B, (-200, -500, -20, 260), (190, -60, 300, 30)],
    ],
    ids=["left of it", "below it", "itself", "past another", "past a tall one"],
)
def test_a_cable_that_goes_back_can_be_seen_all_along(nodes) -> None:
    (_, top, right, _), (left, above, _, _) = nodes[0], nodes[1]
    a, b = (right, top + 60.0), (left, above + 60.0)
    found = way(a, b, boxes(*nodes))
    assert behind(curve(a, b), nodes) > 10, "the plain one would be hidden"
    assert behind(found, nodes) == 0
    assert (found[0], found[-1]) == (a, b)
    assert found[1][1] == a[1], "it leaves to the right"
    assert found[1][0] > a[0]
    assert found[-2][1] == b[1], "it comes from the left"
    assert found[-2][0] < b[0]
    assert bend(found) < 0.5
    lane = lane_of(found)
    assert lane is not None
    crossed = [n for n in nodes if n[0] < lane[1] and n[2] > lane[0]]
    assert all(lane[2] <= n[1] - CLEAR / 2 or lane[2] >= n[3] + CLEAR / 2 for n in crossed)


def test_a_cable_that_goes_forward_is_plain_where_nothing_hides_it_and_goes_round_where_something_does() -> None:
    a, b, far, near = (0.0, 0.0), (600.0, 40.0), (200, 100, 380, 300), (200, -60, 380, 120)
    assert way(a, b, boxes(far)) == curve(a, b)
    found = way(a, b, boxes(near))
    assert behind(found, [near]) == 0
    assert bend(found) < 0.5
    assert extent(found)[0] >= a[0]
    assert extent(found)[2] <= b[0], "it never turns back"


def test_where_there_is_no_way_round_the_cable_goes_the_plain_one() -> None:
    a, b = (0.0, 0.0), (90.0, 0.0)
    wall = [(10, -5000 - k, 80, 5000) for k in range(3)]
    assert way(a, b, boxes(*wall)) == curve(a, b)


def test_lanes_keep_apart() -> None:
    nodes = boxes(A, B)
    first = way((180, 40), (-400, 100), nodes)
    one = lane_of(first)
    assert one is not None
    two = lane_of(way((180, 60), (-400, 120), nodes, [one], 1))
    assert two is not None
    assert abs(one[2] - two[2]) >= 7


def test_points_and_distances_along_a_way_of_many_pieces_agree_with_its_line() -> None:
    found = way((180.0, 60.0), (-400.0, 120.0), boxes(A, B))
    line = points_of(found, 200)
    whole = along(line)[-1]
    for share in (0.0, 0.2, 0.5, 0.77, 1.0):
        at = point_at(found, share)
        assert at == pytest.approx(at_lengths(line, np.array([whole * share]))[0], abs=0.5)
        assert distance(found, *at) < 0.2
    for x, y in ((0.0, 0.0), (-500.0, 90.0), (240.0, 60.0)):
        assert distance(found, x, y) == pytest.approx(np.hypot(*(line - (x, y)).T).min(), abs=0.5)


@pytest.mark.parametrize("factor", [0.2, 1.0, 2.0])
def test_dashes_cover_a_cable_from_end_to_end_and_are_alike(factor: float) -> None:
    line = line_of(curve((0.0, 0.0), (500.0, 300.0)), factor)
    found = np.array(dashes(line, factor))
    assert found[0, 0] == pytest.approx(line[0])
    assert found[-1, 1] == pytest.approx(line[-1])
    lengths = np.hypot(*(found[:, 1] - found[:, 0]).T)
    assert lengths.max() < 1.1 * lengths.min()
    assert lengths.max() >= 2.0, "they can be told from a line"


def loop() -> Scene:
    patch = Patch("Loop")
    for id, kind, x, y in (("a", "gain", 0, 0), ("b", "gain", 300, 0), ("c", "gain", 600, 0), ("d", "gain", 300, 400)):
        patch.add(id, kind)
        patch.node(id).position = (float(x), float(y))
    patch.connect("a.out", "b.in")
    patch.connect("b.out", "c.in")
    patch.connect("c.out", "a.in", feedback=True)
    scene = Scene(Session(patch))
    scene.sync(scene.session.changes())
    return scene


def hidden(scene: Scene) -> list[object]:
    nodes = [(b.x, b.y, b.right, b.bottom) for b in map(scene.box, scene.places)]
    return [key for key, c in scene.curves.items() if behind(c, nodes)]


def test_no_cable_of_a_scene_is_hidden_and_one_moves_away_from_a_node_once_that_stays() -> None:
    scene = loop()
    assert not hidden(scene)
    back = ("c", "out", "a", "in")
    before = scene.curves[back]
    x, y = point_at(before, 0.5)
    scene.session.do(Move("d", (x - 90.0, y - scene.box("d").height + 8.0)))
    scene.sync(scene.session.changes())
    assert scene.curves[back] is before, "while a node is dragged, it can be dropped on a cable"
    assert hidden(scene) == [back]
    assert scene.settle()
    assert not hidden(scene)
    assert not scene.settle(), "once is enough"


def test_cables_are_led_a_few_at_a_time_and_shown_together() -> None:
    scene, whole = loop(), loop()
    for each in (scene, whole):
        each.session.do(Move("d", (310.0, -20.0)), Move("b", (300.0, 160.0)))
        each.sync(each.session.changes())
    before = scene.curves
    assert whole.settle()
    steps = 0
    while not scene.settle(lambda: True):
        assert scene.curves is before, "none runs elsewhere before all do"
        steps += 1
    assert steps
    assert scene.curves == whole.curves
    assert not scene.unsettled


def test_a_node_that_is_moved_while_cables_are_led_has_them_led_anew() -> None:
    scene = loop()
    scene.session.do(Move("d", (310.0, -20.0)))
    scene.sync(scene.session.changes())
    scene.settle(lambda: True)
    assert scene.unsettled
    scene.session.do(Move("d", (310.0, 120.0)))
    scene.sync(scene.session.changes())
    scene.settle()
    fresh = Scene(scene.session)
    fresh.sync(Changes(everything=True))
    assert fresh.curves == scene.curves


def test_what_is_found_does_not_depend_on_what_was_there_before() -> None:
    scene = loop()
    scene.session.do(Move("d", (310.0, 120.0)))
    scene.sync(scene.session.changes())
    scene.settle()
    fresh = Scene(scene.session)
    fresh.sync(Changes(everything=True))
    assert fresh.curves == scene.curves


def test_a_new_cable_leaves_the_others_where_they_are() -> None:
    scene = loop()
    before = dict(scene.curves)
    scene.session.do(Connect(Cable("c", "out", "b", "in", feedback=True)))
    scene.sync(scene.session.changes())
    assert len(scene.curves) == len(before) + 1
    assert all(scene.curves[key] is c for key, c in before.items())
    assert not hidden(scene)


def test_the_place_of_a_way_is_known_by_all_of_it() -> None:
    scene = loop()
    back = ("c", "out", "a", "in")
    for share in np.linspace(0.02, 0.98, 30):
        x, y = point_at(scene.curves[back], float(share))
        found = scene.cable_at(x, y)
        assert found is not None
        assert back in scene.bounds.meeting(Box(x, y, 0, 0).grown(0.01))


def test_badges_of_cables_keep_clear_of_each_other() -> None:
    taken: list[Box] = []
    for row in range(3):
        line = curve((0.0, 10.0 * row), (900.0, 10.0 * row))
        places = [Box(x - 30, y - 10, 60, 20) for x, y in (point_at(line, share) for share in SHARES)]
        assert not row or places[0].meets(taken[0]), "each would be in the middle"
        taken.append(clear(places, taken))
    assert not any(a.meets(b) for k, a in enumerate(taken) for b in taken[:k])
    assert taken[0].middle[0] == pytest.approx(450)
    assert clear([taken[0]], taken) == taken[0], "where there is no room they lie on each other"
