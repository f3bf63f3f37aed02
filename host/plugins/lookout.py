"""Looks at the states of plugins that play, and tells those that became others, and whose doing that was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from time import monotonic
from typing import Any

from host.fields import FromEngine
from host.messages import Notice
from host.plugins.asking import Questions
from host.plugins.doings import SAME, Doing
from host.plugins.hosted import Hosted
from host.plugins.link import Link
from host.plugins.messages import MOST_STATE_BYTES, PluginState, PluginStatesTold, PluginValues
from host.plugins.naming import Naming

SETTLED_S = 0.5
"""A plugin's state is asked for so long after the last sign that it is another."""


class Lookout:
    """For the plugins of one ``Link``. ``given`` is what the patch gives or gave the params of each, kept by whoever
    made this; ``tell`` takes messages for the client.
    """

    def __init__(
        self,
        link: Link,
        questions: Questions,
        names: Naming,
        given: Mapping[str, Mapping[str, float]],
        tell: Callable[[FromEngine], None],
    ) -> None:
        self._link, self._ask, self._names, self._given, self._tell = link, questions.ask, names, given, tell
        self._doings: dict[str, Doing] = {}
        self._driven: Mapping[str, set[str]] = {}
        self._dirty: dict[str, float] = {}
        self._said: set[str] = set()
        """Those of the dirty that said so themselves;"""
        self._chose: set[str] = set()
        """and those for which a program was chosen."""

    def follow(self, driven: Mapping[str, set[str]]) -> list[str]:
        """The plugins of the patch are these, with the params that automation and cables move. Those that are gone, and
        have their window open.
        """
        gone = [node for node, doing in self._doings.items() if node not in driven and doing.window]
        self._doings = {node: self._doings.get(node) or Doing() for node in driven}
        self._driven = driven
        return gone

    # What happens to a plugin

    def begins(self, node: str, hosted: Hosted) -> None:
        """It was loaded, or given a state."""
        self._doings[node].begins(self._names.values(hosted))

    def shows(self, node: str, open: bool) -> None:
        """Its window was opened, or closed."""
        self._doings[node].shows(open)

    def turned(self, node: str, params: AbstractSet[str]) -> None:
        """The patch gave params other values."""
        self._doings[node].turned |= params

    def note_programs(self, node: str, turned: AbstractSet[str]) -> None:
        """Params were turned: where one chooses a program it turns others, whether the plugin says so or not. One that
        is still to be loaded is loaded with its program.
        """
        hosted = self._link.hosted(node)
        if hosted is not None and hosted.status == "ready" and not turned.isdisjoint(self._names.of(hosted).programs):
            self.stirred(node, monotonic())
            self._chose.add(node)

    def stirred(self, node: str, now: float, said: bool = True) -> None:
        """There is a sign that its state is another; ``said``: from the plugin itself."""
        self._dirty[node] = now
        if said:
            self._said.add(node)

    def left(self, node: str, now: float) -> None:
        """The pointer went out of its window."""
        self._dirty.setdefault(node, now)

    # Looks

    def step(self, now: float, held: Callable[[str], bool]) -> None:
        """Look where it is due; not where a knob is held."""
        for node, since in list(self._dirty.items()):
            if now - since > SETTLED_S and not held(node):
                del self._dirty[node]
                self.look(node, told=node in self._said)
                self._said.discard(node)

    def look_at_all(self, ticket: int) -> None:
        """Look at every plugin whose window is or was open, and then say that all was told."""
        left = {node for node, doing in self._doings.items() if doing.opened}
        if not left:
            self._tell(PluginStatesTold(ticket))

        def looked(node: str) -> None:
            left.discard(node)
            if not left:
                self._tell(PluginStatesTold(ticket))

        for node in sorted(left):
            self._dirty.pop(node, None)
            self.look(node, told=True, again=True, then=partial(looked, node))

    def look(self, node: str, told: bool = False, again: bool = False, then: Callable[[], None] = lambda: None) -> None:
        """Ask for a plugin's state and values. A new state is told where it is somebody's doing at its window; with
        ``told`` in any case, and ``again`` also where it was told before, as long as the patch does not have it.
        """
        doing, looked = self._doings.setdefault(node, Doing()), self._link.hosted(node)
        turned, doing.turned = doing.turned, set()
        given = looked.memory.given if looked else 0

        def has_state(state: Any, problem: str) -> None:
            if problem or not isinstance(state, bytes):
                doing.turned |= turned
                then()  # it was lost meanwhile, or gives none
            else:
                self._ask(node, "values", (), partial(has_values, state))

        def has_values(state: bytes, values: Any, problem: str) -> None:
            hosted = self._link.hosted(node)
            if hosted is not looked or (hosted is not None and hosted.memory.given != given):
                doing.turned |= turned  # it was given another state meanwhile, or is another one
            elif not problem and hosted is not None and isinstance(values, list):
                hosted.values = values
                hosted.memory.note_values(state, values)
                self.tell_values(node)
                now, driven = self._names.values(hosted), self._driven.get(node, set())
                by_hand, own = doing.look(state, now, turned | doing.turned | driven)
                if node in self._chose:
                    self._chose.discard(node)
                    own = self._otherwise(node, now, driven | self._names.of(hosted).programs)
                if by_hand and not own:
                    self._ask(node, "state", (), partial(has_again, hosted, state))
                    return
                if told or by_hand:
                    self._tell_state(node, hosted, state, again, by_hand, own)
            then()

        def has_again(hosted: Hosted, state: bytes, second: Any, problem: str) -> None:
            # some plugins never give the same bytes twice: those say nothing of anybody's hands
            by_hand = not problem and second == state
            if (told or by_hand) and hosted.memory.given == given:
                self._tell_state(node, hosted, state, again, by_hand, {})
            then()

        if node in self._chose:
            self._ask(node, "heed_programs", (), lambda answer, problem: None)
        self._ask(node, "state", (), has_state)

    def _otherwise(self, node: str, now: Mapping[str, float], beside: AbstractSet[str]) -> dict[str, float]:
        """What a plugin has for params to which the patch gives another value, since a program turned them."""
        given = self._given.get(node, {})
        names = [name for name in now if name in given and name not in beside]
        return {name: now[name] for name in names if abs(now[name] - given[name]) > SAME}

    def _tell_state(
        self, node: str, hosted: Hosted, state: bytes, again: bool, by_hand: bool, own: Mapping[str, float]
    ) -> None:
        if len(state) > MOST_STATE_BYTES:
            words = f"its state has {len(state)} bytes, more than a patch can hold, and is not kept"
            self._tell(Notice("warning", f"{node}: {hosted.name}: {words}."))
        elif hosted.memory.show(state, again):
            given = self._given.get(node, {})
            moved = tuple((name, min(max(value, 0.0), 1.0)) for name, value in own.items() if name in given)
            self._tell(PluginState(node, state, by_hand, moved))

    def tell_values(self, node: str) -> None:
        """Tell what its params are at."""
        hosted = self._link.hosted(node)
        if hosted is not None and hosted.status == "ready":
            self._tell(PluginValues(node, tuple(self._names.values(hosted).items())))
