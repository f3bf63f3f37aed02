"""What keeps plugins going in the editor: the list of them, the work of scans, what the engine says of those that play.

It has no place in the window: it brings commands, and the browser.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from editor.canvas.badges import Badge
from editor.canvas.shape import Shape
from editor.commands import Command
from editor.link import Readings
from editor.model import Changes
from editor.panel import Panel
from editor.plugins.offer import Offer
from editor.plugins.playing import Playing
from editor.plugins.scanning import Work
from editor.plugins.words import doing
from graph.edits import Edit, Retitle, SetSetting
from graph.errors import PatchError
from graph.resolve import resolve_settings

if TYPE_CHECKING:
    from editor.app import App
    from editor.files.panel import Files
    from host.plugins.replacing import Substitute


class Plugins(Panel):
    """Follows the shelf, and has work done on it."""

    commands: ClassVar[tuple[Command, ...]]

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.work = Work(self.session.shelf, app.notices.say)
        self.playing = Playing(self.session, lambda: app.sound.plugins, app.notices.say)
        app.settle = lambda then, ask=True: self.playing.settle(then, ask and self.playing.in_hand)
        self._seen = self.session.shelf.count
        self._offer: Offer | None = None
        self._asks = app.first_start
        """Whether a scan is yet to be offered."""
        self.session.shelf.read()

    def sync(self, changes: Changes) -> None:
        if changes.history or changes.everything:
            self.playing.edited()

    def frame(self, now: float, readings: Readings) -> None:
        if self.work.progress is not None:
            self.app.touch()
        self.playing.step()
        if self._asks and self.session.shelf.known.read:
            self._asks = False
            if not self.session.shelf.known.files and not self._files.settings.scan_offered:
                self._offer = Offer(self.app, self._answered)
        if self._offer is not None and not self._offer.frame():
            self._offer = None
        if self._seen != self.session.shelf.count:
            self._seen = self.session.shelf.count
            threading.Thread(target=self.session.stock.warm, name="plugin ports", daemon=True).start()
            if any(self.session.kinds[k].varies for k in _kinds_in(self.session.patch) if k in self.session.kinds):
                self.session.relearned()

    def _answered(self, yes: bool) -> None:
        self._files.choose_settings(scan_offered=True)
        if yes:
            self.work.scan()

    @property
    def _files(self) -> Files:
        return cast("Files", self.app.panels["files"])

    @property
    def grouping(self) -> str:
        """Which plugins share a process: ``plugin`` (none), ``chain`` or ``patch``."""
        return self._files.settings.plugins_in

    def group(self, grouping: str) -> None:
        """Let other plugins share a process: those that are loaded from now on."""
        self._files.choose_settings(plugins_in=grouping)
        plugins = self.playing.engine
        if plugins is not None:
            plugins.share_processes(grouping)

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        """``plugin-row:NAME``: a row of the browser, while that is open."""
        dialog = self.app.dialog
        name = what.removeprefix("plugin-row:")
        table = getattr(dialog, "table", None)
        return table.place(name) if name != what and table is not None else None

    def close(self) -> None:
        self.work.close()

    def browse(self, choose: Callable[[str], object] | None = None, words: str = "") -> None:
        """Show the plugin browser; with ``choose``, to choose one of them, which is then told by its id in stock."""
        from editor.plugins.browser import PluginBrowser

        PluginBrowser(self.app, self, choose, words).open()

    def badges(self, shapes: Mapping[str, Shape]) -> dict[str, Badge]:
        """What stands over the nodes whose plugins do not play, of those on the canvas."""
        found: dict[str, Badge] = {}
        on, plays = self.app.sound.state.phase == "on", self.playing.engine is not None
        for id, shape in shapes.items():
            if shape.face.varies and (shape.face.about or shape.face.missing):
                standing = self.playing.standing.get(self.session.address(id))
                now = doing(shape.face, standing, on, plays)
                if now.badge:
                    found[id] = Badge(now.level, now.badge)
        return found

    # -- what is done to a node ----------------------------------------------------------------------------------------

    def window(self, address: str, open: bool = True) -> None:
        """Open the window of a plugin, or bring it to the front; or close it."""
        plugins = self.playing.engine
        if plugins is None:
            raise PatchError("without an engine the plugin has no window")
        if open:
            self.playing.opened(address)
        (plugins.open_window if open else plugins.close_window)(address)

    def settle(self, then: Callable[[], object]) -> None:
        """Do something that keeps the patch somewhere, once it has what was done in plugins' windows, now or before."""
        self.playing.settle(then)

    def substitutes(self, id: str) -> list[Substitute]:
        """What could take the place of a node's plugin, the best first."""
        from host.plugins.replacing import substitutes

        entry = self.session.here.node(id)
        return substitutes(self._settings(id), list(self.session.shelf.known.plugins), tuple(entry.params))

    def substitute(self, id: str, chosen: Substitute) -> None:
        """Let another plugin take its place, params mapped by name, as one step."""
        from host.plugins.replacing import substitute_edit

        name, address = chosen.found.description.name, self.session.address(id)

        def put() -> None:
            self.session.do_at_root(substitute_edit(address, self.session.patch, chosen), name=f"Put {name} in place")

        self.app.settle(put, True)

    def become(self, id: str, item: str) -> None:
        """Let a node be the plugin in stock: a fresh one, or in place of the one it was, params mapped by name."""
        wanted = self.session.stock[item].settings
        shelf, name = self.session.shelf.known.plugins, self.session.stock[item].title
        if not self._settings(id)["uid"] and not self._settings(id)["name"]:
            edits: list[Edit] = [SetSetting(id, key, value) for key, value in wanted.items()]
            if not self.session.here.node(id).title:
                edits.append(Retitle(id, name))
            self.session.do(*edits, name=f"Choose {name}")
            return
        from host.plugins.replacing import substitutes

        found = [each for each in shelf if each.description.uid == wanted["uid"] and each.path == wanted["path_hint"]]
        like = {**self._settings(id), "name": name}
        chosen = substitutes(like, found, tuple(self.session.here.node(id).params))
        if not chosen:
            raise PatchError(f"{name} cannot take the place of this plugin")
        self.substitute(id, chosen[0])

    def _settings(self, id: str) -> dict[str, Any]:
        entry = self.session.here.node(id)
        return resolve_settings(self.session.kinds[entry.kind], entry)


