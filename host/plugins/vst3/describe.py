"""What a VST3 plugin says of itself, asked once, checked, and put into our terms."""

from __future__ import annotations

import ctypes
from ctypes import c_double, c_int32, c_uint32, c_uint64, c_void_p
from dataclasses import replace

from host.plugins.description import (
    LONGEST_LATENCY,
    MOST_BUSES,
    MOST_CHANNELS,
    MOST_PARAMS,
    OFF,
    Arrangement,
    Bus,
    Description,
    PluginParam,
)
from host.plugins.errors import PluginError
from host.plugins.vst3 import com
from host.plugins.vst3.layouts import EMPTY, NAMES, SPEAKERS
from host.plugins.vst3.module import PluginClass
from host.plugins.vst3.parts import Parts
from host.plugins.vst3.units import Units, units_of

MOST_VALUES = 64
"""A param with no more values than this has each of them named."""
NEVER = 0xFFFFFFFF
"""What ``getTailSamples`` gives for a tail that never ends."""


def speakers_of(parts: Parts, direction: int, at: int) -> int | None:
    """The speakers that a bus has now, as bits, or None where the plugin does not say."""
    found = c_uint64()
    kinds = (c_int32, c_int32, c_void_p)
    code = parts.processor.call(com.GET_ARRANGEMENT, direction, at, ctypes.byref(found), types=kinds)
    return found.value if code == com.OK else None


def info_of(parts: Parts, direction: int, at: int) -> com.BusInfo:
    """What the plugin says of a bus. Raises PluginError where that cannot be."""
    info = com.BusInfo()
    kinds = (c_int32, c_int32, c_int32, c_void_p)
    code = parts.component.call(com.BUS_INFO, com.AUDIO, direction, at, ctypes.byref(info), types=kinds)
    side = "output" if direction == com.OUTPUT else "input"
    if code != com.OK or not 0 <= info.channels <= MOST_CHANNELS:
        raise PluginError(
            f"{parts.name}: {side} bus {at} cannot be used (getBusInfo gave {code}, {info.channels} channels)"
        )
    return info


def count_of(parts: Parts, direction: int) -> int:
    """How many audio buses a side has. Raises PluginError for numbers that cannot be."""
    count = parts.buses(com.AUDIO, direction)
    if not 0 <= count <= MOST_BUSES:
        raise PluginError(f"{parts.name}: it speaks of {count} audio buses; at most {MOST_BUSES} make sense")
    return count


def bus_of(parts: Parts, direction: int, at: int) -> Bus:
    """A bus as it is now."""
    info = info_of(parts, direction, at)
    bits = speakers_of(parts, direction, at)
    if bits is None:
        layout = {1: "mono", 2: "stereo"}.get(info.channels, OFF)
    else:
        layout = NAMES.get(bits, OFF)
    if layout and SPEAKERS[layout].bit_count() != info.channels:
        layout = OFF
    kind = "aux" if info.type == com.AUX else "main"
    on = bool(info.flags & com.DEFAULT_ACTIVE) or kind == "main"
    return Bus(com.text16(info.name), kind, info.channels, layout, (layout,) if layout else (), on)


def buses_of(parts: Parts) -> tuple[tuple[Bus, ...], tuple[Bus, ...]]:
    """Both sides' buses as they are now."""
    inputs, outputs = (
        tuple(bus_of(parts, direction, at) for at in range(count_of(parts, direction)))
        for direction in (com.INPUT, com.OUTPUT)
    )
    return inputs, outputs


def arrange(parts: Parts, asked: Arrangement) -> bool:
    """Ask for layouts; whether the plugin then has them, whatever it answered. A bus that is off keeps its own."""
    sides = []
    for direction, layouts in ((com.INPUT, asked.inputs), (com.OUTPUT, asked.outputs)):
        kept = (speakers_of(parts, direction, at) or EMPTY for at in range(len(layouts)))
        sides.append([SPEAKERS[layout] if layout else now for layout, now in zip(layouts, kept, strict=True)])
    inputs, outputs = ((c_uint64 * max(len(side), 1))(*side) for side in sides)
    parts.processor.call(
        com.SET_ARRANGEMENTS,
        *(inputs, len(sides[0]), outputs, len(sides[1])),
        types=(c_void_p, c_int32, c_void_p, c_int32),
    )
    now = buses_of(parts)
    if (len(now[0]), len(now[1])) != (len(asked.inputs), len(asked.outputs)):
        raise PluginError(f"{parts.name}: it has other buses than it had before; it is to be described again")
    pairs = zip((*asked.inputs, *asked.outputs), (*now[0], *now[1]), strict=True)
    return all(not layout or layout == bus.layout for layout, bus in pairs)


def own_arrangement(inputs: tuple[Bus, ...], outputs: tuple[Bus, ...]) -> Arrangement:
    """The layouts that buses have."""
    return Arrangement(tuple(bus.layout for bus in inputs), tuple(bus.layout for bus in outputs))


