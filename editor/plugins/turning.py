"""Turning a plugin's param: its own names and words, its steps, and where it stands by itself. Knows no window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from editor.faces import plugin_text, trimmed
from editor.model import Session
from editor.plugins.playing import Playing
from editor.turning import Turning, fresh_gesture
from graph.plugins import ParamAbout
from graph.spec import Param

MOST_STEPS = 1000
"""A param with more steps than this is turned as if it had none."""

MOST_CHOICES = 64
"""A param with more steps than this is no choice from a list; programs are, however many."""


class Engine(Protocol):
    """What asks the engine without waiting for it (``editor.link.Sound``)."""

    def ask(self, task: Callable[..., object]) -> None: ...


class PluginTurning(Turning):
    """A param of a plugin. Where the patch gives it no value it stands where the plugin has it."""

    def __init__(
        self,
        session: Session,
        node: str,
        param: Param,
        own: ParamAbout,
        playing: Playing,
        engine: Engine,
        unset: float | None = None,
    ) -> None:
        super().__init__(session, (node,), param, unset)
        self.own, self.playing, self.engine = own, playing, engine
        self.address = session.address(node)

    def values(self) -> list[float]:
        """What it stands at."""
        if not self.there:
            return []
        stored = self.session.here.node(self.nodes[0]).params.get(self.param.name)
        if stored is None:
            stored = self.playing.values(self.address).get(self.param.name, self.unset)
        return [min(max(float(stored), self.param.low), self.param.high)]

    @property
    def label(self) -> str:
        """The name that the plugin gives it now."""
        return self._called[0]

    @property
    def _called(self) -> tuple[str, str]:
        """Name and unit."""
        return self.playing.titles(self.address).get(self.param.name, (self.own.name, self.own.unit))

    def words(self, value: float) -> str:
        """What the plugin shows for a value."""
        if self.param.curve == "switch":
            return super().words(value)
        found = self.playing.text(self.address, self.param.name, value)
        return plugin_text(self.own, value) if found is None else trimmed(found, self._called[1])

    @property
    def choices(self) -> Sequence[str]:
        """What the plugin shows at each step, where these are few."""
        count = len(self.own.values)
        few = count > 2 and (count <= MOST_CHOICES or self.own.program) and count == self.own.steps + 1
        return self.own.values if few else ()

    @property
    def chosen(self) -> int:
        """Which step it stands at."""
        return round(self.value * self.own.steps)

    def choose(self, index: int) -> None:
        """Let it stand at a step."""
        self.put(index / self.own.steps)

    @property
    def typed(self) -> str:
        """What the plugin shows, without its unit."""
        words, unit = self.words(self.value).replace("−", "-"), self._called[1]
        return words.removesuffix(unit).strip() if unit else words

    def type(self, text: str) -> None:
        """Take what was typed: one of its steps, or whatever the plugin itself understands. Raises ValueError."""
        wanted = text.strip().lower().removesuffix(self._called[1].lower()).strip()
        names = [value.strip().lower() for value in self.own.values]
        if wanted in names:
            self.put(names.index(wanted) / max(len(names) - 1, 1))
            return
        plugins = self.playing.engine
        if plugins is None or self.address not in self.playing.standing:
            super().type(text)
            return
        address, name = self.address, self.param.name

        def take(_: object) -> None:
            value = plugins.value_of(address, name, wanted)
            self.playing.later(lambda: self._typed(value, text))

        self.engine.ask(take)

    def _typed(self, value: float | None, text: str) -> None:
        if value is None:
            raise ValueError(f"{self.own.name}: the plugin does not understand {text!r}")
        self.put(value)

    def _do(self, values: Mapping[str, float]) -> None:
        steps = self.own.steps
        if 0 < steps <= MOST_STEPS:
            values = {id: round(value * steps) / steps for id, value in values.items()}
        if self.own.program:
            self._gesture = self._gesture or fresh_gesture("program", self.address)
            self.playing.chose(self.address, self.param.name, self._gesture)
        super()._do(values)