def _kinds_in(patch: object) -> set[str]:
    from graph.groups import expand

    try:
        return {entry.kind for entry in expand(patch).nodes.values()}  # type: ignore[arg-type]
    except ValueError:  # what cannot be expanded is not played either
        return set()


def _chosen(app: App) -> str | None:
    """The plugin node that is selected, if it is one that is here."""
    id = app.session.chosen
    return id if id is not None and app.session.face(id).about is not None else None


def _window(app: App) -> None:
    id = _chosen(app)
    assert id is not None
    address = app.session.address(id)
    standing = _panel(app).playing.standing.get(address)
    if standing is None or standing.status != "ready":
        app.notices.say("info", f"{app.session.face(id).title} is not loaded, so it has no window now.")
    else:
        _panel(app).window(address)


def _presets(app: App) -> None:
    from editor.plugins.presets import Presets

    id = _chosen(app)
    assert id is not None
    Presets(app, _panel(app), id).open()


def _panel(app: App) -> Plugins:
    return cast(Plugins, app.panels["plugins"])


Plugins.commands = (
    Command("plugins.browse", "Plugins…", lambda app: _panel(app).browse(), ("ctrl+shift+b",), "Add", 3),
    Command(
        "plugins.window", "Open plugin window", _window, ("ctrl+e",), "Edit", 7, lambda app: _chosen(app) is not None
    ),
    Command("plugins.presets", "Plugin presets…", _presets, (), "Edit", 7, lambda app: _chosen(app) is not None),
    Command(
        "plugins.scan", "Look for new plugins", lambda app: _panel(app).work.scan(), (), "Add", 3,
        lambda app: not _panel(app).work.busy,
    ),
    Command(
        "plugins.retry", "Try failed plugins again", lambda app: _panel(app).work.retry(), (), "Add", 3,
        lambda app: not _panel(app).work.busy,
    ),
)  # fmt: skip
