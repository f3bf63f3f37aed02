"""Channel maps as a person writes them: ``3 4 - 1``, counted from 1 as on the device, ``-`` for none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from host.devices import stored
from host.devices.kinds import DeviceError
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
