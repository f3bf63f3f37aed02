"""What the engine says of the plugins that play: what people do in their windows becomes edits. Knows no window.

An edit in a plugin's window is an undoable change of a param, one step of the history for each turn of a knob; the
state that comes of it belongs to that step. Of what else is done there a plugin may say nothing (a sample is picked, a
preset of its own): its state is asked for when the pointer leaves the window, and before the patch is kept anywhere, or
taken back, or anything is copied from it (``settle``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic, strftime
from typing import Any, Protocol

from editor.model import Session
from graph.document import NodeEntry
from graph.edits import Batch, Edit, SetParam, SetState, inside
from graph.errors import PatchError
from graph.groups import expand


class EnginePlugins(Protocol):
    """What is asked of ``host.Engine.plugins``."""

    def open_window(self, node: str) -> None: ...
    def close_window(self, node: str) -> None: ...
    def edits(self) -> list[Any]: ...
    def changes(self) -> Mapping[str, Any]: ...
    def ask_states(self) -> int: ...
    def give_state(self, node: str) -> None: ...
    def states_told(self, ticket: int) -> bool: ...
    def standing(self) -> Mapping[str, Any]: ...
    def values(self, node: str) -> Mapping[str, float]: ...
    def text(self, node: str, param: str, value: float) -> str | None: ...
    def value_of(self, node: str, param: str, text: str) -> float | None: ...
    def titles(self, node: str) -> Mapping[str, tuple[str, str]]: ...
    def state(self, node: str) -> bytes: ...
    def share_processes(self, grouping: str) -> None: ...


ECHO_S = 2.0
"""So long after an undo a plugin's new state may be what it made of that, and must not cost the redo."""
LATELY_S = 2.0
"""So long after its window was closed a plugin is asked once more: its engine looks at it by itself within a second."""
LONGEST_S = 2.0
"""So long the states of plugins are waited for, before the patch is kept without."""
NOTHING: Mapping[str, float] = {}


@dataclass(slots=True)
class _Waiting:
    """What is to be done, in turn, when states that were asked for are told, or the time is up."""

    then: Callable[[], object]
    asks: bool
    until: float
    ticket: int | None = None
    """Of the question, once it was put: not before what comes first is done."""


