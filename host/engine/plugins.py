"""The plugins of a playing patch as the engine's client sees them: ``engine.plugins``."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from host.engine.process import EngineError
from host.fields import FromEngine, ToEngine
from host.plugins.errors import PluginError
from host.plugins.messages import (
    AskPlugin,
    AskPluginStates,
    ClosePluginWindow,
    GivePluginState,
    OpenPluginWindow,
    PluginAnswer,
    PluginEdits,
    PluginsIn,
    PluginStandings,
    PluginState,
    PluginStatesTold,
    PluginTitles,
    PluginValues,
    RestartPlugin,
)
from host.values import set_states, set_values

if TYPE_CHECKING:
    from host.engine.client import Engine

MOST_EDITS = 10_000
MOST_TEXTS = 10_000
"""Texts that are remembered; those looked at last stay."""
MOST_ASKED = 64
"""Texts that are asked for at once."""


@dataclass(frozen=True, slots=True)
class PluginEdit:
    """What a person did in a plugin's own window. ``value`` is 0…1; one ``gesture`` is one turn of one knob."""

    node: str
    param: str
    value: float
    gesture: int
    phase: str
    """``begin``, ``perform`` or ``end``; only ``perform`` has a new value."""


@dataclass(frozen=True, slots=True)
class PluginChange:
    """A plugin's state became another. ``by_hand``: somebody did that in its window; ``moved`` are then the params
    that the patch gives and that changed with it, 0…1. Otherwise it may be no more than what came of the patch.
    """

    state: bytes
    by_hand: bool
    moved: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PluginStanding:
    """How a node's plugin does."""

    name: str
    status: str
    """``new``, ``loading``, ``ready`` or ``failed``."""
    error: str
    backend: str
    latency: int
    """Frames, as it reports them."""
    window: bool
    losses: int
    """How often it was lost: crashed, hung, or took too much memory."""
    recoveries: int
    missed: int
    """Blocks that it did not do in time."""
    passed: int
    """Blocks that passed without it."""
    scrubbed: int
    """Samples that were no numbers."""


