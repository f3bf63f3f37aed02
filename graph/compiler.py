"""From a patch to a schedule, as a sentence: expand, wire, inform, order, resolve, check, time, widen,
lower, allocate."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager

from graph.document import Patch
from graph.errors import PatchError
from graph.plan import emit, plan
from graph.schedule import Schedule
from graph.spec import Kinds, Services

DEFAULT_RATE = 48000


def compile(
    patch: Patch,
    kinds: Kinds,
    services: Services,
    rate: int | None = None,
    *,
    missing: list[PatchError] | None = None,
    wide: bool = True,
    parallel: bool = False,
) -> Schedule:
    """Compile a patch for a sample rate (else the patch's own, else 48000 Hz).

    The result depends on what the patch says, never on the order in which it lists things. With a list for what is
    ``missing``, nodes of unknown kinds pass audio through, missing files are silent, and each is noted there.
    ``wide=False`` keeps every node in a step of its own, and ``parallel`` every signal in a buffer of its own, so that
    threads need not wait for buffers; no sample depends on either. Raises PatchError, naming the place, for one that
    cannot run.
    """
    rate = rate or patch.sample_rate or DEFAULT_RATE
    with collector_resting():
        return emit(plan(patch, kinds, services, rate, missing), wide=wide, parallel=parallel)


@contextmanager
def collector_resting() -> Generator[None]:
    """A compile makes much and drops little; the cycle collector would walk all of it again and again (half of the
    time for 10,000 nodes).
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
