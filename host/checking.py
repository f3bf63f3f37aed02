"""What is wrong with a patch, and what its latencies are: the answer of ``check``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graph.check import Problem, notes, problems
from graph.compiler import compile
from graph.document import Patch
from graph.errors import PatchError
from graph.groups import expand
from graph.paths import OutputLatency, latencies
from graph.resolve import resolve_settings
from graph.schedule import Schedule
from graph.spec import Kinds
from host.services import FileServices


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth a word, and where."""

    node: str
    place: str
    message: str

    def to_dict(self) -> dict[str, str]:
        """As JSON has it."""
        return {"node": self.node, "place": self.place, "message": self.message}


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong, what is kept but has no effect, and the schedule if there is one in spite of that."""

    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    schedule: Schedule | None
    outputs: tuple[OutputLatency, ...]

    @property
    def ok(self) -> bool:
        """Whether the patch would render as it is."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        schedule = self.schedule
        return {
            "ok": self.ok,
            "problems": [f.to_dict() for f in self.findings],
            "notes": [f.to_dict() for f in self.notes],
            "outputs": {
                o.node: {
                    "latency_frames": o.latency,
                    "paths": [
                        {"nodes": list(p.nodes), "latency_frames": p.latency, "compensation_frames": p.compensation}
                        for p in o.paths
                    ],
                    "all_paths_listed": o.complete,
                }
                for o in self.outputs
            },
            "loops": [
                {
                    "nodes": list(loop.nodes),
                    "period_frames": min((frames for _, frames in loop.periods), default=0),
                    "periods": [{"through": through, "frames": frames} for through, frames in loop.periods],
                }
                for loop in (schedule.loops if schedule else ())
            ],
            "compensation": [
                {"cable": c.cable, "frames": c.frames} for c in (schedule.compensations if schedule else ())
            ],
        }


def unreadable(path: Path, error: PatchError) -> Checked:
    """What is found where a file holds no patch that could be looked at further; places are inside the file."""
    place = error.place.removeprefix(str(path)).removeprefix(": ")
    return Checked((Finding(error.node, place, error.message),), (), None, ())


def check(patch: Patch, kinds: Kinds, services: FileServices, rate: int | None = None) -> Checked:
    """Everything that can be found wrong with a patch, and its latencies where it compiles."""
    findings = _found(problems(patch, kinds))
    schedule: Schedule | None = None
    missing: list[PatchError] = []
    try:
        schedule = compile(patch, kinds, services, rate, missing=missing)
    except PatchError as error:
        missing.append(error)
    known = {(f.node, f.place) for f in findings}
    findings += [Finding(e.node, e.place, e.message) for e in missing if (e.node, e.place) not in known]
    outputs = tuple(latencies(schedule)) if schedule else ()
    noted = [*_found(notes(patch, kinds)), *other_versions(patch, kinds, services)]
    return Checked(tuple(findings), tuple(noted), schedule, outputs)


def other_versions(patch: Patch, kinds: Kinds, services: FileServices) -> list[Finding]:
    """Plugins that have another version than the patch was made with."""
    found: list[Finding] = []
    try:
        nodes = expand(patch).nodes
    except PatchError:
        return []  # a group is not as it must be, which is among the findings
    for id, entry in nodes.items():
        if entry.kind != "plugin" or not entry.settings.get("version"):
            continue
        try:
            settings = resolve_settings(kinds["plugin"], entry)
            words = services.version_words(settings)
        except PatchError:
            continue  # it is missing, or its settings are wrong, which is among the findings
        if words:
            found.append(Finding(id, f"nodes.{id}.settings.version", words))
    return found


def _found(listed: list[Problem]) -> list[Finding]:
    return [Finding(p.node, p.place, p.message) for p in listed]
