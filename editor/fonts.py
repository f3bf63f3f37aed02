"""The fonts that come with the editor (see assets/LICENSES.md), by what they are for, and the icons among them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

import dearpygui.dearpygui as dpg

ASSETS = Path(__file__).parent / "assets"
Role = Literal["body", "medium", "strong", "small", "title", "mono", "clock", "icon", "icons"]

ROLES: Mapping[Role, tuple[str, float]] = {
    "body": ("Inter-Regular.otf", 15),
    "medium": ("Inter-Medium.otf", 14),
    "strong": ("Inter-SemiBold.otf", 15),
    "small": ("Inter-Medium.otf", 12.5),
    "title": ("Inter-SemiBold.otf", 20),
    "mono": ("JetBrainsMono-Medium.ttf", 13.5),
    "clock": ("JetBrainsMono-Medium.ttf", 22),
    "icon": ("FontAwesome.ttf", 15),
    "icons": ("FontAwesome.ttf", 12),
}
"""File and size at scale 1; ``icons`` is the small form of ``icon``."""

ICONS: Mapping[str, str] = {
    name: chr(code)
    for name, code in {
        "play": 0xF04B,
        "pause": 0xF04C,
        "stop": 0xF04D,
        "start": 0xF048,
        "end": 0xF051,
        "record": 0xF111,
        "loop": 0xF01E,
        "search": 0xF002,
        "star": 0xF005,
        "star-empty": 0xF006,
        "close": 0xF00D,
        "check": 0xF00C,
        "power": 0xF011,
        "settings": 0xF013,
        "folder": 0xF07C,
        "save": 0xF0C7,
        "file": 0xF016,
        "undo": 0xF0E2,
        "redo": 0xF064,
        "warning": 0xF071,
        "error": 0xF057,
        "info": 0xF05A,
        "good": 0xF058,
        "mute": 0xF026,
        "solo": 0xF025,
        "volume": 0xF028,
        "add": 0xF067,
        "remove": 0xF068,
        "trash": 0xF1F8,
        "lock": 0xF023,
        "link": 0xF0C1,
        "right": 0xF054,
        "left": 0xF053,
        "down": 0xF078,
        "up": 0xF077,
        "caret-down": 0xF0D7,
        "caret-right": 0xF0DA,
        "group": 0xF247,
        "sliders": 0xF1DE,
        "wave": 0xF200,
        "clock": 0xF017,
        "history": 0xF1DA,
        "plug": 0xF1E6,
        "camera": 0xF030,
        "note": 0xF249,
        "frame": 0xF096,
        "help": 0xF059,
        "download": 0xF019,
        "bolt": 0xF0E7,
        "heat": 0xF06D,
        "pencil": 0xF040,
        "copy": 0xF0C5,
        "eye": 0xF06E,
        "home": 0xF015,
    }.items()
}

_tags: dict[Role, int] = {}
_made: dict[float, dict[Role, int]] = {}


def load(scale: float) -> None:
    """Use the fonts at a scale. They stay when another scale is used: what is still drawn with them must not lose them.
    Needs a context.
    """
    _made.update({} if scale in _made else {scale: _make(scale)})
    _tags.clear()
    _tags.update(_made[scale])
    dpg.bind_font(_tags["body"])
    width.cache_clear()


def forget() -> None:
    """The context they were made in is gone."""
    _made.clear()
    _tags.clear()


def _make(scale: float) -> dict[Role, int]:
    with dpg.font_registry():
        return {
            role: int(dpg.add_font(str(ASSETS / file), size * scale))  # pyright: ignore[reportArgumentType]
            for role, (file, size) in ROLES.items()
        }


def font(role: Role) -> int:
    """The item of a font."""
    return _tags[role]


@lru_cache(maxsize=4096)
def width(text: str, role: Role, size: float) -> float:
    """How wide a text is at a size, in pixels. Needs a frame to have been drawn."""
    found = dpg.get_text_size(text, font=_tags[role])
    if not found:
        return 0.55 * size * len(text)
    return float(found[0]) * size / ROLES[role][1] / _scale()


def _scale() -> float:
    return float(dpg.get_item_configuration(_tags["body"])["size"]) / ROLES["body"][1]
