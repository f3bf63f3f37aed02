"""Which control moves which param: what a patch keeps of it, under ``metadata.controls``.

An entry: ``{"from": "cc 1 74", "node": "flt", "param": "freq_hz"}``, and, where they differ from what is usual,
``"takeover"`` (``pickup`` or ``jump``), ``"press"`` (``value``, ``toggle`` or ``hold``), ``"low"`` and ``"high"``: the
values at the ends of the control, in the param's unit; low above high turns it round. Fields that are not known, and
entries that are not understood, stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from graph.errors import PatchError
from graph.fields import checked_address, checked_name
from graph.plain import checked_number, copied, described, mismatch
from graph.spec import Param
from host.remote.scaling import position_of, value_at
from host.remote.sources import Source, SourceError, parse

FIELD = "controls"
PLACE = f"metadata.{FIELD}"
TRANSPORT = "transport"
"""Entries with this field are buttons of the transport's, and no controls of params (``host.remote.buttons``)."""
MOST = 4096
"""Entries that are read."""

Takeover = Literal["pickup", "jump"]
Press = Literal["value", "toggle", "hold"]


@dataclass(frozen=True, slots=True)
class Control:
    """One control on one param.

    ``takeover``: whether a knob moves the param at once (``jump``) or only from where the two meet (``pickup``).
    ``press``: what a button does: ``value`` follows its position (or velocity), ``toggle`` changes sides at each press,
    ``hold`` is high while it is down.
    """

    source: Source
    node: str
    param: str
    takeover: Takeover = "pickup"
    press: Press = "value"
    low: float | None = None
    high: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any], compare=False)

    @property
    def key(self) -> tuple[Source, str, str]:
        """What tells it from every other control of the patch."""
        return self.source, self.node, self.param

    def ends(self, param: Param) -> tuple[float, float]:
        """Where in the param's range the ends of the control lie, as positions."""
        low = 0.0 if self.low is None else position_of(param, self.low)
        high = 1.0 if self.high is None else position_of(param, self.high)
        return low, high

    def value(self, param: Param, position: float) -> float:
        """The param's value where the control is at a position; at its ends to the last digit."""
        end = {0.0: self.low, 1.0: self.high}.get(position)
        if end is not None:
            return min(max(end, param.low), param.high)
        low, high = self.ends(param)
        return value_at(param, low + position * (high - low))

    def position(self, param: Param, value: float) -> float:
        """Where the control would be for a value: beyond an end, at the end."""
        low, high = self.ends(param)
        if low == high:
            return 0.0
        return min(max((position_of(param, value) - low) / (high - low), 0.0), 1.0)


def usual(source: Source, node: str, param: str) -> Control:
    """The control that is made when nothing more is said: notes toggle, all else follows."""
    return Control(source, node, param, press="toggle" if source.kind == "note" else "value")


def controls_in(metadata: Mapping[str, Any]) -> tuple[list[Control], list[str]]:
    """The controls that a patch's metadata hold, and in one line each what in them is not understood."""
    raw = metadata.get(FIELD)
    if raw is None:
        return [], []
    if not isinstance(raw, list):
        return [], [str(mismatch("a list of controls", raw, PLACE))]
    found: dict[tuple[Source, str, str], Control] = {}
    problems: list[str] = []
    for i, entry in enumerate(raw[:MOST]):
        if isinstance(entry, Mapping) and TRANSPORT in entry:
            continue
        try:
            control = checked_control(entry, f"{PLACE}[{i}]")
        except PatchError as error:
            problems.append(str(error))
            continue
        if control.key in found:
            problems.append(f"{PLACE}[{i}]: {control.source} moves {control.node}.{control.param} already")
        else:
            found[control.key] = control
    if len(raw) > MOST:
        problems.append(f"{PLACE}: expected at most {MOST} controls, found {len(raw)}; the rest is not read")
    return list(found.values()), problems


def checked_control(entry: object, place: str) -> Control:
    """The control that an entry describes. Raises PatchError."""
    if not isinstance(entry, Mapping):
        raise mismatch("a control, a map", entry, place)
    raw = cast(Mapping[str, Any], entry)
    for name in ("from", "node", "param"):
        if name not in raw:
            raise PatchError(f'the field "{name}" is missing', place=place)
    try:
        source = parse(raw["from"])
    except SourceError as error:
        raise PatchError(f"{error}, found {described(raw['from'])}", place=f"{place}.from") from None
    node, param = checked_address(raw["node"], f"{place}.node"), checked_name(raw["param"], f"{place}.param")
    plain = usual(source, node, param)
    return Control(
        source,
        node,
        param,
        _word(raw.get("takeover", plain.takeover), ("pickup", "jump"), f"{place}.takeover"),
        _word(raw.get("press", plain.press), ("value", "toggle", "hold"), f"{place}.press"),
        _number(raw.get("low"), f"{place}.low"),
        _number(raw.get("high"), f"{place}.high"),
        {name: value for name, value in raw.items() if name not in _FIELDS},
    )


_FIELDS = ("from", "node", "param", "takeover", "press", "low", "high")


def _word(value: object, words: tuple[str, ...], place: str) -> Any:
    if not isinstance(value, str) or value not in words:
        raise mismatch(f"one of {', '.join(words)}", value, place)
    return value


def _number(value: object, place: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool):
        raise mismatch("a number", value, place)
    return float(checked_number(value, place))


def entry_of(control: Control) -> dict[str, Any]:
    """A control as a patch keeps it."""
    plain = usual(control.source, control.node, control.param)
    entry: dict[str, Any] = copied(dict(control.extra))
    entry |= {"from": str(control.source), "node": control.node, "param": control.param}
    for name in ("takeover", "press", "low", "high"):
        if getattr(control, name) != getattr(plain, name):
            entry[name] = getattr(control, name)
    return entry


def with_control(metadata: Mapping[str, Any], control: Control) -> dict[str, Any]:
    """Metadata in which a control moves its param, in place of whatever moved that param before.

    Raises PatchError where ``controls`` is there and is no list: what is not understood is not written over.
    """
    return _replaced(metadata, control.node, control.param, [entry_of(control)])


def without_controls(metadata: Mapping[str, Any], node: str, param: str) -> dict[str, Any]:
    """Metadata in which nothing moves a param. Raises PatchError as ``with_control`` does."""
    return _replaced(metadata, node, param, [])


def _replaced(metadata: Mapping[str, Any], node: str, param: str, new: Iterable[dict[str, Any]]) -> dict[str, Any]:
    raw = metadata.get(FIELD, [])
    if not isinstance(raw, list):
        raise mismatch("a list of controls", raw, PLACE)
    kept: list[Any] = []
    for i, entry in enumerate(raw):
        try:
            control = checked_control(entry, f"{PLACE}[{i}]")
        except PatchError:
            kept.append(copied(entry))  # not understood here; perhaps elsewhere
            continue
        if (control.node, control.param) != (node, param):
            kept.append(copied(entry))
    rest = {name: copied(value) for name, value in metadata.items() if name != FIELD}
    kept += new
    return {**rest, FIELD: kept} if kept else rest
