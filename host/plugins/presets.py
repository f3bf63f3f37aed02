"""Presets: the published ``.vstpreset`` container, and the folder of a user's own.

A ``.vstpreset`` is ``VST3``, a version, the class id in 32 digits, and where its list of chunks begins; then the
chunks; then ``List``, their count, and an id, offset and size for each. ``Comp`` is the processor's state, ``Cont`` the
controller's. It is also what the state of any VST3 instance is in a patch, so a preset and a state are one thing.
"""

from __future__ import annotations

import os
import re
import struct
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from host.plugins.database import data_folder
from host.plugins.description import Description
from host.plugins.errors import PluginError

_HEADER = struct.Struct("<4si32sq")
_LIST = struct.Struct("<4si")
_ENTRY = struct.Struct("<4sqq")
VERSION = 1
MOST_CHUNKS = 128
"""As many as the format's own library takes."""
LARGEST = 512 * 1024 * 1024
LONGEST_NAME = 100
SUFFIX = ".vstpreset"


@dataclass(frozen=True, slots=True)
class Preset:
    """What a ``.vstpreset`` holds."""

    uid: str
    component: bytes
    controller: bytes | None = None
    info: bytes | None = None
    """A little XML: names and the like; not needed to load."""


def pack(preset: Preset) -> bytes:
    """A preset as the bytes of its file."""
    chunks = [(b"Comp", preset.component), (b"Cont", preset.controller), (b"Info", preset.info)]
    body, entries = b"", b""
    present = [(name, data) for name, data in chunks if data is not None]
    for name, data in present:
        entries += _ENTRY.pack(name, _HEADER.size + len(body), len(data))
        body += data
    header = _HEADER.pack(b"VST3", VERSION, preset.uid.encode("ascii"), _HEADER.size + len(body))
    return header + body + _LIST.pack(b"List", len(present)) + entries


def unpack(data: bytes, place: str = "preset") -> Preset:
    """The preset in a file's bytes. Raises PluginError saying what is wrong where."""

    def wrong(what: str) -> PluginError:
        return PluginError(f"{place}: {what}")

    if len(data) > LARGEST:
        raise wrong(f"{len(data)} bytes are more than any preset has")
    if len(data) < _HEADER.size:
        raise wrong("too short for a VST3 preset")
    magic, version, raw, at = _HEADER.unpack_from(data)
    if magic != b"VST3":
        raise wrong("this is no VST3 preset: it does not begin with VST3")
    if version != VERSION:
        raise wrong(f"version {version} of the format is unknown; {VERSION} was expected")
    uid = raw.decode("ascii", "replace").upper()
    if not re.fullmatch("[0-9A-F]{32}", uid):
        raise wrong("the class id is not 32 hexadecimal digits")
    if not _HEADER.size <= at <= len(data) - _LIST.size:
        raise wrong(f"its list of chunks is said to begin at byte {at}, outside the {len(data)} there are")
    tag, count = _LIST.unpack_from(data, at)
    if tag != b"List" or not 0 <= count <= MOST_CHUNKS or at + _LIST.size + count * _ENTRY.size > len(data):
        raise wrong(f"there is no list of chunks at byte {at}")
    chunks: dict[bytes, bytes] = {}
    for k in range(count):
        name, offset, size = _ENTRY.unpack_from(data, at + _LIST.size + k * _ENTRY.size)
        if size < 0 or not 0 <= offset <= len(data) - size:
            raise wrong(f"chunk {k} is said to be {size} bytes at byte {offset}, outside the {len(data)} there are")
        if name in chunks:
            raise wrong(f"chunk {k} is a second {name.decode('ascii', 'replace')!r}")
        chunks[name] = data[offset : offset + size]
    if b"Comp" not in chunks:
        raise wrong("it holds no state of the processor (no chunk 'Comp')")
    return Preset(uid, chunks[b"Comp"], chunks.get(b"Cont"), chunks.get(b"Info"))


