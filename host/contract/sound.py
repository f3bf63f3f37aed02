"""Checks of what a kind does to sound."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator

import numpy as np

from graph.document import Patch
from graph.schedule import CompiledNode
from graph.spec import TICK, Memory, Param, State
from host.contract.bench import Files, Listener
from host.contract.rig import STREAM, Heard, Subject, batches, noise, once, served
from host.contract.variants import Variant, inputs, seeded
from host.native.abi import dims_of, main_lanes
from host.offline import Frames

FRAMES = 47 * TICK
BLOCKS = (64, 448, 1024)
SLOW_RATE = 8000
"""Where tails are waited for."""

HIT, HIT_FRAMES = 1024, 2112
"""Where the impulse of the latency check is, and how long it is listened to. Before it there is room for what rings
ahead."""
HEARD = 1e-5
"""−100 dB: what is below this share of a response's peak does not count as sounding."""

SPREAD = ("denoise", "pitch_shift")
"""Kinds that take sound apart in windows and lay it together otherwise: an impulse is answered around its frame, and
what lies before it is no mirror image. Its loudest frame must be in time instead."""

SILENT = 1e-6
LONGEST_WAIT = 1 << 20
ALL_WAITS = 6 << 20
"""Frames that are waited for a variant's tail, and for all of a kind's together."""


def torture(port: str, channels: int) -> Frames:
    """Silence, impulses, a step, denormals, noise far above full scale, the highest frequency, a sine."""
    rng = np.random.default_rng(zlib.crc32(port.encode()))
    x = np.zeros((FRAMES, channels))
    x[200], x[263] = 1.0, -1.0
    x[300:700] = 1.0
    x[700:900] = 1e-40 * rng.choice([-1.0, 1.0], (200, channels))
    x[900:1900] = 8.0 * rng.uniform(-1.0, 1.0, (1000, channels))
    x[1900:2100] = (-1.0) ** np.arange(200)[:, None]
    x[2100:2500] = 0.5 * np.sin(0.13 * np.arange(400))[:, None] * np.linspace(1.0, 0.3, channels)
    return x.astype(np.float32)


@once
def tortured(subject: Subject) -> list[dict[str, Frames]]:
    """What every variant makes of it."""
    return [y for part in batches(subject.variants) for y in subject.run(part, torture, FRAMES).outputs]


def finite(subject: Subject) -> Iterator[str]:
    """Finite output for finite input, at every setting."""
    for variant, outputs in zip(subject.variants, tortured(subject), strict=True):
        for port, y in outputs.items():
            if not np.isfinite(y).all():
                yield f"{port} is not finite from frame {_first(~np.isfinite(y))} on: {variant}"


def blocks(subject: Subject) -> Iterator[str]:
    """The same samples whatever the block."""
    reference = batches(tortured(subject))
    for block in (BLOCKS[0], BLOCKS[2]):
        for part, wanted in zip(batches(subject.variants), reference, strict=True):
            found = subject.run(part, torture, FRAMES, block=block).outputs
            yield from _differences(part, wanted, found, f"in blocks of {block}")


def bounds(subject: Subject) -> Iterator[str]:
    """No index out of range, at either rate, still or moving."""
    for at in (subject, subject.at(SLOW_RATE)):
        for part in batches(at.of_few((at.few[0], at.few[-1]), 2)):
            faults = at.run(part, torture, FRAMES, checked=True).program.faults
            if faults:
                yield f"{faults} indices are out of range at {at.rate} Hz"
    moved = subject.moveable(subject.structures[0])

    def tweak(patch: Patch, id: str, k: int) -> None:
        for param in moved:
            curve = "linear" if param.modulatable else "hold"
            patch.automate(id, param.name, [[0.0, param.low, curve], [0.06, param.high, "hold"]])

    faults = subject.run([Variant(subject.structures[0])], torture, FRAMES, checked=True, tweak=tweak).program.faults
    if faults:
        yield f"{faults} indices are out of range while params move"


def _differences(
    variants: list[Variant], one: list[dict[str, Frames]], other: list[dict[str, Frames]], when: str
) -> Iterator[str]:
    for variant, a, b in zip(variants, one, other, strict=True):
        for port in a:
            if not same(a[port], b[port]):
                yield f"{port} differs {when} from frame {_first(~alike(a[port], b[port]))} on: {variant}"


