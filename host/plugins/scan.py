"""Looking at plugin files: which are due, each in a process of its own, several at once, every verdict kept at once.

A file is looked at again when it changed, when this scan knows more than the one that looked last, or when asked
(``retry``). What ends badly while others run is looked at once more, alone and with more time, before that counts: a
neighbour may have been to blame. A scan that was cut off goes on where it was; the files it was looking at come last,
alone, since one of them may have cut it off.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from host.plugins.database import Notice, scanning
from host.plugins.folders import Candidate, candidate, find, stamp, standard_folders
from host.plugins.look import COMMAND, look
from host.plugins.store import FileResult, Store, Verdict
from host.plugins.trial import Limits, StoppedError

SCANNER = 2
"""Raised when a scan would find out more, or judge otherwise: everything is then looked at again."""
MOST_JOBS = 16
MOST_CUTS = 3
"""A file during which so many scans were cut off is left alone until somebody asks for it."""
PATIENCE = 2.0
"""What is looked at alone has this many times the time."""

Progress = Callable[[int, int, str], None]
"""Called with files done, files due, and the one that was done last."""


@dataclass
class Report:
    """What a scan did."""

    looked: list[FileResult] = field(default_factory=list[FileResult])
    unchanged: int = 0
    gone: int = 0
    """Files with results that are no longer there."""
    seconds: float = 0.0

    def counts(self) -> dict[str, int]:
        """How many files of those it looked at have which verdict."""
        return dict(Counter(result.verdict for result in self.looked))


class _Seen(NamedTuple):
    result: FileResult
    trouble: str = ""
    """What a neighbour may be to blame for."""


@dataclass
class Scan:
    """One scan, from the list of what is there to the last result."""

    store: Store
    notice: Notice
    command: Sequence[str] = COMMAND
    limits: Limits = field(default_factory=Limits)
    jobs: int = 0
    """How many files at once; 0: as many as there are processors."""
    progress: Progress = lambda done, due, path: None
    _stop: threading.Event = field(default_factory=threading.Event)
    _running: dict[Future[_Seen], Candidate] = field(default_factory=dict[Future[_Seen], Candidate])
    _first: dict[str, str] = field(default_factory=dict[str, str])
    """What happened to files that are to be looked at once more."""

    def stop(self) -> None:
        """End the scan from another thread: it raises StoppedError there, its processes gone and its results kept."""
        self._stop.set()

    def everything(self, again: bool = False) -> Report:
        """All plugin folders, and what is known from elsewhere. ``again``: whether it changed or not."""
        found = list(find([*standard_folders(), *self.store.folders()], self.notice))
        paths = {str(c.path) for c in found}
        known = (candidate(Path(f.path)) for f in self.store.files() if f.path not in paths)
        return self.these([*found, *(c for c in known if c and c.path.exists())], again)

    def these(self, candidates: Iterable[Candidate], again: bool = False) -> Report:
        """Some files. Raises StoreError, also where another scan is at work, and StoppedError; results are kept."""
        begun = time.monotonic()
        with scanning(self.store.folder):
            report = Report()
            known = {f.path: f for f in self.store.files()}
            there = {path: os.path.exists(path) for path in known}
            self.store.mark_present(there)
            report.gone = sum(not t for t in there.values())
            due = []
            for c in {str(c.path): c for c in candidates}.values():
                if again or self._is_due(c, known.get(str(c.path))):
                    due.append(c)
                else:
                    report.unchanged += 1
            self._look_at(due, report, again)
        report.seconds = time.monotonic() - begun
        return report

    def _is_due(self, c: Candidate, known: FileResult | None) -> bool:
        if known is None or known.scanner != SCANNER or known.verdict == "failed":
            return True
        try:
            return known.stamp != stamp(c.path)
        except OSError:
            return True

    def _look_at(self, due: list[Candidate], report: Report, asked: bool) -> None:
        cut = self.store.cut_off()
        alone = [c for c in due if str(c.path) in cut]
        together = [c for c in due if str(c.path) not in cut]
        total = len(due)
        jobs = min(self.jobs or os.cpu_count() or 1, MOST_JOBS)
        with ThreadPoolExecutor(jobs, "scan") as pool:
            try:
                if self._stop.is_set():
                    raise StoppedError
                while together or self._running:
                    while together and len(self._running) < jobs:
                        self._begin(pool, together.pop(0), self.limits, hasty=True)
                    alone += self._collect(report, total)
                patient = replace(self.limits, seconds=PATIENCE * self.limits.seconds)
                for c in alone:
                    if cut.get(str(c.path), 0) >= MOST_CUTS and not asked:
                        self._done(_unfinished(c, cut[str(c.path)]), report, total)
                        continue
                    self._begin(pool, c, patient)
                    self._collect(report, total, final=True)
            except BaseException:
                self._stop.set()
                wait(self._running)
                self.store.calm([str(c.path) for c in self._running.values()])
                raise

    def _begin(self, pool: ThreadPoolExecutor, c: Candidate, limits: Limits, hasty: bool = False) -> None:
        self.store.begin(str(c.path))
        self._running[pool.submit(_looked, c, self.command, limits, self._stop, hasty)] = c

    def _collect(self, report: Report, total: int, final: bool = False) -> list[Candidate]:
        """Wait for results and keep them; those that are in doubt are given back, to be looked at alone."""
        again: list[Candidate] = []
        for future in wait(self._running, return_when=FIRST_COMPLETED).done:
            result, trouble = future.result()
            c = self._running.pop(future)
            if trouble and not final:
                self._first[result.path] = trouble
                self.store.calm([result.path])
                again.append(c)
                continue
            first = self._first.pop(result.path, "")
            if first and not trouble:
                note = f"looked at beside others: {first}; alone it came through"
                result = replace(result, reason="; ".join(filter(None, [note, result.reason])))
            self._done(result, report, total)
        return again

    def _done(self, result: FileResult, report: Report, total: int) -> None:
        self.store.put(result)
        report.looked.append(result)
        self.progress(len(report.looked), total, result.path)


def _looked(c: Candidate, command: Sequence[str], limits: Limits, stop: threading.Event, hasty: bool) -> _Seen:
    try:
        before = stamp(c.path)
    except OSError as error:
        return _Seen(replace(_empty(c, "failed"), reason=f"it cannot be read: {error.strerror or error}"))
    begun = time.monotonic()
    try:
        found = look(c, command, limits, stop, hasty=hasty)
    except OSError as error:
        return _Seen(replace(_empty(c, "failed"), reason=f"it cannot be looked at: {error.strerror or error}"))
    result = FileResult(
        str(c.path),
        c.format,
        before,
        found.verdict,
        found.reason,
        found.detail,
        time.monotonic() - begun,
        time.time(),
        SCANNER,
        classes=found.classes,
    )
    trouble = "; ".join(found.deaths) or (found.reason if found.verdict == "failed" else "")
    return _Seen(result, trouble)


def _empty(c: Candidate, verdict: Verdict) -> FileResult:
    return FileResult(str(c.path), c.format, "", verdict, scanned=time.time(), scanner=SCANNER)


def _unfinished(c: Candidate, times: int) -> FileResult:
    try:
        now = stamp(c.path)
    except OSError:
        now = ""
    reason = f"{times} scans ended while it was looked at; `patchwright plugins retry` looks at it again"
    return replace(_empty(c, "unfinished"), stamp=now, reason=reason)


def chosen(store: Store, words: Sequence[str]) -> list[FileResult]:
    """The files that words mean: paths, names of files or of plugins, or ids, in any case; no words: all that are not
    good, or not wholly. Raises ValueError for a word that means nothing known.
    """
    files = store.files()
    if not words:
        return [f for f in files if f.present and (f.verdict != "good" or any(k.verdict != "good" for k in f.classes))]
    found: dict[str, FileResult] = {}
    for word in words:
        meant = [f for f in files if _means(word, f)]
        if not meant:
            raise ValueError(f"no plugin {word!r} is known; `patchwright plugins list --all` shows what is")
        found.update((f.path, f) for f in meant)
    return list(found.values())


def _means(word: str, file: FileResult) -> bool:
    path = Path(file.path)
    names = {path.name.lower(), path.stem.lower(), *(k.name.lower() for k in file.classes)}
    return (
        file.path == os.path.abspath(word)
        or word.lower() in names
        or any(word.lower() == k.uid.lower() for k in file.classes)
    )
