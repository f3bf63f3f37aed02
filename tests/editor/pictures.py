"""Takes the pictures of the documentation anew, from shipped patches, in a window of its own.

``python -P -m tests.editor.pictures docs/pictures`` needs Xvfb, xdotool and ImageMagick. It takes those of controls,
mixer and snapshots; the others need what is not shipped, or a hand at the mouse.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from graph.document import Patch
from tests.editor.window import ROOT, Screen, Window

CONTROLS = [
    {"from": "cc 1 1", "node": "duck", "param": "threshold_db", "low": -40, "high": -20},
    {"from": "cc 1 16", "node": "duck", "param": "release_ms", "low": 80, "high": 900},
    {"from": "cc 2 1", "node": "room_send", "param": "level_db", "pickup": "jump"},
    {"from": "note 10 36", "node": "duck", "param": "bypass", "pickup": "toggle"},
]


def kept(window: Window, folder: Path, name: str, part: str = "") -> None:
    """Keep a picture of the window, or of one part of it."""
    window.settle(12)
    file = folder / f"{name}.png"
    words = ["import", "-display", window._display, "-window", "root"]
    if part:
        x, y, width, height = window.rect(part)
        words += ["-crop", f"{round(width)}x{round(height)}+{round(x)}+{round(y)}", "+repage"]
    subprocess.run([*words, str(file)], check=True)


def main(folder: Path) -> None:
    """Take all of them."""
    screen = Screen()
    scratch = Path(tempfile.mkdtemp())

    def window(name: str, *words: str | Path) -> Window:
        return Window(screen, scratch / name, [*words, "--device", "null"], drawn=True)

    patch = Patch.load(ROOT / "patches" / "duck_music_under_dialogue.json")
    patch.metadata["controls"] = CONTROLS
    patch.folder = ROOT / "patches"
    patch.save(scratch / "duck_music_under_dialogue.json")
    (scratch / "audio").symlink_to(ROOT / "patches" / "audio")
    one = window("controls", scratch / "duck_music_under_dialogue.json")
    one.click("header:duck")
    one.click("tab:controls")
    kept(one, folder, "controls")
    one.close()

    two = window("stems", ROOT / "patches" / "stems_and_print_master.json")
    two.click("transport:play")
    two.until(lambda state: state["place_s"] > 4.0)
    kept(two, folder, "mixer", "slot:bottom")
    two.click("header:dx_eq")
    two.click("tab:snapshots")
    two.click("snapshots:match")
    two.until(lambda _: two.ask(do="value", what="snapshots:trim")["value"], "the two are not measured")
    kept(two, folder, "snapshots", "slot:bottom")
    two.close()
    screen.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
