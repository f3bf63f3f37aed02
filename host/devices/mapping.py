"""Channel maps as a person writes them: ``3 4 - 1``, counted from 1 as on the device, ``-`` for none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from host.devices import stored
from host.devices.kinds import DeviceError, matching
from host.devices.opening import devices
from host.devices.stored import MOST, NONE, ChannelMap


def parse(text: str, what: str) -> tuple[int, ...]:
    """The device channels, from 0, that a text names. Raises DeviceError; ``what`` is what the text is for."""
    found: list[int] = []
    for word in text.replace(",", " ").split():
        if word == "-":
            found.append(NONE)
        elif word.isascii() and word.isdigit() and len(word) <= 3 and 1 <= int(word) <= MOST:
            found.append(int(word) - 1)
        else:
            raise DeviceError(f"{what}: expected channels from 1 to {MOST}, or - for none, found {word[:20]!r}")
    used = [channel for channel in found if channel != NONE]
    twice = next((channel for channel in used if used.count(channel) > 1), None)
    if twice is not None:
        raise DeviceError(f"{what}: device channel {twice + 1} stands there twice")
    if len(found) > MOST:
        raise DeviceError(f"{what}: expected at most {MOST} channels, found {len(found)}")
    return tuple(found)


def shown(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """All maps that are kept for this machine, as plain data with channels from 1, null for none."""
    return [
        {"device": name, "inputs": _plain(m.to_inputs), "outputs": _plain(m.to_outputs)}
        for name, m in sorted(stored.stored(say).maps.items())
    ]


def _plain(channels: tuple[int, ...]) -> list[int | None]:
    return [None if k == NONE else k + 1 for k in channels]


def meant(name: str, say: Callable[[str], None]) -> str:
    """The device that a name means, as maps are kept by: one that is here, or that has a map, to the letter; else one
    that is here and has it in its name; else what was given, for a device that is away. What was taken for it is said.
    """
    found = devices()
    here = next(matching(name, found), None)
    if here is not None and here[1]:
        return here[0].name
    if name in stored.stored(say).maps:
        return name
    if here is not None:
        say(f"there is no device {name!r}; taking {here[0].name!r}")
        return here[0].name
    say(f"there is no device {name!r} now; there are {', '.join(repr(d.name) for d in found)}")
    return name


def missing(device: str, say: Callable[[str], None]) -> list[str]:
    """In one sentence for each way, which channels of a device's map it does not have. None of one that is away."""
    here = [d for d in devices() if d.name == device]
    made, said = stored.stored(say).map_of(device), list[str]()
    for way, channels, there in (
        ("inputs", made.to_inputs, max((d.inputs for d in here), default=MOST)),
        ("outputs", made.to_outputs, max((d.outputs for d in here), default=MOST)),
    ):
        beyond = " ".join(str(k + 1) for k in channels if k >= there)
        if beyond:
            said.append(f"{device} has {there} {way}: nothing goes through {beyond}")
    return said


def keep(device: str, inputs: str | None, outputs: str | None, say: Callable[[str], None]) -> ChannelMap:
    """Keep a map for a device; what is None stays as it is. Raises DeviceError."""
    content = stored.stored(say)
    before = content.map_of(device)
    made = ChannelMap(
        before.to_inputs if inputs is None else parse(inputs, "--inputs"),
        before.to_outputs if outputs is None else parse(outputs, "--outputs"),
    )
    stored.keep(content.with_map(device, made))
    return made


def forget(device: str, say: Callable[[str], None]) -> bool:
    """Let a device's channels go straight again; whether they did not. Raises DeviceError."""
    content = stored.stored(say)
    if device not in content.maps:
        return False
    stored.keep(replace(content, maps={name: m for name, m in content.maps.items() if name != device}))
    return True
