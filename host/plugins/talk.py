"""What the plugins of a live patch have to tell, as messages to the client, and what the client asks of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from time import monotonic
from typing import Any

from graph.document import NodeEntry, Patch
from graph.errors import PatchError
from graph.groups import expand
from graph.spec import BUILT_IN_PARAMS, Kinds
from host.fields import LARGEST_COUNT, FromEngine, ToEngine
from host.messages import Notice
from host.plugins.asking import Done, Questions
from host.plugins.doings import SAME, Doing
from host.plugins.errors import PluginError
from host.plugins.finding import version_words
from host.plugins.gestures import Gestures, Turned
from host.plugins.hosted import Hosted
from host.plugins.link import Link
from host.plugins.messages import (
    MOST_STATE_BYTES,
    AskPlugin,
    AskPlugins,
    AskPluginStates,
    ClosePluginWindow,
    GivePluginState,
    OpenPluginWindow,
    PluginAnswer,
    PluginEdits,
    PluginStandings,
    PluginState,
    PluginStatesTold,
    PluginTitles,
    PluginValues,
    RestartPlugin,
)
from host.plugins.naming import Naming
from host.plugins.states import digest
from host.values import set_values

SETTLED_S = 0.5
"""A plugin's state is asked for so long after the last sign that it is another."""
STANDING_S = 0.2
TROUBLE_S = 5.0
"""A plugin's troubles are told at most so often; those between are not."""
LONGEST_TITLE = 200
OTHER_PARAMS = "has other params than when it was scanned; `patchwright plugins retry` looks at it again"

Settle = Callable[[str, str, float], None]
"""Sets a param of the patch in play. Raises PatchError."""


