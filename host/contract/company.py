"""Checks of a kind among others: side by side, in a sum, bypassed and muted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from graph.compiler import compile
from graph.document import Patch
from graph.layouts import channels_of
from graph.schedule import KernelStep, Schedule
from graph.widen import WIDTHS
from host.contract.bench import Files
from host.contract.declaration import remembers_abreast
from host.contract.rig import Subject, batches, noise, port_of, served
from host.contract.sound import FRAMES, alike, same, torture, tortured
from host.contract.variants import Structure, Variant, draw, inputs, params, seeded
from host.offline import Frames, run_arrays

SHORT = 8 * 64
SWITCHED = 12
"""How many of the draws are bypassed and muted: some of every structure, as draws take them in turn."""


def wide(subject: Subject) -> Iterator[str]:
    """Side by side, and in series, each node gives the bits that it gives alone."""
    if not subject.kind.wide:
        return
    abreast = 0
    for structure in _alone(subject):
        node = subject.compiled(Variant(structure))
        if node is None or remembers_abreast(subject.kind, node):
            return  # what is wide and has memory is refused as declared: to run it would write over other memory
        patch, data = _tracks(subject, structure)
        schedule, differs = _compared(subject, patch, data)
        abreast += any(len(s.nodes) > 1 and _is(schedule, s, subject) for s in _kernels(schedule))
        yield from (f"{id} differs side by side: {Variant(structure)}" for id in differs)
        patch, data = _series(subject, structure)
        yield from (f"differs in series: {Variant(structure)}" for _ in _compared(subject, patch, data)[1])
    if not abreast:
        yield "it is wide, and never runs side by side"


def _alone(subject: Subject) -> list[Structure]:
    """Structures with nothing but the main input plugged, so that nodes may run side by side."""
    settings = [s.settings for s in subject.structures]
    found: list[Structure] = []
    for k, own in enumerate([settings[0], *settings]):
        main = inputs(subject.kind, own)[0]
        structure = Structure(own, {main.name: "mono" if k == 0 else "stereo"})
        node = subject.compiled(Variant(structure))
        if structure not in found and len(found) < 3 and node is not None and not subject.kind.alone(node.config):
            found.append(structure)
    return found


def _tracks(subject: Subject, structure: Structure) -> tuple[Patch, dict[str, Frames]]:
    """A vector's worth of tracks: in, something that runs side by side of itself, the node, out."""
    chance = seeded(subject.kind, "wide")
    main, layout = next(iter(structure.plugged.items()))
    patch = Patch(sample_rate=subject.rate)
    data: dict[str, Frames] = {}
    for k in range(max(2, WIDTHS[0] // channels_of(layout))):
        variant = _drawn(subject, structure, chance)
        patch.add(f"in{k:02d}", "raw_in", settings={"layout": layout})
        patch.add(f"a{k:02d}", "abreast")
        patch.add(f"n{k:02d}", subject.kind.kind, settings=dict(structure.settings), **dict(variant.params))
        patch.connect(f"in{k:02d}.out", f"a{k:02d}.in")
        patch.connect(f"a{k:02d}.out", f"n{k:02d}.{main}")
        node = subject.compiled(variant)
        assert node is not None
        subject.plug_outputs(patch, f"n{k:02d}", node)
        data[f"in{k:02d}"] = noise(SHORT, 0.5)(f"{k}", channels_of(layout))
    return patch, data


def _series(subject: Subject, structure: Structure) -> tuple[Patch, dict[str, Frames]]:
    """Eight nodes in series."""
    chance = seeded(subject.kind, "series")
    main, layout = next(iter(structure.plugged.items()))
    patch = Patch(sample_rate=subject.rate)
    patch.add("in", "raw_in", settings={"layout": layout})
    before = "in.out"
    for k in range(8):
        variant = _drawn(subject, structure, chance)
        node = subject.compiled(variant)
        assert node is not None
        (out, _, own), *_ = subject.outputs(node)
        if own != layout:
            break
        patch.add(f"n{k:02d}", subject.kind.kind, settings=dict(structure.settings), **dict(variant.params))
        patch.connect(before, f"n{k:02d}.{main}")
        before = f"n{k:02d}.{out}"
    patch.add("out", "raw_out", settings={"layout": layout})
    patch.connect(before, "out.in")
    return patch, {"in": noise(SHORT, 0.5)("in", channels_of(layout))}


def _drawn(subject: Subject, structure: Structure, chance) -> Variant:
    """A variant that the kind accepts, mildly drawn: nothing that silences it."""
    for _ in range(50):
        values = {
            p.name: p.default if p.curve == "switch" or not p.modulatable else 0.5 * (p.default + draw(p, chance))
            for p in params(subject.kind, structure)
            if p.curve in ("linear", "log", "switch")
        }
        if subject.compiled(Variant(structure, values)) is not None:
            return Variant(structure, values)
    return Variant(structure)


def _compared(subject: Subject, patch: Patch, data: dict[str, Frames]) -> tuple[Schedule, list[str]]:
    """The wide schedule, and the outputs that differ from those of nodes that run alone."""
    services = Files(subject.rate)
    schedule = compile(patch, subject.registry, services)
    _, program = run_arrays(schedule, services, SHORT, data, block=256, checked=True)
    if program.faults:
        return schedule, [f"({program.faults} indices out of range)"]
    found, _ = run_arrays(schedule, services, SHORT, data, block=256)
    alone, _ = run_arrays(compile(patch, subject.registry, services, wide=False), services, SHORT, data, block=256)
    return schedule, [id for id in alone if not same(found[id], alone[id])]


def _kernels(schedule: Schedule) -> Iterator[KernelStep]:
    return (s for s in schedule.steps if isinstance(s, KernelStep))


def _is(schedule: Schedule, step: KernelStep, subject: Subject) -> bool:
    return schedule.nodes[step.nodes[0]].kind is subject.kind


def sums(subject: Subject) -> Iterator[str]:
    """What adds into a sum gives the sum of what it gives alone."""
    if not subject.kind.accumulates:
        return
    for structure in subject.structures[:3]:
        own = _together(subject, structure)
        patch = Patch(sample_rate=subject.rate)
        layout = ""
        for k, variant in enumerate(own):
            subject.place(patch, f"n{k}", variant)
            node = subject.compiled(variant)
            assert node is not None
            ((out, _, layout),) = subject.outputs(node)
            if k == 0:
                patch.add("sum", "raw_out", settings={"layout": layout})
            patch.connect(f"n{k}.{out}", "sum.in")
        services = Files(subject.rate)
        schedule = compile(patch, subject.registry, services, wide=False)
        if len(own) > 1 and not any(s.adding for s in _kernels(schedule)):
            yield f"it accumulates, and does not: {Variant(structure)}"
        signal = noise(SHORT)
        data = {
            n.id: signal(port_of(n.id), channels_of(n.config.layouts["out"]))
            for n in schedule.nodes
            if n.id.startswith("in-") or served(n.kind)
        }
        found, _ = run_arrays(schedule, services, SHORT, data, block=256)
        total = np.zeros((SHORT, channels_of(layout)), np.float32)
        for outputs in subject.run(own, signal, SHORT, block=256).outputs:
            (y,) = outputs.values()
            total = total + y
        if not np.array_equal(found["sum"], total):
            yield f"a sum of nodes is not the sum of their outputs: {Variant(structure)}"


def _together(subject: Subject, structure: Structure) -> list[Variant]:
    """A few variants of one latency, so that nothing comes between them and their sum."""
    found: list[Variant] = []
    wanted = None
    for variant in subject.variants:
        node = subject.compiled(variant) if variant.structure == structure else None
        if node is not None and wanted in (None, node.latency) and len(found) < 4:
            wanted = node.latency
            found.append(variant)
    return found


def bypass(subject: Subject) -> Iterator[str]:
    """Bypassed, the first output is the first input; muted, all is silence; and automation says the same."""
    kind = subject.kind
    if not kind.ports({s.name: s.default for s in kind.settings_declared()}):
        return
    chosen = subject.variants[:1] + subject.variants[-SWITCHED:]
    reference = tortured(subject)
    reference = reference[:1] + reference[-SWITCHED:]
    own = {p.name for v in chosen for p in params(kind, v.structure)}
    if kind.bypassable:
        for how, on in (("bypassed", None), ("bypassed by automation", 1.0), ("not bypassed by automation", 0.0)):
            if on is not None and "bypass" in own:
                continue
            for variant, y, normal in zip(chosen, _switched(subject, chosen, "bypass", on), reference, strict=True):
                node = subject.compiled(variant)
                assert node is not None
                out = subject.outputs(node)[0][0]
                main = inputs(kind, variant.structure.settings)[0].name
                channels = channels_of(variant.structure.plugged[main])
                wanted = normal[out] if on == 0.0 else torture(main, channels)
                if y[out].shape != wanted.shape:
                    yield f"it can be bypassed, and {out} has not the layout of {main}: {variant}"
                elif not same(y[out], wanted):
                    frame = int(np.argmax(~alike(y[out], wanted).all(axis=1)))
                    yield f"{how}, {out} is wrong from frame {frame} on: {variant}"
    muted = [(None, False)] if "mute" in own else [(None, False), (1.0, False)]
    muted += [(on, True) for on, _ in muted if kind.bypassable]
    for on, bypassed in muted:
        for variant, y in zip(chosen, _switched(subject, chosen, "mute", on, bypassed), strict=True):
            yield from (f"muted, {port} sounds: {variant}" for port, signal in y.items() if signal.any())


def _switched(
    subject: Subject, chosen: list[Variant], what: str, on: float | None, bypassed: bool = False
) -> list[dict[str, Frames]]:
    """The outputs with bypass or mute stored, or automated to a value."""

    def tweak(patch: Patch, id: str, k: int) -> None:
        patch.node(id).bypass = bypassed
        if on is None:
            setattr(patch.node(id), what, True)
        else:
            patch.automate(id, what, [[0.0, on, "hold"]])

    found: list[dict[str, Frames]] = []
    for part in batches(chosen):
        outputs = subject.run(part, torture, FRAMES, tweak=tweak).outputs
        found += [{port: y for port, y in own.items() if port != "stream"} for own in outputs]
    return found
