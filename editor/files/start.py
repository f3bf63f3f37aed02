"""How the editor starts: what it opens, what it plays through, and what is said first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from editor import settings as kept
from editor.app import App
from editor.files.folders import FIRST
from editor.link import Player, engine_maker
from editor.model import Session
from graph.document import Patch
from graph.patchfile import load

OFF = "plugin-off"
"""What plugins are called in safe mode: a kind that nobody knows, through which sound passes."""
FOREIGN = ("plugin", "user")
"""The kinds whose code is not our own."""
SAFE_WORDS = "Safe mode: plugins and nodes of your own are off, and sound passes. Nothing of them is lost."


def open_editor(
    file: Path | None, *, device: str | None = None, sound: bool = True, safe: bool = False, new: bool = False
) -> None:
    """Open a window on a patch in a file, and return when it is closed. Raises PatchError.

    Without a file: a first start opens a shipped patch, plays it and shows the tour; any later one, or one with
    ``new``, begins an empty patch. ``device``: where to play, in place of what the settings say. ``safe``: without
    plugins, and without nodes of the user's own.
    """
    settings, _ = kept.load()  # the files' panel says what is wrong with them
    first = file is None and not new and not settings.toured
    session = Session(load(file), file=file) if file is not None else Session()
    if first and FIRST.is_file():
        session.open(load(FIRST))
    session.history.mark_saved()
    maker = None
    if sound:
        chosen = settings.device if device is None else device
        s = settings
        maker = engine_maker(chosen, s.in_device, s.rate, s.block, s.plugins_in, s.disk_cache_mb)
    app = App(session, without_plugins(maker) if safe and maker else maker, look=settings.look())
    app.first_start = first
    if safe:
        app.notices.say("warning", SAFE_WORDS)
    app.run()


def without_plugins(make: Callable[[], Player]) -> Callable[[], Player]:
    """Starts an engine that is never given a plugin, nor a node of the user's own."""
    return lambda: _Safe(make())  # type: ignore[return-value]


class _Safe:
    """An engine in safe mode: what it plays has no code that is not our own; all else is the engine's own."""

    plugins = None

    def __init__(self, player: Player) -> None:
        self._player = player

    def load(self, patch: Patch, wait: bool = True) -> Any:
        """Play a patch, its plugins being off."""
        return self._player.load(plugins_off(patch), wait)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._player, name)


def plugins_off(patch: Patch) -> Patch:
    """A copy in which every plugin and node of the user's own, inside groups too, is of a kind that nobody knows."""
    patch = patch.copy()
    for entry in patch.nodes().values():
        if entry.kind in FOREIGN:
            entry.kind = OFF
        elif entry.kind == "group":
            entry.settings["patch"] = _off(entry.settings.get("patch"))
    return patch


def _off(inner: Any) -> Any:
    """The same in the document of a group."""
    if not isinstance(inner, dict) or not isinstance(inner.get("nodes"), dict):
        return inner
    nodes = {}
    for id, node in inner["nodes"].items():
        if isinstance(node, dict) and node.get("kind") in FOREIGN:
            node = {**node, "kind": OFF}
        elif isinstance(node, dict) and node.get("kind") == "group" and isinstance(node.get("settings"), dict):
            node = {**node, "settings": {**node["settings"], "patch": _off(node["settings"].get("patch"))}}
        nodes[id] = node
    return {**inner, "nodes": nodes}
