"""What a declaration needs to know of a plugin, and may ask of whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


class BusAbout(Protocol):
    """An audio bus of a plugin."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str:
        """``main`` or ``aux``."""
        ...

    @property
    def layout(self) -> str:
        """The layout it has unless another is asked for; empty where we have no name for it."""
        ...

    @property
    def layouts(self) -> Sequence[str]:
        """The layouts it takes."""
        ...

    @property
    def on(self) -> bool: ...


class ParamAbout(Protocol):
    """A param of a plugin: a number from 0 to 1, whatever the plugin shows for it."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def steps(self) -> int: ...
    @property
    def default(self) -> float: ...
    @property
    def low(self) -> str: ...
    @property
    def high(self) -> str: ...
    @property
    def values(self) -> Sequence[str]:
        """What it shows at each step, where there are few."""
        ...

    @property
    def automatable(self) -> bool: ...
    @property
    def read_only(self) -> bool: ...
    @property
    def group(self) -> str:
        """The part of the plugin that it belongs to; empty where it belongs to none."""
        ...

    @property
    def program(self) -> bool:
        """Whether it chooses one of the plugin's programs, which change other params."""
        ...


class PluginAbout(Protocol):
    """What is known of a plugin without running it."""

    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> Sequence[BusAbout]: ...
    @property
    def outputs(self) -> Sequence[BusAbout]: ...
    @property
    def params(self) -> Sequence[ParamAbout]: ...
    @property
    def events_in(self) -> bool: ...
    @property
    def latency_frames(self) -> int: ...


@dataclass(frozen=True, slots=True)
class PluginRequest:
    """A plugin as a node wants it."""

    node: str
    settings: Mapping[str, Any]
    rate: float
    inputs: tuple[str, ...]
    """The layout of each bus, in the plugin's order; empty: switched off."""
    outputs: tuple[str, ...]
    state: bytes | None = None
    programs: tuple[tuple[int, float], ...] = ()
    """Ids and values of the params that choose a program of its own, where the patch gives them: what these turn goes
    before the state, as they do.
    """


@dataclass(frozen=True, slots=True)
class OpenedPlugin:
    """A plugin that is loaded, or being loaded."""

    number: int
    latency: int
    """Frames by which its output lags, as far as that is known."""


Words = npt.NDArray[np.int64]
