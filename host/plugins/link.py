"""The engine's side of plugins: what kinds ask for while a patch is compiled, and what is known while it plays."""

from __future__ import annotations

import itertools
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateError
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import finalize, ref

from graph.document import Patch
from graph.errors import PatchError
from graph.plugins import OpenedPlugin, PluginAbout, PluginRequest
from host.native.arena import aligned
from host.plugins.child import OPENER
from host.plugins.description import LONGEST_LATENCY, Description
from host.plugins.errors import PluginError
from host.plugins.finding import from_store
from host.plugins.grouping import Grouping, chains
from host.plugins.hosted import Hosted, Patience, Standing, standing_of
from host.plugins.shared import SUPPORTED, Seat, Words, new_semaphore
from host.plugins.states import digest
from host.plugins.watch import Watch
from nodes.dsp import handover

LIVE = Patience()
OFFLINE = Patience(load_s=120.0, block_s=60.0, restart=False)
SPIN_NS = 60_000
"""How long the audio thread waits for a plugin before it sleeps."""
PROCESSORS = os.cpu_count() or 1
SPARE = PROCESSORS - 1
"""Processors beside that of the audio thread."""
KEEP_S = 60.0
"""How long a plugin that nobody plays is kept, in case it is wanted again: bypassed, or removed and brought back."""
ANSWER_S = 10.0
FINDING_S = 1.0
RELOADS_S, MOST_RELOADS = 60.0, 3
"""How often, within so long, a plugin is loaded anew because it asks for it."""

Finder = Callable[[Mapping[str, Any]], tuple[Description, Mapping[str, Any]]]
"""What a node's settings name: what is known of it, and where a worker finds it. Raises PatchError."""


class PluginsFailedError(RuntimeError):
    """Plugins did not do their part of a render: one line."""


