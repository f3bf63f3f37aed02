"""What is known of each plugin that is hosted, and of the worker that it is in."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from graph.plugins import PluginRequest
from host.plugins.child import Child
from host.plugins.shared import Calls, Seat, Words
from host.plugins.states import Memory
from nodes.dsp import handover

Status = Literal["new", "loading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take, in seconds, and how much memory a worker may take."""

    load_s: float = 60.0
    block_s: float = 1.0
    """A block that is not done after this long never will be."""
    megabytes: int = 8192
    restart: bool = True
    """Whether what died is started again; otherwise it has failed."""


@dataclass(eq=False)
class Hosted:
    """One plugin for one node, wherever it is in its life."""

    number: int
    request: PluginRequest
    name: str
    source: Mapping[str, Any]
    seat: Seat
    told: int
    """The latency that the graph was told."""
    group: str
    calls: Calls
    status: Status = "new"
    latency: int | None = None
    tail: int | None = None
    values: list[float] = field(default_factory=list[float])
    state: bytes | None = None
    """The last one known: what it is started again with."""
    memory: Memory = field(default_factory=Memory)
    """What is known of its states."""
    loaded: bytes | None = None
    """The state that it was last loaded with."""
    window: bool = False
    """Whether its own window is open."""
    error: str = ""
    since: float = 0.0
    down: float = 0.0
    """When it was lost; 0 while it is not."""
    recoveries: list[float] = field(default_factory=list[float])
    """Seconds that each return took."""
    losses: int = 0
    """How often it was lost."""
    deaths: int = 0
    reloads: list[float] = field(default_factory=list[float])
    """When it asked to be loaded again."""
    stateless: bool = False
    """Whether it is started without its state, because with it it dies."""
    stuck: tuple[int, float] = (0, 0.0)
    busy: set[int] = field(default_factory=set[int])
    """Questions under way during which no block is done."""
    table: weakref.ref[Words] | None = None
    unused: float = 0.0
    """Since when nobody holds its table."""

    @property
    def behind(self) -> bool:
        """Whether a block is under way, or was never finished."""
        return int(self.seat.head[handover.DONE]) != int(self.seat.head[handover.SUBMITTED])

    @property
    def at_work(self) -> bool:
        """Whether the block under way was begun."""
        return self.behind and int(self.seat.head[handover.BEGUN]) == int(self.seat.head[handover.SUBMITTED])

    def word(self, at: int) -> int:
        """A word of the engine's table; 0 where there is none any more."""
        table = self.table() if self.table else None
        return 0 if table is None else int(table[at])


@dataclass(eq=False)
class Group:
    """A worker and the plugins in it."""

    calls: Calls
    members: list[Hosted] = field(default_factory=list[Hosted])
    child: Child | None = None
    deaths: deque[float] = field(default_factory=deque[float])
    retry_at: float = 0.0
    weighed: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a node's plugin is doing."""

    node: str
    name: str
    status: str
    """``new``, ``loading``, ``ready`` or ``failed``."""
    error: str
    missed: int
    """Blocks that were not done in time."""
    passed: int
    """Blocks that passed without the plugin."""
    scrubbed: int
    """Samples that were no numbers."""
    longest_wait_s: float
    backend: str
    latency: int
    window: bool
    """Whether its own window is open."""
    losses: int
    """How often it was lost."""
    recoveries: tuple[float, ...]
    """Seconds that it took each time until it was back."""


def standing_of(hosted: Hosted) -> Standing:
    """How it is doing now."""
    return Standing(
        hosted.request.node,
        hosted.name,
        hosted.status,
        hosted.error,
        hosted.word(handover.MISSED),
        hosted.word(handover.PASSED),
        hosted.word(handover.SCRUBBED),
        hosted.word(handover.WAITED) * 1e-9,
        str(hosted.source.get("backend", "")),
        hosted.latency or 0,
        hosted.window,
        hosted.losses,
        tuple(hosted.recoveries),
    )
