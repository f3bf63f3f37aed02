"""Readings in shared memory: what is written is what is read, or nothing."""

from __future__ import annotations

import os

import numpy as np
import pytest

from host.engine.readings import BYTES, CAPACITY, NUMBERS, SEQUENCE, Board, Source, View, by_node


@pytest.fixture
def pair(tmp_path):
    board = Board(tmp_path / "readings")
    return board, View(tmp_path / "readings")


def test_what_is_published_arrives(pair):
    board, view = pair
    peak, matrix = np.array([0.5, 0.25], np.float32), np.arange(6, dtype=np.float32).reshape(2, 3)
    layout, left_out = board.lay_out([Source("a", "peak", peak, ("L", "R")), Source("g/b", "grid", matrix)])
    assert left_out == 0
    assert layout.entries == (("a", "peak", 0, 2, ("L", "R")), ("g/b", "grid", 2, 6, ()))
    board.publish({"place": 480.0, "load": 0.5})
    found = by_node(layout, view.values(layout.generation))
    assert found["a"]["peak"].tolist() == [0.5, 0.25]
    assert found["g/b"]["grid"].tolist() == [0, 1, 2, 3, 4, 5]
    peak[:] = 1.0
    board.publish({"load": 0.25})
    assert by_node(layout, view.values(layout.generation))["a"]["peak"].tolist() == [1.0, 1.0]
    assert view.numbers()["place"] == 480.0
    assert view.numbers()["load"] == 0.25
    assert set(view.numbers()) == set(NUMBERS)


def test_readings_of_another_layout_are_not_taken_for_these(pair):
    board, view = pair
    first, _ = board.lay_out([Source("a", "peak", np.ones(2, np.float32))])
    second, _ = board.lay_out([Source("b", "peak", np.ones(2, np.float32))])
    board.publish({})
    assert view.values(first.generation) is None
    assert view.values(second.generation).tolist() == [1, 1]


def test_what_a_writer_left_half_written_is_not_read(pair):
    board, view = pair
    layout, _ = board.lay_out([Source("a", "peak", np.ones(2, np.float32))])
    board._words[SEQUENCE] += 1
    assert view.values(layout.generation) is None


def test_what_there_is_no_room_for_is_counted_and_the_rest_is_there(pair):
    board, view = pair
    sources = [
        Source("a", "peak", np.ones(1, np.float32)),
        Source("b", "huge", np.ones(CAPACITY, np.float32)),
        Source("c", "peak", np.full(1, 3, np.float32)),
    ]
    layout, left_out = board.lay_out(sources)
    board.publish({})
    assert left_out == 1
    assert by_node(layout, view.values(layout.generation))["c"]["peak"].tolist() == [3]


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        View(tmp_path / "absent")
    (tmp_path / "short").write_bytes(b"x")
    with pytest.raises(ValueError, match="bytes of readings"):
        View(tmp_path / "short")
    (tmp_path / "other").write_bytes(bytes(BYTES))
    with pytest.raises(ValueError, match="readings of an engine"):
        View(tmp_path / "other")


def test_it_outlives_its_file(pair, tmp_path):
    board, view = pair
    board.publish({"place": 7.0})
    os.unlink(tmp_path / "readings")
    board.publish({"place": 8.0})
    assert view.numbers()["place"] == 8.0
