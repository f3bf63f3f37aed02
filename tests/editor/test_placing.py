"""The size of the window and of its parts: kept from one start to the next, and within what there is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from editor import placing
from editor.layout import LEAST_CENTRE, Arrangement, arranged
from editor.placing import LEAST, Placing, read
from tests.editor.window import Screen, Window


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATCHWRIGHT_CONFIG", str(tmp_path))
    return tmp_path


def test_what_is_kept_comes_back(folder: Path) -> None:
    assert placing.load() == Placing()
    kept = Placing((1366, 768), Arrangement(left=300, right=400, bottom=200, shows_left=False))
    placing.save(kept)
    assert placing.load() == kept


@pytest.mark.parametrize(
    "raw",
    [
        *(None, [], {"size": [1, 2, 3]}, {"size": ["a", "b"]}, {"size": [True, 900]}),
        {"arrangement": {"left": "x", "shows_left": 0}},
    ],
)
def test_what_is_not_as_it_must_be_counts_as_not_kept(raw: Any) -> None:
    assert read(raw) == Placing()


def test_what_is_kept_stays_within_what_can_be_used(folder: Path) -> None:
    found = read({"size": [10, 10**9], "arrangement": {"left": 1e9, "right": float("nan"), "bottom": -5}})
    assert found.size == (LEAST[0], placing.MOST[1])
    assert found.arrangement == Arrangement(left=600, bottom=110)
    placing.path().write_bytes(b"{")
    assert placing.load() == Placing()


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_on_a_small_screen_the_sides_give_way_to_the_canvas(scale: float) -> None:
    slots, _ = arranged(1366, 768, Arrangement(left=400, right=500, bottom=500), scale)
    assert slots["centre"].width >= LEAST_CENTRE[0] * scale - 1
    assert slots["centre"].height >= LEAST_CENTRE[1] * scale - 1


def test_a_window_opens_as_it_was_closed(screen: Screen, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    wanted = {"size": [1100, 700], "arrangement": {"left": 300}}
    (tmp_path / "config" / "window.json").write_text(json.dumps(wanted))
    first = Window(screen, tmp_path, ["--no-engine", "--new"])
    assert first.rect("slot:top")[2] == 1100
    assert first.rect("slot:left")[2] == 300
    first.command("view.bottom")
    first.close()
    second = Window(screen, tmp_path, ["--no-engine", "--new"])
    state = json.loads((tmp_path / "config" / "window.json").read_text())
    assert state["size"] == [1100, 700]
    assert second.rect("slot:top")[2] == 1100
    assert second.ask(do="locate", what="slot:bottom")["rect"] is None
    second.close()
