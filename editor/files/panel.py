"""Opening, saving and all else that is done with files: the commands, and what they do to the session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, cast

import dearpygui.dearpygui as dpg

from editor import settings as kept
from editor.commands import Command
from editor.files.chooser import Chooser
from editor.files.dialog import Ask, Dialog
from editor.files.folders import SHIPPED, home, presets_folder
from editor.files.listing import PATCHES
from editor.files.missing import missing_files, moved
from editor.files.recent import Recent
from editor.files.watch import Watch
from editor.journal import Journal, Left, left_behind
from editor.link import Readings
from editor.model import Changes
from editor.panel import Panel
from editor.tour import Tour
from graph.document import Patch
from graph.edits import Batch, ReplacePatch
from graph.errors import PatchError
from graph.patchfile import load, save

if TYPE_CHECKING:
    from editor.app import App
    from editor.plugins.panel import Plugins

KEEP_S = 10.0
"""So often, at most, plugins are asked for what was done in their windows, to be kept with unsaved work;"""
IDLE_KEEP_S = 60.0
"""and so often where nothing else is done."""


class Files(Panel):
    """What is open, where it is kept, and what is not lost of it. It has no place in the window."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self.settings, problem = kept.load()
        self.recent = Recent()
        self.journal = Journal(app.notices.say)
        self.left: list[Left] = []
        self._discard = False
        self._welcome = app.first_start
        """Whether the patch is yet to be played, and the tour to be shown."""
        self._opened = True
        """Whether a patch was just opened, and its files are to be looked for."""
        self._kept = 0.0
        """When plugins were asked last for what is to be kept."""
        self._watch = Watch(self.session, app.notices.say)
        for words in (problem, self.recent.problem):
            if words:
                app.notices.say("warning", words)
        app.confirm_quit = self._may_quit
        if self.session.file is not None:
            self._remember(self.session.file)
        self._watch.own()
        self._recover()

    # -- nothing is lost -----------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        """Go on with what an editor left behind, where that is what was asked for, or nothing was."""
        self.left, problems = left_behind()
        for problem in problems:
            self.app.notices.say("error", problem)
        mine = str(self.session.file.resolve()) if self.session.file else ""
        for left in self.left:
            if left.header.file == mine or self.session.file is None:
                self.take_up(left)
                break
        if self.left:
            count = len(self.left)
            words = "another patch" if count == 1 else f"{count} other patches"
            self.app.notices.say("info", f"There is unsaved work on {words}: see File, Recover unsaved work.")

    def take_up(self, left: Left) -> None:
        """Work on what was left behind; undo goes back to what is in the file."""
        file = Path(left.header.file) if left.header.file else None
        base = Patch()
        if file is not None:
            try:
                base = load(file)
            except PatchError as error:
                self.app.notices.say("warning", f"The file of this work cannot be read: {error}")
        base.folder = left.patch.folder
        self.session.open(base, file)
        self._watch.own()
        self.session.do_at_root(ReplacePatch(left.patch), name="Recover unsaved work")
        self.session.end_gesture()
        self.journal.adopt(left)
        self.left = [other for other in self.left if other is not left]
        self._opened = True
        self.app.notices.say("warning", f"Recovered. {left.words()}")

    def sync(self, changes: Changes) -> None:
        if changes.history or changes.everything:
            self.journal.note(monotonic())
            self._keep_windows(monotonic(), KEEP_S)
        if changes.look:
            self._look_chosen()
        if changes.words or changes.everything:
            name = self.session.file.name if self.session.file else self.session.patch.name or "Untitled"
            dpg.set_viewport_title(f"{'• ' if self.session.dirty else ''}{name} – Patchwright")

    def frame(self, now: float, readings: Readings) -> None:
        self._keep_windows(now, IDLE_KEEP_S)
        self.journal.step(self.session, now)
        self._watch.step(now)
        if self._opened and self.app.dialog is None:
            self._look_for_files()
        if self._welcome:
            self._begin_first()
        if isinstance(self.app.dialog, Dialog):
            self.app.dialog.step()
        if isinstance(self.app.dialog, Dialog | Tour):
            self.app.dialog.frame(now)

    @property
    def _plugins(self) -> Plugins:
        return cast("Plugins", self.app.panels["plugins"])

    def _keep_windows(self, now: float, pause_s: float) -> None:
        """Have what was done in plugins' windows, to be kept with unsaved work: it becomes a change like any other."""
        if now - self._kept >= pause_s and "plugins" in self.app.panels and self._plugins.playing.unsettled:
            self._kept = now
            self._plugins.settle(lambda: None)

    def close(self) -> None:
        while isinstance(self.app.dialog, Dialog):
            self.app.dialog.close()
        keep = self.session.dirty and not self._discard
        if keep:
            self.journal.note(0.0)
            self.journal.step(self.session, 1e9)
        self.journal.close(keep)

    def _may_quit(self) -> bool:
        if self._discard or not dpg.is_dearpygui_running():
            return True  # without a window nothing can be asked; the journal keeps what is unsaved
        if busy := self._busy():
            answers = [("stop", "Stop and quit", lambda: (busy.close(), self.app.quit(ask=True)), "theme:danger")]
            Ask(self.app, "Stop this?", f"{busy.busy} What is done so far is not kept.", answers, id="busy").open()
            return False
        if not self.session.dirty and not self._plugins.playing.unsettled:
            return True
        self._plugins.settle(lambda: self._ask_unsaved(self._quit))
        return False

    def _busy(self) -> Dialog | None:
        """The dialog that is at work, if one is."""
        dialog = self.app.dialog
        while isinstance(dialog, Dialog) and not dialog.busy:
            dialog = dialog.below
        return dialog if isinstance(dialog, Dialog) else None

    def _quit(self) -> None:
        self._discard = True
        self.app.quit()

    def unless_unsaved(self, then: Callable[[], object]) -> None:
        """Do something that ends the work on this patch: at once, or after asking what becomes of unsaved work."""
        self._plugins.settle(lambda: self._ask_unsaved(then))

    def _ask_unsaved(self, then: Callable[[], object]) -> None:
        if not self.session.dirty:
            then()
            return
        if isinstance(self.app.dialog, Ask) and self.app.dialog.id == "unsaved":
            return  # it is being asked
        name = self.session.file.name if self.session.file else self.session.patch.name or "Untitled"
        answers = [
            ("discard", "Don't save", then, "theme:danger"),
            ("save", "Save", lambda: self.save(then), "theme:accent"),
        ]
        done = self.session.history.done
        steps = f" Last: {done[-1]}." if done else ""
        text = f"{name} has changes that are in no file.{steps} Without saving they are lost."
        Ask(self.app, "Save the changes?", text, answers, id="unsaved").open()

    # -- opening -------------------------------------------------------------------------------------------------------

    def new(self) -> None:
        """Begin an empty patch."""
        self.unless_unsaved(lambda: self.session.open(Patch()))

    def choose(self) -> None:
        """Ask for a patch, and open it."""
        self.unless_unsaved(
            lambda: Chooser(
                self.app,
                "open",
                "Open a patch",
                self.open,
                folder=self._folder(),
                suffixes=PATCHES,
                recent=self.recent.paths(),
            ).open()
        )

    def open(self, file: Path, copy: bool = False) -> None:
        """Open the patch in a file; as a ``copy`` it belongs to no file. Raises PatchError."""
        patch = load(file)
        for left in self.left:
            if left.header.file == str(file.resolve()) and not copy:
                self.take_up(left)
                return
        self.session.open(patch, None if copy else file)
        self._watch.own()
        if not copy:
            self._remember(file)
        self._opened = True

    def _begin_first(self) -> None:
        """A first start: play what is open, and show what is what."""
        state = self.app.sound.state
        if state.phase == "starting" or self.session.patch_changed:
            return  # soon
        self._welcome = False
        self.app.sound.play()
        if self.app.dialog is None:
            self.tour()

    def _look_for_files(self) -> None:
        """Say which files of a patch that was just opened are missing."""
        self._opened = False
        if missing_files(self.session.patch, self.session.kinds):
            self.relink()

    def browse(self) -> None:
        """Show the patches there are, with what they say of themselves."""
        from editor.files.browser import Browser

        self.unless_unsaved(lambda: Browser(self.app, self).open())

    def import_json(self) -> None:
        """Take the patch in a JSON file as a new one."""
        self.unless_unsaved(
            lambda: Chooser(
                self.app,
                "open",
                "Import JSON",
                lambda path: self.open(path, copy=True),
                folder=self._folder(),
                suffixes=(".json",),
                accept="Import",
            ).open()
        )

    # -- saving --------------------------------------------------------------------------------------------------------

    def save(self, then: Callable[[], object] | None = None) -> None:
        """Save to the file, or ask for one; and then do something more."""
        file = self.session.file
        if file is None:
            self.save_as(then)
        elif when := self._watch.changed():
            answers = [
                ("replace", "Replace it", lambda: self._save_to(file, then), "theme:danger"),
                ("other", "Save as…", lambda: self.save_as(then), "theme:accent"),
            ]
            words = f"{file.name} was changed by another program or window at {when}. What it holds now is not in here."
            Ask(self.app, "Replace the file?", f"{words} Replaced, it stays in the backups.", answers, "changed").open()
        else:
            self._save_to(file, then)

    def save_as(self, then: Callable[[], object] | None = None) -> None:
        """Ask for a file, and save to it."""
        name = self.session.file.name if self.session.file else f"{file_name(self.session.patch.name)}.pwp"
        Chooser(
            self.app,
            "save",
            "Save the patch",
            lambda path: self._save_to(path, then),
            folder=self._folder(),
            name=name,
            suffixes=PATCHES,
        ).open()

    def _save_to(self, file: Path, then: Callable[[], object] | None = None) -> None:
        self._plugins.settle(lambda: self._write_to(file, then))

    def _write_to(self, file: Path, then: Callable[[], object] | None = None) -> None:
        file = file.resolve()
        edits = moved(self.session.patch, self.session.kinds, file.parent)
        if edits:
            trial = self.session.patch.copy()
            Batch("", tuple(edits)).apply(trial)
            save(trial, file)
            self.session.do_at_root(Batch("Name files from the new folder", tuple(edits)))
        else:
            save(self.session.patch, file)
        self.session.saved(file)
        self._watch.own()
        self._remember(file)
        self.app.notices.say("good", f"Saved: {file.name}")
        if then is not None:
            then()

    def _copy_to(self, file: Path, said: str) -> None:
        """Write the patch to another file; what is open stays what it is."""

        def write() -> None:
            patch = self.session.patch.copy()
            Batch("", tuple(moved(patch, self.session.kinds, file.resolve().parent))).apply(patch)
            save(patch, file)
            self.app.notices.say("good", said)

        self._plugins.settle(write)

    def export_json(self) -> None:
        """Ask for a file, and write the patch to it as JSON."""
        Chooser(
            self.app,
            "save",
            "Export JSON",
            lambda file: self._copy_to(file, f"Exported: {file.name}"),
            folder=self._folder(),
            name=f"{self.session.file.stem if self.session.file else file_name(self.session.patch.name)}.json",
            suffixes=(".json",),
        ).open()

    def keep(self) -> None:
        """Put a copy among the user's own patches, for the browser."""
        folder = presets_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            words = f"the folder for your patches cannot be made: {error.strerror}"
            raise PatchError(words, place=str(folder)) from error
        Chooser(
            self.app,
            "save",
            "Keep among my patches",
            lambda file: self._copy_to(file, f"{file.stem} is among your patches."),
            folder=folder,
            name=f"{file_name(self.session.patch.name)}.pwp",
            suffixes=PATCHES,
        ).open()

    def _folder(self) -> Path:
        """Where a dialog begins."""
        if self.session.file is not None:
            return self.session.file.resolve().parent
        chosen = self.settings.folder("patch_folder")
        recent = [path for path in self.recent.paths() if path.parent != SHIPPED]
        return chosen or (recent[0].parent if recent else home())

    def _remember(self, file: Path) -> None:
        try:
            self.recent.add(file)
        except OSError as error:
            self.app.notices.say("warning", f"The list of recent files cannot be kept: {error.strerror}")

    # -- settings ------------------------------------------------------------------------------------------------------

    def choose_settings(self, **fields: object) -> None:
        """Change settings, and keep them."""
        changed = replace(self.settings, **fields)  # type: ignore[arg-type]
        if changed == self.settings:
            return
        self.settings = changed
        try:
            kept.save(changed)
        except OSError as error:
            self.app.notices.say("warning", f"The settings cannot be kept: {error.strerror}")

    def _look_chosen(self) -> None:
        """A theme or size was chosen, here or in a menu."""
        look = self.app.look
        self.choose_settings(theme=look.theme.name, scale=look.scale)
        if isinstance(self.app.dialog, Dialog):
            self.app.dialog.remake()

    # -- what has a dialog of its own ----------------------------------------------------------------------------------

    def render(self) -> None:
        """Show the render dialog."""
        from editor.files.render_dialog import RenderDialog

        self._plugins.settle(lambda: RenderDialog(self.app, self).open())

    def relink(self) -> None:
        """Show which files are missing."""
        from editor.files.relink import Relink

        Relink(self.app, self).open()

    def collect(self) -> None:
        """Show the collect dialog."""
        from editor.files.collecting import Collecting

        self._plugins.settle(lambda: Collecting(self.app, self).open())

    def recover(self) -> None:
        """Show what editors have left behind."""
        from editor.files.recovery import Recovery

        self.left, problems = left_behind()
        for problem in problems:
            self.app.notices.say("error", problem)
        Recovery(self.app, self).open()

    def preferences(self) -> None:
        """Show the settings."""
        from editor.files.preferences import Preferences

        Preferences(self.app, self).open()

    def shortcuts(self) -> None:
        """Show which keys do what."""
        from editor.files.keylist import KeyList

        KeyList(self.app).open()

    def tour(self) -> None:
        """Show the tour."""
        Tour(self.app, self).open()


