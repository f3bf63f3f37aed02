"""How large the window and its parts are, kept from one start to the next: ``window.json`` in the settings folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from pathlib import Path
from typing import Any

from editor.layout import Arrangement
from graph.saving import write_whole
from host.devices.stored import settings_folder

FIRST = (1680, 1000)
"""The size of the first window where nothing makes it as large as the screen."""
LEAST, MOST = (800, 520), (16384, 16384)
LARGEST_FILE = 1 << 12
SHOWN = ("shows_left", "shows_right", "shows_bottom")


@dataclass(frozen=True, slots=True)
class Placing:
    """The size of the window in pixels, None before the first start, and the parts beside the canvas."""

    size: tuple[int, int] | None = None
    arrangement: Arrangement = field(default_factory=Arrangement)


def path() -> Path:
    """Where it is kept."""
    return settings_folder() / "window.json"


def load() -> Placing:
    """What was kept; what is not as it must be counts as not kept, for nobody wrote it by hand."""
    try:
        with path().open("rb") as file:
            raw = json.loads(file.read(LARGEST_FILE))
    except (OSError, ValueError):
        return Placing()
    return read(raw)


def read(raw: Any) -> Placing:
    """The same from a document."""
    raw = raw if isinstance(raw, dict) else {}
    size, parts = raw.get("size"), raw.get("arrangement")
    held = None
    if isinstance(size, list) and len(size) == 2 and all(type(v) is int for v in size):
        held = min(max(size[0], LEAST[0]), MOST[0]), min(max(size[1], LEAST[1]), MOST[1])
    arrangement = Arrangement()
    if isinstance(parts, dict):
        known = {each.name: parts.get(each.name) for each in fields(Arrangement)}
        shown = {k: v for k, v in known.items() if k in SHOWN and isinstance(v, bool)}
        sizes = {k: float(v) for k, v in known.items() if type(v) in (int, float) and isfinite(v) and k not in SHOWN}
        arrangement = Arrangement(**sizes, **shown).within()
    return Placing(held, arrangement)


def save(placing: Placing) -> None:
    """Keep it. Raises OSError."""
    path().parent.mkdir(parents=True, exist_ok=True)
    write_whole(path(), json.dumps(asdict(placing)).encode())
