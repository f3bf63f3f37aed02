"""What the command line says about devices."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from host.devices import stored
from host.devices.kinds import Choice, DeviceInfo
from host.devices.opening import devices, why_none
from host.devices.roundtrip import BURSTS, GAP_S, measure_round_trip


def listed() -> list[dict[str, Any]]:
    """The devices as plain data; the null device is the last, and has index -1."""
    return [_plain(info) for info in devices()]


def _plain(info: DeviceInfo) -> dict[str, Any]:
    plain = asdict(info)
    return {"index": plain.pop("index"), **plain}


def print_devices() -> None:
    """A table of them, the MIDI devices that can be heard, and why there are none."""
    from rich.console import Console
    from rich.table import Table

    from host.remote import ports

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "device", "interface", "in", "out", "rate"):
        table.add_column(column, justify="right" if column in ("in", "out", "rate") else "left")
    for d in devices():
        marks = ("in " if d.default_input else "") + ("out" if d.default_output else "")
        table.add_row(marks, d.name, d.api, str(d.inputs), str(d.outputs), f"{d.rate} Hz")
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(table)
    inputs, _ = ports.port_names()
    for name in inputs:
        console.print(f"MIDI {name}")
    if why_none():
        say(why_none())


def say(words: str) -> None:
    """A note on standard error."""
    sys.stderr.write(f"note: {words}\n")


def measured(choice: Choice, output: int, input: int, *, say: Callable[[str], None] = say) -> dict[str, Any]:
    """Measure a round trip and keep it for this machine. Channels count from 1 here, as on the panels of devices.

    Raises DeviceError.
    """
    trip = measure_round_trip(
        choice,
        output=output - 1,
        input=input - 1,
        notice=say,
        ready=lambda name: say(
            f"playing {BURSTS} bursts of noise on output {output} of {name}, {GAP_S:g} s apart, "
            f"and listening to input {input}"
        ),
    )
    path = stored.keep(stored.stored(say).with_round_trip(trip))
    return {**asdict(trip), "milliseconds": round(1000 * trip.frames / trip.rate, 3), "kept_in": str(path)}


def sentence(result: dict[str, Any]) -> str:
    """A measurement in words."""
    return (
        f"{result['output']} to {result['input']}: {result['frames']} frames there and back "
        f"({result['milliseconds']:g} ms at {result['rate']} Hz, blocks of {result['block']}), "
        f"spread {result['spread']}; recordings through it are moved by as much"
    )
