"""Every kind there is can be looked at: its page is made, shown with and without readings, and made anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from nodes import kinds
from tests.editor.window import ROOT, UNDRAWN, Screen

SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from graph import Patch
from nodes import kinds
from editor.app import App
from editor.model import Session
from editor.theme import look

patch = Patch("Everything")
for kind in kinds():
    patch.add(kind, kind)
inner = {"nodes": {"e": {"kind": "eq"}}, "cables": []}
patch.add("a_group", "group", settings={"patch": inner, "ports": {"in": "e.in"}, "params": {"tone": "e.b1_gain_db"}})
patch.add("unknown", "nothing_like_this", settings={"a": 1})
app = App(Session(patch), None)
app.start()
seen = {}

def turn(count):
    for _ in range(count):
        app.turn()

def look_at(id):
    app.session.select([id])
    turn(2)
    inspector = app.panels["inspector"]
    page = inspector.page
    rng = np.random.default_rng(1)
    readings = {name: np.abs(rng.normal(0, 0.3, 1024)).astype(np.float32) for name in page.subject.face.readings}
    for now in range(3):
        inspector.frame(now / 30, {id: readings})
    inspector.frame(4.0, {id: {name: part[:3] for name, part in readings.items()}})
    inspector.frame(5.0, {})
    offers = page.subject.offers
    assert bool(page.views) == (offers != type(offers)()), id
    seen[id] = len(page.views)

for id in patch.nodes():
    look_at(id)
app.relook(look("light", 1.3))
for id in ("eq", "compressor", "loudness", "scope"):
    look_at(id)
app.session.enter("a_group")
turn(2)
look_at("e")
print(json.dumps({"seen": seen, "wrong": [n.text for n in app.notices.listed() if n.level == "error"]}))
app.close()
"""


def test_every_kind_can_be_looked_at(screen: Screen, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DISPLAY": screen.name,
        "PATCHWRIGHT_CONFIG": str(tmp_path),
        "PATCHWRIGHT_DATA": str(tmp_path),
        "LIBGL_ALWAYS_SOFTWARE": "1",
        **UNDRAWN,
    }
    words = [sys.executable, "-P", "-c", SCRIPT, str(ROOT)]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["wrong"] == []
    assert set(kinds()) <= told["seen"].keys()
    assert told["seen"]["loudness"] == told["seen"]["eq"] == 1
    assert told["seen"]["gain"] == 0