def alike(a: Frames, b: Frames) -> np.ndarray:
    """Where two signals have the same bits."""
    return a.view(np.uint32) == b.view(np.uint32)


def same(a: Frames, b: Frames) -> bool:
    """Whether two signals have the same bits everywhere."""
    return bool(alike(a, b).all())


def _first(where: np.ndarray) -> int:
    return int(np.argmax(where.any(axis=1)))


# -- latency -----------------------------------------------------------------------------------------------------------


def latency(subject: Subject) -> Iterator[str]:
    """The declared latency is the true one.

    Outputs are heard aligned, so an impulse must be answered on its own frame. Nothing may sound before (but for the
    mirror image of what sounds after: a linear-phase filter rings both ways); and of all the variants that declare
    the same latency, some must answer on the frame itself: one that is a delay, or has its direct sound turned off,
    may be later, all of them may not.
    """
    variants = subject.variants
    nodes = [_node(subject, v) for v in variants]
    ports = sorted({p.name for v in variants for p in inputs(subject.kind, v.structure.settings) if p.type == "audio"})
    parts = [(at, [variants[k] for k in at]) for at in batches(range(len(variants)))]
    silent = [subject.run(part, _impulse(""), HIT_FRAMES).outputs for _, part in parts]
    for port in ports + [STREAM] * served(subject.kind):
        answered: dict[tuple[int, str], list[bool]] = {}
        for (at, part), quiet in zip(parts, silent, strict=True):
            hit = subject.run(part, _impulse(port), HIT_FRAMES).outputs
            for k, y, still in zip(at, hit, quiet, strict=True):
                for out in y:
                    answer, declared = y[out] - still[out], nodes[k].latency
                    if subject.kind.kind in SPREAD:
                        loudest = int(np.argmax(np.abs(answer).max(axis=1)))
                        answered.setdefault((declared, out), []).append(loudest == HIT)
                    else:
                        yield from _answer(variants[k], out, answer, answered, declared)
        for (declared, out), times in answered.items():
            if not any(times):
                yield f"{out} never answers {port} {declared} frames later, as declared: it is later still"


def _impulse(hit: str):
    def make(port: str, channels: int) -> Frames:
        x = np.zeros((HIT_FRAMES, channels), np.float32)
        if port == hit:
            x[HIT] = 0.5 * 0.9 ** np.arange(channels)
        return x

    return make


def _answer(
    variant: Variant, out: str, y: Frames, answered: dict[tuple[int, str], list[bool]], declared: int
) -> Iterator[str]:
    size = np.abs(y).max(axis=1)
    if not size.any():
        return
    loud = size > HEARD * size.max()
    first = int(np.argmax(loud))
    if first < HIT:
        before, after = y[first:HIT], y[HIT + 1 : 2 * HIT + 1 - first][::-1]
        if np.abs(before - after).max() > 0.01 * np.abs(before).max():
            yield f"{out} answers {HIT - first} frames earlier than declared: {variant}"
            return
    answered.setdefault((declared, out), []).append(bool(loud[HIT]))


# -- tail and NaN ------------------------------------------------------------------------------------------------------


def _node(subject: Subject, variant: Variant) -> CompiledNode:
    node = subject.compiled(variant)
    assert node is not None
    return node


def memory_frames(subject: Subject, node: CompiledNode) -> int:
    """The most frames that a node can hold back: no delay line of its is longer than its longest array."""
    longest = 0
    arrays = subject.kind.prepare(node.config, Files(subject.rate))
    for name, field in subject.kind.declared.items():
        if isinstance(field, State):
            longest = max(longest, *dims_of(field.shape, node.config, main_lanes(subject.kind, node.config), 1))
        elif isinstance(field, Memory):
            longest = max(longest, *arrays[name].shape)
    return longest


def fades(subject: Subject, endless: bool = False) -> list[tuple[int, int, Variant]]:
    """Variants whose tail can be waited for: frames of memory and of tail, and the variant; the quick ones first.

    With ``endless`` also those that never fall silent, as if they fell silent at once.
    """
    found: list[tuple[int, int, Variant]] = []
    for variant in subject.variants:
        node = _node(subject, variant)
        tail = subject.kind.tail(node.config)
        if endless and math.isinf(tail):
            tail = 0.0
        if math.isfinite(tail):
            found.append((memory_frames(subject, node), math.ceil(tail * subject.rate), variant))
    seeded(subject.kind, "tails").shuffle(found)
    chosen: list[tuple[int, int, Variant]] = []
    spent = 0
    for item in found:
        wait = 2 * item[0] + item[1]
        if wait <= LONGEST_WAIT and (spent + wait <= ALL_WAITS or len(chosen) < 6):
            chosen.append(item)
            spent += wait
    return sorted(chosen, key=lambda item: 2 * item[0] + item[1])


