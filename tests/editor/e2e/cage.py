"""The editor, where random input can do no harm: it writes nothing outside its folder, and does not quit when asked.

Run in place of ``patchwright.py``. ``CAGE`` names the folder. ``CAGE_FAULT`` names what goes wrong on purpose, to see
that whoever watches notices: ``sync`` (an exception in a panel), ``journal`` (unsaved work is not kept), ``crash`` (the
process ends at once), ``recover`` (what was left behind is not found).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
CAGE, FAULT = "CAGE", "CAGE_FAULT"
FAULT_AFTER = 6
"""At which call the fault comes."""


class PlantedError(Exception):
    """What is raised on purpose."""


def close_cage(cage: Path) -> None:
    """Refuse, from here on, to write anywhere else in this process."""
    open_to = [cage, Path("/dev"), *(Path(os.environ[name]) for name in ("PATCHWRIGHT_CACHE",) if name in os.environ)]
    roots = tuple(str(path.resolve()) for path in open_to)

    def check(path: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a descriptor that is open already
        whole = os.path.realpath(os.fsdecode(path))
        if not any(whole == root or whole.startswith(root + os.sep) for root in roots):
            raise PermissionError(13, "outside the cage", whole)

    def watch(event: str, given: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = given
            writes = isinstance(mode, str) and any(letter in mode for letter in "wax+")
            if writes or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
                check(path)
        elif event in ("os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree", "os.truncate", "os.symlink"):
            check(given[0])
        elif event in ("os.rename", "os.link", "shutil.move", "shutil.copyfile", "shutil.copytree"):
            check(given[1])

    sys.addaudithook(watch)


def tame(cage: Path) -> None:
    """Quitting asks what it asks and ends nothing; files outside the cage lend nothing but what they say."""
    import editor.files.folders as folders

    folders.SHIPPED = cage / "patches"
    folders.FIRST = folders.SHIPPED / folders.FIRST.name
    from editor.app import App
    from editor.files import rendering
    from editor.files.panel import Files
    from editor.model import Session

    quit_now, open_one, render = App.quit, Session._open, rendering.Render.__init__

    def quit(self: App, ask: bool = False) -> None:
        if not ask:
            quit_now(self)
        elif self.confirm_quit is not None:
            self.confirm_quit()

    def open_here(self: Session, patch: Any, file: Path | None) -> None:
        outside = file is not None and cage not in file.resolve().parents
        open_one(self, patch, None if outside else file)
        if cage not in (Path(self.patch.folder or ROOT).resolve() / "x").parents:
            self.patch.folder = cage

    def render_here(self: Any, patch: Any, wish: Any) -> None:
        for path in wish.outputs.values():
            if cage not in Path(path).resolve().parents:
                raise PermissionError(13, "outside the cage", path)
        render(self, patch, wish)

    App.quit, Session._open = quit, open_here  # type: ignore[method-assign]
    Files._quit = lambda self: None  # type: ignore[method-assign]
    rendering.Render.__init__ = render_here  # type: ignore[method-assign]


def plant(fault: str) -> None:
    """Let something go wrong after a while."""
    import editor.files.panel as files
    from editor.canvas.panel import Canvas
    from editor.journal import Journal

    if fault == "recover":
        files.left_behind = lambda: ([], [])
        return

    place, name = {"sync": (Canvas, "sync"), "crash": (Canvas, "sync"), "journal": (Journal, "step")}[fault]
    real, count = getattr(place, name), [0]

    def faulty(self: Any, *given: Any, **named: Any) -> Any:
        count[0] += 1
        if count[0] < FAULT_AFTER:
            return real(self, *given, **named)
        if fault == "crash":
            os.abort()
        if fault == "sync" and count[0] == FAULT_AFTER:
            raise PlantedError(f"on purpose, in {name}")
        return real(self, *given, **named) if fault == "sync" else None

    setattr(place, name, faulty)


def main() -> None:
    """Run the editor, caged."""
    sys.path.insert(0, str(ROOT))
    cage = Path(os.environ[CAGE]).resolve()
    close_cage(cage)
    tame(cage)
    if os.environ.get(FAULT):
        plant(os.environ[FAULT])
    from patchwright import app

    app()


if __name__ == "__main__":
    main()
