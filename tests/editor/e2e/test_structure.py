"""What changes the graph, in a real window: put into a cable, refused at a pin, chosen from the search of commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from graph.document import Patch
from tests.editor.window import Window

Open = Callable[..., Window]


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """An input, a level and an output in a row, and an oscillator for control."""
    patch = Patch("Chain")
    places = {"in": ("audio_in", 60, 60), "level": ("gain", 400, 60), "out": ("audio_out", 740, 60)}
    for id, (kind, x, y) in {**places, "lfo": ("lfo", 60, 330)}.items():
        patch.add(id, kind)
        patch.node(id).position = (float(x), float(y))
    patch.connect("in.out", "level.in")
    patch.connect("level.out", "out.in")
    path = tmp_path / "chain.json"
    patch.save(path)
    return path


def well(window: Window) -> None:
    """Close it, and see that nothing went wrong in it."""
    assert window.problems() == []
    window.close()
    assert "Traceback" not in window.log()


def test_a_kind_from_the_palette_is_dropped_into_a_cable(open_window: Open, chain: Path) -> None:
    window = open_window(chain, "--no-engine")
    before = window.state()["patch"]
    window.click("palette:search")
    window.type("compressor")
    window.settle(6)
    window.drag("palette:compressor", "cable:level.out->out.in")
    state = window.until(lambda state: "compressor" in state["nodes"])
    assert sorted(state["cables"]) == ["compressor.out -> out.in", "in.out -> level.in", "level.out -> compressor.in"]
    assert len(state["undo"]) == 1, "putting it in is one step"
    window.shot("dropped-into-a-cable")
    window.key("Escape")
    window.command("edit.undo")
    assert window.until(lambda state: not state["undo"])["patch"] == before
    well(window)


def test_a_refused_cable_says_why_at_the_pin_while_it_is_held(open_window: Open, chain: Path) -> None:
    window = open_window(chain, "--no-engine")
    window.move(*window.middle("pin:lfo.out"))
    window.press()
    x, y = window.middle("pin:level.in")
    window.move(x - 60, y + 40)
    assert window.ask(do="locate", what="refused:")["rect"] is None
    window.move(x, y)
    at = window.rect("refused:")
    assert abs(at[0] - x) < 12
    assert abs(at[1] - y) < 12
    window.shot("refused-at-the-pin")
    window.release()
    state = window.until(lambda state: state["notices"])
    assert "lfo.out -> level.in" not in state["cables"]
    assert not state["undo"]
    well(window)


def test_a_command_is_found_by_its_words_and_done_by_enter_or_a_click(open_window: Open, chain: Path) -> None:
    window = open_window(chain, "--no-engine")
    window.key("F1")
    window.settle(6)
    window.type("select all")
    window.settle(6)
    window.shot("command-search")
    window.key("Return")
    window.until(lambda state: len(state["selection"]) == 4, "the command is not done")
    window.key("F1")
    window.settle(6)
    window.type("arrange by")
    window.settle(12)
    window.click("search:0")
    window.until(lambda state: state["undo"] == ["Arrange by signal flow"], "the command is not done")
    well(window)


def test_enter_takes_nothing_from_a_search_that_a_click_has_closed(open_window: Open, chain: Path) -> None:
    window = open_window(chain, "--no-engine")
    window.move(*window.middle("plane:400,400"))
    window.key("Tab")
    window.settle(6)
    window.type("reverb")
    window.settle(6)
    x, y, width, _ = window.rect("slot:centre")
    window.click((x + width - 30, y + 30))
    window.settle(6)
    window.key("Return")
    window.key("Down")
    window.key("Return")
    window.settle(6)
    assert window.state()["nodes"] == ["in", "level", "lfo", "out"]
    window.key("Tab")
    window.settle(6)
    window.type("reverb")
    window.settle(6)
    window.key("Return")
    window.until(lambda state: "reverb" in state["nodes"], "the next search finds nothing")
    well(window)
