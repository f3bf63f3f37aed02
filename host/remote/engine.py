"""An engine under remote control: the params of the patch that it plays, and its transport."""

from __future__ import annotations

from collections.abc import Sequence

from graph.document import Patch
from graph.groups import expand
from host.engine.client import Engine
from host.remote.addresses import Addresses, addresses_of
from host.remote.target import Row
from host.remote.transport import State
from nodes import kinds


class EngineTarget:
    """The params of a patch, and the engine that plays it. ``load`` says that it plays another one."""

    def __init__(self, engine: Engine, patch: Patch) -> None:
        self._engine = engine
        self.load(patch)

    def load(self, patch: Patch) -> None:
        """Take another patch's params, and the values that it stores."""
        nodes = expand(patch).nodes
        self._addresses = addresses_of(patch, kinds())
        self._values: dict[tuple[str, str], float] = {}
        for place in self._addresses:
            entry = nodes[place.node]
            name = place.param.name
            built_in = {"bypass": entry.bypass, "mute": entry.mute}.get(name, place.param.default)
            self._values[place.key] = float(entry.params.get(name, built_in))

    @property
    def addresses(self) -> Addresses:
        """The params there are."""
        return self._addresses

    def get(self, node: str, param: str) -> float:
        """The value of a param, with everything that was set before."""
        return self._values[node, param]

    def set(self, values: Sequence[Row]) -> None:
        """Let params glide to other values."""
        for node, param, value in values:
            self._values[node, param] = value
        self._engine.set_many(values)


class EngineTransport:
    """The transport of an engine. ``tempo`` is the patch's, in quarter notes per minute."""

    def __init__(self, engine: Engine, tempo: float) -> None:
        self._engine = engine
        self._tempo = tempo

    def play(self) -> None:
        """Let it roll."""
        self._engine.play()

    def stop(self) -> None:
        """Let it stand."""
        self._engine.stop()

    def locate(self, seconds: float) -> None:
        """Move it."""
        self._engine.locate(seconds)

    def loop(self, span: tuple[float, float] | None) -> None:
        """Go round between two places, or no longer."""
        self._engine.loop(*(span or (None, None)))

    def record(self, on: bool) -> None:
        """Begin or end the takes of all recorders."""
        self._engine.record(on)

    def state(self) -> State:
        """How it is."""
        status = self._engine.status
        recording = status.device is not None and bool(status.device.recording)
        return State(status.rolling, max(status.place_s, 0.0), status.loop, recording, self._tempo)
