"""Where sound dropped out: what is kept of it."""

from __future__ import annotations

from editor.dropouts import MOST, Dropouts

COSTS = {"room": (0.2, 0.7), "eq": (0.1, 0.15), "gain": (0.0, 0.01)}


def test_every_rise_of_the_count_is_kept_with_its_place_and_the_heaviest_nodes():
    dropouts = Dropouts()
    dropouts.follow(0, 0.0, 0.1, lambda: COSTS)
    assert not dropouts.listed
    dropouts.follow(3, 12.5, 0.96, lambda: COSTS)
    dropouts.follow(3, 12.6, 0.96, lambda: COSTS)
    dropouts.follow(4, 70.0, 0.2, lambda: COSTS)
    first, second = dropouts.listed
    assert (first.place_s, first.blocks, first.load) == (12.5, 3, 0.96)
    assert first.heaviest == (("room", 0.7), ("eq", 0.15))
    assert second.blocks == 1
    assert "nodes took too long" in first.words
    assert "something else" in second.words


def test_an_engine_that_begins_anew_counts_anew():
    dropouts = Dropouts()
    dropouts.follow(5, 1.0, 0.9, lambda: COSTS)
    dropouts.follow(0, 1.0, 0.1, lambda: COSTS)
    dropouts.follow(2, 2.0, 0.9, lambda: COSTS)
    assert [each.blocks for each in dropouts.listed] == [5, 2]


def test_the_oldest_are_forgotten():
    dropouts = Dropouts()
    for count in range(1, MOST + 11):
        dropouts.follow(count, float(count), 0.9, lambda: {})
    assert len(dropouts.listed) == MOST
    assert dropouts.listed[0].place_s == 11.0
