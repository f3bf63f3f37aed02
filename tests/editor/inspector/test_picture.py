"""Pictures of the inspector on a real screen: what was drawn last is shown, and what was shown before is given back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.editor.window import Screen

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import json, sys
from pathlib import Path
import dearpygui.dearpygui as dpg
import numpy as np
from editor.inspector.picture import Picture, Shown

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 if sys.platform == "linux" else 0

dpg.create_context()
dpg.configure_app(manual_callback_management=True)
dpg.create_viewport(width=400, height=400)
dpg.setup_dearpygui()
dpg.show_viewport()
dpg.add_window(tag="window", no_title_bar=True)
dpg.set_primary_window("window", True)
dpg.add_drawlist(300, 300, tag="list", parent="window")

def lap(k):
    picture = Picture(300, 300, (0, 0, 0, 255))
    shown = Shown(picture, "list", (0, 0))
    for share in (0.2, 1.0):
        picture.begin()
        picture.area(np.zeros(300), 300.0, (200, 10 * k % 250, 30, 255), (share, share))
        shown.update()
        dpg.render_dearpygui_frame()
    return shown

for k in range(10):
    lap(k).free()
items, memory = len(dpg.get_all_items()), resident()
for k in range(40):
    lap(k).free()
grown = len(dpg.get_all_items()) - items, resident() - memory
last = lap(7)
seen = []
dpg.output_frame_buffer(callback=lambda _, buffer: seen.append(
    np.array(buffer).reshape(buffer.get_height(), buffer.get_width(), 4)))
for _ in range(200):
    dpg.render_dearpygui_frame()
    for job in dpg.get_callback_queue() or ():
        job[0](*job[1:3])
    if seen:
        break
x, y = (round(place) + 150 for place in dpg.get_item_rect_min("list"))
print(json.dumps({"items": grown[0], "bytes": grown[1], "colour": [float(c) for c in seen[0][y, x]]}))
"""


def test_a_picture_that_changes_is_shown_as_it_is_and_leaves_nothing_behind(screen: Screen) -> None:
    environment = {**os.environ, "DISPLAY": screen.name, "LIBGL_ALWAYS_SOFTWARE": "1", "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-P", "-c", PROGRAM]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["items"] == 0
    assert found["bytes"] < 10e6, "each of 40 pictures takes 1.4 MB, and 1.4 more for what it is sent through"
    assert np.array(found["colour"][:3]) * 255 == pytest.approx([200, 70, 30], abs=2)