def fed(subject: Subject) -> bool:
    """Whether anything goes in that could leave a trace in what comes out."""
    ports = (p for s in subject.structures for p in inputs(subject.kind, s.settings))
    return served(subject.kind) or any(p.type in ("audio", "sidechain", "control") for p in ports)


def tail(subject: Subject) -> Iterator[str]:
    """Silent after the declared tail, 120 dB below its loudest (or full scale), and for good.

    The noise before lasts longer than any delay in play, so that every line is full when it ends, and silence is
    waited for as long again.
    """
    if not fed(subject):
        return
    subject = subject.at(SLOW_RATE)
    chosen = fades(subject)
    if not chosen and any(math.isfinite(subject.kind.tail(_node(subject, v).config)) for v in subject.variants):
        yield "no variant has a tail short enough to be waited for"
    for part in batches(chosen, 16):
        burst = max(memory for memory, _, _ in part) + 1024
        longest = max(memory + wait for memory, wait, _ in part)
        until = burst + longest + 1024
        signal = noise(burst)

        def listen(k: int, part=part, burst=burst, until=until) -> Listener:
            return Listener(burst + part[k][1], until)

        heard = subject.run([v for _, _, v in part], signal, until, listen=listen)
        for (_, wait, variant), outputs in zip(part, heard.listeners, strict=True):
            for port, listener in outputs.items():
                if listener.late_peak > SILENT * max(1.0, listener.peak) or listener.late_bad:
                    yield f"{port} is at {listener.late_peak:.3g} after its tail of {wait} frames: {variant}"


def nan(subject: Subject) -> Iterator[str]:
    """A tick of NaN and infinity is over when it is over: what keeps nothing is as if nothing had been, and what keeps
    something is sound again after its tail, and sounds.
    """
    if not fed(subject):
        return
    holds = any(isinstance(f, State | Memory) for f in subject.kind.declared.values())
    if not holds:
        whole = noise(FRAMES)
        for part in batches(subject.variants):
            clean = subject.run(part, whole, FRAMES).outputs
            dirty = subject.run(part, _spoilt(whole, 1024), FRAMES).outputs
            for variant, a, b in zip(part, clean, dirty, strict=True):
                for port in a:
                    if not (same(a[port][:1024], b[port][:1024]) and same(a[port][1088:], b[port][1088:])):
                        yield f"{port} is not the same after a tick of NaN: {variant}"
        return
    subject = subject.at(SLOW_RATE)
    for part in batches(fades(subject, endless=True), 16):
        late = 512 + TICK + max(memory + wait for memory, wait, _ in part)
        until = late + 2048
        signal = noise(until, 0.5)

        def listen(k: int, part=part, until=until) -> Listener:
            return Listener(512 + TICK + part[k][0] + part[k][1], until)

        variants = [v for _, _, v in part]
        clean = subject.run(variants, signal, until, listen=listen).listeners
        dirty = subject.run(variants, _spoilt(signal, 512), until, listen=listen).listeners
        for variant, a, b in zip(variants, clean, dirty, strict=True):
            for port in a:
                power, before = b[port].late_power, a[port].late_power
                if b[port].late_bad:
                    yield f"{port} is not finite again after a tick of NaN: {variant}"
                elif before and not 1e-4 * before <= power <= 1e4 * before:
                    yield f"{port} does not recover from a tick of NaN: power {power:.3g}, not {before:.3g}: {variant}"


def _spoilt(signal, start: int):
    """The signal with a tick that is no sound."""

    def make(port: str, channels: int) -> Frames:
        x = signal(port, channels).copy()
        x[start : start + TICK : 3] = np.nan
        x[start + 1 : start + TICK : 3] = np.inf
        x[start + 2 : start + TICK : 3] = -np.inf
        return x

    return make


# -- params that move --------------------------------------------------------------------------------------------------


