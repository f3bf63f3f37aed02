"""In a real window: a patch with a cable to a port that is not there says so, and is mended."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.editor.window import Window

LOST = {"from": "dialogue.out", "to": "main.inn"}


def test_what_is_wrong_with_a_patch_is_said_shown_and_mended(
    open_window: Callable[..., Window], root: Path, tmp_path: Path
) -> None:
    shutil.copytree(root / "patches", tmp_path / "patches")
    file = tmp_path / "patches" / "duck_music_under_dialogue.json"
    patch = json.loads(file.read_text())
    patch["cables"].append(LOST)
    patch["automation"].append({"node": "nobody", "param": "level_db", "points": [[0, 0, "hold"]], "enabled": True})
    file.write_text(json.dumps(patch))
    window = open_window(file, "--no-engine")
    said = window.until(lambda state: state["notices"], "nothing is said")["notices"]
    assert [level for level, text in said] == ["warning"]
    assert "dialogue.out -> main.inn" in said[0][1]
    assert "And 1 more" in said[0][1]
    window.until(lambda _: window.ask(do="value", what="status:problems")["value"] == "2 problems")
    window.settle()
    window.click("status:problems")
    window.dialog("Problems of the patch")
    window.shot("problems")
    window.click("dialog:troubles:remove:0")
    window.dialog("")
    assert LOST not in window.patch()["cables"]
    window.until(lambda _: window.ask(do="value", what="status:problems")["value"] == "1 problem")
    window.command("edit.undo")
    window.until(lambda _: window.ask(do="value", what="status:problems")["value"] == "2 problems")
    assert LOST in window.patch()["cables"]
    assert window.problems() == []
    window.close()