def file_name(title: str) -> str:
    """A title as a file can be called."""
    words = "".join(c if c.isalnum() or c in " -_" else "_" for c in title).strip()
    return words[:80] or "Untitled"


def _files(app: App) -> Files:
    return cast(Files, app.panels["files"])


def _do(name: str) -> Callable[[App], object]:
    return lambda app: getattr(_files(app), name)()


COMMANDS: tuple[Command, ...] = (
    Command("file.new", "New patch", _do("new"), ("ctrl+n",), "File", 0, while_typing=True),
    Command("file.open", "Open…", _do("choose"), ("ctrl+o",), "File", 0, while_typing=True),
    Command("file.browse", "Browse patches…", _do("browse"), ("ctrl+shift+o",), "File", 0),
    Command("file.save", "Save", _do("save"), ("ctrl+s",), "File", 1, while_typing=True),
    Command("file.save-as", "Save as…", _do("save_as"), ("ctrl+shift+s",), "File", 1, while_typing=True),
    Command("file.keep", "Keep among my patches…", _do("keep"), (), "File", 1),
    Command("file.import", "Import JSON…", _do("import_json"), (), "File", 2),
    Command("file.export", "Export JSON…", _do("export_json"), (), "File", 2),
    Command("file.collect", "Collect with all files…", _do("collect"), (), "File", 2),
    Command("file.render", "Render…", _do("render"), ("ctrl+r",), "File", 3),
    Command("file.missing", "Find missing files…", _do("relink"), (), "File", 4),
    Command("file.recover", "Recover unsaved work…", _do("recover"), (), "File", 4),
    Command("file.settings", "Settings…", _do("preferences"), ("ctrl+comma",), "File", 5),
    Command("help.keys", "Keyboard shortcuts", _do("shortcuts"), ("ctrl+slash",), "Help", 1),
    Command("help.tour", "Take the tour", _do("tour"), (), "Help", 1),
)
Files.commands = COMMANDS
