"""The commands that every window has. Panels bring their own beside these."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from editor import timecodes
from editor.commands import Command
from editor.layout import Splitter

if TYPE_CHECKING:
    from editor.app import App


def _undo(app: App) -> None:
    name = app.session.undo()
    if name:
        app.notices.say("info", f"Undone: {name}")


def _redo(app: App) -> None:
    name = app.session.redo()
    if name:
        app.notices.say("info", f"Done again: {name}")


def _scale(app: App, by: int) -> None:
    from dataclasses import replace

    from editor.theme import SCALES

    nearest = min(range(len(SCALES)), key=lambda k: abs(SCALES[k] - app.look.scale))
    app.relook(replace(app.look, scale=SCALES[min(max(nearest + by, 0), len(SCALES) - 1)]))


def _theme(app: App, name: str) -> None:
    from editor.theme import look

    app.relook(look(name, app.look.scale))


def _toggle(slot: Splitter) -> Callable[[App], None]:
    return lambda app: app.arrange(app.arrangement.toggled(slot))


def _can_undo(app: App) -> bool:
    return bool(app.session.history.done)


def _can_redo(app: App) -> bool:
    return bool(app.session.history.undone)


def _play(app: App) -> None:
    if app.sound.state.rolling:
        app.sound.stop()
    else:
        app.sound.play()


def _keep_last(app: App) -> None:
    """Beside the patch, or where a person keeps things while there is no patch file."""
    file = app.session.file
    name = app.session.patch.name or (file.stem if file else "Untitled")
    folder = file.parent if file else Path.home()
    app.sound.keep_last(folder / f"{name.replace('/', ' ')} last minute.wav")


COMMANDS = (
    Command("edit.undo", "Undo", _undo, ("ctrl+z",), "Edit", 0, _can_undo, settles=True),
    Command("edit.redo", "Redo", _redo, ("ctrl+shift+z", "ctrl+y"), "Edit", 0, _can_redo, settles=True),
    Command("view.left", "Show or hide the node list", _toggle("left"), ("f6",), "View", 3),
    Command("view.right", "Show or hide the inspector", _toggle("right"), ("f7",), "View", 3),
    Command("view.bottom", "Show or hide the lower part", _toggle("bottom"), ("f8",), "View", 3),
    Command("view.larger", "Larger interface", lambda app: _scale(app, 1), ("ctrl+shift+plus",), "View", 4),
    Command("view.smaller", "Smaller interface", lambda app: _scale(app, -1), ("ctrl+shift+minus",), "View", 4),
    Command("view.dark", "Dark theme", lambda app: _theme(app, "dark"), (), "View", 5),
    Command("view.light", "Light theme", lambda app: _theme(app, "light"), (), "View", 5),
    Command("view.contrast", "High-contrast theme", lambda app: _theme(app, "contrast"), (), "View", 5),
    Command("view.dismiss", "Dismiss messages", lambda app: app.notices.dismiss(), ("ctrl+period",), "View", 6),
    Command("sound.play", "Play or stop", _play, ("space",), "Sound", 0),
    Command("sound.start", "Go to the start", lambda app: app.sound.locate(0.0), ("home",), "Sound", 0),
    Command("sound.keep", "Keep the last minute as a file", _keep_last, (), "Sound", 1),
    Command("sound.timecode", "Timecode: next rate", timecodes.next_rate, (), "Sound", 2),
    Command("file.quit", "Quit", lambda app: app.quit(ask=True), ("ctrl+q",), "File", 9),
)
