"""Looking for plugins, and measuring them, in a thread of its own, so that nobody waits. Knows no window."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from editor.plugins.shelf import Shelf

if TYPE_CHECKING:
    from host.plugins.scan import Report, Scan
    from host.plugins.store import Store

READ_EVERY_S = 0.7
"""How often, at most, what a scan finds is shown while it goes on."""
CLOSING_S = 5.0
RATE, BLOCK = 48000, 512
"""What latencies are measured at."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work is: ``what`` it is, in words, and what it did last."""

    what: str
    done: int = 0
    due: int = 0
    last: str = ""

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.done / self.due if self.due else 0.0


class Work:
    """One scan, or one measuring, at a time. ``say(level, text)`` hears how it ends; the shelf is read anew."""

    def __init__(self, shelf: Shelf, say: Callable[[str, str], None], options: Mapping[str, Any] | None = None) -> None:
        """``options`` go to ``host.plugins.scan.Scan``: another command, other limits."""
        self._shelf, self._say, self._options = shelf, say, options or {}
        self._thread: threading.Thread | None = None
        self._scan: Scan | None = None
        self._stop = threading.Event()
        self._read_at = 0.0
        self.progress: Progress | None = None
        """None while nothing is done."""

    @property
    def busy(self) -> bool:
        """Whether something is being done."""
        return self._thread is not None and self._thread.is_alive()

    def scan(self, again: bool = False, paths: Sequence[Path] = ()) -> bool:
        """Look at what is new or changed, or with ``again`` at everything; only at some ``paths``, if any are given.

        False where something is being done already.
        """

        def look(scan: Scan) -> Report:
            from host.plugins.folders import find

            return scan.these(find(paths, self._note), again) if paths else scan.everything(again)

        return self._begin("Looking for plugins", lambda store: self._scanned(store, look))

    def retry(self) -> bool:
        """Look again at all that is not good. False where something is being done already."""

        def look(scan: Scan) -> Report:
            from host.plugins.folders import candidate
            from host.plugins.scan import chosen

            found = [candidate(Path(file.path)) for file in chosen(scan.store, [])]
            return scan.these([c for c in found if c and c.path.exists()], again=True)

        return self._begin("Trying again what failed", lambda store: self._scanned(store, look))

    def measure(self, words: Sequence[str] = ()) -> bool:
        """Measure the latency of the plugins that words name, or of all. False where something is being done."""
        return self._begin("Measuring latency", lambda store: self._measured(store, words))

    def add_folder(self, path: Path) -> bool:
        """Look in another folder from now on, and do so now. False where something is being done already."""

        def add(store: Store) -> None:
            store.add_folder(path)
            self._scanned(store, lambda scan: scan.everything())

        return self._begin("Looking for plugins", add)

    def remove_folder(self, path: Path) -> bool:
        """No longer look in a folder; what was found in it is kept. False where something is being done already."""

        def remove(store: Store) -> None:
            store.remove_folder(path)

        return self._begin("Removing a folder", remove)

    def stop(self) -> None:
        """End the work soon; what was found out is kept."""
        self._stop.set()
        scan = self._scan
        if scan is not None:
            scan.stop()

    def close(self) -> None:
        """End it, and wait a little until it has ended."""
        self.stop()
        if self._thread is not None:
            self._thread.join(CLOSING_S)

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _begin(self, what: str, task: Callable[[Store], None]) -> bool:
        if self.busy:
            return False
        self._stop.clear()
        self.progress = Progress(what)
        self._thread = threading.Thread(target=self._run, args=(task,), name="plugin scan", daemon=True)
        self._thread.start()
        return True

    def _run(self, task: Callable[[Store], None]) -> None:
        from host.plugins.store import Store, StoreError
        from host.plugins.trial import StoppedError

        try:
            with Store(notice=self._note) as store:
                task(store)
        except StoppedError:
            self._say("info", "Stopped. What was found out so far is kept, and the next scan goes on from there.")
        except (StoreError, OSError, ValueError) as error:
            text = str(error)
            self._say("error", f"Plugins cannot be looked at: {text}")
        finally:
            self._scan = None
            self.progress = None
            self._shelf.read()

    def _note(self, words: str) -> None:
        self._say("info", words[:1].upper() + words[1:])

    def _scanned(self, store: Store, look: Callable[[Scan], Report]) -> None:
        from host.plugins.scan import Scan

        scan = self._scan = Scan(store, self._note, progress=self._moved, **self._options)
        if self._stop.is_set():
            scan.stop()
        report = look(scan)
        self._say(*summary(report))

    def _measured(self, store: Store, words: Sequence[str]) -> None:
        from host.plugins.measuring import latency, measurable
        from host.plugins.trial import Limits, StoppedError

        wanted = measurable(store, words)
        failed: list[str] = []
        for count, found in enumerate(wanted):
            self._moved(count, len(wanted), found.path)
            if self._stop.is_set():
                raise StoppedError
            try:
                latency(store, found, RATE, BLOCK, Limits())
            except ValueError as error:
                failed.append(str(error))
        count = len(wanted) - len(failed)
        if failed:
            self._say("warning", f"{count} of {len(wanted)} plugins were measured. {failed[0]}")
        elif count > 1:
            self._say("good", f"The latency of {count} plugins was measured.")

    def _moved(self, done: int, due: int, path: str) -> None:
        what = self.progress.what if self.progress else ""
        self.progress = Progress(what, done, due, Path(path).stem)
        now = monotonic()
        if now - self._read_at > READ_EVERY_S:
            self._read_at = now
            self._shelf.read()


def summary(report: Report) -> tuple[str, str]:
    """What a scan did, as a notice: level and text."""
    counts = report.counts()
    bad = {verdict: count for verdict, count in counts.items() if verdict != "good"}
    if not report.looked:
        return "info", f"No plugin file is new or has changed; {report.unchanged} are known."
    words = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    one = len(report.looked) == 1
    text = f"{len(report.looked)} plugin file{' was' if one else 's were'} looked at: {words}."
    return ("warning", f"{text} The plugin browser says why.") if bad else ("good", text)


def candidates(folders: Sequence[Path] = ()) -> int:
    """How many plugin files the standard folders, and these, hold. May take a while."""
    from host.plugins.folders import find, standard_folders

    return sum(1 for _ in find([*standard_folders(), *folders], lambda words: None))
