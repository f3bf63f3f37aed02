"""What is kept for each machine about its devices: channel maps and measured round trips.

One JSON file in the user's settings folder::

    {"version": 1,
     "maps": {"<device>": {"inputs": [2, 3], "outputs": [0, 1, null]}},
     "round_trips": [{"output": "<device>", "input": "<device>", "rate": 48000, "block": 64,
                      "frames": 612, "spread": 0}]}

The n-th number of a map is the device channel of the patch's channel n, from 0; null: none; what the list does not
reach goes straight. A file that breaks any rule is set aside as a whole, said once, and kept when a new one is written.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from host.devices.kinds import DeviceError, Notice

VERSION = 1
LARGEST_FILE = 1 << 20
MOST = 256
"""Channels in a map, devices with maps, measured pairs."""
LONGEST_NAME = 300
LONGEST_TRIP = 1 << 22
NONE = -1


def settings_folder() -> Path:
    """Where settings are kept; PATCHWRIGHT_CONFIG overrides it."""
    chosen = os.environ.get("PATCHWRIGHT_CONFIG")
    return Path(chosen) if chosen else Path(platformdirs.user_config_dir("patchwright", appauthor=False))


def settings_file() -> Path:
    """The file this is about."""
    return settings_folder() / "devices.json"


@dataclass(frozen=True, slots=True)
class ChannelMap:
    """Which device channel each channel of a patch goes to or comes from, for one device with so many channels."""

    to_inputs: tuple[int, ...] = ()
    to_outputs: tuple[int, ...] = ()
    device_inputs: int = MOST
    device_outputs: int = MOST

    def inputs(self, first: int, count: int) -> list[int]:
        """Device inputs of ``count`` channels of a patch from ``first`` on; -1 where there is none."""
        return _mapped(self.to_inputs, first, count, self.device_inputs)

    def outputs(self, first: int, count: int) -> list[int]:
        """Device outputs of ``count`` channels of a patch from ``first`` on; -1 where there is none."""
        return _mapped(self.to_outputs, first, count, self.device_outputs)

    def reach(self, inputs: int, outputs: int) -> tuple[int, int]:
        """How many channels a device must have for so many inputs and outputs of a patch."""
        return max(self.inputs(0, inputs), default=NONE) + 1, max(self.outputs(0, outputs), default=NONE) + 1

    def on(self, inputs: int, outputs: int) -> ChannelMap:
        """The same on a device with so many channels."""
        return replace(self, device_inputs=inputs, device_outputs=outputs)


def _mapped(numbers: tuple[int, ...], first: int, count: int, there: int) -> list[int]:
    wanted = (numbers[k] if k < len(numbers) else k for k in range(first, first + count))
    return [k if 0 <= k < there else NONE for k in wanted]


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Frames from an output, through a cable, back to an input: the median of several, and how far they lie apart."""

    output: str
    input: str
    rate: int
    block: int
    frames: int
    spread: int


@dataclass(frozen=True, slots=True)
class Stored:
    """The file's content."""

    maps: Mapping[str, ChannelMap] = field(default_factory=dict[str, ChannelMap])
    round_trips: tuple[RoundTrip, ...] = ()
    sound: bool = True
    """False: there is a file, and it was not understood."""

    def map_of(self, device: str) -> ChannelMap:
        """A device's map; straight where none is kept."""
        return self.maps.get(device, ChannelMap())

    def round_trip(self, output: str, input: str, rate: int, block: int) -> RoundTrip | None:
        """What was measured for a pair of devices in the same state, if it was."""
        key = (output, input, rate, block)
        return next((t for t in self.round_trips if (t.output, t.input, t.rate, t.block) == key), None)

    def with_map(self, device: str, channels: ChannelMap) -> Stored:
        """The same with a map for a device."""
        return replace(self, maps={**self.maps, device: channels})

    def with_round_trip(self, trip: RoundTrip) -> Stored:
        """The same with a measurement in place of an older one of the pair."""
        older = self.round_trip(trip.output, trip.input, trip.rate, trip.block)
        return replace(self, round_trips=(*(t for t in self.round_trips if t != older), trip)[-MOST:])


