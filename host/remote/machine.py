"""MIDI messages that are for the transport: start, stop, continue and song position, and MIDI Machine Control.

Machine Control is a universal system exclusive, ``7F device 06 command``, as the MIDI 1.0 standard has it; all device
numbers are listened to. Its locate names the moment by a timecode of its own rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from host.remote.transport import LONGEST_S, Deck, Transport
from host.transport.timecode import RATES, Timecode, TimecodeError, picture_of

HEARD = frozenset({"start", "continue", "stop", "songpos", "sysex"})
"""mido's names of what is for the transport."""
UNIVERSAL, MACHINE = 0x7F, 0x06
LONGEST = 16
"""Bytes; a longer system exclusive is none that is understood here."""

LOCATE = (0x44, 0x06, 0x01)
"""The command, how long what follows is, and that it is a timecode."""
_RATES = (RATES["24"], RATES["25"], RATES["29.97 DF"], RATES["30"])
"""By the two bits that timecode in MIDI has for its rate."""


class MachineControl:
    """Does to a transport what MIDI says."""

    def __init__(self, deck: Deck) -> None:
        self._deck = deck

    def hear(self, message: Any) -> bool:
        """Act upon a message of mido's; whether it was one for the transport."""
        transport = self._deck.transport
        match message.type:
            case "start":
                transport.locate(0.0)
                transport.play()
            case "continue":
                transport.play()
            case "stop":
                transport.stop()
            case "songpos":  # in sixteenth notes
                transport.locate(message.pos * 15.0 / self._deck.state.tempo)
            case "sysex":
                return self._command(tuple(message.data[:LONGEST]))
            case _:
                return False
        return True

    def _command(self, data: tuple[int, ...]) -> bool:
        if len(data) < 4 or data[0] != UNIVERSAL or data[2] != MACHINE:
            return False
        if data[3:6] == LOCATE and len(data) == 11:
            seconds = seconds_of(*data[6:])
            if seconds is not None:
                self._deck.transport.locate(seconds)
            return True
        work = COMMANDS.get(data[3]) if len(data) == 4 else None
        if work is not None:
            work(self._deck.transport)
        return work is not None


def _reset(transport: Transport) -> None:
    transport.stop()
    transport.record(False)


COMMANDS: Mapping[int, Callable[[Transport], None]] = {
    0x01: lambda transport: transport.stop(),
    0x02: lambda transport: transport.play(),
    0x03: lambda transport: transport.play(),  # as soon as it has been located: that is done when it is asked for
    0x06: lambda transport: transport.record(True),
    0x07: lambda transport: transport.record(False),
    0x09: lambda transport: transport.stop(),  # pause: what stops here stays where it is
    0x0D: _reset,
}
"""What is done, by the command's number."""


def seconds_of(hours: int, minutes: int, seconds: int, pictures: int, hundredths: int) -> float | None:
    """The place on the timeline that the five bytes of a timecode in MIDI name; None where they name none."""
    rate = _RATES[hours >> 5 & 3]
    timecode = Timecode(hours & 31, minutes & 63, seconds & 63, pictures & 31, rate.drop)
    try:
        picture = picture_of(timecode, rate) + min(hundredths & 127, 99) / 100
    except TimecodeError:
        return None
    return min(picture * rate.seconds / rate.pictures, LONGEST_S)