class Talk:
    """With the plugins of one ``Link``. One thread, but for ``heard``; nothing waits."""

    def __init__(self, link: Link, kinds: Kinds, settle: Settle) -> None:
        self._link, self._kinds, self._settle = link, kinds, settle
        self._heard: deque[tuple[str, Mapping[str, Any]]] = deque()
        self._questions = Questions(link)
        self._ask = self._questions.ask
        self._out: list[FromEngine] = []
        self._gestures = Gestures()
        self._dirty: dict[str, float] = {}
        self._said: set[str] = set()
        """Those of the dirty that said so themselves;"""
        self._chose: set[str] = set()
        """and those for which a program was chosen."""
        self._doings: dict[str, Doing] = {}
        self._driven: dict[str, set[str]] = {}
        """Params that automation and cables move."""
        self._entries: dict[str, NodeEntry] = {}
        self._given: dict[str, dict[str, float]] = {}
        self._owed: dict[str, set[str]] = {}
        self._names = Naming(link)
        self._troubled: dict[str, float] = {}
        self._versions: set[tuple[str, str]] = set()
        self._titles: dict[str, tuple[tuple[str, str, str], ...]] = {}
        self._standings: tuple[Any, ...] = ()
        self._standings_at = 0.0

    def heard(self, node: str, message: Mapping[str, Any]) -> None:
        """A plugin said something; from any thread."""
        self._heard.append((node, message))

    # The patch

    def follow(self, patch: Patch) -> None:
        """Another patch is to be played. Params that it gave before and gives no longer are, in this copy of it, given
        what the plugin's state holds; where that is not known yet, what they were given before, until it is.
        """
        flat = expand(patch)
        self._entries = {id: e for id, e in flat.nodes.items() if e.kind == "plugin"}
        for gone in self._given.keys() - self._entries.keys():
            del self._given[gone]
        for gone in self._doings.keys() - self._entries.keys():
            if self._doings[gone].window:
                self._ask(gone, "close_window", (), self._complain(gone))
        self._doings = {id: self._doings.get(id) or Doing() for id in self._entries}
        self._driven = {id: set() for id in self._entries}
        driven = [(line.node, line.param) for line in flat.automation]
        for node, name in driven + [(cable.target, cable.target_port) for cable in flat.cables]:
            if node in self._driven:
                self._driven[node].add(name)
        rows: list[tuple[str, str, float]] = []
        self._owed.clear()
        for node, entry in self._entries.items():
            ever = self._given.setdefault(node, {})
            owed = {name for name in ever if name not in entry.params}
            rows += [(node, name, ever[name]) for name in owed]
            given = {name: float(value) for name, value in entry.params.items()}
            turned = {name for name in given if given[name] != ever.get(name)}
            self._doings[node].turned |= owed | turned
            self._note_programs(node, turned)
            ever.update(given)
            if owed:
                self._owed[node] = owed
                rows += self._in_state(node, entry.state, owed)
        set_values(patch, rows, self._kinds)

    def turned(self, node: str, param: str, value: float) -> None:
        """A param of the patch in play got a value."""
        if node in self._entries and param not in BUILT_IN_PARAMS:
            self._given.setdefault(node, {})[param] = value
            self._doings[node].turned.add(param)
            self._note_programs(node, {param})

    def _note_programs(self, node: str, turned: AbstractSet[str]) -> None:
        """Params were turned: where one chooses a program it turns others, whether the plugin says so or not. One that
        is still to be loaded is loaded with its program.
        """
        hosted = self._link.hosted(node)
        if hosted is not None and hosted.status == "ready" and not turned.isdisjoint(self._names.of(hosted).programs):
            self._dirty[node] = monotonic()
            self._said.add(node)
            self._chose.add(node)

    def _in_state(self, node: str, state: bytes | None, wanted: set[str]) -> list[tuple[str, str, float]]:
        hosted = self._link.hosted(node)
        values = hosted.memory.values.get(digest(state)) if hosted else None
        if hosted is None or values is None:
            return []
        return [
            (node, name, values[k]) for name, k in self._names.of(hosted).places if name in wanted and k < len(values)
        ]

    def _note_version(self, hosted: Hosted) -> None:
        node, settings = hosted.request.node, hosted.request.settings
        words = version_words(settings, self._link.description(settings))
        if words and (node, words) not in self._versions:
            self._versions.add((node, words))
            self._out.append(Notice("info", f"{node}: {words}."))

    # What the client asks

    def handle(self, message: ToEngine) -> None:
        """Act upon a message; what comes of it is told."""
        match message:
            case OpenPluginWindow(node):
                entry = self._entries.get(node)
                hosted = self._link.hosted(node)
                title = (entry.title if entry else "") or (hosted.name if hosted else node)
                if hosted and entry and not hosted.window:
                    self._look(node)
                self._ask(node, "open_window", (title[:LONGEST_TITLE],), self._complain(node))
            case ClosePluginWindow(node):
                self._ask(node, "close_window", (), self._complain(node))
            case RestartPlugin(node):
                try:
                    self._link.restart(node)
                except PluginError as error:
                    self._complain(node)(None, str(error))
            case AskPlugin(ticket, node, question, param, value, words):
                self._answer(ticket, node, question, param, value, words)
            case AskPluginStates(ticket):
                self._look_at_all(ticket)
            case GivePluginState(node):
                self._link.insist(node)
            case AskPlugins():
                self._standings = ()
                for node in self._entries:
                    self._tell_values(node)
                self._out += [PluginTitles(node, rows) for node, rows in self._titles.items() if rows]
            case _:
                raise ValueError(f"{type(message).__name__} is nothing to ask of plugins")

    def _answer(self, ticket: int, node: str, question: str, param: str, value: float, words: str) -> None:
        def done(answer: Any, problem: str) -> None:
            number = float(answer) if isinstance(answer, float | int) else None
            text = answer if isinstance(answer, str) else ""
            state = answer if isinstance(answer, bytes) else b""
            if len(state) > MOST_STATE_BYTES:
                state, problem = b"", f"{node}: its state has {len(state)} bytes, more than a patch can hold"
            self._out.append(PluginAnswer(ticket, problem[:2000], number, text.replace("\0", "")[:2000], state))

        hosted = self._link.hosted(node)
        id = self._names.of(hosted).ids.get(param) if hosted and question != "state" else 0
        if id is None:
            done(None, f"{node}: there is no param {param!r}")
            return
        given = {"state": (), "text": (id, value), "value": (id, words)}[question]
        self._ask(node, "value_of" if question == "value" else question, given, done)

    def _complain(self, node: str) -> Done:
        def done(answer: Any, problem: str) -> None:
            del answer
            if problem:
                start = "" if problem.startswith(f"{node}:") else f"{node}: "
                self._out.append(Notice("error", (start + problem)[:2000]))

        return done

    # What plugins tell

    def step(self) -> list[FromEngine]:
        """Do what is due; what there is to tell."""
        now = monotonic()
        turned: list[Turned] = self._gestures.quiet(now)
        while self._heard:
            node, message = self._heard.popleft()
            turned += self._hear(node, message, now)
        if turned:
            self._out.append(PluginEdits(tuple(turned)))
        for node, since in list(self._dirty.items()):
            if now - since > SETTLED_S and not self._gestures.held(node):
                del self._dirty[node]
                self._look(node, told=node in self._said)
                self._said.discard(node)
        self._questions.step(now)
        if now - self._standings_at > STANDING_S:
            self._standings_at = now
            self._tell_standings()
        out, self._out = self._out, []
        return out

    def _hear(self, node: str, message: Mapping[str, Any], now: float) -> list[Turned]:
        kind = message["notice"]
        hosted = self._link.hosted(node)
        if hosted is None or node not in self._entries:
            return []
        match kind:
            case "touch" | "edit" | "release":
                name = self._names.of(hosted).by_id.get(message["param"])
                if name is None:
                    return []
                if kind == "edit":
                    self._dirty[node] = now
                    self._said.add(node)
                return self._gestures.heard(node, name, kind, float(message["value"]), now)
            case "params" | "state":
                self._dirty[node] = now
                self._said.add(node)
            case "entered":
                self._look(node)
            case "left":
                self._dirty.setdefault(node, now)
            case "window" | "lost":
                open_ = kind == "window" and bool(message["value"])
                self._doings[node].shows(open_)
                if kind == "window" and not open_:
                    self._dirty[node] = now
                return [] if open_ else self._gestures.lost(node)
            case "loaded" | "values":
                self._doings[node].begins(self._names.values(hosted))
                if hosted.window:
                    self._look(node)
                if kind == "loaded":
                    self._note_version(hosted)
                    self._ask(node, "titles", (), self._take_titles(node))
                self._pay(node)
                self._tell_values(node)
            case "trouble" if now - self._troubled.get(node, -TROUBLE_S) >= TROUBLE_S:
                self._troubled[node] = now
                self._out.append(Notice("warning", f"{node}: {hosted.name}: {message['text']}"[:2000]))
            case "names":
                self._ask(node, "titles", (), self._take_titles(node))
            case _:
                pass
        return []

    def _pay(self, node: str) -> None:
        """Params that the patch gives no longer get what the plugin has, now that it is known."""
        entry = self._entries.get(node)
        if entry is None or node not in self._owed:
            return
        for row in self._in_state(node, entry.state, self._owed[node]):
            try:
                self._settle(*row)
            except PatchError:
                continue  # the patch in play is an older one, without this node

    def _tell_values(self, node: str) -> None:
        hosted = self._link.hosted(node)
        if hosted is not None and hosted.status == "ready":
            self._out.append(PluginValues(node, tuple(self._names.values(hosted).items())))

    def _take_titles(self, node: str) -> Done:
        def done(answer: Any, problem: str) -> None:
            hosted = self._link.hosted(node)
            if problem or hosted is None or node not in self._entries:
                return  # it was lost meanwhile
            known = {p.id: (p.name, p.unit) for p in self._link.description(hosted.request.settings).params}
            now = {id: (title, unit) for id, title, unit in answer}
            if not known.keys() <= now.keys() and node not in self._titles:
                self._out.append(Notice("warning", f"{node}: {hosted.name} {OTHER_PARAMS}."))
            names = self._names.of(hosted).by_id
            rows = tuple((names[id], *words) for id, words in now.items() if id in names and words != known[id])
            if rows != self._titles.get(node, ()):
                self._out.append(PluginTitles(node, rows))
            self._titles[node] = rows

        return done

    def _look_at_all(self, ticket: int) -> None:
        """Look at every plugin whose window is or was open, and then say that all was told."""
        left = {node for node, doing in self._doings.items() if doing.opened}
        if not left:
            self._out.append(PluginStatesTold(ticket))

        def looked(node: str) -> None:
            left.discard(node)
            if not left:
                self._out.append(PluginStatesTold(ticket))

        for node in sorted(left):
            self._dirty.pop(node, None)
            self._look(node, told=True, again=True, then=partial(looked, node))

    def _look(
        self, node: str, told: bool = False, again: bool = False, then: Callable[[], None] = lambda: None
    ) -> None:
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
                self._tell_values(node)
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
            self._out.append(Notice("warning", f"{node}: {hosted.name}: {words}."))
        elif hosted.memory.show(state, again):
            given = self._given.get(node, {})
            moved = tuple((name, min(max(value, 0.0), 1.0)) for name, value in own.items() if name in given)
            self._out.append(PluginState(node, state, by_hand, moved))

    def _tell_standings(self) -> None:
        def count(value: int) -> int:
            return min(max(value, 0), LARGEST_COUNT)

        rows = tuple(
            (
                *(s.node, s.name[:1000], s.status, s.error[:2000], s.backend, count(s.latency), s.window),
                *(s.losses, len(s.recoveries), count(s.missed), count(s.passed), count(s.scrubbed)),
            )
            for s in self._link.standing().values()
            if s.node in self._entries
        )
        if rows != self._standings:
            self._standings = rows
            self._out.append(PluginStandings(rows))  # pyright: ignore[reportArgumentType] - a message checks its fields
