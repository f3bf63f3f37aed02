"""What nodes cost, and which of them made a block late."""

from __future__ import annotations

import numpy as np
import pytest

from graph import Patch
from host.engine import gauges
from host.engine.player import LivePlayer
from host.engine.readings import COST
from host.native import state


@pytest.fixture
def player(tmp_path, monkeypatch):
    monkeypatch.setattr(gauges, "COSTS_S", 0.0)
    patch = Patch("Costs", 48000)
    patch.add("tone", "oscillator")
    patch.add("room", "reverb")
    patch.add("out", "audio_out")
    patch.connect("tone.out", "room.in")
    patch.connect("room.out", "out.in")
    made = LivePlayer(48000, lambda flow, first, count: list(range(first, first + count)), lambda text: None)
    made.set_patch(1, patch, tmp_path)
    while made.outcome() is None:
        made.step()
    made.renderer.prepare(0, 2, 512)
    yield made
    made.close()


def play(player: LivePlayer, blocks: int) -> None:
    out = np.zeros((512, 2), np.float32)
    for _ in range(blocks):
        player.renderer.process(None, out)


def test_a_late_block_names_its_node_once(player):
    play(player, 4)
    assert player.culprit() == ""
    player.renderer.words[state.BUDGET] = 0  # no block is fast enough
    play(player, 4)
    assert player.culprit() == "room"
    assert player.culprit() == ""


def test_costs_are_shares_of_the_time_there_is_and_the_worst_fades(player):
    costs = {source.node: source for source in player.sources() if source.name == COST}
    player.numbers()
    play(player, 20)
    player.numbers()
    room, tone = costs["room"].values, costs["tone"].values
    assert 0 < tone[0] < room[0] < 1
    assert room[1] >= room[0]
    room[1] = 100.0  # as if a block had taken very long
    for _ in range(100):
        play(player, 4)
        player.numbers()
    assert room[0] <= room[1] < 10.0