class Plugins:
    """Windows, states, values and presets. Nodes are addresses (``fx``, ``group/fx``). Any thread."""

    def __init__(
        self, engine: Engine, send: Callable[[ToEngine], None], wait: Callable[[Callable[[], bool]], None]
    ) -> None:
        self._engine, self._send, self._wait = engine, send, wait
        self._lock = threading.Lock()
        self._edits: deque[PluginEdit] = deque(maxlen=MOST_EDITS)
        self._changes: dict[str, PluginChange] = {}
        self._told: set[int] = set()
        self._values: dict[str, dict[str, float]] = {}
        self._titles: dict[str, Mapping[str, tuple[str, str]]] = {}
        self._standing: dict[str, PluginStanding] = {}
        self._texts: OrderedDict[tuple[str, str, float], str] = OrderedDict()
        self._asked: dict[int, tuple[str, str, float]] = {}
        self._awaited: set[int] = set()
        self._answers: dict[int, PluginAnswer] = {}
        self._ticket = 0

    # -- windows and what comes of them --------------------------------------------------------------------------------

    def open_window(self, node: str) -> None:
        """Open a plugin's own window, or bring it to the front. A notice says where that cannot be."""
        self._send(OpenPluginWindow(node))

    def close_window(self, node: str) -> None:
        """Close it."""
        self._send(ClosePluginWindow(node))

    def restart(self, node: str) -> None:
        """End a plugin's process, and start it again with its last state; also one that has failed for good."""
        self._send(RestartPlugin(node))

    def edits(self) -> list[PluginEdit]:
        """What was done in windows since the last call. The patch is to follow: see ``Engine.set``."""
        with self._lock:
            found = list(self._edits)
            self._edits.clear()
            return found

    def states(self) -> dict[str, bytes]:
        """States that became others by themselves, or in a window, since the last call: for the patch to keep. A patch
        that is loaded with them leaves the plugins as they are.
        """
        return {node: change.state for node, change in self.changes().items()}

    def changes(self) -> dict[str, PluginChange]:
        """The same, with whose doing it was."""
        with self._lock:
            found, self._changes = self._changes, {}
            return found

    def ask_states(self) -> int:
        """Have the states told of all plugins whose windows are or were open: they need not say when they change. When
        ``states_told`` of the answer is true, ``changes`` has those that the patch does not.
        """
        with self._lock:
            ticket = self._next()
        self._send(AskPluginStates(ticket))
        return ticket

    def states_told(self, ticket: int) -> bool:
        """Whether that is done; true once."""
        with self._lock:
            done = ticket in self._told
            self._told.discard(ticket)
            return done

    def give_state(self, node: str) -> None:
        """What ``changes`` said of a plugin was not kept, or taken back: the state of the next patch that is loaded is
        given to it, also where it is the one that the last patch had.
        """
        self._send(GivePluginState(node))

    def keep_states(self) -> None:
        """Take into the engine's patch what was done in plugins' windows: before it is written somewhere. Waits. Raises
        PluginError where there is no answer.
        """
        ticket = self.ask_states()
        try:
            self._wait(lambda: ticket in self._told)
        except EngineError as error:
            raise PluginError(f"the plugins were not asked for their states: {error}") from None
        self.states_told(ticket)
        changes = self.changes()
        if changes:
            patch = self._engine.patch
            set_states(patch, [(node, change.state) for node, change in changes.items()])
            moved = [(node, *row) for node, change in changes.items() for row in change.moved.items()]
            if moved:
                from nodes import kinds

                set_values(patch, moved, kinds())
            self._engine.load(patch, wait=False)

    # -- what is known -------------------------------------------------------------------------------------------------

    def standing(self) -> Mapping[str, PluginStanding]:
        """How all plugins do."""
        with self._lock:
            return dict(self._standing)

    def values(self, node: str) -> Mapping[str, float]:
        """What a plugin has for its params, 0…1; empty until it is known."""
        with self._lock:
            return dict(self._values.get(node, {}))

    def titles(self, node: str) -> Mapping[str, tuple[str, str]]:
        """What a plugin calls its params now, and their units, of those that a scan found called otherwise."""
        with self._lock:
            return self._titles.get(node, {})

    def text(self, node: str, param: str, value: float) -> str | None:
        """What a plugin shows for a value of a param. None: that is not known yet; it is being asked."""
        key = node, param, float(value)
        with self._lock:
            if key in self._texts:
                self._texts.move_to_end(key)
                return self._texts[key]
            if key in self._asked.values() or len(self._asked) >= MOST_ASKED:
                return None
            ticket = self._next()
            self._asked[ticket] = key
        self._send(AskPlugin(ticket, node, "text", param, float(value), ""))
        return None

    def value_of(self, node: str, param: str, text: str) -> float | None:
        """The value that a text stands for, or None where the plugin cannot tell. Waits. Raises PluginError."""
        return self._ask(node, "value", param, text[:100]).value

    def state(self, node: str) -> bytes:
        """A plugin's whole state now. Waits. Raises PluginError."""
        return self._ask(node, "state").state

    def _ask(self, node: str, question: str, param: str = "", words: str = "") -> PluginAnswer:
        with self._lock:
            ticket = self._next()
            self._awaited.add(ticket)
        self._send(AskPlugin(ticket, node, question, param, 0.0, words))
        try:
            self._wait(lambda: ticket in self._answers or ticket not in self._awaited)
            answer = self._answers.get(ticket)
        except EngineError as error:
            raise PluginError(f"{node}: {error}") from None
        finally:
            with self._lock:
                self._awaited.discard(ticket)
                self._answers.pop(ticket, None)
        if answer is None:
            raise PluginError(f"{node}: the engine was lost before the plugin answered")
        if answer.problem:
            raise PluginError(answer.problem)
        return answer

    def _next(self) -> int:
        self._ticket += 1
        return self._ticket

    # -- presets, processes --------------------------------------------------------------------------------------------

    def load_preset(self, node: str, path: str | os.PathLike[str]) -> None:
        """Have a plugin take over a ``.vstpreset``: its state and all its params. Raises PluginError or PatchError."""
        from host.plugins import presets
        from host.plugins.replacing import preset_edit, settled

        preset = presets.read(Path(path))
        patch = self._engine.patch
        entry = settled(patch, node)
        uid = entry.settings.get("uid", "")
        if uid and preset.uid != str(uid).upper():
            raise PluginError(f"{path}: a preset of another plugin ({preset.uid}), not of {node}")
        preset_edit(node, entry, presets.pack(preset)).apply(patch)
        self._engine.load(patch, wait=False)

    def save_preset(self, node: str, path: str | os.PathLike[str]) -> None:
        """Write a plugin's state to a new ``.vstpreset``. Waits. Raises PluginError, also where there is a file."""
        from host.plugins import presets

        target = Path(path)
        if target.exists():
            raise PluginError(f"{target}: there is a file already")
        state = self.state(node)
        presets.write(target, presets.unpack(state, f"state of {node}"))

    def share_processes(self, grouping: str) -> None:
        """Which plugins that are loaded from now on share a process: ``plugin`` (none), ``chain`` (those of a serial
        chain) or ``patch`` (all). Raises MessageError for anything else.
        """
        self._send(PluginsIn(grouping))

    # -- called from the link's thread ---------------------------------------------------------------------------------

    def came(self, message: FromEngine) -> None:
        """The engine tells something of plugins."""
        with self._lock:
            match message:
                case PluginEdits(rows):
                    for row in rows:
                        self._edits.append(PluginEdit(*row))
                        if row[4] == "perform":
                            self._values.setdefault(row[0], {})[row[1]] = row[2]
                case PluginState(node, state, by_hand, moved):
                    before = self._changes.get(node)
                    earlier = before.moved if before else {}
                    by_hand = by_hand or bool(before and before.by_hand)
                    self._changes[node] = PluginChange(state, by_hand, {**earlier, **dict(moved)})
                case PluginStatesTold(ticket):
                    self._told.add(ticket)
                case PluginValues(node, values):
                    self._values[node] = dict(values)
                case PluginTitles(node, rows):
                    self._titles[node] = {name: (title, unit) for name, title, unit in rows}
                    for key in [key for key in self._texts if key[0] == node]:
                        del self._texts[key]  # it may show other words too
                case PluginStandings(rows):
                    self._standing = {row[0]: PluginStanding(*row[1:]) for row in rows}
                case PluginAnswer(ticket):
                    self._answered(ticket, message)
                case _:
                    return

    def _answered(self, ticket: int, answer: PluginAnswer) -> None:
        if ticket in self._awaited:
            self._answers[ticket] = answer
        key = self._asked.pop(ticket, None)
        if key is not None and not answer.problem:
            self._texts[key] = answer.words
            while len(self._texts) > MOST_TEXTS:
                self._texts.popitem(last=False)

    def forget(self) -> None:
        """The engine is another one: what was asked of the last will not be answered."""
        with self._lock:
            self._asked.clear()
            self._awaited.clear()
            self._standing = {}