def accepted(parts: Parts, inputs: tuple[Bus, ...], outputs: tuple[Bus, ...]) -> tuple[Arrangement, ...]:
    """The combinations that the plugin takes of those that make sense: all main buses alike, mono to stereo, and each
    with its aux buses mono and stereo. It is left as it was found.
    """
    own = own_arrangement(inputs, outputs)
    wanted = [(layout, layout) for layout in SPEAKERS] + [("mono", "stereo")]
    has_aux = any(bus.kind == "aux" for bus in (*inputs, *outputs))
    found = [own]
    for into, out in wanted:
        for aux in ("", "mono", "stereo") if has_aux else ("",):
            sides = (
                tuple(main if bus.kind == "main" else aux or bus.layout for bus in side)
                for main, side in ((into, inputs), (out, outputs))
            )
            asked = Arrangement(*sides)
            if asked not in found and arrange(parts, asked):
                found.append(asked)
    arrange(parts, own)
    return tuple(found)


def param_text(parts: Parts, id: int, value: float) -> str:
    """What the plugin shows for a value; where it shows nothing, the value itself."""
    shown = com.Unit16()
    if parts.controller is not None:
        kinds = (c_uint32, c_double, c_void_p)
        if parts.controller.call(com.PARAM_TEXT, id, value, ctypes.byref(shown), types=kinds) == com.OK:
            if text := com.text16(shown):
                return text
    return f"{value:.3f}"


def params_of(parts: Parts) -> tuple[PluginParam, ...]:
    """The params in the plugin's order. Raises PluginError where their number cannot be."""
    if parts.controller is None:
        return ()
    count = parts.controller.call(com.PARAM_COUNT)
    if not 0 <= count <= MOST_PARAMS:
        raise PluginError(f"{parts.name}: it speaks of {count} params; at most {MOST_PARAMS} make sense")
    units = units_of(parts.controller)
    found: dict[int, PluginParam] = {}
    for at in range(count):
        info = com.ParameterInfo()
        code = parts.controller.call(com.PARAM_INFO, at, ctypes.byref(info), types=(c_int32, c_void_p))
        if code == com.OK and info.id not in found:
            found[info.id] = _param(parts, info, at, units)
    return tuple(found.values())


def titles_of(parts: Parts) -> dict[int, tuple[str, str]]:
    """What the params are called now, and their units, by their ids."""
    found: dict[int, tuple[str, str]] = {}
    count = parts.controller.call(com.PARAM_COUNT) if parts.controller is not None else 0
    for at in range(count if 0 <= count <= MOST_PARAMS else 0):
        assert parts.controller is not None
        info = com.ParameterInfo()
        code = parts.controller.call(com.PARAM_INFO, at, ctypes.byref(info), types=(c_int32, c_void_p))
        if code == com.OK:
            found.setdefault(info.id, (_title(info, at), com.text16(info.units)))
    return found


def _title(info: com.ParameterInfo, at: int) -> str:
    return com.text16(info.title) or com.text16(info.short) or f"Param {at + 1}"


def _param(parts: Parts, info: com.ParameterInfo, at: int, units: Units) -> PluginParam:
    steps = max(info.steps, 0)
    values = tuple(param_text(parts, info.id, k / steps) for k in range(steps + 1)) if 0 < steps < MOST_VALUES else ()
    program = bool(info.flags & com.PROGRAM)
    if program:
        values = units.programs_of(info.unit, steps + 1) or values
    return PluginParam(
        id=info.id,
        name=_title(info, at),
        unit=com.text16(info.units),
        steps=steps,
        default=com.unit(info.default),
        low=values[0] if values else param_text(parts, info.id, 0.0),
        high=values[-1] if values else param_text(parts, info.id, 1.0),
        values=values,
        automatable=bool(info.flags & com.CAN_AUTOMATE),
        read_only=bool(info.flags & com.READ_ONLY),
        hidden=bool(info.flags & com.HIDDEN),
        bypass=bool(info.flags & com.BYPASS),
        group=units.path(info.unit),
        program=program,
    )


def latency_of(parts: Parts) -> int:
    """Frames of latency. Raises PluginError for numbers that cannot be."""
    frames = parts.processor.call(com.GET_LATENCY, result=c_uint32)
    if frames > LONGEST_LATENCY:
        raise PluginError(f"{parts.name}: it reports {frames} frames of latency; at most {LONGEST_LATENCY} make sense")
    return frames


def describe(parts: Parts, kind: PluginClass) -> Description:
    """All that the plugin says of itself while it is at rest. Raises PluginError where it makes no sense."""
    inputs, outputs = buses_of(parts)
    combinations = accepted(parts, inputs, outputs)
    seen = [(a.inputs, a.outputs) for a in combinations]
    inputs, outputs = (
        tuple(
            replace(bus, layouts=tuple(dict.fromkeys(layout for a in seen if (layout := a[side][at]))))
            for at, bus in enumerate(buses)
        )
        for side, buses in enumerate((inputs, outputs))
    )
    return Description(
        format="vst3",
        uid=kind.uid,
        name=kind.name,
        vendor=kind.vendor,
        version=kind.version,
        category=kind.category,
        instrument="Instrument" in kind.category.split("|"),
        events_in=parts.buses(com.EVENTS, com.INPUT) > 0,
        inputs=inputs,
        outputs=outputs,
        arrangements=combinations,
        params=params_of(parts),
        latency_frames=latency_of(parts),
    )
