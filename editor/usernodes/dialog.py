"""Whether a file may run as a node: what it is, how it reads, and what saying yes means."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.files.dialog import Dialog, Tag
from graph.errors import PatchError
from host.plugins.trial import StoppedError
from host.usernodes.listing import Own
from host.usernodes.source import Source
from host.usernodes.trial import trusted_after_trial

if TYPE_CHECKING:
    from editor.app import App

MOST_LINES, LONGEST_LINE = 600, 160
CLOSING_S = 5.0
WHAT = (
    "It is code. It runs with all that you may do: read and change your files, reach the network. Trust it only if you "
    "know where it comes from, or have read it. What you trust are these very bytes: once the file is another, you are "
    "asked again."
)


class TrustDialog(Dialog):
    """Shows a file, and on a yes tries it aside; ``then`` is called once it is trusted."""

    id = "trust"
    title = "Trust this node?"
    size = (720, 0)

    def __init__(self, app: App, own: Own, then: Callable[[], object]) -> None:
        super().__init__(app)
        assert own.source is not None
        self.own, self.source, self._then = own, own.source, then
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._problem = ""

    def body(self, parent: Tag) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        about = self.own.about
        if about is not None:
            head = dpg.add_text(f"{about.kind}: {about.doc}" if about.doc else about.kind, parent=parent, wrap=px(680))
            dpg.bind_item_font(head, fonts.font("strong"))
        self.words(str(self.source.path.resolve()), parent, self.tag("path"), dim=False)
        self.words(f"SHA-256 {self.source.digest}", parent, self.tag("digest"), "small")
        if self.own.changed:
            self.words("You trusted it before; it has changed since.", parent, role="small")
        dpg.add_spacer(height=px(4), parent=parent)
        with dpg.child_window(parent=parent, height=px(260), tag=self.tag("text"), horizontal_scrollbar=True):
            dpg.add_text("\n".join(shown(self.source)), color=theme.text)
        dpg.add_spacer(height=px(4), parent=parent)
        self.words(WHAT, parent)
        dpg.add_text("", tag=self.tag("problem"), color=theme.warn, wrap=px(680), parent=parent)
        dpg.add_spacer(height=px(6), parent=parent)
        self.buttons(
            ("cancel", "Do not trust it", self.cancel, "theme:accent"),
            ("accept", "Trust it", self._begin, ""),
            parent=parent,
        )

    def accept(self) -> None:
        """Enter trusts nothing: that is to be pressed."""

    def _begin(self) -> None:
        if self._thread is not None:
            return
        self._problem = ""
        dpg.set_value(self.tag("problem"), "It is loaded and compiled, in a process of its own…")

        def work() -> None:
            try:
                trusted_after_trial(self.source, stop=self._stop)
            except StoppedError:
                self._problem = "Stopped."
            except (PatchError, OSError) as error:
                self._problem = str(error)

        self._thread = threading.Thread(target=work, name="node trial", daemon=True)
        self._thread.start()

    def frame(self, now: float) -> None:
        if self._thread is None or self._thread.is_alive():
            return
        self._thread = None
        if self._problem:
            dpg.set_value(self.tag("problem"), f"It is not trusted. {self._problem}")
            self.app.touch()
            return
        self.close()
        self._then()

    @property
    def busy(self) -> str:
        return "A node is being tried." if self._thread is not None else ""

    def close(self) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join(CLOSING_S)
            self._thread = None
        super().close()


def shown(source: Source) -> list[str]:
    """The lines of a file as they can be shown, numbered; of a long one, the first."""
    lines = source.text.splitlines()
    found = [
        f"{k:4d}  " + "".join(c if c.isprintable() else "·" for c in line.expandtabs())[:LONGEST_LINE]
        for k, line in enumerate(lines[:MOST_LINES], 1)
    ]
    return found if len(lines) <= MOST_LINES else [*found, f"      … and {len(lines) - MOST_LINES} lines more"]
