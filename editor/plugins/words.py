"""How a plugin node is doing, in words for people. Knows no window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from editor.faces import Face
from editor.plugins.rows import BACKENDS, RATE
from editor.plugins.shelf import Shelf

Level = Literal["good", "warn", "bad", "dim"]
FORMATS = {"vst3": "VST3", "au": "Audio Unit"}


@dataclass(frozen=True, slots=True)
class Doing:
    """How it is doing: a few words, more words where there is more to say, and how they are coloured."""

    level: Level
    words: str
    more: str = ""
    badge: str = ""
    """What stands over the node on the canvas; nothing while all is well."""


PLACES = {"plugin": "in a process of its own", "chain": "in its chain's process", "patch": "in the process of all"}


def doing(face: Face, standing: Any, engine: bool, plugins: bool, grouping: str = "plugin", lost: str = "") -> Doing:
    """How a node's plugin is. ``engine``: whether there is one; ``plugins``: whether it plays plugins at all;
    ``grouping``: which plugins share a process; ``lost``: the clock when it was lost last.
    """
    when = f" at {lost}" if lost else ""
    if face.missing:
        return Doing("dim", "Not on this machine")
    if not engine:
        return Doing("dim", "Not playing", "There is no engine.")
    if not plugins:
        return Doing("dim", "Off", "In safe mode plugins are off, and sound passes.", "off")
    if standing is None:
        return Doing("dim", "Not loaded yet", badge="loading")
    match standing.status:
        case "ready":
            counts = []
            if standing.losses:
                times = f"once{when}," if standing.losses == 1 else f"{standing.losses} times, last{when or ' now'},"
                counts.append(f"It was lost {times} and came back with its last state.")
            if standing.missed:
                blocks = f"{standing.missed} block{'' if standing.missed == 1 else 's'}"
                counts.append(f"{blocks} came too late and passed dry.")
            if standing.scrubbed:
                counts.append(f"{standing.scrubbed} samples were no numbers and were silenced.")
            late = f", {standing.missed} late" if standing.missed else ""
            return Doing("good", f"Playing {PLACES[grouping]}{late}", " ".join(counts))
        case "failed":
            return Doing("bad", "It cannot be played", f"{standing.error}. Sound passes dry; nothing is lost.", "dry")
        case _ if standing.losses:
            more = "Sound passes dry until it is back with its last state. Nothing of the patch is lost."
            return Doing("warn", f"It was lost{when} and is started again", more, "coming back")
        case _:
            return Doing("dim", "Loading…", "Sound passes dry until it is there.", "loading")


def origin(face: Face) -> str:
    """Who made it, which version, which format."""
    s = face.settings
    about = face.about
    version = getattr(about, "version", "") or s.get("version") or ""
    vendor = getattr(about, "vendor", "") or s.get("vendor") or ""
    words = (vendor, version and f"version {version}", FORMATS.get(str(s.get("format")), ""))
    return "   ".join(str(word) for word in words if word)


def other_version(face: Face) -> str:
    """What is to be said where the patch was made with another version than the one that is here."""
    wanted, here = str(face.settings.get("version") or ""), str(getattr(face.about, "version", ""))
    if face.about is None or not wanted or not here or wanted == here:
        return ""
    return f"The patch was made with version {wanted}; here is {here}."


def runs_on(face: Face, shelf: Shelf) -> tuple[str, str]:
    """Which backend runs it, and why."""
    s = face.settings
    uid = getattr(face.about, "uid", "") or str(s.get("uid"))
    file = shelf.result(uid, str(s.get("format")), str(s.get("path_hint")))
    known = next((c for c in file.classes if c.uid == uid), None) if file else None
    if known is None:
        return "", ""
    why = known.note or "The scan tried it with this one first, and it came through."
    return BACKENDS.get(known.backend, known.backend), why


def latency_words(face: Face, standing: Any, rate: float) -> str:
    """How late it is: as it reports, or as the node says instead."""
    override = face.settings.get("latency_frames", -1)
    reported = getattr(standing, "latency", None)
    if reported is None:
        reported = face.about.latency_frames if face.about else 0
    own = f"{reported} frames, {1000 * reported / rate:.1f} ms" if reported else "none"
    if isinstance(override, int) and override >= 0 and override != reported:
        return f"taken as {override} frames; it reports {own}"
    return own


def measured_words(face: Face, shelf: Shelf) -> str:
    """What was measured, where that is another latency than it reports."""
    uid = getattr(face.about, "uid", "")
    file = shelf.result(uid, str(face.settings.get("format")), str(face.settings.get("path_hint")))
    found = shelf.known.latencies.get((file.path, uid, RATE)) if file else None
    if found is None or found["onset"] is None or found["agreement"] == "agrees":
        return ""
    return f"; measured {found['measured']}"
