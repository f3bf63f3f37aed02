"""Kernels that are compiled aside, so that whoever needs them goes on with other things meanwhile."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import cache
from time import monotonic
from typing import Any

from graph.schedule import KernelStep, Schedule
from graph.spec import Kernel
from host.native import callback, null, relay, steps
from host.native.abi import signature
from host.native.source import KernelError, is_helper
from host.native.store import NotCompiledError, Recipe, function_recipe, library, step_recipe

AGAIN_S = 0.05
"""What had to be put off is tried again at most so often while something compiles."""
STEP = ("args", "offset", "n")
END_S = 4.0
"""The end waits so long for the kernel that is being compiled."""


class Compiler:
    """A thread that compiles what it is given, in order; it is there only while there is something to do.

    All calls but those of the thread are for one thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Recipe] = deque()
        self._known: set[Recipe] = set()
        self._done = self._all = 0
        self._thread: threading.Thread | None = None
        self._again_at = 0.0
        self._put_off = False

    def want(self, recipes: Iterable[Recipe], missing: Recipe | None = None) -> None:
        """Compile these too, unless they are had already; ``missing`` is not, whatever the cache looks like."""
        with self._lock:
            if self._thread is None:
                self._known.clear()
                self._done = self._all = 0
            for recipe in (*((missing,) if missing else ()), *recipes):
                if recipe not in self._known and (recipe == missing or not library().has(recipe)):
                    self._known.add(recipe)
                    self._waiting.append(recipe)
                    self._all += 1
            if self._waiting and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="compiler", daemon=True)
                self._thread.start()

    @property
    def progress(self) -> tuple[int, int] | None:
        """How many are compiled, of how many; None while there is nothing to do."""
        with self._lock:
            return (self._done, self._all) if self._thread is not None else None

    def attempt(self, work: Callable[[], object], needs: Callable[[], Iterable[Recipe]]) -> bool:
        """Do something that must not wait for a compiler; False where it has to be done again later. ``needs``: all
        that the work will ask for, as far as that can be said; asked where something is missing.
        """
        now = monotonic()
        if self.progress is not None and now < self._again_at:
            return False
        try:
            with library().hurried():
                work()
        except NotCompiledError as missing:
            self._again_at = now + AGAIN_S
            self.want(needs(), missing.recipe)
            return False
        return True

    def close(self) -> None:
        """Compile no more."""
        with self._lock:
            self._waiting.clear()
            thread = self._thread
        if thread is not None:
            thread.join(END_S)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                recipe = self._waiting.popleft()
            try:
                library().address(recipe)
            except KernelError:
                pass
            finally:
                with self._lock:
                    self._done += 1


@cache
def foundation() -> tuple[Recipe, ...]:
    """What every player and device needs, whatever the patch."""
    entries: list[Any] = [callback.callback, callback.obey, null.loop, relay.relay, relay.shut_gate]
    entries += [f for f in vars(steps).values() if is_helper(f) and f.__code__.co_varnames[:3] == STEP]
    return tuple(function_recipe(function, function.__code__.co_argcount) for function in entries)


def recipes(schedule: Schedule) -> list[Recipe]:
    """What the kernels of a schedule are made by."""
    found: dict[Recipe, None] = {}
    for step in schedule.steps:
        if isinstance(step, KernelStep):
            node = schedule.nodes[step.nodes[0]]
            kernel: Kernel = getattr(node.kind, step.kernel)
            slots = {**step.inputs, **step.outputs}
            lanes = {name: schedule.buffers[slot.buffer] for name, slot in slots.items() if slot.buffer}
            shape = signature(
                node.kind,
                kernel.arguments,
                node.config,
                groups=len(step.nodes),
                moving=bool(step.params),
                adding=step.adding,
                pitches={name: count for name, count in lanes.items() if count != slots[name].lanes},
            )
            found[step_recipe(kernel, shape)] = None
    return list(found)
