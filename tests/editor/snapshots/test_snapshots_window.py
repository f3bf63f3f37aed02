"""Snapshots in a real window: recalled, taken, mixed with the slider, and undone in as many steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from graph.document import Patch
from tests.editor.window import Window

Open = Callable[..., Window]


def test_snapshots_are_recalled_taken_and_mixed(open_window: Open, tmp_path: Path) -> None:
    patch = Patch("Rig")
    patch.add("main", "bus")
    patch.snapshot("Loud", {"main": {"level_db": 6.0}})
    patch.snapshot("Soft", {"main": {"level_db": -30.0}})
    path = tmp_path / "rig.json"
    patch.save(path)
    window = open_window(path, "--no-engine")

    def level() -> float:
        return window.patch()["nodes"]["main"].get("params", {}).get("level_db", 0.0)

    window.click("tab:snapshots")
    window.click("snapshot:Loud")
    window.until(lambda _: level() == 6, "the snapshot is recalled")
    window.click("snapshots:B")
    window.until(lambda _: level() == -30, "the other end is recalled")
    x, y, width, height = window.rect("snapshots:morph")
    window.drag((x + width * 0.9, y + height / 2), (x + width / 2, y + height / 2))
    window.until(lambda _: -16 < level() < -8, "it is half way")
    assert window.state()["undo"] == ["Recall Loud", "Recall Soft", "Between Loud and Soft"]
    half = level()
    window.click("snapshots:take")
    window.until(lambda _: "Snapshot 1" in window.patch()["snapshots"], "it is taken")
    assert window.patch()["snapshots"]["Snapshot 1"]["main"]["level_db"] == half
    window.shot("snapshots")
    window.click("delete:Loud")
    window.until(lambda _: "Loud" not in window.patch()["snapshots"], "it is gone")
    while window.state()["undo"]:
        window.command("edit.undo")
    assert Patch.from_json(window.state()["patch"]) == patch
    assert window.problems() == []
    window.close()


def test_two_are_compared_at_one_loudness(open_window: Open, tmp_path: Path) -> None:
    sine = 0.1 * np.sin(2 * np.pi * 997 * np.arange(48000) / 48000)
    soundfile.write(tmp_path / "sine.wav", np.stack([sine, sine], 1), 48000, subtype="FLOAT")
    patch = Patch("Rig", sample_rate=48000)
    patch.add("in", "file_player", settings={"path": "sine.wav", "loop": True})
    patch.add("out", "audio_out")
    patch.add("bus", "bus")
    patch.connect("in.out", "bus.in")
    patch.connect("bus.out", "out.in")
    patch.snapshot("Loud", {"bus": {"level_db": 6.0}})
    patch.snapshot("Soft", {"bus": {"level_db": -4.0}})
    path = tmp_path / "rig.json"
    patch.save(path)
    window = open_window(path, "--no-engine")
    window.click("tab:snapshots")
    window.click("snapshots:match")
    window.click("snapshots:A")
    window.until(lambda state: abs(state["trimmed_db"] + 10.0) < 0.05, "the louder one is turned down")
    window.shot("match")
    window.click("snapshots:B")
    window.until(lambda state: state["trimmed_db"] == 0.0, "the softer one is not")
    x, y, width, height = window.rect("snapshots:morph")
    window.drag((x + width * 0.98, y + height / 2), (x + width / 2, y + height / 2))
    window.until(lambda state: -6 < state["trimmed_db"] < -4, "half way it is half")
    window.click("snapshots:match")
    window.until(lambda state: state["trimmed_db"] == 0.0, "nothing is matched any more")
    assert "level_db" not in window.patch()["nodes"]["out"].get("params", {}), "the patch does not know of it"
    assert window.problems() == []
    window.close()
