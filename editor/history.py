"""What was done, in order: choose a line to go back, or forward, to there."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from editor.model import Changes
from editor.panel import Panel

MOST_LINES = 200


class HistoryList(Panel):
    """The steps of the history, the newest first; those that were undone are dimmed."""

    def build(self, parent: int | str) -> None:
        self._listed: object = None
        dpg.add_child_window(parent=parent, tag="history-list", border=False)
        self._fill()

    def sync(self, changes: Changes) -> None:
        if changes.history or changes.everything:
            self._fill()

    def _fill(self) -> None:
        done, undone, theme = self.session.history.done, self.session.history.undone, self.app.look.theme
        if (done, undone) == self._listed:  # while a knob is turned, the step stays the same
            return
        self._listed = done, undone
        dpg.delete_item("history-list", children_only=True)
        for k, name in reversed(list(enumerate(undone[:MOST_LINES], start=1))):
            self._line(name, k, theme.faint)
        for k, name in enumerate(reversed(done[-MOST_LINES:])):
            self._line(name, -k, theme.text if k else theme.accent)
        first = "As it was opened" if len(done) <= MOST_LINES else f"{len(done) - MOST_LINES} steps before these"
        self._line(first, -len(done), theme.text if done else theme.accent)

    def _line(self, name: str, steps: int, colour: tuple[int, int, int, int]) -> None:
        with dpg.group(horizontal=True, parent="history-list"):
            dpg.add_selectable(label=f"##{steps}", width=8, callback=lambda: self._go(steps), span_columns=False)
            dpg.add_text(name, color=colour)

    def _go(self, steps: int) -> None:
        """To a line, counted from where the patch is; what was done in a plugin's window meanwhile is a step more."""
        history, target = self.session.history, len(self.session.history.done) + steps

        def go() -> None:
            while len(history.done) > target and self.session.undo():
                pass
            while len(history.done) < target and self.session.redo():
                pass

        self.app.settle(go, True)
