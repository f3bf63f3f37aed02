"""Where plugin files lie on each system, which of them there are, and what tells one state of a file from another.

The places are those that the formats name: https://steinbergmedia.github.io/vst3_dev_portal (Plug-in Locations) for
VST3, the Components folders for Audio Units.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Format = Literal["vst3", "au"]
SUFFIXES: dict[str, Format] = {".vst3": "vst3", ".component": "au"}
VARIABLE = "VST3_PATH"
"""More folders of VST3s, as other hosts know it."""
DEEPEST = 8
MOST_ENTRIES = 200_000
MOST_STAMPED = 2000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file, or a bundle, that by its name is a plugin."""

    path: Path
    format: Format


def standard_folders(
    system: str = sys.platform, environ: Mapping[str, str] = os.environ, home: Path | None = None
) -> list[Path]:
    """The folders where plugins belong on this system, the user's own first; they need not exist."""
    home = home or Path.home()
    named = [Path(part) for part in environ.get(VARIABLE, "").split(os.pathsep) if part]
    if system == "darwin":
        roots = (home / "Library", Path("/Library"), Path("/Network/Library"))
        audio = [root / "Audio/Plug-Ins" for root in roots]
        return [*named, *(a / "VST3" for a in audio), *(a / "Components" for a in audio)]
    if system == "win32":
        local = environ.get("LOCALAPPDATA") or str(home / "AppData/Local")
        common = environ.get("CommonProgramFiles") or "C:/Program Files/Common Files"
        return [*named, Path(local) / "Programs/Common/VST3", Path(common) / "VST3"]
    return [*named, home / ".vst3", Path("/usr/lib/vst3"), Path("/usr/local/lib/vst3"), Path("/usr/lib64/vst3")]


def formats(system: str = sys.platform) -> tuple[Format, ...]:
    """What can be hosted on a system."""
    return ("vst3", "au") if system == "darwin" else ("vst3",)


def candidate(path: Path, system: str = sys.platform) -> Candidate | None:
    """A path as a plugin of this system, by its name."""
    format = SUFFIXES.get(path.suffix.lower())
    return Candidate(path, format) if format in formats(system) else None


def find(places: Iterable[Path], notice: Callable[[str], None], system: str = sys.platform) -> Iterator[Candidate]:
    """Every plugin file in the places and below, each once, however many ways lead to it; a place may be a plugin
    itself. Bundles are not looked into. A place that is not there is passed over; one that cannot be read is said.
    """
    seen: set[str] = set()
    left = [MOST_ENTRIES]
    for place in places:
        yield from _below(Path(os.path.abspath(place)), 0, seen, left, notice, system)
    if left[0] <= 0:
        notice(f"there are more than {MOST_ENTRIES} files in the plugin folders; what comes after was not looked at")


def _below(
    path: Path, depth: int, seen: set[str], left: list[int], notice: Callable[[str], None], system: str
) -> Iterator[Candidate]:
    left[0] -= 1
    real = os.path.realpath(path)
    if left[0] <= 0 or real in seen:
        return
    found = candidate(path, system)
    if found and path.exists():
        seen.add(real)
        if _is_text(path):
            yield found
        else:
            notice(f"{os.fsencode(path)!r} is passed over: its name is no text; rename it")
    elif found is None and depth <= DEEPEST and path.is_dir():
        seen.add(real)
        try:
            entries = sorted(os.scandir(path), key=lambda e: e.name)
        except OSError as error:
            notice(f"{path} cannot be looked into: {error.strerror or error}")
            return
        for entry in entries:
            if entry.name.lower().endswith(tuple(SUFFIXES)) or entry.is_dir():
                yield from _below(Path(entry.path), depth + 1, seen, left, notice, system)


def _is_text(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def stamp(path: Path) -> str:
    """A digest of what changes when a plugin does: size, time of change and inode of its file, or, of a bundle, of all
    that is in it down to the binaries (its resources aside). Raises OSError where it is not there.
    """
    digest = hashlib.sha256()
    for place in (path, *_inside(path)):
        found = place.stat()
        numbers = f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"
        digest.update(f"{place.relative_to(path)}\0{numbers}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _inside(bundle: Path) -> list[Path]:
    found: list[Path] = []
    if bundle.is_dir():
        for pattern in ("*", "*/*", "*/*/*"):
            for path in sorted(bundle.glob(pattern)):
                if path.is_file() and "Resources" not in path.relative_to(bundle).parts[:-1]:
                    found.append(path)
                if len(found) >= MOST_STAMPED:
                    return found
    return found