class Link:
    """Plugins in their workers. ``live``: what does not answer is passed over and started again; offline it is waited
    for, and ``check`` tells what failed.

    ``block`` is the most frames a plugin is asked for at once. ``notice`` is told, in sentences, what the user should
    know; ``changed`` is called when a latency is not what the graph was told, so that it can be compiled anew;
    ``news`` with the node and what its plugin says of itself. All of them from a thread of the link's own.
    """

    def __init__(
        self,
        *,
        live: bool,
        block: int = 512,
        finder: Finder = from_store,
        grouping: Grouping = "plugin",
        patience: Patience | None = None,
        notice: Callable[[str], None] = lambda text: None,
        changed: Callable[[], None] = lambda: None,
        news: Callable[[str, Mapping[str, Any]], None] = lambda node, message: None,
        opener: str = OPENER,
        paths: str = "",
    ) -> None:
        self.live, self.block, self.grouping, self._finder = live, block, grouping, finder
        self._changed, self._news = changed, news
        self._watch = Watch(patience or (LIVE if live else OFFLINE), notice, self._told, opener, paths)
        self._hosted: dict[int, Hosted] = {}
        self._numbers = itertools.count(1)
        self._released: deque[int] = deque()
        self._crowd = aligned((8,), "i8")
        self._found: dict[str, tuple[float, tuple[Description, Mapping[str, Any]]]] = {}
        self._chains: dict[str, str] = {}

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every worker."""
        self._watch.close()
        with self._watch.lock:
            self._hosted.clear()

    # For the compiler

    def describe(self, settings: Mapping[str, Any]) -> PluginAbout:
        """What is known of the plugin that settings name. Raises PatchError."""
        return self._find(settings)[0]

    def description(self, settings: Mapping[str, Any]) -> Description:
        """The same, in full. Raises PatchError."""
        return self._find(settings)[0]

    def _find(self, settings: Mapping[str, Any]) -> tuple[Description, Mapping[str, Any]]:
        key = repr(sorted((name, settings[name]) for name in ("format", "uid", "name", "vendor", "path_hint")))
        at, found = self._found.get(key, (0.0, None))
        if found is None or time.monotonic() - at > FINDING_S:
            found = self._finder(settings)
            self._found[key] = time.monotonic(), found
        return found

    def open(self, request: PluginRequest) -> OpenedPlugin:
        """Begin to load a plugin, or find the one that is there for an equal request. Raises PatchError."""
        if not SUPPORTED:
            raise PatchError("plugins can be played on Linux only, so far")
        self._tidy()
        description, source = self._find(request.settings)
        with self._watch.lock:
            hosted = next((h for h in reversed(self._all()) if _alike(h, request)), None)
            if hosted is None or not self._follow(hosted, request.state):
                hosted = self._new(request, description, source)
            hosted.told = min(description.latency_frames if hosted.latency is None else hosted.latency, LONGEST_LATENCY)
            hosted.unused = time.monotonic()
            return OpenedPlugin(hosted.number, hosted.told)

    def _new(self, request: PluginRequest, description: Description, source: Mapping[str, Any]) -> Hosted:
        number = next(self._numbers)
        groups = {"plugin": str(number), "chain": self._chains.get(request.node, request.node), "patch": ""}
        group = groups[self.grouping]
        try:
            seat = Seat(request.inputs, request.outputs, self.block)
            calls = self._watch.calls(group, PROCESSORS if self.grouping == "patch" else 1)
        except OSError as error:
            raise PatchError(f"there is no memory for {description.name}: {error}") from None
        new_semaphore(seat.back)
        new_semaphore(seat.call)
        hosted = Hosted(number, request, description.name, source, seat, description.latency_frames, group, calls)
        hosted.state = request.state
        hosted.memory.follow(request.state)
        for before in self._all():
            if before.request.node == request.node and before.window:
                self._watch.ask(before, "close_window")
        self._hosted[number] = hosted
        self._watch.add(hosted)
        self._spare_processors()
        return hosted

    def words(self, number: int) -> Words:
        """The table that native code hands audio over by. The plugin is let go of when nobody holds it any more."""
        with self._watch.lock:
            hosted = self._hosted[number]
            table = hosted.table() if hosted.table else None
            if table is None:
                table = self._table(hosted)
                hosted.table = ref(table)
                # What native code may still write to stays for as long as its table does.
                kept = hosted.seat, hosted.calls, self._crowd
                finalize(table, _let_go, self._released, number, kept).atexit = False
            return table

    def _table(self, hosted: Hosted) -> Words:
        words = aligned((handover.TABLE_WORDS,), "i8")
        seat, patience = hosted.seat, self._watch.patience
        words[handover.HEAD], words[handover.CREW] = seat.shared.address, hosted.calls.address
        words[handover.TASKS], words[handover.THREADS] = hosted.calls.tasks.ctypes.data, hosted.calls.threads
        words[handover.SLOTS] = seat.shared.address + 8 * handover.HEAD_WORDS
        words[handover.STRIDE], words[handover.CAPACITY] = seat.stride, seat.capacity
        words[handover.OUTPUTS_AT] = seat.outputs_at
        words[handover.SPIN] = SPIN_NS if self.live else 0
        words[handover.CROWD], words[handover.SPARE] = self._crowd.ctypes.data, SPARE
        words[handover.LIMIT] = int(1e9 * (patience.load_s + patience.block_s))
        words[handover.SEQUENCE] = seat.head[handover.SUBMITTED]
        words[handover.WET] = 1
        inputs = _ports(hosted, self._find(hosted.request.settings)[0])
        words[handover.INPUT_PORTS], words[handover.OUTPUT_PORTS] = len(inputs), sum(n > 0 for n in seat.lanes[1])
        words[handover.IN_LANES : handover.IN_LANES + len(inputs)] = inputs
        outputs = [n for n in seat.lanes[1] if n]
        words[handover.OUT_LANES : handover.OUT_LANES + len(outputs)] = outputs
        return words

    def _tidy(self) -> None:
        """Let go of what nobody played for a while."""
        now = time.monotonic()
        with self._watch.lock:
            while self._released:
                hosted = self._hosted.get(self._released.popleft())
                if hosted is not None and (hosted.table is None or hosted.table() is None):
                    hosted.table, hosted.unused = None, now
            for hosted in [h for h in self._hosted.values() if h.table is None and now - h.unused > KEEP_S]:
                del self._hosted[hosted.number]
                self._watch.remove(hosted)
                self._spare_processors()

    def _spare_processors(self) -> None:
        """Let workers be awake before they are needed where each of them can have a processor of its own."""
        eager = self.live and len({hosted.group for hosted in self._hosted.values()}) <= SPARE
        for hosted in self._hosted.values():
            hosted.calls.be_eager(eager)

    def own_ns(self) -> int:
        """Nanoseconds that the plugins themselves took for their last blocks, added up."""
        return sum(int(hosted.seat.head[handover.OWN]) for hosted in self._all())

    def note_chains(self, patch: Patch) -> None:
        """Learn which plugins follow one another, so that each chain may have one process."""
        self._chains = chains(patch)

    # For whoever plays

    def settle(self, timeout_s: float | None = None) -> bool:
        """Wait until every plugin is loaded; whether one has another latency than the graph was told.

        Raises PluginsFailedError for those that cannot be loaded, or were not in time.
        """
        limit = self._watch.patience.load_s if timeout_s is None else timeout_s
        with self._watch.moved:
            done = self._watch.moved.wait_for(lambda: all(h.status in ("ready", "failed") for h in self._all()), limit)
            bad = [h for h in self._all() if h.status != "ready"]
            if bad or not done:
                words = bad[0].error or f"it was not loaded after {limit:g} s"
                raise PluginsFailedError(f"{bad[0].request.node}: {bad[0].name}: {words}")
            return any(h.latency != h.told for h in self._all())

    def check(self) -> None:
        """Raise PluginsFailedError where a render would miss a plugin."""
        with self._watch.lock:
            for hosted in self._all():
                if hosted.status == "failed":
                    raise PluginsFailedError(f"{hosted.request.node}: {hosted.name}: {hosted.error}")
                if hosted.word(handover.PASSED):
                    raise PluginsFailedError(f"{hosted.request.node}: {hosted.name} did not answer in time")

    def _all(self) -> list[Hosted]:
        return list(self._hosted.values())

    def standing(self) -> dict[str, Standing]:
        """How the plugin of each node is doing; of several for one node, the newest."""
        with self._watch.lock:
            return {h.request.node: standing_of(h) for h in self._all()}

    def ask(self, node: str, what: str, *values: Any, timeout_s: float = ANSWER_S) -> Any:
        """Have a node's plugin answer (``state``, ``values``, ``text`` …: see the worker). Raises PluginError."""
        try:
            return self.request(node, what, *values).result(timeout_s)
        except LateError:
            raise PluginError(f"{node}: its plugin did not answer within {timeout_s:g} s") from None
        except RuntimeError as error:
            raise PluginError(str(error)) from None

    def request(self, node: str, what: str, *values: Any) -> Future[Any]:
        """The same without waiting; the answer may be a RuntimeError. Raises PluginError where there is no plugin."""
        with self._watch.lock:
            hosted = self.hosted(node)
            if hosted is None:
                raise PluginError(f"{node}: there is no plugin")
            if what == "open_window":
                self._keep_first(hosted)
            future = self._watch.ask(hosted, what, *values)
            future.add_done_callback(partial(self._answered, hosted, what, values))
            return future

    def insist(self, node: str) -> None:
        """Let a node's plugin be given the state that the patch has next, whatever is thought to be its own."""
        with self._watch.lock:
            for hosted in self._all():
                if hosted.request.node == node:
                    hosted.memory.insist()

    def restart(self, node: str) -> None:
        """End the process of a node's plugin, and start it again. Raises PluginError where there is none."""
        hosted = self.hosted(node)
        if hosted is None:
            raise PluginError(f"{node}: there is no plugin")
        self._watch.restart(hosted)

    def hosted(self, node: str) -> Hosted | None:
        """The newest plugin for a node."""
        return next((h for h in reversed(self._all()) if h.request.node == node), None)

    def _keep_first(self, hosted: Hosted) -> None:
        """Have the state that a plugin has of itself, before anything changes it."""
        if hosted.loaded is None and hosted.memory.first is None:

            def keep(future: Future[Any]) -> None:
                if not future.exception():
                    hosted.memory.found_first(future.result())

            self._watch.ask(hosted, "state").add_done_callback(keep)

    def _answered(self, hosted: Hosted, what: str, values: tuple[Any, ...], future: Future[Any]) -> None:
        if what not in ("state", "set_state") or future.exception():
            return
        state = future.result() if what == "state" else values[0]
        hosted.state, hosted.stateless = state, False
        if what == "set_state":
            hosted.memory.current = digest(state)
            self._took(hosted, state, future.result())

    def state(self, node: str) -> bytes:
        """A node's plugin's whole state, which it would also be started again with. Raises PluginError."""
        return self.ask(node, "state")

    def _follow(self, hosted: Hosted, state: bytes | None) -> bool:
        """Let a plugin have the state that the patch has now; False where only a new one could have it."""
        before = hosted.memory.asked, hosted.memory.current
        if not hosted.memory.follow(state):
            return True
        if state is None and hosted.status == "ready" and hosted.memory.first is None:
            hosted.memory.asked, hosted.memory.current = before
            return False
        self._keep_first(hosted)
        hosted.state, hosted.stateless = state, False
        if hosted.status == "ready":
            self._give(hosted)
        return True

    def _give(self, hosted: Hosted) -> None:
        state = hosted.state
        wanted = hosted.memory.first if state is None else state
        if wanted is None:
            return

        def done(future: Future[Any]) -> None:
            if error := future.exception():
                self._watch.notice(f"{hosted.request.node}: {hosted.name} did not take its state: {error}")
            else:
                self._took(hosted, state, future.result())

        hosted.loaded = state
        self._watch.ask(hosted, "set_state", wanted).add_done_callback(done)

    def _took(self, hosted: Hosted, state: bytes | None, values: list[float]) -> None:
        hosted.values = values
        hosted.memory.note_values(state, values)
        self._watch.took(hosted)
        self._news(hosted.request.node, {"notice": "values"})

    def _told(self, hosted: Hosted, message: Mapping[str, Any]) -> None:
        if hosted.latency is not None and hosted.latency != hosted.told:
            self._changed()
        if message["notice"] == "loaded":
            hosted.memory.note_values(hosted.loaded, hosted.values)
            if hosted.loaded is not hosted.state:
                self._give(hosted)
        elif message["notice"] in ("reload", "layouts"):
            self._asks_to_be_loaded(hosted)
        self._news(hosted.request.node, message)

    def _asks_to_be_loaded(self, hosted: Hosted) -> None:
        """It wants to be closed and opened, or has other buses than it was loaded for."""
        now = time.monotonic()
        hosted.reloads = [at for at in hosted.reloads if now - at < RELOADS_S]
        if len(hosted.reloads) >= MOST_RELOADS:
            words = "asks again and again to be loaded anew, and is left as it is"
            self._watch.notice(f"{hosted.request.node}: {hosted.name} {words}")
            return
        hosted.reloads.append(now)
        self._watch.ask(hosted, "state").add_done_callback(partial(self._load_again, hosted))

    def _load_again(self, hosted: Hosted, future: Future[Any]) -> None:
        if not future.exception():
            hosted.state = future.result()
        self._watch.reload(hosted)


def _let_go(released: deque[int], number: int, kept: object) -> None:
    """Nobody holds the table of a seat any more; what was ``kept`` for it may go."""
    del kept
    released.append(number)


def _ports(hosted: Hosted, description: Description) -> list[int]:
    """Lanes in the slot of each input port: those of buses that are on, 0 for the others that have a port."""
    named = [bool(bus.layout or bus.layouts) for bus in description.inputs]
    return [n for n, there in zip(hosted.seat.lanes[0], named, strict=True) if there]


def _alike(hosted: Hosted, request: PluginRequest) -> bool:
    """Whether a plugin is what a request asks for, but for its state and programs."""
    own = replace(hosted.request, state=None, programs=(), settings={})
    names = ("format", "uid", "name", "vendor", "path_hint")
    settings = [hosted.request.settings[n] == request.settings[n] for n in names]
    return own == replace(request, state=None, programs=(), settings={}) and all(settings)
