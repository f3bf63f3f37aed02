"""What one plugin file is: children are sent in until each plugin in it has a verdict.

A child that dies over one plugin of a file says nothing of the others: the next child passes over those that have
their verdict, and goes on.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from host.plugins.folders import Candidate
from host.plugins.instance import PluginError, description_from
from host.plugins.store import VERDICTS, ClassResult, Verdict
from host.plugins.trial import Ending, Limits, attempt

COMMAND = (sys.executable, "-P", "-m", "host.plugins.probe")
MOST_CLASSES = 512
MOST_DEATHS = 16
"""Children that one file may cost."""
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found: good where one plugin is."""

    verdict: Verdict
    reason: str
    detail: str
    classes: tuple[ClassResult, ...]


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
    """… and with which plugin."""
    closing: str = ""
    """The plugin it had answered for and was letting go of."""
    done: bool = False
    detail: str = ""

    def hear(self, answer: Mapping[str, Any]) -> None:
        """Take in an answer. Raises PluginError for one that makes no sense."""
        match answer:
            case {"stage": str(stage)}:
                self.stage = stage[:LONGEST]
            case {"classes": list(classes)} if len(classes) <= MOST_CLASSES:
                for uid, name in (_pair(c) for c in classes):
                    self.known.setdefault(uid, None)
                    self.names[uid] = name
            case {"begin": str(uid)} if uid in self.known:
                self.begun, self.closing = uid, ""
            case {"end": str(uid), "verdict": "good", "backend": str(backend), "note": str(note), "description": data}:
                found = description_from(data)
                self.known[uid] = ClassResult(uid, found.name, "good", "", backend[:LONGEST], note[:LONGEST], found)
                self.begun, self.closing = "", uid
            case {"end": str(uid), "verdict": str(verdict), "reason": str(reason)} if verdict in VERDICTS:
                word = cast(Verdict, verdict)
                self.known[uid] = ClassResult(uid, self.names.get(uid, uid), word, reason[:LONGEST])
                self.begun, self.closing = "", uid
            case {"closed": str()}:
                self.closing = ""
            case {"verdict": str(verdict), "reason": str(reason)} if verdict in VERDICTS:
                self.whole = cast(Verdict, verdict), reason[:LONGEST]
            case {"done": True}:
                self.done = True
            case _:
                raise PluginError(f"expected an answer of a scan, got {str(answer)[:100]!r}")

    def died(self, ending: Ending) -> None:
        """Take in that a child died: over a plugin, while it let go of one, or over the file."""
        verdict, words = cast(Verdict, ending.died or "crashed"), ending.words or "its process ended early"
        self.detail = ending.noise
        if self.begun:
            while_ = f"{words}, while {self.stage}" if self.stage else words
            self.known[self.begun] = ClassResult(self.begun, self.names.get(self.begun, self.begun), verdict, while_)
            self.begun = ""
        elif (closed := self.known.get(self.closing)) is not None:
            note = "; ".join(filter(None, [closed.note, f"when it was closed: {verdict}, {words}"]))
            self.known[self.closing] = _noted(closed, note)
            self.closing = ""
        else:
            self.whole = verdict, f"{words}, while {self.stage}" if self.stage else words

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
            words = "; ".join(f"{k.name}: {k.verdict}, {k.reason}" for k in bad)
            return Looked("good", words[:LONGEST], self.detail if bad else "", classes)
        if bad and self.whole is None:
            verdict, reason = bad[0].verdict, bad[0].reason
        return Looked(verdict, reason, self.detail, classes)


def look(candidate: Candidate, command: Sequence[str], limits: Limits, stop: threading.Event | None = None) -> Looked:
    """Look at a file. Never raises for what the file does; raises StoppedError as ``attempt`` does."""
    findings = Findings()
    for _ in range(MOST_DEATHS):
        skip = [word for uid, found in findings.known.items() if found for word in ("--skip", uid)]
        findings.stage = findings.begun = findings.closing = ""
        file = ["--format", candidate.format, "--file", str(candidate.path)]
        ending = attempt([*command, *file, *skip], limits, stop)
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
        if findings.whole is not None or not findings.left():
            break
    return findings.result()


def _pair(value: object) -> tuple[str, str]:
    match value:
        case [str(uid), str(name)] if 0 < len(uid) <= LONGEST:
            return uid, name[:LONGEST]
    raise PluginError(f"expected a plugin's id and name, got {str(value)[:100]!r}")


def _noted(result: ClassResult, note: str) -> ClassResult:
    return ClassResult(
        result.uid, result.name, result.verdict, result.reason, result.backend, note[:LONGEST], result.description
    )
