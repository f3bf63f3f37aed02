"""What one plugin file is: children are sent in until each plugin in it has a verdict.

A child that dies over one plugin of a file says nothing of the others, nor one that dies with one backend of the next:
the child after it goes on behind that point.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from host.plugins.description import description_from
from host.plugins.errors import PluginError
from host.plugins.folders import Candidate
from host.plugins.store import VERDICTS, ClassResult, Verdict
from host.plugins.trial import Ending, Limits, attempt

COMMAND = (sys.executable, "-P", "-m", "host.plugins.probe")
MOST_CLASSES = 512
MOST_DEATHS = 32
"""Children that one file may cost."""
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found: good where one plugin is."""

    verdict: Verdict
    reason: str
    detail: str
    classes: tuple[ClassResult, ...]
    deaths: tuple[str, ...] = ()
    """How children ended that had not come to their end."""


@dataclass
class Findings:
    """What the children said so far about a file."""

    known: dict[str, ClassResult | None] = field(default_factory=dict[str, ClassResult | None])
    """By uid; None where it has no verdict yet."""
    names: dict[str, str] = field(default_factory=dict[str, str])
    whole: tuple[Verdict, str] | None = None
    """Of the file as a whole, where the child could tell."""
    stage: str = ""
    """What the last child was doing …"""
    begun: str = ""
    """… with which plugin …"""
    backend: str = ""
    """… by which backend …"""
    others: int = 0
    """… and how many more it had to try."""
    past: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Plugins, or "" for the file, and backends that children died with."""
    reasons: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """What is to be said of those, and of backends that said no, by plugin."""
    first: dict[str, Verdict] = field(default_factory=dict[str, Verdict])
    """What became of each plugin with the first backend that did not run it: the verdict, if no other does."""
    deaths: list[str] = field(default_factory=list[str])
    closing: str = ""
    """The plugin it had answered for and was letting go of."""
    done: bool = False
    detail: str = ""

    def hear(self, answer: Mapping[str, Any]) -> None:
        """Take in an answer. Raises PluginError for one that makes no sense."""
        match answer:
            case {"stage": str(stage)}:
                self.stage = stage[:LONGEST]
            case {"trying": str(backend), "left": int(others)}:
                self.backend, self.others = backend[:LONGEST], others
            case {"classes": list(classes)} if len(classes) <= MOST_CLASSES:
                for uid, name in (_pair(c) for c in classes):
                    self.known.setdefault(uid, None)
                    self.names[uid] = name
                self.backend = ""
            case {"begin": str(uid)} if uid in self.known:
                self.begun, self.closing = uid, ""
            case {"failed": str(uid), "reason": str(reason)}:
                self._blame(uid, "refused", reason)
            case {"end": str(uid), "verdict": "good", "backend": str(backend), "note": str(note), "description": data}:
                found = description_from(data)
                words = self._all(uid, note)
                self.known[uid] = ClassResult(uid, found.name, "good", "", backend[:LONGEST], words, found)
                self.begun, self.closing = "", uid
            case {"end": str(uid), "verdict": str(verdict), "reason": str(reason)} if verdict in VERDICTS:
                self._judge(uid, cast(Verdict, verdict), reason)
                self.begun, self.closing = "", uid
            case {"closed": str()}:
                self.closing = ""
            case {"verdict": str(verdict), "reason": str(reason)} if verdict in VERDICTS:
                self._whole(cast(Verdict, verdict), reason)
            case {"done": True}:
                self.done = True
            case _:
                raise PluginError(f"expected an answer of a scan, got {str(answer)[:100]!r}")

    def died(self, ending: Ending) -> None:
        """Take in that a child died: over a plugin, while it let go of one, or over the file."""
        verdict, words = cast(Verdict, ending.died or "crashed"), ending.words or "its process ended early"
        self.detail = ending.noise
        if not self.begun and (closed := self.known.get(self.closing)) is not None:
            note = "; ".join(filter(None, [closed.note, f"when it was closed: {verdict}, {words}"]))
            self.known[self.closing] = replace(closed, note=note[:LONGEST])
            self.deaths.append(f"{closed.name}: {note}")
            return
        if self.stage:
            words = f"{words}, while {self.stage}"
        about = f"{self.names.get(self.begun, self.begun)}: " if self.begun else ""
        self.deaths.append(f"{about}{verdict}, {words}")
        if self.others > 0:
            self.past.append((self.begun, self.backend))
            self._blame(self.begun, verdict, f"{verdict}, {words}")
            return
        if self.backend:
            words = f"{self.backend}: {verdict}, {words}"
        if self.begun:
            self._judge(self.begun, verdict, words)
        else:
            self._whole(verdict, words)

    def _blame(self, uid: str, verdict: Verdict, reason: str) -> None:
        """A backend does not run a plugin, or the file; others may."""
        self.first.setdefault(uid, verdict)
        self.reasons.setdefault(uid, []).append(f"{self.backend}: {reason}")

    def _judge(self, uid: str, verdict: Verdict, reason: str) -> None:
        name = self.names.get(uid, uid)
        self.known[uid] = ClassResult(uid, name, self.first.get(uid, verdict), self._all(uid, reason))

    def _whole(self, verdict: Verdict, reason: str) -> None:
        first = self.first.get("", verdict)
        self.whole = verdict if verdict == "not a plugin" and first == "refused" else first, self._all("", reason)

    def _all(self, uid: str, words: str) -> str:
        """What is to be said, after what was to be said of backends that children died with."""
        return "; ".join(filter(None, [*self.reasons.get(uid, []), words]))[:LONGEST]

    def left(self) -> bool:
        """Whether plugins wait for their verdict."""
        return any(found is None for found in self.known.values())

    def result(self) -> Looked:
        """The verdict on the file."""
        verdict, reason = self.whole or ("failed", "it was not looked at to the end")
        classes = tuple(
            found or ClassResult(uid, self.names.get(uid, uid), verdict, reason) for uid, found in self.known.items()
        )
        bad = [k for k in classes if k.verdict != "good"]
        if len(bad) < len(classes):
            words = "; ".join(f"{k.name} ({k.verdict}): {k.reason}" for k in bad)
            return Looked("good", words[:LONGEST], self.detail if bad else "", classes, tuple(self.deaths))
        if bad and self.whole is None:
            verdict, reason = bad[0].verdict, bad[0].reason
        return Looked(verdict, reason, self.detail, classes, tuple(self.deaths))


def look(
    candidate: Candidate,
    command: Sequence[str],
    limits: Limits,
    stop: threading.Event | None = None,
    *,
    hasty: bool = False,
) -> Looked:
    """Look at a file. ``hasty``: only until a child dies, which may be for another's fault. Never raises for what the
    file does; raises StoppedError as ``attempt`` does.
    """
    findings = Findings()
    for _ in range(MOST_DEATHS):
        words = ["--format", candidate.format, "--file", str(candidate.path)]
        words += [word for uid, found in findings.known.items() if found for word in ("--skip", uid)]
        words += [word for uid, backend in findings.past for word in ("--past", f"{uid}={backend}")]
        findings.stage = findings.begun = findings.closing = findings.backend = ""
        findings.others = 0
        ending = attempt([*command, *words], limits, stop)
        try:
            for answer in ending.answers:
                findings.hear(answer)
        except PluginError as error:
            findings.whole, findings.detail = ("failed", str(error)), ending.noise
            break
        if ending.died == "failed":
            findings.whole = "failed", ending.words
            break
        if findings.whole is not None:
            findings.detail = ending.noise
            break
        if findings.done:
            break
        findings.died(ending)
        if hasty or findings.whole is not None or (findings.known and not findings.left()):
            break
    return findings.result()


def _pair(value: object) -> tuple[str, str]:
    match value:
        case [str(uid), str(name)] if 0 < len(uid) <= LONGEST:
            return uid, name[:LONGEST]
    raise PluginError(f"expected a plugin's id and name, got {str(value)[:100]!r}")