STEP = 1007
"""The frame at which a param jumps: within a tick."""


def moving(subject: Subject) -> Iterator[str]:
    """Automation and modulation of each param: finite, the same in every block, nothing before its time, and heard."""
    for structure in subject.structures[:2]:
        moved = subject.moveable(structure)
        for part in batches(moved, 8):
            yield from _moving(subject, Variant(structure), part)


def _moving(subject: Subject, plain: Variant, moved: list[Param]) -> Iterator[str]:
    """For each param five nodes: still at its lowest and its highest, jumping from one to the other, sweeping up and
    down, modulated by noise.
    """
    trials = [(p, how) for p in moved for how in ("low", "high", "jump", "sweep", "noise")[: 5 if p.modulatable else 3]]
    kept: list[tuple[Param, str, Variant]] = []
    for param, how in trials:
        still = {param.name: param.high if how == "high" else param.low}
        variant = Variant(plain.structure, still if how in ("low", "high", "jump") else {})
        if subject.compiled(Variant(plain.structure, still)) is not None:
            kept.append((param, how, variant))
    rate = subject.rate

    def tweak(patch: Patch, id: str, k: int) -> None:
        param, how, _ = kept[k]
        if how == "jump":
            patch.automate(id, param.name, [[0.0, param.low, "hold"], [STEP / rate, param.high, "hold"]])
        elif how == "sweep":
            points = [[0.0, param.low], [1501 / rate, param.high], [2222 / rate, param.low], [2500 / rate, param.high]]
            patch.automate(id, param.name, [[*point, "linear"] for point in points])
        elif how == "noise":
            if "in-shake-mono" not in patch.graph:
                patch.add("in-shake-mono", "raw_in", settings={"layout": "mono"})
            patch.connect("in-shake-mono.out", f"{id}.{param.name}", amount=0.7)

    signal = noise(FRAMES)
    variants = [variant for _, _, variant in kept]
    runs = {b: subject.run(variants, signal, FRAMES, block=b, tweak=tweak) for b in (BLOCKS[0], BLOCKS[2])}
    heard = runs[BLOCKS[0]]
    for k, (param, how, variant) in enumerate(kept):
        for port, y in heard.outputs[k].items():
            if how not in ("low", "high") and not np.isfinite(y).all():
                yield f"{param.name} ({how}): {port} is not finite: {variant}"
            if not same(y, runs[BLOCKS[2]].outputs[k][port]):
                yield f"{param.name} ({how}): {port} depends on the block: {variant}"
    places = {(param.name, how): k for k, (param, how, _) in enumerate(kept)}
    for param in moved:
        found = [places.get((param.name, how)) for how in ("low", "high", "jump")]
        if None not in found:
            yield from _jumped(heard, param, *(k for k in found if k is not None))


def _jumped(heard: Heard, param: Param, low: int, high: int, jump: int) -> Iterator[str]:
    """A jump is not heard before its time, and is heard after it if the values between which it jumps differ there."""
    before, after = max(0, STEP - heard.nodes[low].latency), STEP + heard.nodes[low].latency
    changes = False
    for port, y in heard.outputs[jump].items():
        one, other = heard.outputs[low][port], heard.outputs[high][port]
        if not same(y[:before], one[:before]):
            yield f"{param.name}: {port} hears a jump before it happens"
        changes = changes or not same(one[after:], other[after:])
    if changes and all(same(y[before:], heard.outputs[low][port][before:]) for port, y in heard.outputs[jump].items()):
        yield f"{param.name}: a jump is not heard"


def holding(subject: Subject) -> Iterator[str]:
    """Params that could move and do not sound as params that cannot move."""
    chosen = [v for structure in subject.few for v in subject.of_few([structure], 2)[-6:]] + subject.variants[:1]

    moved = [subject.moveable(variant.structure) for variant in chosen]

    def tweak(patch: Patch, id: str, k: int) -> None:
        for param in moved[k]:
            value = chosen[k].params.get(param.name, param.default)
            patch.automate(id, param.name, [[0.0, value, "hold"]])

    signal = noise(FRAMES)
    still = subject.run(chosen, signal, FRAMES)
    held = subject.run(chosen, signal, FRAMES, tweak=tweak)
    yield from _differences(chosen, still.outputs, held.outputs, "when its params may move")