def stored(notice: Notice) -> Stored:
    """What the file says; nothing where there is none. A file that is wrong is said, and left as it is."""
    path = settings_file()
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        return Stored()
    except OSError as error:
        notice(f"{path} cannot be read ({error.strerror or error}); channels go straight")
        return Stored(sound=False)
    try:
        return _checked(data)
    except (ValueError, RecursionError) as error:
        notice(f"{path} is set aside: {error}; channels go straight")
        return Stored(sound=False)


def keep(content: Stored) -> Path:
    """Write the file, whole or not at all; one that was not understood stays beside it. Raises DeviceError."""
    path = settings_file()
    document = {
        "version": VERSION,
        "maps": {
            name: {"inputs": _plain(m.to_inputs), "outputs": _plain(m.to_outputs)} for name, m in content.maps.items()
        },
        "round_trips": [asdict(trip) for trip in content.round_trips],
    }
    data = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
    try:
        _checked(data)
    except ValueError as error:
        raise DeviceError(f"the settings of devices would not be readable: {error}") from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not content.sound and path.exists():
            os.replace(path, _beside(path))
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError as error:
        raise DeviceError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def _beside(path: Path) -> Path:
    """A name for a file that was not understood, that no file has."""
    number = 1
    while (found := path.with_name(f"{path.name}.bak{number}")).exists():
        number += 1
    return found


def _plain(numbers: tuple[int, ...]) -> list[int | None]:
    return [None if k == NONE else k for k in numbers]


def _checked(data: bytes) -> Stored:
    """The content of a file. Raises ValueError with the place and what was expected there."""
    if len(data) > LARGEST_FILE:
        raise ValueError(f"it has more than {LARGEST_FILE} bytes")
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    top = _object(document, "the file")
    version = _whole(top.get("version"), "version", 1, 1 << 30)
    if version > VERSION:
        raise ValueError(f"it has version {version}, and this program knows {VERSION}")
    entries = _object(top.get("maps", {}), "maps")
    maps = {_name(name, "maps"): _map(entry, f"maps.{name}") for name, entry in entries.items()}
    trips = tuple(_trip(entry, f"round_trips[{k}]") for k, entry in enumerate(_list(top, "round_trips", "")))
    return Stored(maps, trips)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands in it twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _object(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > MOST:
        raise ValueError(f"{place}: expected an object of at most {MOST} entries, got {_shown(value)}")
    return value


def _list(holder: dict[str, Any], key: str, place: str) -> list[Any]:
    value = holder.get(key, [])
    if not isinstance(value, list) or len(value) > MOST:
        raise ValueError(f"{place}{key}: expected a list of at most {MOST}, got {_shown(value)}")
    return value


def _name(value: Any, place: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME:
        raise ValueError(f"{place}: expected the name of a device, got {_shown(value)}")
    return value


def _whole(value: Any, place: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{place}: expected a whole number from {low} to {high}, got {_shown(value)}")
    return value


def _numbers(value: Any, place: str) -> tuple[int, ...]:
    found = _list({"": [] if value is None else value}, "", place)
    numbers = [NONE if k is None else _whole(k, f"{place}[{n}]", 0, MOST - 1) for n, k in enumerate(found)]
    used = [k for k in numbers if k != NONE]
    if len(set(used)) != len(used):
        raise ValueError(f"{place}: a device channel stands in it twice")
    return tuple(numbers)


def _map(value: Any, place: str) -> ChannelMap:
    entry = _object(value, place)
    return ChannelMap(
        _numbers(entry.get("inputs"), f"{place}.inputs"), _numbers(entry.get("outputs"), f"{place}.outputs")
    )


def _trip(value: Any, place: str) -> RoundTrip:
    entry = _object(value, place)
    whole = {
        key: _whole(entry.get(key), f"{place}.{key}", low, high)
        for key, low, high in (
            ("rate", 8000, 384000),
            ("block", 0, 1 << 16),
            ("frames", 0, LONGEST_TRIP),
            ("spread", 0, LONGEST_TRIP),
        )
    }
    return RoundTrip(
        _name(entry.get("output"), f"{place}.output"), _name(entry.get("input"), f"{place}.input"), **whole
    )


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if value is not None else "nothing"
    return text if len(text) <= 40 else text[:37] + "…"
