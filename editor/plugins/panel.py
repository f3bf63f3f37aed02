"""What keeps plugins going in the editor: the list of them, the work of scans, what the engine says of those that play.

It has no place in the window: it brings commands, and the browser.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from editor.commands import Command
from editor.link import Readings
from editor.panel import Panel
from editor.plugins.playing import Playing
from editor.plugins.scanning import Work

if TYPE_CHECKING:
    from editor.app import App


class Plugins(Panel):
    """Follows the shelf, and has work done on it."""

    commands: ClassVar[tuple[Command, ...]]

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.work = Work(self.session.shelf, app.notices.say)
        self.playing = Playing(self.session, lambda: app.sound.plugins)
        self._seen = self.session.shelf.count
        self.session.shelf.read()

    def frame(self, now: float, readings: Readings) -> None:
        if self.work.progress is not None:
            self.app.touch()
        self.playing.step()
        if self._seen != self.session.shelf.count:
            self._seen = self.session.shelf.count
            if any(self.session.kinds[k].varies for k in _kinds_in(self.session.patch) if k in self.session.kinds):
                self.session.relearned()

    def close(self) -> None:
        self.work.close()

    def browse(self, choose: Callable[[str], object] | None = None, words: str = "") -> None:
        """Show the plugin browser; with ``choose``, to choose one of them, which is then told by its id in stock."""
        from editor.plugins.browser import PluginBrowser

        PluginBrowser(self.app, self, choose, words).open()


def _kinds_in(patch: object) -> set[str]:
    from graph.groups import expand

    try:
        return {entry.kind for entry in expand(patch).nodes.values()}  # type: ignore[arg-type]
    except ValueError:  # what cannot be expanded is not played either
        return set()


def _panel(app: App) -> Plugins:
    return cast(Plugins, app.panels["plugins"])


Plugins.commands = (
    Command("plugins.browse", "Plugins…", lambda app: _panel(app).browse(), ("ctrl+shift+b",), "Add", 3),
    Command(
        "plugins.scan", "Look for new plugins", lambda app: _panel(app).work.scan(), (), "Add", 3,
        lambda app: not _panel(app).work.busy,
    ),
    Command(
        "plugins.retry", "Try failed plugins again", lambda app: _panel(app).work.retry(), (), "Add", 3,
        lambda app: not _panel(app).work.busy,
    ),
)  # fmt: skip
