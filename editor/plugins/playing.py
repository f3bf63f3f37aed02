"""What the engine says of the plugins that play: what people do in their windows becomes edits. Knows no window.

An edit in a plugin's window is an undoable change of a param, one step of the history for each turn of a knob; a state
that the plugin took by itself belongs to the step before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic, strftime
from typing import Any, Protocol

from editor.model import Session
from graph.edits import Edit, Inside, SetParam, SetState
from graph.errors import PatchError


class EnginePlugins(Protocol):
    """What is asked of ``host.Engine.plugins``."""

    def open_window(self, node: str) -> None: ...
    def close_window(self, node: str) -> None: ...
    def edits(self) -> list[Any]: ...
    def states(self) -> Mapping[str, bytes]: ...
    def standing(self) -> Mapping[str, Any]: ...
    def values(self, node: str) -> Mapping[str, float]: ...
    def text(self, node: str, param: str, value: float) -> str | None: ...
    def value_of(self, node: str, param: str, text: str) -> float | None: ...
    def state(self, node: str) -> bytes: ...
    def share_processes(self, grouping: str) -> None: ...


ECHO_S = 2.0
"""So long after a change of the patch a plugin's new state may be what it made of that change."""
NOTHING: Mapping[str, float] = {}


class Playing:
    """Follows the engine's plugins for a session. ``find`` gives them, or None while there is no engine."""

    def __init__(self, session: Session, find: Callable[[], EnginePlugins | None]) -> None:
        self.session, self._find = session, find
        self.standing: Mapping[str, Any] = {}
        """How each plugin is doing, by the engine's addresses."""
        self.lost: dict[str, str] = {}
        """The clock when a plugin was lost last."""
        self._values: dict[str, Mapping[str, float]] = {}
        """What plugins have for their params, since the last step."""
        self.waiting = False
        """Whether a text was asked for that is not known yet."""
        self._gestures: dict[str, object] = {}
        """The last gesture in each plugin's window, until the state that comes of it."""
        self._edited = 0.0
        """When the patch was changed here last."""
        self._later: deque[Callable[[], object]] = deque()

    @property
    def engine(self) -> EnginePlugins | None:
        """The engine's plugins, if there are some to ask."""
        return self._find()

    def later(self, task: Callable[[], object]) -> None:
        """Do something at the next step; for whoever is in another thread."""
        self._later.append(task)

    def step(self) -> None:
        """Take up what has happened since the last call. What a task raises comes through; the next step goes on."""
        while self._later:
            self._later.popleft()()
        plugins = self._find()
        self._values.clear()
        if plugins is None:
            self.standing = {}
            return
        for edit in plugins.edits():
            gesture = self._gestures[edit.node] = ("plugin", edit.node, edit.gesture)
            if edit.phase == "perform":
                self._do(edit.node, lambda node, e=edit: SetParam(node, e.param, e.value), f"Set {edit.param}", gesture)
        before, self.standing = self.standing, plugins.standing()
        for node, now in self.standing.items():
            if node in before and now.losses > before[node].losses:
                self.lost[node] = strftime("%H:%M:%S")
        for node, state in plugins.states().items():
            if self._is_done_by_hand(node):
                words, gesture = f"Change in {self._title(node)}", self._gestures.pop(node, None)
                self._do(node, lambda own, s=state: SetState(own, s), words, gesture)

    def edited(self) -> None:
        """The patch was changed: what a plugin makes of that is no work of anybody's hands."""
        self._edited = monotonic()
        if self.session.history.undone:
            self._gestures.clear()

    def _is_done_by_hand(self, node: str) -> bool:
        """Whether a new state comes of what somebody did in a plugin's window, and not of being loaded or of a param
        that was turned or taken back here: that is in the patch already, and must not become a step of its own.
        """
        if node in self._gestures:
            return True
        open_ = node in self.standing and self.standing[node].window
        return open_ and monotonic() - self._edited > ECHO_S

    def _do(self, address: str, make: Callable[[str], Edit], name: str, gesture: object) -> None:
        """Do an edit of the node of an address, wherever one is looking; one that is gone meanwhile is passed over."""
        *groups, id = address.split("/")
        edit = make(id)
        for group in reversed(groups):
            edit = Inside(group, edit)
        try:
            self.session.do_at_root(edit, name=name, gesture=gesture)
        except PatchError:
            if self.session.patch.graph.has_node(address.partition("/")[0]):
                raise

    def _title(self, address: str) -> str:
        found = self.standing.get(address)
        return found.name if found is not None else address.rpartition("/")[2]

    # -- what it shows -------------------------------------------------------------------------------------------------

    def text(self, address: str, param: str, value: float) -> str | None:
        """What a plugin shows for a value of a param, if that is known; else it is asked for."""
        plugins = self._find()
        if plugins is None or address not in self.standing or self.standing[address].status != "ready":
            return None
        found = plugins.text(address, param, value)
        self.waiting = self.waiting or found is None
        return found

    def values(self, address: str) -> Mapping[str, float]:
        """What a plugin itself has for its params."""
        if address not in self._values:
            plugins = self._find()
            known = plugins is not None and address in self.standing
            self._values[address] = plugins.values(address) if plugins is not None and known else NOTHING
        return self._values[address]
