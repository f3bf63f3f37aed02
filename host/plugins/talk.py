"""What the plugins of a live patch have to tell, as messages to the client, and what the client asks of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from graph.document import NodeEntry, Patch
from graph.errors import PatchError
from graph.groups import expand
from graph.spec import BUILT_IN_PARAMS, Kinds
from host.fields import LARGEST_COUNT, FromEngine, ToEngine
from host.messages import Notice
from host.plugins.asking import Done, Questions
from host.plugins.errors import PluginError
from host.plugins.finding import version_words
from host.plugins.gestures import Gestures, Turned
from host.plugins.hosted import Hosted
from host.plugins.link import Link
from host.plugins.lookout import Lookout
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
    PluginTitles,
    RestartPlugin,
)
from host.plugins.naming import Naming
from host.plugins.states import digest
from host.values import set_values

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
        self._entries: dict[str, NodeEntry] = {}
        self._given: dict[str, dict[str, float]] = {}
        self._owed: dict[str, set[str]] = {}
        self._names = Naming(link)
        self._lookout = Lookout(
            link, self._questions, self._names, self._given, lambda message: self._out.append(message)
        )
        self._troubled: dict[str, float] = {}
        self._versions: set[tuple[str, str]] = set()
        self._titles: dict[str, tuple[tuple[str, str, str], ...]] = {}
        self._standings: tuple[Any, ...] = ()
        self._standings_at = 0.0

    def heard(self, node: str, message: Mapping[str, Any]) -> None:
        """A plugin said something; from any thread."""
        self._heard.append((node, message))

    def _tell(self, message: FromEngine) -> None:
        self._out.append(message)

    # The patch

    def follow(self, patch: Patch) -> None:
        """Another patch is to be played. Params that it gave before and gives no longer are, in this copy of it, given
        what the plugin's state holds; where that is not known yet, what they were given before, until it is.
        """
        flat = expand(patch)
        self._entries = {id: e for id, e in flat.nodes.items() if e.kind == "plugin"}
        for gone in self._given.keys() - self._entries.keys():
            del self._given[gone]
        driven: dict[str, set[str]] = {id: set() for id in self._entries}
        moved = [(line.node, line.param) for line in flat.automation]
        for node, name in moved + [(cable.target, cable.target_port) for cable in flat.cables]:
            if node in driven:
                driven[node].add(name)
        for gone in self._lookout.follow(driven):
            self._ask(gone, "close_window", (), self._complain(gone))
        rows: list[tuple[str, str, float]] = []
        self._owed.clear()
        for node, entry in self._entries.items():
            ever = self._given.setdefault(node, {})
            owed = {name for name in ever if name not in entry.params}
            rows += [(node, name, ever[name]) for name in owed]
            given = {name: float(value) for name, value in entry.params.items()}
            turned = {name for name in given if given[name] != ever.get(name)}
            self._lookout.turned(node, owed | turned)
            self._lookout.note_programs(node, turned)
            ever.update(given)
            if owed:
                self._owed[node] = owed
                rows += self._in_state(node, entry.state, owed)
        set_values(patch, rows, self._kinds)

    def turned(self, node: str, param: str, value: float) -> None:
        """A param of the patch in play got a value."""
        if node in self._entries and param not in BUILT_IN_PARAMS:
            self._given.setdefault(node, {})[param] = value
            self._lookout.turned(node, {param})
            self._lookout.note_programs(node, {param})

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
                    self._lookout.look(node)
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
                self._lookout.look_at_all(ticket)
            case GivePluginState(node):
                self._link.insist(node)
            case AskPlugins():
                self._standings = ()
                for node in self._entries:
                    self._lookout.tell_values(node)
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
        self._lookout.step(now, self._gestures.held)
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
                    self._lookout.stirred(node, now)
                return self._gestures.heard(node, name, kind, float(message["value"]), now)
            case "params" | "state":
                self._lookout.stirred(node, now)
            case "entered":
                self._lookout.look(node)
            case "left":
                self._lookout.left(node, now)
            case "window" | "lost":
                open_ = kind == "window" and bool(message["value"])
                self._lookout.shows(node, open_)
                if kind == "window" and not open_:
                    self._lookout.stirred(node, now, said=False)
                return [] if open_ else self._gestures.lost(node)
            case "loaded" | "values":
                self._lookout.begins(node, hosted)
                if hosted.window:
                    self._lookout.look(node)
                if kind == "loaded":
                    self._note_version(hosted)
                    self._ask(node, "titles", (), self._take_titles(node))
                self._pay(node)
                self._lookout.tell_values(node)
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
