"""Plugins that are said to be there: a store as a scan would have left it, without any plugin."""

from __future__ import annotations

import time
from pathlib import Path

from editor.model import Session
from editor.plugins.shelf import Shelf, of_found
from graph.document import NodeEntry, Patch
from host.plugins.description import Bus, Description, PluginParam
from host.plugins.store import ClassResult, FileResult, Found, Store

DEADLINE_S = 60.0


def bus(name: str = "main", layout: str = "stereo", kind: str = "main", on: bool = True) -> Bus:
    """A bus of a plugin."""
    channels = {"mono": 1, "stereo": 2}[layout]
    return Bus(name, kind, channels, layout, (layout,), on)  # type: ignore[arg-type]


PARAMS = (
    PluginParam(7, "Drive", "dB", 0, 0.25, "-12.000000", "36.000000"),
    PluginParam(8, "Dry/Wet", "%", 0, 1.0, "0.000000", "100.000000"),
    PluginParam(9, "Shape", "", 2, 0.5, "Soft", "Fold", ("Soft", "Hard", "Fold")),
    PluginParam(10, "Oversample", "", 1, 0.0, "Off", "On", ("Off", "On")),
    PluginParam(11, "Reduction", "dB", 0, 0.0, "0", "40", read_only=True),
)

CRUSH = Description(
    "vst3", "C0" * 16, "Crush", "Acme Audio", "2.1.0", "Fx|Distortion|Stereo",
    inputs=(bus(), bus("key", "mono", "aux", on=False)), outputs=(bus(),), params=PARAMS, latency_frames=64,
)  # fmt: skip
CRUSH_PRO = Description(
    "vst3", "C1" * 16, "Crush Pro", "Acme Audio", "1.0.0", "Fx|Distortion",
    inputs=(bus(),), outputs=(bus(),), params=(PARAMS[0], PARAMS[2], PluginParam(3, "Tone")),
)  # fmt: skip
HALL = Description(
    "vst3", "AB" * 16, "Hall", "Other House", "", "Fx|Reverb", inputs=(bus(),), outputs=(bus(),), params=()
)
SYNTH = Description("vst3", "5E" * 16, "Synth", "Acme Audio", "1", "Instrument|Synth", True, True, (), (bus(),))


def good(about: Description, path: str) -> FileResult:
    """A file with one plugin that came through."""
    found = ClassResult(about.uid, about.name, "good", "", "native", "", about)
    return FileResult(path, "vst3", "stamp", "good", seconds=0.4, scanned=1.7e9, scanner=1, classes=(found,))


FILES = (
    good(CRUSH, "/plugins/Crush.vst3"),
    good(CRUSH_PRO, "/plugins/CrushPro.vst3"),
    good(HALL, "/plugins/Hall.vst3"),
    good(SYNTH, "/plugins/Synth.vst3"),
    FileResult("/plugins/Bad.vst3", "vst3", "s", "crashed", "it died of SIGSEGV while it was loaded", "boom", 1.0, 1e9),
    FileResult("/plugins/Gone.vst3", "vst3", "s", "hung", "it gave no answer for 30 s", present=False),
)


def filled(folder: Path, files: tuple[FileResult, ...] = FILES) -> Path:
    """A folder with what a scan found out."""
    with Store(folder) as store:
        for file in files:
            store.put(file)
        store.mark_present({file.path: file.present for file in files})
    return folder


def shelf_of(folder: Path) -> Shelf:
    """A shelf on such a folder, read."""

    def find(settings):  # type: ignore[no-untyped-def]
        from graph.errors import PatchError

        with Store(folder) as store:
            found = store.find(settings["format"], settings["uid"], settings["path_hint"])
        if found is None:
            raise PatchError(f"there is no plugin {settings['name']!r} here")
        return found.description, {}

    found = Shelf(find, lambda: Store(folder))
    read(found)
    return found


def read(shelf: Shelf) -> None:
    """Read a shelf, and wait until that is done."""
    before, deadline = shelf.count, time.monotonic() + DEADLINE_S
    shelf.read()
    while shelf.count == before:
        assert time.monotonic() < deadline, "the shelf is not read"
        time.sleep(0.005)


def entry_of(about: Description, path: str = "") -> NodeEntry:
    """A node that is a plugin."""
    entry = NodeEntry("plugin")
    entry.settings.update({k: v for k, v in of_found(Found(path, "vst3", "native", about)).items() if v})
    return entry


def session_with(folder: Path, *plugins: tuple[str, Description]) -> Session:
    """A session on a patch with some plugins, and the shelf of a folder."""
    patch = Patch("Plugins")
    for id, about in plugins:
        patch.add(id, "plugin")
        patch.node(id).settings.update(entry_of(about).settings)
    return Session(patch, shelf=shelf_of(folder))
