"""Kinds that break the contract on purpose: one broken promise each, and the check that must find it. ``Sound`` keeps
them all.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from graph.spec import (
    LANES,
    AudioIn,
    AudioOut,
    ChoiceSetting,
    EventsOut,
    Level,
    Memory,
    Node,
    Param,
    Scratch,
    State,
    Switch,
    kernel,
)
from nodes.dsp.machine import finite

LATE = 5
ECHO = 2000


class Effect(Node):
    """Ports and hooks that the broken kinds share."""

    family = "utility"
    signal = AudioIn("in")
    out = AudioOut("out")
    caught_by: ClassVar[str] = ""


class Sound(Effect):
    """Smooth a signal, as it should be done."""

    kind = "sound"
    bypassable = True
    wide = True
    accumulates = True
    level = Level("level_db", 0.0)
    mute = Switch("mute", doc="Silence the output.")
    smooth = Param("smooth", 0.5, 0.1, 1.0, doc="Share of the new.")
    z = State((LANES,))

    @classmethod
    def tail(cls, config):
        return 140.0 / config.rate if "smooth" not in config.driven else 1.0

    @kernel
    def process(signal, out, level, mute, smooth, z, n):
        for i in range(n):
            for lane in range(out.lanes):
                z[lane] += smooth[i, lane] * (finite(signal[i, lane]) - z[lane])
                out[i, lane] = z[lane] * level[i, lane] * (1.0 - mute[i, lane])


class Unexplained(Effect):
    """no sentence"""

    kind = "unexplained"
    caught_by = "declared"
    level = Level("level_db", 0.0)

    @kernel
    def process(signal, out, level, n):
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane] * level[i, lane]


class Delaying(Effect):
    """Delay by a few frames; what is declared is another matter."""

    line = Memory(2)
    place = State((1,), "i8")

    @classmethod
    def tail(cls, config):
        return LATE / config.rate

    @classmethod
    def prepare(cls, config, services):
        return {"line": np.zeros((LATE, config.channels("in")), np.float32)}

    @kernel
    def process(signal, out, line, place, n):
        p = place[0]
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = line[p, lane]
                line[p, lane] = signal[i, lane]
            p = (p + 1) % line.shape[0]
        place[0] = p


class Punctual(Delaying):
    """Delay by a few frames and declare them."""

    kind = "punctual"
    bypassable = True

    @classmethod
    def latency(cls, config):
        return LATE


class Later(Delaying):
    """Delay by one frame more than declared."""

    kind = "later"
    caught_by = "latency"

    @classmethod
    def latency(cls, config):
        return LATE - 1


class Earlier(Delaying):
    """Delay by one frame less than declared."""

    kind = "earlier"
    caught_by = "latency"

    @classmethod
    def latency(cls, config):
        return LATE + 1


class Blockish(Effect):
    """Fade in over each call, whatever its length."""

    kind = "blockish"
    caught_by = "blocks"

    @kernel
    def process(signal, out, n):
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane] * np.float32(0.5 + 0.5 * (i + 1) / n)


class Stale(Effect):
    """Hold a value from one call to the next, and let it go in the middle of the call."""

    kind = "stale"
    caught_by = "blocks"
    z = State((LANES,))

    @classmethod
    def tail(cls, config):
        return 1.0

    @kernel
    def process(signal, out, z, n):
        for lane in range(out.lanes):
            z[lane] = finite(signal[n - 1, lane])
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane] + 0.001 * z[lane]


class Poisoned(Effect):
    """Smooth a signal, and never forget what is no number."""

    kind = "poisoned"
    caught_by = "nan"
    z = State((LANES,))

    @classmethod
    def tail(cls, config):
        return 140.0 / config.rate

    @kernel
    def process(signal, out, z, n):
        for i in range(n):
            for lane in range(out.lanes):
                z[lane] += 0.5 * (signal[i, lane] - z[lane])
                out[i, lane] = z[lane]


class Struck(Effect):
    """Fall silent for ever at the first thing that is no number."""

    kind = "struck"
    caught_by = "nan"
    dead = State((LANES,))

    @kernel
    def process(signal, out, dead, n):
        for i in range(n):
            for lane in range(out.lanes):
                x = signal[i, lane]
                if finite(x) != x:
                    dead[lane] = 1.0
                out[i, lane] = 0.0 if dead[lane] else x


class Lingering(Effect):
    """Echo once after a quarter of a second, and declare a tail of nothing."""

    kind = "lingering"
    caught_by = "tail"
    line = Memory(2)
    place = State((1,), "i8")

    @classmethod
    def prepare(cls, config, services):
        return {"line": np.zeros((ECHO, config.channels("in")), np.float32)}

    @kernel
    def process(signal, out, line, place, n):
        p = place[0]
        for i in range(n):
            for lane in range(out.lanes):
                x = finite(signal[i, lane])
                out[i, lane] = x + line[p, lane]
                line[p, lane] = x
            p = (p + 1) % line.shape[0]
        place[0] = p


class Fading(Lingering):
    """Echo again and again, each time at a half, and declare the time of ten."""

    kind = "fading"

    @classmethod
    def tail(cls, config):
        return 10 * ECHO / config.rate

    @kernel
    def process(signal, out, line, place, n):
        p = place[0]
        for i in range(n):
            for lane in range(out.lanes):
                x = finite(signal[i, lane]) + np.float32(0.5) * line[p, lane]
                out[i, lane] = x
                line[p, lane] = x
            p = (p + 1) % line.shape[0]
        place[0] = p


class Manifold(Effect):
    """Fade in over each call, but only in one of many shapes; and need other code at every size."""

    kind = "manifold"
    caught_by = "blocks"
    shape = ChoiceSetting("shape", tuple("abcdefghij"), doc="Which of them.")
    size = Param("size", 1.0, 1.0, 40.0, curve="integer", doc="How much room.", modulatable=False)
    which = Scratch(lambda config: (1 + "abcdefghij".index(config.settings["shape"]),))
    room = Scratch(lambda config: (int(config.params["size"]),))

    @kernel
    def process(signal, out, which, room, n):
        for i in range(n):
            for lane in range(out.lanes):
                room[0] = signal[i, lane]
                fade = np.float32(0.5 + 0.5 * (i + 1) / n) if which.shape[0] == 8 else np.float32(1.0)
                out[i, lane] = signal[i, lane] * fade


class Bursting(Effect):
    """Amplify beyond all numbers."""

    kind = "bursting"
    caught_by = "finite"
    drive = Param("drive", 0.0, 0.0, 1.0, doc="How much.", modulatable=False)

    @kernel
    def process(signal, out, drive, n):
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane] * (np.float32(1.0) + np.float32(1e38) * drive[i, lane])


class Deaf(Effect):
    """Read a param once, and never again."""

    kind = "deaf"
    caught_by = "moving"
    level = Level("level_db", 0.0)
    known = State((1,))
    first = State((1,))

    @kernel
    def process(signal, out, level, known, first, n):
        if known[0] == 0.0:
            known[0] = 1.0
            first[0] = level[0, 0]
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane] * first[0]


class Hasty(Effect):
    """Read a param at the end of each tick for all of it."""

    kind = "hasty"
    caught_by = "moving"
    level = Level("level_db", 0.0)

    @kernel
    def process(signal, out, level, n):
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane] * level[i | 63, lane]


class Overreaching(Effect):
    """Read the frame after the last."""

    kind = "overreaching"
    caught_by = "bounds"

    @kernel
    def process(signal, out, n):
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane] + 0.0 * abs(finite(signal[i + 1, lane]))


class Greedy(Effect):
    """Allocate on the audio thread."""

    kind = "greedy"
    caught_by = "native"

    @kernel
    def process(signal, out, n):
        space = np.zeros(n)
        for i in range(n):
            for lane in range(out.lanes):
                space[i] += signal[i, lane]
                out[i, lane] = space[i]


class Meddling(Effect):
    """Follow the loudest of all lanes, those of the neighbours too."""

    kind = "meddling"
    caught_by = "wide"
    wide = True
    z = State((LANES,))

    @kernel
    def process(signal, out, z, n):
        for i in range(n):
            loudest = 0.0
            for lane in range(out.lanes):
                loudest = max(loudest, abs(finite(signal[i, lane])))
            for lane in range(out.lanes):
                z[lane] = loudest
                out[i, lane] = signal[i, lane] / (1.0 + z[lane])


class Twice(Effect):
    """Write every frame twice, where each write is added."""

    kind = "twice"
    caught_by = "sums"
    accumulates = True

    @kernel
    def process(signal, out, n):
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = 1.0
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane]


class Narrowing(Effect):
    """Sum to mono, and claim that it can be bypassed."""

    kind = "narrowing"
    caught_by = "bypass"
    bypassable = True
    out = AudioOut("out", "mono")

    @kernel
    def process(signal, out, n):
        for i in range(n):
            out[i, 0] = signal[i, 0]


class Stuttering(Effect):
    """Play a note at the beginning of each block, however long that is."""

    kind = "stuttering"
    caught_by = "blocks"
    notes = EventsOut("notes", "The notes.")

    @classmethod
    def tail(cls, config):
        return float("inf")

    @kernel
    def process(signal, out, notes, n):
        for i in range(n):
            notes[i, 0] = 64.0 * 0x90 if i == 0 else 0.0
            notes[i, 1] = 60.0
            for lane in range(out.lanes):
                out[i, lane] = signal[i, lane]


KINDS: tuple[type[Effect], ...] = tuple(
    value for value in list(vars().values()) if isinstance(value, type) and issubclass(value, Effect) and value.kind
)
