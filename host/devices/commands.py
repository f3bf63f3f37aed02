"""``patchwright devices``: what there is; ``measure``, the round trip through one; ``map``, its channels."""

from __future__ import annotations

from typing import Annotated

import typer

from host.commands import Json, fail, print_json
from host.devices.kinds import Choice, DeviceError

devices = typer.Typer(add_completion=False)

Channel = Annotated[int, typer.Option(min=1, max=256, help="From 1, as on the device.")]


@devices.callback(invoke_without_command=True)
def listing(context: typer.Context, json_: Json = False) -> None:
    """The audio devices of this machine."""
    if context.invoked_subcommand is not None:
        return
    from host.devices import report

    if json_:
        print_json(report.listed())
    else:
        report.print_devices()


@devices.command("measure")
def measure(
    device: Annotated[str, typer.Option(metavar="NAME", help="Default: the system's.")] = "",
    in_device: Annotated[str, typer.Option(metavar="NAME", help="Default: the same device.")] = "",
    out_channel: Channel = 1,
    in_channel: Channel = 1,
    rate: Annotated[int, typer.Option(min=8000, max=384000, metavar="HZ")] = 48000,
    block: Annotated[int, typer.Option(min=0, max=8192, metavar="FRAMES", help="0: the device's own.")] = 0,
    json_: Json = False,
) -> None:
    """Measure how many frames it takes from an output, through a cable, to an input; kept to align recordings by."""
    from host.devices import report

    try:
        found = report.measured(Choice(device, in_device, rate, block), out_channel, in_channel)
    except DeviceError as error:
        fail(str(error))
    if json_:
        print_json(found)
    else:
        print(report.sentence(found))


@devices.command("map")
def map_(
    device: Annotated[str | None, typer.Argument(metavar="NAME", help="As `patchwright devices` lists it.")] = None,
    inputs: Annotated[
        str | None, typer.Option(metavar="LIST", help="Device channels of the patch's inputs: '3 4 - 1', - for none.")
    ] = None,
    outputs: Annotated[str | None, typer.Option(metavar="LIST", help="The same of its outputs.")] = None,
    straight: Annotated[bool, typer.Option("--straight", help="Forget the map: channel 1 is channel 1.")] = False,
    json_: Json = False,
) -> None:
    """Show or change which channels of a device those of a patch are, on this machine."""
    from host.devices import mapping
    from host.devices.report import say

    changing = inputs is not None or outputs is not None
    if (changing or straight) and not device:
        raise typer.BadParameter("say which device", param_hint="NAME")
    if changing and straight:
        raise typer.BadParameter("give --straight, or channels, not both")
    try:
        device = mapping.meant(device, say) if device else device
        if device and straight:
            mapping.forget(device, say)
        elif device and changing:
            mapping.keep(device, inputs, outputs, say)
        found = [row for row in mapping.shown(say) if device in (None, row["device"])]
    except DeviceError as error:
        fail(str(error))
    if json_:
        print_json(found)
        return
    for row in found:
        ways = (" ".join(str(k or "-") for k in row[way]) or "straight" for way in ("inputs", "outputs"))
        print("{}: inputs {}; outputs {}".format(row["device"], *ways))
    if not found:
        print(f"{device}: channels go straight" if device else "channels of all devices go straight")
    elif device and changing:
        for words in mapping.missing(device, say):
            say(words)
        say("a device that plays takes it up when it is opened next")
