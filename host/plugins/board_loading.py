"""Plugins as pedalboard finds, loads and describes them: VST3, and Audio Units where there are any.

Params are not to be set at load, which takes up to a minute and a half; and a block with the wrong number of channels
spoils an instance for good, so channels are tried on one that is thrown away. (Measured with release 0.9.26.)
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from host.plugins import presets
from host.plugins.description import (
    LONGEST_LATENCY,
    LONGEST_TEXT,
    MOST_PARAMS,
    Arrangement,
    Bus,
    Description,
    PluginParam,
)
from host.plugins.errors import PluginError

Format = Literal["vst3", "au"]
MOST_VALUES = 64
CONTINUOUS = (1 << 31) - 1
"""The number of steps that pedalboard gives for a param without steps."""
LAYOUTS = {1: "mono", 2: "stereo"}


@cache
def _classes() -> dict[str, Any]:
    """pedalboard's classes of plugins, kept from setting params at load."""
    import pedalboard

    found: dict[str, Any] = {"vst3": pedalboard.VST3Plugin}
    if hasattr(pedalboard, "AudioUnitPlugin"):
        found["au"] = pedalboard.AudioUnitPlugin
    for kind in found.values():
        kind.__set_initial_parameter_values__ = lambda self, *_, **__: None
    return found


def load(path: Path, name: str | None, format: Format) -> Any:
    """An object of pedalboard's. Raises PluginError."""
    kind = _classes().get(format)
    if kind is None:
        raise PluginError(f"{path}: there are no plugins of format {format} on this system")
    try:
        return kind(str(path), plugin_name=name)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        raise PluginError(f"{path}: pedalboard does not load it: {line(error)}") from None


def line(error: Exception) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split())[:LONGEST_TEXT] or type(error).__name__


def names(path: Path, format: Format) -> list[str]:
    """The names of the plugins in a file. Raises PluginError."""
    kind = _classes().get(format)
    if kind is None:
        raise PluginError(f"{path}: there are no plugins of format {format} on this system")
    try:
        return list(kind.get_plugin_names_for_file(str(path)))
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        raise PluginError(f"{path}: pedalboard finds no plugin in it: {line(error)}") from None


def uid_of(plugin: Any, format: Format) -> str:
    """VST3's class id, which pedalboard tells only in a preset; an Audio Unit's identifier. Raises PluginError."""
    if format == "vst3":
        return state_of(plugin, format)[0]
    return str(plugin.identifier)[:LONGEST_TEXT]


def identified(plugin: Any, format: Format, otherwise: str | None) -> str:
    """Its id, or, for a plugin that gives no state to read it from, what it is taken for. Raises PluginError."""
    try:
        return uid_of(plugin, format)
    except PluginError:
        if otherwise is None:
            raise
        return otherwise


def state_of(plugin: Any, format: Format) -> tuple[str, bytes]:
    """A VST3's class id and the bytes of its preset; nothing and an Audio Unit's state. Raises PluginError where there
    is none.
    """
    if format == "au":
        return "", bytes(plugin.raw_state)
    data = bytes(plugin.preset_data)
    if not data:
        raise PluginError(f"{plugin.name} gave no state")
    return presets.unpack(data, "preset from pedalboard").uid, data


def classes(path: Path, format: Format = "vst3") -> list[str]:
    """The ids of the plugins in a file. Raises PluginError; a plugin may also crash or never come back."""
    return [uid_of(load(path, name, format), format) for name in names(path, format)]


def open_plugin(path: Path, uid: str | None, format: Format) -> Any:
    """The plugin with an id; where none is given, the only one. Raises PluginError."""
    found = names(path, format)
    if uid is None and len(found) == 1:
        return load(path, found[0], format)
    for name in found:
        plugin = load(path, name, format)
        if identified(plugin, format, uid if len(found) == 1 else None) == uid:
            return plugin
    raise PluginError(f"{path}: no plugin {uid or '(none was named)'} in it; there are {', '.join(found)}")


def _channels(plugin: Any) -> int:
    """How many channels it takes. The instance is spoiled by the question."""
    for channels in (2, 1):
        try:
            if plugin.is_instrument:
                plugin.process([], duration=0.01, sample_rate=48000.0, num_channels=channels, buffer_size=512)
            else:
                plugin.process(np.zeros((channels, 512), np.float32), 48000.0, 512, False)
        except ValueError:
            continue
        return channels
    raise PluginError(f"{plugin.name}: pedalboard runs it neither in mono nor in stereo")


def _param(parameter: Any, at: int) -> PluginParam:
    steps = int(parameter.num_steps) - 1 if 1 < parameter.num_steps < CONTINUOUS else 0
    values = tuple(shown(parameter, k / steps) for k in range(steps + 1)) if 0 < steps < MOST_VALUES else ()
    return PluginParam(
        id=at,
        name=str(parameter.name)[:LONGEST_TEXT] or f"Param {at + 1}",
        unit=str(parameter.label).strip()[:LONGEST_TEXT],
        steps=steps,
        default=unit(parameter.default_raw_value),
        low=shown(parameter, 0.0),
        high=shown(parameter, 1.0),
        values=values,
        automatable=bool(parameter.is_automatable),
    )


def shown(parameter: Any, value: float) -> str:
    """What a param shows for a normalised value."""
    return str(parameter.get_text_for_raw_value(value)).strip()[:LONGEST_TEXT] or f"{value:.3f}"


def unit(value: float) -> float:
    """A normalised value, whatever it was."""
    return min(max(float(value), 0.0), 1.0) if math.isfinite(value) else 0.0


def describe(path: Path, uid: str | None = None, format: Format = "vst3") -> Description:
    """What pedalboard knows of a plugin. A param's id is its place: pedalboard does not tell the format's own."""
    plugin = open_plugin(path, uid, format)
    parameters = plugin._parameters
    if len(parameters) > MOST_PARAMS:
        raise PluginError(f"{path}: it speaks of {len(parameters)} params; at most {MOST_PARAMS} make sense")
    params = tuple(_param(parameter, at) for at, parameter in enumerate(parameters))
    uid, instrument, latency = identified(plugin, format, uid), bool(plugin.is_instrument), latency_of(plugin)
    channels = _channels(plugin)
    layout = LAYOUTS[channels]
    inputs = () if instrument else (Bus("Input", "main", channels, layout, (layout,)),)
    outputs = (Bus("Output", "main", channels, layout, (layout,)),)
    return Description(
        format=format,
        uid=uid,
        name=str(plugin.name)[:LONGEST_TEXT],
        vendor=str(plugin.manufacturer_name)[:LONGEST_TEXT],
        version=str(plugin.version)[:LONGEST_TEXT],
        category=str(plugin.category)[:LONGEST_TEXT],
        instrument=instrument,
        events_in=instrument,
        inputs=inputs,
        outputs=outputs,
        arrangements=(Arrangement(tuple(b.layout for b in inputs), tuple(b.layout for b in outputs)),),
        params=params,
        latency_frames=latency,
    )


def latency_of(plugin: Any) -> int:
    """The latency it reports, in frames. Raises PluginError for numbers that cannot be."""
    frames = int(plugin.reported_latency_samples)
    if not 0 <= frames <= LONGEST_LATENCY:
        raise PluginError(f"{plugin.name}: it reports {frames} frames of latency; at most {LONGEST_LATENCY} make sense")
    return frames
