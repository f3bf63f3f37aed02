"""What the user has chosen for this machine: kept as JSON, ``editor.json`` in the user's settings folder.

Every field is checked when it is read. A file that is not as it must be is set aside as a whole, said once, and kept
beside as ``editor.json.refused`` when a new one is written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from editor.theme import SCALES, THEMES, Look, look
from graph.saving import write_whole
from host.devices.stored import settings_folder

VERSION = 1
LARGEST_FILE = 1 << 16
LONGEST_TEXT = 4096
BLOCKS = (0, 32, 64, 128, 256, 512, 1024, 2048)
"""Frames that a device can be asked for; 0: its own."""
PLUGINS_IN = ("plugin", "chain", "patch")
DISK_CACHES = (None, 0, 500, 1000, 2000, 4000, 8000, 16000)
"""Megabytes to choose from."""
RATES = (0, 44100, 48000, 88200, 96000, 192000)


class SettingsError(ValueError):
    """A settings file that is not as it must be: where, and what was expected."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be chosen. Device names are as ``--device`` takes them; empty folders mean the usual ones."""

    device: str = ""
    in_device: str = ""
    rate: int = 0
    block: int = 0
    theme: str = "dark"
    scale: float = 1.0
    safe_pins: bool = False
    patch_folder: str = ""
    render_folder: str = ""
    system_dialogs: bool = True
    """Whether the system's own file dialogs ask, where there are some."""
    toured: bool = False
    """Whether the tour has been seen, or left."""
    plugins_in: str = "plugin"
    """Which plugins share a process: none (``plugin``), those of a serial chain, or all of a patch."""
    disk_cache_mb: int | None = None
    """Memory for copies of played files: 0: none; None: as much as the machine can spare."""
    scan_offered: bool = False
    """Whether a search for plugins has been offered."""
    controller: str = ""
    """The MIDI controller that moves params, as ``--midi`` takes it; empty: none."""
    osc_port: int = 0
    """Where this machine is listened to for OSC; 0: nowhere."""

    def look(self) -> Look:
        """What everything is drawn with."""
        return look(self.theme, self.scale, self.safe_pins)

    def folder(self, name: str) -> Path | None:
        """The folder of a field, where one is chosen that is there."""
        chosen = getattr(self, name)
        return Path(chosen) if chosen and Path(chosen).is_dir() else None


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT and "\0" not in value


def _switch(value: object) -> bool:
    return isinstance(value, bool)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "device": (_text, "a text"),
    "in_device": (_text, "a text"),
    "rate": (lambda v: _whole(v) and (v == 0 or 8000 <= v <= 384_000), "0, or a number of Hz from 8000 to 384000"),
    "block": (lambda v: _whole(v) and 0 <= v <= 8192, "a number of frames from 0 to 8192"),
    "theme": (lambda v: isinstance(v, str) and v in THEMES, f"one of {', '.join(THEMES)}"),
    "scale": (
        lambda v: not isinstance(v, bool) and isinstance(v, int | float) and SCALES[0] <= v <= SCALES[-1],
        f"a number from {SCALES[0]} to {SCALES[-1]}",
    ),
    "safe_pins": (_switch, "true or false"),
    "system_dialogs": (_switch, "true or false"),
    "patch_folder": (_text, "a text"),
    "render_folder": (_text, "a text"),
    "toured": (_switch, "true or false"),
    "plugins_in": (lambda v: v in PLUGINS_IN, f"one of {', '.join(PLUGINS_IN)}"),
    "disk_cache_mb": (lambda v: v is None or (_whole(v) and 0 <= v <= 2**24), "null, or megabytes from 0 to 16777216"),
    "scan_offered": (_switch, "true or false"),
    "controller": (_text, "a text"),
    "osc_port": (lambda v: _whole(v) and (v == 0 or 1024 <= v <= 65535), "0, or a port from 1024 to 65535"),
}


def settings_file() -> Path:
    """Where they are kept."""
    return settings_folder() / "editor.json"


def read(data: bytes) -> Settings:
    """Settings from the bytes of their file; fields that are not known are passed over. Raises SettingsError."""
    if len(data) > LARGEST_FILE:
        raise SettingsError(f"it is larger than {LARGEST_FILE} bytes")
    try:
        raw: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"it is no JSON: {error}") from None
    if not isinstance(raw, dict):
        raise SettingsError("expected an object with fields")
    if raw.get("version") != VERSION or not _whole(raw.get("version")):
        raise SettingsError(f"version: expected {VERSION}, found {json.dumps(raw.get('version'))[:40]}")
    chosen: dict[str, Any] = {}
    for field in fields(Settings):
        if field.name in raw:
            good, expected = _RULES[field.name]
            if not good(raw[field.name]):
                raise SettingsError(f"{field.name}: expected {expected}, found {json.dumps(raw[field.name])[:60]}")
            chosen[field.name] = raw[field.name]
    return replace(Settings(), **chosen)


def load(file: Path | None = None) -> tuple[Settings, str]:
    """The settings, and what is wrong with the file; then they are as they come."""
    file = file or settings_file()
    try:
        with file.open("rb") as stream:
            return read(stream.read(LARGEST_FILE + 1)), ""
    except FileNotFoundError:
        return Settings(), ""
    except (OSError, SettingsError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        return Settings(), f"The settings in {file} are not used: {words}"


def save(settings: Settings, file: Path | None = None) -> None:
    """Keep the settings. What was there and cannot be read is kept beside. Raises OSError."""
    file = file or settings_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    if load(file)[1] and file.is_file():
        os.replace(file, file.with_name(file.name + ".refused"))
    text = json.dumps({"version": VERSION, **asdict(settings)}, indent=2, sort_keys=True, ensure_ascii=False)
    write_whole(file, text.encode(errors="surrogateescape") + b"\n", backups=0)
