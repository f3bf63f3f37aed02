"""What keeps nodes of the user's own going in the editor: files that change or are trusted are seen, and asked about.

It has no place in the window.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from editor.canvas.badges import Badge
from editor.canvas.shape import Shape
from editor.commands import Command
from editor.link import Readings
from editor.model import Changes
from editor.panel import Panel
from editor.usernodes.listing import OWN, stamp_of
from graph.errors import PatchError
from host.usernodes.listing import Own, in_patch
from host.usernodes.trust import grants_folder

if TYPE_CHECKING:
    from editor.app import App

LOOK_S = 1.0


class OwnNodesPanel(Panel):
    """Follows the files that the patch names, and those of the node folder."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.standing: dict[str, Own] = {}
        """What is known of each file, by the path that the patch names."""
        self._look_at = 0.0
        self._stamps: object = None
        self.session.stock.nodes.look()
        self._follow()

    def sync(self, changes: Changes) -> None:
        if changes.history or changes.everything:
            self._follow()

    def frame(self, now: float, readings: Readings) -> None:
        if now < self._look_at:
            return
        self._look_at = now + LOOK_S
        if self.session.stock.nodes.look():
            self.app.touch()
        if self.standing and self._now() != self._stamps:
            before = self.standing
            self._follow()
            for path, own in self.standing.items():
                if own.changed and path in before and before[path].trusted:
                    words = "trust it to hear it as it is now. Until then it plays as it was."
                    self.app.notices.say("warning", f"{own.file.name} has changed: {words}")
            self.session.relearned()
            self.app.touch()

    def _follow(self) -> None:
        try:
            self.standing = {own.path: own for own in in_patch(self.session.patch)}
        except PatchError:
            self.standing = {}  # a group that cannot be opened is said elsewhere
        self._stamps = self._now()

    def _now(self) -> object:
        return stamp_of(grants_folder()), tuple(stamp_of(own.file) for own in self.standing.values())

    def ask(self, path: str) -> None:
        """Ask whether a file that the patch names is to be trusted. Raises PatchError where it can be no node."""
        from editor.usernodes.dialog import TrustDialog

        self._follow()
        own = self.standing.get(path)
        if own is None or own.source is None:
            raise PatchError(own.problem if own else f"no node names {path}")
        TrustDialog(self.app, own, lambda: self._trusted(own)).open()

    def _trusted(self, own: Own) -> None:
        self.app.notices.say("good", f"{own.file.name} is trusted, and plays.")
        self._look_at = 0.0

    def badges(self, shapes: Mapping[str, Shape]) -> dict[str, Badge]:
        """What stands over the nodes whose files do not run as they are."""
        found: dict[str, Badge] = {}
        for id, shape in shapes.items():
            own = self.standing.get(str(shape.face.settings.get("path"))) if shape.face.kind == OWN else None
            if own is not None and not own.trusted:
                words = "cannot run" if own.problem else "changed" if own.changed else "not trusted"
                found[id] = Badge("warn", words)
        return found


def _waiting(app: App) -> str | None:
    """The first file of the patch that is to be trusted."""
    panel = app.panels["usernodes"]
    assert isinstance(panel, OwnNodesPanel)
    return next((path for path, own in panel.standing.items() if own.source and not own.trusted), None)


def _ask(app: App) -> None:
    panel, path = app.panels["usernodes"], _waiting(app)
    assert isinstance(panel, OwnNodesPanel)
    if path is not None:
        panel.ask(path)


OwnNodesPanel.commands = (
    Command("usernodes.trust", "Trust a node of one's own…", _ask, (), "Edit", 7, lambda app: bool(_waiting(app))),
)
