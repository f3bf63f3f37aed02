"""What engine and client say to one another of plugins. Nodes are addresses of the engine's, params their names."""

from __future__ import annotations

from dataclasses import dataclass

from graph.fields import checked_address, checked_name
from host import fields as f
from host.fields import FromEngine, Message, ToEngine

MOST_STATE_BYTES = f.MOST_MESSAGE_BYTES - 2**16
PHASES = ("begin", "perform", "end")
"""A knob of the plugin's own window is taken in hand, is turned, is let go of."""
QUESTIONS = ("state", "text", "value")


@dataclass(frozen=True, slots=True)
class OpenPluginWindow(ToEngine):
    """Open a plugin's own window, or bring it before all others."""

    node: str = f.field(checked_address)


@dataclass(frozen=True, slots=True)
class ClosePluginWindow(ToEngine):
    """Close it."""

    node: str = f.field(checked_address)


@dataclass(frozen=True, slots=True)
class RestartPlugin(ToEngine):
    """End a plugin's process, and start it again with the last state; also where it had failed for good."""

    node: str = f.field(checked_address)


@dataclass(frozen=True, slots=True)
class AskPlugin(ToEngine):
    """Ask for a PluginAnswer of the same ticket: its ``state``; the ``text`` that it shows for a param's value; the
    ``value`` that words stand for.
    """

    ticket: int = f.field(f.COUNT)
    node: str = f.field(checked_address)
    question: str = f.field(f.one_of(*QUESTIONS))
    param: str = f.field(f.name)
    value: float = f.field(f.VALUE)
    words: str = f.field(f.name)


@dataclass(frozen=True, slots=True)
class AskPlugins(ToEngine):
    """Ask for all PluginStandings and PluginValues once more: the client is another."""


@dataclass(frozen=True, slots=True)
class AskPluginStates(ToEngine):
    """Ask for a PluginState of every plugin whose window is or was open, where it is not what the patch has; and then
    for PluginStatesTold of the same ticket.
    """

    ticket: int = f.field(f.COUNT)


@dataclass(frozen=True, slots=True)
class GivePluginState(ToEngine):
    """Let a plugin be given the state that the patch has when it comes next, though the last one that the engine saw
    had the same: what the plugin had come to by itself was taken into the patch, and taken back.
    """

    node: str = f.field(checked_address)


@dataclass(frozen=True, slots=True)
class PluginsIn(ToEngine):
    """Let plugins that are loaded from now on share processes: none, those of a serial chain, or all of the patch."""

    grouping: str = f.field(f.one_of("plugin", "chain", "patch"))


@dataclass(frozen=True, slots=True)
class PluginAnswer(FromEngine):
    """What a plugin answered, or the ``problem``, in words."""

    ticket: int = f.field(f.COUNT)
    problem: str = f.field(f.words)
    value: float | None = f.field(f.optional(f.VALUE))
    words: str = f.field(f.words)
    state: bytes = f.field(f.octets)


@dataclass(frozen=True, slots=True)
class PluginEdits(FromEngine):
    """What a person did in plugins' windows: rows of node, param, value (0…1), number of the gesture, phase of it."""

    rows: tuple[tuple[str, str, float, int, str], ...] = f.field(
        f.many(f.row(checked_address, checked_name, f.VALUE, f.COUNT, f.one_of(*PHASES)))
    )


@dataclass(frozen=True, slots=True)
class PluginState(FromEngine):
    """A plugin's state became another without the patch having said so. ``by_hand``: somebody did that in its window;
    otherwise it may be no more than what came of params that the patch moved. ``moved``: rows of param and value (0…1)
    of what else moved with it, that the patch gives.
    """

    node: str = f.field(checked_address)
    state: bytes = f.field(f.octets)
    by_hand: bool = f.field(f.flag)
    moved: tuple[tuple[str, float], ...] = f.field(f.many(f.row(checked_name, f.VALUE)))


@dataclass(frozen=True, slots=True)
class PluginStatesTold(FromEngine):
    """All that AskPluginStates of this ticket asked for was told, or could not be had."""

    ticket: int = f.field(f.COUNT)


@dataclass(frozen=True, slots=True)
class PluginValues(FromEngine):
    """What a plugin has for its params, 0…1, all of them."""

    node: str = f.field(checked_address)
    values: tuple[tuple[str, float], ...] = f.field(f.many(f.row(checked_name, f.VALUE)))


@dataclass(frozen=True, slots=True)
class PluginTitles(FromEngine):
    """What a plugin calls its params now, and their units, where a scan found them called otherwise."""

    node: str = f.field(checked_address)
    titles: tuple[tuple[str, str, str], ...] = f.field(f.many(f.row(checked_name, f.name, f.name)))


@dataclass(frozen=True, slots=True)
class PluginStandings(FromEngine):
    """How all plugins do: rows of node, the plugin's name, ``new``, ``loading``, ``ready`` or ``failed``, why it
    failed, the backend that runs it; then latency in frames, whether its window is open, how often it was lost, how
    often it came back, blocks missed, blocks that passed without it, samples that were no numbers.
    """

    rows: tuple[tuple[str, str, str, str, str, int, bool, int, int, int, int, int], ...] = f.field(
        f.many(
            f.row(
                *(checked_address, f.words, f.one_of("new", "loading", "ready", "failed"), f.words, f.name),
                *(f.COUNT, f.flag, f.COUNT, f.COUNT, f.COUNT, f.COUNT, f.COUNT),
            )
        )
    )


ALL: tuple[type[Message], ...] = (
    *(OpenPluginWindow, ClosePluginWindow, RestartPlugin, AskPlugin, AskPlugins, AskPluginStates, GivePluginState),
    *(PluginsIn, PluginAnswer, PluginEdits, PluginState, PluginStatesTold, PluginTitles, PluginValues, PluginStandings),
)
