"""What the compiler knows of the patch: layouts, latencies, compensation, problems; found aside, after each change."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from editor.faces import group_shows, inner_patch
from editor.model import Session
from graph.document import NodeEntry, Patch

if TYPE_CHECKING:
    from host.checking import Finding

SETTLE_S = 0.15
"""How long the patch must have rested before it is looked at."""


@dataclass(frozen=True, slots=True)
class Insight:
    """By the engine's addresses. Latencies are in frames; ``layouts`` by ``node.port``."""

    layouts: Mapping[str, str] = field(default_factory=dict[str, str])
    latency: Mapping[str, int] = field(default_factory=dict[str, int])
    arrival: Mapping[str, int] = field(default_factory=dict[str, int])
    compensation: Mapping[str, int] = field(default_factory=dict[str, int])
    """By cable, as ``source.port -> target.port``."""
    problems: tuple[Finding, ...] = ()
    rate: int = 48000
    outputs: Mapping[str, int] = field(default_factory=dict[str, int])
    """The whole latency of every output."""


def layouts_here(session: Session, insight: Insight) -> dict[str, str]:
    """The layouts of all ports of the level that is looked at, by ``node.port``; a group's are those of what is inside
    it.
    """
    prefix = "/".join((*session.path, ""))
    found = {k.removeprefix(prefix): v for k, v in insight.layouts.items() if k.startswith(prefix)}
    for id, entry in session.here.nodes().items():
        if entry.kind == "group":
            for name in group_shows(entry, "ports"):
                inside = _inside(entry, id, name)
                if inside in found:
                    found[f"{id}.{name}"] = found[inside]
    return found


def _inside(entry: NodeEntry, address: str, port: str) -> str:
    """The address of the port that a group's port stands for, through groups in groups."""
    node, _, name = group_shows(entry, "ports").get(port, "").rpartition(".")
    inner = inner_patch(entry)
    below = inner.nodes().get(node) if inner is not None else None
    if below is not None and below.kind == "group":
        return _inside(below, f"{address}/{node}", name)
    return f"{address}/{node}.{name}"


class Insights:
    """Asks the compiler in a thread of its own; ``now`` is the newest answer."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.now = Insight()
        self._due = 0.0
        self._working: threading.Thread | None = None

    def changed(self) -> None:
        """The structure of the patch has changed."""
        self._due = monotonic() + SETTLE_S

    def step(self) -> None:
        """Begin to look, if it is time."""
        if self._due and monotonic() >= self._due and (self._working is None or not self._working.is_alive()):
            self._due = 0.0
            patch = self.session.patch.copy()
            self._working = threading.Thread(target=self._look, args=(patch,), name="insight", daemon=True)
            self._working.start()

    def _look(self, patch: Patch) -> None:
        from host.checking import check

        found = check(patch, self.session.kinds, self.session.shelf.services(patch.folder or Path.cwd()))
        problems = found.findings
        schedule = found.schedule
        if schedule is None:
            self.now = Insight(problems=problems)
            return
        self.now = Insight(
            {f"{n.id}.{p}": layout for n in schedule.nodes for p, layout in n.config.layouts.items()},
            {n.id: n.latency for n in schedule.nodes},
            {n.id: n.arrival for n in schedule.nodes},
            {c.cable: c.frames for c in schedule.compensations},
            problems,
            schedule.rate,
            {o.node: o.latency for o in found.outputs},
        )
