"""Which backend runs a plugin: the first that a trial finds fit, and why not the others.

A trial loads the plugin, plays a little noise through it and saves its state. It runs whatever the plugin does, so it
belongs in a process of its own; one that died in the trial of one backend is begun again with the others.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from graph.layouts import channels_of
from host.plugins.description import Description
from host.plugins.errors import PluginError
from host.plugins.instance import PluginInstance

Backend = Literal["native", "board"]
Format = Literal["vst3", "au"]
RATE, BLOCK, BLOCKS = 48000.0, 512, 4


@dataclass(frozen=True, slots=True)
class Choice:
    """The backend that runs a plugin, what it says of it, and what is to be said of backends before it."""

    backend: Backend
    description: Description
    reasons: tuple[str, ...] = ()


def backends(format: Format, system: str = sys.platform) -> tuple[Backend, ...]:
    """The backends for a format, the preferred one first.

    Our own host does what pedalboard cannot: sidechains, several outputs, changes on their frame, events, transport,
    and blocks without the interpreter. It has proved itself on Linux only, so elsewhere it comes second.
    """
    if format == "au":
        return ("board",)
    return ("native", "board") if system.startswith("linux") else ("board", "native")


def classes(path: Path, format: Format = "vst3", order: Sequence[Backend] | None = None) -> list[str]:
    """The ids of the plugins in a file. Raises PluginError with what each backend said."""
    reasons: list[str] = []
    for backend in backends(format) if order is None else order:
        try:
            if backend == "native":
                from host.plugins.vst3.plugin import classes as find

                return find(path)
            from host.plugins.board_loading import classes as ask

            return ask(path, format)
        except PluginError as error:
            reasons.append(f"{backend}: {error}")
    raise PluginError("; ".join(reasons) or f"{path}: no backend is left for it")


def choose(path: Path, uid: str, format: Format = "vst3", order: Sequence[Backend] | None = None) -> Choice:
    """The first backend that runs a plugin. Raises PluginError with what each said where none does."""
    reasons: list[str] = []
    for backend in backends(format) if order is None else order:
        try:
            instance = open_plugin(path, uid, backend, format)
            try:
                reasons += [f"{backend}: {words}" for words in trial(instance)]
            finally:
                instance.close()
            return Choice(backend, instance.description, tuple(reasons))
        except PluginError as error:
            reasons.append(f"{backend}: {error}")
    raise PluginError("; ".join(reasons) or f"{path}: no backend is left for it")


def open_plugin(
    path: Path, uid: str, backend: Backend, format: Format = "vst3", description: Description | None = None
) -> PluginInstance:
    """An instance. ``description`` is what the trial found: it spares pedalboard its own. Raises PluginError."""
    if backend == "native":
        if format != "vst3":
            raise PluginError(f"{path}: our own host runs VST3 only, not {format}")
        from host.plugins.vst3.plugin import Vst3Plugin

        return Vst3Plugin(path, uid)
    from host.plugins.board import BoardPlugin

    return BoardPlugin(path, uid, description, format)


def trial(instance: PluginInstance) -> list[str]:
    """Play noise through a fresh plugin and ask for its state: what is to be said of it. Raises PluginError where no
    sound gets through.
    """
    instance.prepare(RATE, BLOCK)
    own = instance.arrangement
    if not any(own.outputs):
        raise PluginError(f"{instance.description.name}: none of its outputs has a layout that is known here")
    inputs, outputs = (
        [np.zeros((channels_of(layout), BLOCK), np.float32) for layout in layouts if layout]
        for layouts in (own.inputs, own.outputs)
    )
    noise = np.random.default_rng(1)
    for _ in range(BLOCKS):
        for block in inputs:
            block[:] = 0.1 * noise.standard_normal(block.shape)
        instance.process(inputs, outputs)
    instance.latency()
    found = [notice.text for notice in instance.notices() if notice.kind == "trouble"]
    try:
        instance.state()
    except PluginError as error:
        found.append(f"{error}, so only its params can be kept")
    return found