def read(path: Path) -> Preset:
    """The preset in a file. Raises PluginError."""
    try:
        if path.stat().st_size > LARGEST:
            raise PluginError(f"{path}: larger than any preset")
        data = path.read_bytes()
    except OSError as error:
        raise PluginError(f"{path}: {error.strerror}") from None
    return unpack(data, str(path))


def write(path: Path, preset: Preset) -> None:
    """Write a preset, whole or not at all. Raises PluginError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    except OSError as error:
        raise PluginError(f"{path}: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pack(preset))
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError as error:
        os.unlink(name)
        raise PluginError(f"{path}: {error.strerror}") from None


def as_file_name(text: str) -> str:
    """A name of a vendor, plugin or preset as the name of a file or folder that every system takes. Raises PluginError
    where nothing is left of it.
    """
    kept = re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f]', "_", text).strip(" .")[:LONGEST_NAME].strip(" .")
    if not kept:
        raise PluginError(f"{text!r} cannot be the name of a file")
    if re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", kept):
        kept = "_" + kept
    return kept


def standard_folders(home: Path | None = None) -> list[Path]:
    """Where programs keep VST3 presets on this system, the user's own first."""
    home = home or Path.home()
    if sys.platform == "darwin":
        return [home / "Library/Audio/Presets", Path("/Library/Audio/Presets")]
    if sys.platform == "win32":
        shared = os.environ.get("PROGRAMDATA", r"C:\ProgramData")
        return [home / "Documents/VST3 Presets", Path(shared) / "VST3 Presets"]
    return [home / ".vst3/presets", Path("/usr/share/vst3/presets"), Path("/usr/local/share/vst3/presets")]


class PresetFolder:
    """The presets of one plugin: those saved here, and those other programs keep where the format says."""

    def __init__(self, plugin: Description, own: Path | None = None, others: list[Path] | None = None) -> None:
        self.plugin = plugin
        data = data_folder() / "presets"
        tail = Path(as_file_name(plugin.vendor or "Unknown")) / as_file_name(plugin.name or plugin.uid)
        self.own = (own or data) / tail
        self._others = [folder / tail for folder in (standard_folders() if others is None else others)]

    def list(self) -> dict[str, Path]:
        """Name and file of every preset; one's own hides one of the same name elsewhere."""
        found: dict[str, Path] = {}
        for folder in (self.own, *self._others):
            for path in sorted(folder.rglob(f"*{SUFFIX}")) if folder.is_dir() else ():
                found.setdefault(path.stem, path)
        return found

    def is_own(self, path: Path) -> bool:
        """Whether a preset is one of the user's own, which may be replaced and deleted."""
        return path.parent == self.own

    def load(self, name: str) -> bytes:
        """The state in a preset. Raises PluginError where there is none, or where it is another plugin's."""
        path = self.list().get(name)
        if path is None:
            raise PluginError(f"{self.plugin.name} has no preset {name!r}")
        preset = read(path)
        if preset.uid != self.plugin.uid:
            raise PluginError(f"{path}: a preset of another plugin ({preset.uid}), not of {self.plugin.name}")
        return pack(preset)

    def save(self, name: str, state: bytes, *, replace: bool = False) -> Path:
        """Keep a state under a name. Raises PluginError where the name is taken and ``replace`` is not given."""
        preset = unpack(state, f"state of {self.plugin.name}")
        if preset.uid != self.plugin.uid:
            raise PluginError(f"this is the state of another plugin ({preset.uid}), not of {self.plugin.name}")
        path = self.own / f"{as_file_name(name)}{SUFFIX}"
        if path.exists() and not replace:
            raise PluginError(f"{self.plugin.name} already has a preset {path.stem!r}")
        write(path, preset)
        return path

    def delete(self, name: str) -> None:
        """Remove one's own preset. Raises PluginError where there is none."""
        try:
            (self.own / f"{as_file_name(name)}{SUFFIX}").unlink()
        except OSError as error:
            raise PluginError(f"the preset {name!r} of {self.plugin.name}: {error.strerror}") from None
