"""Who watches over plugins in their workers: loads them, notices that one is dead or hung, and has it back.

One thread does all of it, for the life of a ``Link``. Nothing it does can block: what a worker does not take waits,
and a worker that does not answer is killed. Audio never waits for this thread.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing import connection
from typing import Any

from host.plugins.child import OPENER, Child
from host.plugins.hosted import Group, Hosted, Patience
from host.plugins.shared import CALLS_NUMBER, Calls, post
from nodes.dsp import handover

STEP_S = 0.01
MEMORY_S = 0.5
RECENT_S = 60.0
DELAYS_S = (0.0, 0.0, 0.5, 2.0, 10.0, 30.0)
"""How long a worker that died so many times within a minute is left alone before it is started again."""
GONE_S = 0.5
HOLDING = ("state", "set_state", "reset")
"""Questions that may keep a plugin from its blocks."""


class Watch:
    """The thread, and what it looks after. ``lock`` guards the lists; ``moved`` is notified when anything changes."""

    def __init__(
        self,
        patience: Patience,
        notice: Callable[[str], None],
        news: Callable[[Hosted, Mapping[str, Any]], None],
        opener: str = OPENER,
        paths: str = "",
    ) -> None:
        self.patience, self.notice, self.news = patience, notice, news
        self._opener, self._paths = opener, paths
        self.groups: dict[str, Group] = {}
        self.lock = threading.RLock()
        self.moved = threading.Condition(self.lock)
        self._asked: deque[tuple[Hosted, str, list[Any], Future[Any]]] = deque()
        self._waiting: dict[int, tuple[Hosted, Future[Any]]] = {}
        self._asks = 0
        self._stop = False
        self._thread: threading.Thread | None = None

    def calls(self, name: str, threads: int) -> Calls:
        """What is shared with the worker of a group, which is there, or comes to be, with so many threads. Raises
        OSError.
        """
        with self.lock:
            if name not in self.groups:
                self.groups[name] = Group(Calls(threads))
            return self.groups[name].calls

    def add(self, hosted: Hosted) -> None:
        """Look after a plugin from now on, in the group whose calls it has."""
        with self.lock:
            self.groups[hosted.group].members.append(hosted)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="plugins", daemon=True)
                self._thread.start()

    def remove(self, hosted: Hosted) -> None:
        """Let a plugin go; its worker goes with the last one in it."""
        with self.lock:
            group = self.groups[hosted.group]
            group.members.remove(hosted)
            hosted.seat.head[handover.STATE] = handover.FAILED
            hosted.seat.shared.close()
            if group.child is not None:
                group.child.send(do="close", seat=hosted.number)

    def reload(self, hosted: Hosted) -> None:
        """Close a plugin that asks for it, and load it once more."""
        with self.lock:
            group = self.groups.get(hosted.group)
            if group is not None and group.child is not None and hosted.status == "ready":
                hosted.seat.head[handover.STATE] = handover.LOADING
                hosted.window, hosted.status = False, "new"
                group.child.send(do="close", seat=hosted.number)
                self._load(group)

    def restart(self, hosted: Hosted) -> None:
        """Give a worker up and start it again, with all that is in it."""
        with self.lock:
            group = self.groups.get(hosted.group)
            if group is None:
                return
            if group.child is not None:
                self._lost(group, "it is started again, as was asked for", time.monotonic())
            group.deaths.clear()
            group.retry_at = 0.0
            for each in group.members:
                if each.status == "failed":
                    each.status, each.error, each.deaths, each.stateless = "new", "", 0, False
                    each.seat.head[handover.STATE] = handover.LOADING

    def took(self, hosted: Hosted) -> None:
        """A plugin took over a state: what the patch says of its params counts once more, and goes before it."""
        hosted.seat.head[handover.EPOCH] += 1

    def ask(self, hosted: Hosted, what: str, *values: Any) -> Future[Any]:
        """Have the worker answer something, or do something, with a plugin."""
        future: Future[Any] = Future()
        self._asked.append((hosted, what, list(values), future))
        return future

    def close(self) -> None:
        """End every worker, and the thread."""
        self._stop = True
        if self._thread is not None:
            self._thread.join()
        with self.lock:
            for group in self.groups.values():
                for hosted in group.members:
                    hosted.seat.head[handover.STATE] = handover.FAILED
                    hosted.seat.shared.close()
                group.members.clear()
                group.calls.shared.close()

    # The thread

    def _run(self) -> None:
        while not self._stop:
            with self.lock:
                self._step()
                wires = [g.child.wire.socket for g in self.groups.values() if g.child and not g.child.wire.closed]
            connection.wait(wires, STEP_S) if wires else time.sleep(STEP_S)
        children = [group.child for group in self.groups.values() if group.child]
        for child in children:
            child.send(do="quit")
        deadline = time.monotonic() + GONE_S
        while any(child.process.poll() is None for child in children) and time.monotonic() < deadline:
            time.sleep(STEP_S / 10)
        for child in children:
            child.kill()

    def _step(self) -> None:
        now = time.monotonic()
        for name, group in list(self.groups.items()):
            if group.child is None and group.members and now >= group.retry_at:
                self._start(group)
            if group.child is not None:
                for message in group.child.receive():
                    self._hear(group, message)
                words = self._trouble(group, now)
                if words:
                    self._lost(group, words, now)
                elif not group.members:
                    group.child.kill()
                    group.calls.shared.close()
                    del self.groups[name]
        while self._asked:
            self._send(*self._asked.popleft())

    def _start(self, group: Group) -> None:
        wanted = [h for h in group.members if h.status != "failed"]
        if not wanted:
            return
        try:
            group.child = Child(self._opener, self._paths)
        except OSError as error:
            for hosted in wanted:
                self._fail(hosted, f"no process can be started for it: {error}")
            return
        for hosted in wanted:
            hosted.status = "new"
        with suppress(OSError):  # it is dead, or as good as: the next look will tell
            group.child.send_memory(CALLS_NUMBER, group.calls.shared.fd)
        self._load(group)

    def _load(self, group: Group) -> None:
        """Have the next plugin of a worker loaded, one at a time."""
        child = group.child
        hosted = next((h for h in group.members if h.status == "new"), None)
        if child is None or hosted is None or any(h.status == "loading" for h in group.members):
            return
        request = hosted.request
        hosted.status, hosted.since, hosted.loaded = "loading", time.monotonic(), hosted.state
        try:
            child.send_memory(hosted.number, hosted.seat.shared.fd)
        except OSError:
            return  # it is dead, or as good as: the next look will tell
        child.send(
            do="load",
            seat=hosted.number,
            source=dict(hosted.source),
            rate=request.rate,
            block=hosted.seat.capacity,
            inputs=request.inputs,
            outputs=request.outputs,
            state=None if hosted.stateless else hosted.state,
            # a later state has what came of them, and of what was turned since
            programs=request.programs if hosted.state is request.state else (),
        )

    def _hear(self, group: Group, message: Mapping[str, Any]) -> None:
        if "id" in message:
            hosted, future = self._waiting.pop(message["id"], (None, None))
            if future is None or hosted is None:
                return
            hosted.busy.discard(message["id"])
            hosted.stuck = 0, time.monotonic()
            if "error" in message:
                future.set_exception(RuntimeError(f"{hosted.request.node}: {message['error']}"))
            else:
                future.set_result(message["value"])
            return
        hosted = next((h for h in group.members if h.number == message.get("seat")), None)
        if hosted is None:
            return
        match message:
            case {"loaded": {"latency": int(latency), "tail": tail, "values": list(values), "refused": str(refused)}}:
                hosted.latency, hosted.tail, hosted.values = latency, tail, values
                self._loaded(hosted, refused)
            case {"failed": str(error)}:
                self._fail(hosted, error)
            case {"notice": str(kind)}:
                if kind == "latency" and isinstance(message.get("value"), int):
                    hosted.latency = message["value"]
                elif kind == "window":
                    hosted.window = bool(message.get("value"))
                self.news(hosted, message)
                self.moved.notify_all()
            case _:
                return
        self._load(group)

    def _loaded(self, hosted: Hosted, refused: str) -> None:
        now = time.monotonic()
        hosted.status, hosted.error, hosted.stuck = "ready", "", (0, now)
        hosted.seat.head[handover.EPOCH] += 1
        hosted.seat.head[handover.STATE] = handover.READY
        post(hosted.seat.back)
        if hosted.stateless and hosted.state is not None:
            refused = "it dies when it is given it"
        if refused:
            self.notice(f"{hosted.request.node}: {hosted.name} did not take its state: {refused}")
        if hosted.down:
            hosted.recoveries.append(now - hosted.down)
            self.notice(f"{hosted.request.node}: {hosted.name} is back after {now - hosted.down:.1f} s")
            hosted.down = 0.0
        self.moved.notify_all()
        self.news(hosted, {"notice": "loaded"})

    def _fail(self, hosted: Hosted, error: str) -> None:
        hosted.status, hosted.error = "failed", error
        hosted.seat.head[handover.STATE] = handover.FAILED
        post(hosted.seat.back)
        self.notice(f"{hosted.request.node}: {hosted.name} cannot be played: {error}")
        self.moved.notify_all()

    def _send(self, hosted: Hosted, what: str, values: list[Any], future: Future[Any]) -> None:
        group = self.groups.get(hosted.group)
        if group is None or group.child is None or hosted.status != "ready":
            future.set_exception(RuntimeError(f"{hosted.request.node}: {hosted.name} is not there"))
            return
        self._asks += 1
        self._waiting[self._asks] = hosted, future
        if what in HOLDING:
            hosted.busy.add(self._asks)
            hosted.since = time.monotonic()
        group.child.send(do="ask", id=self._asks, seat=hosted.number, what=what, values=values)

    # What goes wrong

    def _trouble(self, group: Group, now: float) -> str:
        """Why a worker must be given up, in words; empty where it need not."""
        child = group.child
        assert child is not None
        if child.dead:
            return "its process ended"
        for hosted in group.members:
            if hosted.status == "loading" and now - hosted.since > self.patience.load_s:
                return f"it was not loaded after {self.patience.load_s:g} s"
            held = hosted.busy and now - hosted.since < self.patience.load_s
            if hosted.status != "ready" or held or not hosted.behind:
                hosted.stuck = 0, now
                continue
            submitted = int(hosted.seat.head[handover.SUBMITTED])
            if hosted.stuck[0] != submitted:
                hosted.stuck = submitted, now
            elif now - hosted.stuck[1] > self.patience.block_s:
                return f"a block was not done after {self.patience.block_s:g} s"
        if now - group.weighed > MEMORY_S:
            group.weighed = now
            used = child.memory >> 20
            if used > self.patience.megabytes:
                return f"it took {used} MiB of memory, and may take {self.patience.megabytes}"
            if child.noisy:
                return "it wrote messages without end"
        return ""

    def _lost(self, group: Group, words: str, now: float) -> None:
        """Give a worker up; what was in it comes back, or has failed."""
        assert group.child is not None
        guilty = [h for h in group.members if h.status == "loading" or (h.status == "ready" and h.at_work)]
        members = [h for h in group.members if h.status in ("loading", "ready")]
        for hosted in members:
            hosted.seat.head[handover.STATE] = handover.LOADING
        why, last = group.child.kill()
        group.child = None
        group.deaths.append(now)
        while group.deaths and now - group.deaths[0] > RECENT_S:
            group.deaths.popleft()
        for id in [id for id, (hosted, _) in self._waiting.items() if hosted in members]:
            self._waiting.pop(id)[1].set_exception(RuntimeError(f"the plugin was lost: {why or words}"))
        text = (why or words) + (f" (it said: {last.splitlines()[-1]})" if last else "")
        again = self.patience.restart and len(group.deaths) < len(DELAYS_S)
        for hosted in members:
            if hosted in guilty:
                hosted.deaths += 1
                hosted.stateless = hosted.status == "loading" and hosted.deaths > 1 and hosted.state is not None
            hosted.down = hosted.down or now
            hosted.window = False
            hosted.losses += 1
            hosted.busy.clear()
            if not again:
                self._fail(hosted, text)
                continue
            hosted.status = "new"
            blame = "" if hosted in guilty or not guilty else f" with {guilty[0].name}, with which it shares a process"
            lost = f"{hosted.request.node}: {hosted.name} was lost{blame}: {text}"
            self.notice(f"{lost}; sound passes and nothing is lost while it is started again")
            self.news(hosted, {"notice": "lost"})
        group.retry_at = now + DELAYS_S[min(len(group.deaths), len(DELAYS_S) - 1)]
        self.moved.notify_all()
