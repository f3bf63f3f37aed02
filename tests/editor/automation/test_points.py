"""Editing points of automation: always in order, in range and possible; what is drawn is what is played."""

from __future__ import annotations

import random
from math import sqrt

import pytest

from editor.automation.points import (
    Points,
    added,
    clock,
    drawn,
    face_at,
    fitting,
    grid,
    moved,
    removed,
    trace,
    turned,
    value_at,
)
from editor.faces import to_unit
from graph.check import problems
from graph.document import Patch
from graph.spec import Param
from nodes import kinds

LEVEL = Param("level_db", 0.0, -96.0, 24.0, "dB")
FREQ = Param("freq_hz", 1000.0, 20.0, 20000.0, "Hz", "log")
SWITCH = Param("mute", 0.0, curve="switch")
LINE: Points = ((1.0, -20.0, "linear"), (3.0, 0.0, "hold"), (5.0, -6.0, "linear"))


def test_between_points_the_curves_are_those_of_the_engine() -> None:
    times = (0, 1, 2, 2.999, 3, 4.999, 5, 9)
    assert [value_at(LINE, t) for t in times] == pytest.approx([-20, -20, -10, -0.01, 0, 0, -6, -6], abs=1e-3)
    bent: Points = ((0.0, 100.0, "exponential"), (2.0, 10000.0, "linear"))
    assert value_at(bent, 1.0) == pytest.approx(1000)
    assert value_at(bent, 0.5) == pytest.approx(100 * sqrt(10))


def test_a_point_that_is_added_goes_on_as_what_was_there() -> None:
    points, at = added(LINE, LEVEL, 4.0, 99.0)
    assert at == 2
    assert points[2] == (4.0, 24.0, "hold")
    assert added((), SWITCH, 1.0, 0.7)[0] == ((1.0, 1.0, "hold"),)
    assert added(LINE, LEVEL, -3.0, 0.0)[0][0] == (0.0, 0.0, "linear")


def test_a_point_is_not_moved_past_its_neighbours() -> None:
    assert moved(LINE, LEVEL, 1, 0.5, -3.0)[1] == (1.0, -3.0, "hold")
    assert moved(LINE, LEVEL, 1, 50.0, -300.0)[1] == (5.0, -96.0, "hold")
    assert moved(LINE, LEVEL, 0, -1.0, 0.0)[0][0] == 0.0


def test_curves_come_in_turn_and_an_impossible_one_is_left_out() -> None:
    points: Points = ((0.0, 1.0, "linear"), (1.0, 2.0, "linear"))
    seen = []
    for _ in range(3):
        points = turned(points, 0)
        seen.append(points[0][2])
    assert seen == ["exponential", "hold", "linear"]
    through: Points = ((0.0, -1.0, "linear"), (1.0, 2.0, "linear"))
    assert turned(through, 0)[0][2] == "hold"
    bent: Points = ((0.0, 1.0, "exponential"), (1.0, 2.0, "linear"))
    assert moved(bent, LEVEL, 1, 1.0, -2.0)[0][2] == "linear"
    assert fitting(bent) == bent


def test_a_stroke_takes_the_place_of_what_was_there_and_is_thinned() -> None:
    stroke = [(2.0 + k / 100, -30.0 + k / 10) for k in range(200)]
    points = drawn(LINE, LEVEL, stroke, 0.01)
    assert [point[0] for point in points] == pytest.approx([1.0, 2.0, 3.99, 5.0])
    assert drawn(LINE, LEVEL, [], 0.01) == LINE
    corner = [(t / 10, float(-abs(t - 50))) for t in range(101)]
    assert [p[:2] for p in drawn((), LEVEL, corner, 0.01)] == [(0.0, -50.0), (5.0, 0.0), (10.0, -50.0)]


def test_a_thinned_stroke_is_never_further_off_than_it_may_be() -> None:
    dice = random.Random(5)
    level, stroke = -40.0, []
    for k in range(300):
        level = min(max(level + dice.uniform(-4, 4), -96), 24)
        stroke.append((k / 50, level))
    points = drawn((), LEVEL, stroke, 0.02)
    assert 2 < len(points) < 300
    off = max(abs(to_unit(LEVEL, value_at(points, t)) - to_unit(LEVEL, v)) for t, v in stroke)
    assert off <= 0.02 + 1e-12


@pytest.mark.parametrize(("node", "param"), [("bus", LEVEL), ("filter", FREQ)])
def test_whatever_is_done_the_patch_stays_valid(node: str, param: Param) -> None:
    dice = random.Random(11)
    points: Points = ()
    for _ in range(400):
        time, value = dice.uniform(-5, 60), dice.uniform(-200, 30000)
        match dice.randrange(5) if points else 0:
            case 0:
                points, _ = added(points, param, time, value)
            case 1:
                points = moved(points, param, dice.randrange(len(points)), time, value)
            case 2:
                points = removed(points, dice.randrange(len(points)))
            case 3:
                points = turned(points, dice.randrange(len(points)))
            case _:
                stroke = [(time + k / 10, value * dice.random()) for k in range(dice.randrange(20))]
                points = drawn(points, param, stroke, 0.01)
        patch = Patch()
        patch.add("it", node)
        patch.automate("it", param.name, points)
        assert [p for p in problems(patch, kinds()) if "automation" in p.place] == []


def test_the_line_that_is_drawn_goes_through_the_points_and_up_where_a_value_was_held() -> None:
    found = trace(LINE, LEVEL, 0.0, 10.0, 200)
    for time, value, _ in LINE:
        assert (time, to_unit(LEVEL, value)) in found
    assert (5.0, to_unit(LEVEL, 0.0)) in found
    assert found[0][0] == 0.0
    assert found[-1] == (10.0, to_unit(LEVEL, -6.0))
    dense = tuple((k / 1000, float(k % 20), "linear") for k in range(10000))
    assert len(trace(dense, LEVEL, 0.0, 10.0, 300)) <= 302


def test_a_straight_line_of_frequency_is_bent_on_its_lane() -> None:
    rise: Points = ((0.0, 20.0, "linear"), (10.0, 20000.0, "linear"))
    found = dict(trace(rise, FREQ, 0.0, 10.0, 400))
    assert found[5.0] == pytest.approx(to_unit(FREQ, 10010.0))
    assert len(found) > 50


def test_the_grid_has_round_times_far_enough_apart() -> None:
    for start, end in ((0.0, 0.1), (0.0, 30.0), (17.3, 19.1), (0.0, 1e7)):
        step, times = grid(start, end, 1000.0, 70.0)
        assert step / (end - start) * 1000 >= 70 or step == 86400
        assert all(start <= time <= end for time in times)
    assert grid(0.0, 30.0, 1000.0, 70.0)[1][:3] == [0, 5, 10]


@pytest.mark.parametrize(
    ("time", "step", "words"), [(0, 1, "0:00"), (75, 5, "1:15"), (3675.5, 0.5, "1:01:15.5"), (2.25, 0.05, "0:02.25")]
)
def test_times_are_written_as_clocks_show_them(time: float, step: float, words: str) -> None:
    assert clock(time, step) == words


def test_a_param_in_a_group_is_found_by_its_address() -> None:
    inner = {"nodes": {"trim": {"kind": "gain"}}, "cables": []}
    patch = Patch()
    patch.add("box", "group", {"patch": inner, "ports": {}, "params": {}})
    found = face_at(patch, "box/trim", kinds())
    assert found is not None
    assert found.param("level_db") is not None
    assert face_at(patch, "box/gone", kinds()) is None
    assert face_at(patch, "gone/trim", kinds()) is None