class Playing:
    """Follows the engine's plugins for a session. ``find`` gives them, or None while there is no engine; ``say`` is for
    the user.
    """

    def __init__(
        self,
        session: Session,
        find: Callable[[], EnginePlugins | None],
        say: Callable[[str, str], object] = lambda level, text: None,
    ) -> None:
        self.session, self._find, self._say = session, find, say
        self.standing: Mapping[str, Any] = {}
        """How each plugin is doing, by the engine's addresses."""
        self.lost: dict[str, str] = {}
        """The clock when a plugin was lost last."""
        self._values: dict[str, Mapping[str, float]] = {}
        """What plugins have for their params, since the last step;"""
        self._titles: dict[str, Mapping[str, tuple[str, str]]] = {}
        """and what they are called."""
        self.waiting = False
        """Whether a text was asked for that is not known yet."""
        self._gestures: dict[str, object] = {}
        """The last gesture in each plugin's window, until the state that comes of it."""
        self._programs: dict[str, set[str]] = {}
        """The params that chose a program, until the state that comes of it."""
        self._taken: dict[str, bytes] = {}
        """The states that plugins came to and the patch took over: each plugin has it, unless the patch goes on."""
        self._edited = 0.0
        """When the patch was changed here last."""
        self._later: deque[Callable[[], object]] = deque()
        self._opened: dict[str, float] = {}
        """The plugins whose windows are open, or were, and when that was seen last."""
        self._waiting: deque[_Waiting] = deque()

    @property
    def engine(self) -> EnginePlugins | None:
        """The engine's plugins, if there are some to ask."""
        return self._find()

    def later(self, task: Callable[[], object]) -> None:
        """Do something at the next step; for whoever is in another thread."""
        self._later.append(task)

    def step(self) -> None:
        """Take up what has happened since the last call. What a task raises comes through; the next step goes on."""
        self._do_later()
        plugins = self._find()
        self._values.clear()
        self._titles.clear()
        if plugins is None:
            self.standing = {}
            self._later.extend(each.then for each in self._waiting)
            self._waiting.clear()
            return
        for edit in plugins.edits():
            gesture = self._gestures[edit.node] = ("plugin", edit.node, edit.gesture)
            if edit.phase == "perform":
                self._do(edit.node, lambda node, e=edit: SetParam(node, e.param, e.value), f"Set {edit.param}", gesture)
        before, self.standing = self.standing, plugins.standing()
        for node, now in self.standing.items():
            if now.window:
                self._opened[node] = monotonic()
            if node in before and now.losses > before[node].losses:
                self.lost[node] = strftime("%H:%M:%S")
        asked = bool(self._waiting)
        told = self._told(plugins)
        for node, change in plugins.changes().items():
            self._take(node, change, asked)
        self._later.extend(told)
        self._do_later()
        self._put(plugins)

    def _do_later(self) -> None:
        while self._later:
            self._later.popleft()()

    def opened(self, address: str) -> None:
        """A plugin's window is to be opened."""
        self._opened[address] = monotonic()

    @property
    def unsettled(self) -> bool:
        """Whether something may have been done in a plugin's window that the patch does not know of."""
        return any(self.standing[node].status == "ready" for node in self._opened if node in self.standing)

    @property
    def in_hand(self) -> bool:
        """The same of windows that are open, or were just now."""
        return self.unsettled and any(monotonic() - seen < LATELY_S for seen in self._opened.values())

    def settle(self, then: Callable[[], object], ask: bool = True) -> None:
        """Do something that keeps the patch somewhere, or goes back from it, once the patch has what was done in
        plugins' windows: at once where none is open nor was; else after asking, at a later step, at the latest after
        ``LONGEST_S``. Without ``ask`` at once too, unless something else waits: all is done in its order.
        """
        plugins = self._find()
        ask = ask and self.unsettled
        if plugins is None or not (ask or self._waiting):
            then()
            return
        self._waiting.append(_Waiting(then, ask, monotonic() + LONGEST_S))
        self._put(plugins)

    def _put(self, plugins: EnginePlugins) -> None:
        """Ask for states, where what is to be done next waits for them."""
        if self._waiting and self._waiting[0].asks and self._waiting[0].ticket is None:
            self._give_back(plugins)
            self._waiting[0].ticket = plugins.ask_states()

    def _told(self, plugins: EnginePlugins) -> list[Callable[[], object]]:
        """What can be done now: the states that it waited for are told, and in ``changes`` by then."""
        done: list[Callable[[], object]] = []
        while self._waiting:
            first = self._waiting[0]
            if first.asks and (first.ticket is None or not plugins.states_told(first.ticket)):
                if monotonic() < first.until:
                    break
                self._say("warning", "A plugin did not say its state in time; what was known of it before is kept.")
            done.append(self._waiting.popleft().then)
        return done

    def _give_back(self, plugins: EnginePlugins) -> None:
        """Where a plugin came to a state by itself, and the patch took that over and went on, or back, to another: let
        the plugin be given that one, whatever of it the engine has seen of the patch meanwhile.
        """
        for node, state in list(self._taken.items()):
            entry = self._entry(node)
            if entry is not None and entry.state != state:
                del self._taken[node]
                plugins.give_state(node)

    def chose(self, address: str, param: str, gesture: object) -> None:
        """A param chose a program, by this gesture: what becomes of the plugin next comes of that."""
        self._gestures[address] = gesture
        self._programs.setdefault(address, set()).add(param)

    def edited(self) -> None:
        """The patch was changed: what a plugin makes of that is no work of anybody's hands."""
        self._edited = monotonic()
        if self.session.history.undone:
            self._gestures.clear()
            self._programs.clear()
        plugins = self._find()
        if plugins is not None:
            self._give_back(plugins)

    def _take(self, node: str, change: Any, asked: bool) -> None:
        """A plugin's state is another: somebody's doing in its window is a step, with the params that went along. What
        may be no more than what came of the patch is no step; it is kept all the same where the patch is to be kept.
        """
        gesture = self._gestures.pop(node, None)
        entry = self._entry(node)
        if entry is None or entry.state == change.state:
            return
        fresh_undo = bool(self.session.history.undone) and monotonic() - self._edited < ECHO_S
        moved: dict[str, float | None] = {name: v for name, v in change.moved.items() if name in entry.params}
        for name in self._programs.pop(node, ()):
            moved[name] = None  # the state has it; it must not be chosen once more over what is turned later

        def edit(own: str) -> Edit:
            params = tuple(SetParam(own, name, value) for name, value in moved.items())
            return Batch("", (SetState(own, change.state), *params)) if params else SetState(own, change.state)

        if gesture is not None or (change.by_hand and not fresh_undo):
            self._do(node, edit, f"Change in {self._title(node)}", gesture)
        elif change.by_hand or asked:
            self.session.adopt(_at(node, edit))
        else:
            return
        self._taken[node] = change.state

    def _entry(self, address: str) -> NodeEntry | None:
        if "/" not in address:
            return self.session.patch.node(address) if self.session.patch.graph.has_node(address) else None
        try:
            return expand(self.session.patch).nodes.get(address)
        except PatchError:
            return None

    def _do(self, address: str, make: Callable[[str], Edit], name: str, gesture: object) -> None:
        """Do an edit of the node of an address, wherever one is looking; one that is gone meanwhile is passed over."""
        try:
            self.session.do_at_root(_at(address, make), name=name, gesture=gesture)
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

    def titles(self, address: str) -> Mapping[str, tuple[str, str]]:
        """What a plugin calls its params now, and their units, where these are others than when it was scanned."""
        if address not in self._titles:
            plugins = self._find()
            self._titles[address] = plugins.titles(address) if plugins is not None and address in self.standing else {}
        return self._titles[address]


def _at(address: str, make: Callable[[str], Edit]) -> Edit:
    """An edit of the node of an address, as one of the outermost patch."""
    *groups, id = address.split("/")
    return inside(groups, make(id))
