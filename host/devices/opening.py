"""From a choice to an open device: the one that was meant, or the nearest there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from host.devices import portaudio
from host.devices.kinds import (
    NULL,
    NULL_CHANNELS,
    NULL_DEVICE,
    Choice,
    Device,
    DeviceError,
    DeviceInfo,
    Notice,
    Renderer,
    matching,
)

_why: list[str] = []


def devices(refresh: bool = False) -> list[DeviceInfo]:
    """The devices of this machine; the null device is the last. With ``refresh``, also what was plugged in since,
    unless a device is open.
    """
    _why.clear()
    try:
        if refresh:
            portaudio.restart()
        found = portaudio.listing()
        if not found:
            _why.append("the system offers no audio device; there is only the null device")
    except DeviceError as error:
        _why.append(str(error))
        found = []
    return [*found, NULL_DEVICE]


def why_none() -> str:
    """Why ``devices`` found nothing but the null device; empty where it found more."""
    return _why[0] if _why else ""


def open_device(
    choice: Choice,
    renderer: Renderer,
    *,
    inputs: int,
    outputs: int,
    rate: int,
    notice: Notice,
    native: bool = True,
) -> Device:
    """Open what was chosen, else what is nearest: the name, part of the name, the default, the null device.

    ``inputs`` and ``outputs``: channels that would be used; a device with fewer is opened with what it has. Each step
    away from the choice is said. ``native`` False asks for the Python callback. Never fails.
    """
    wanted = choice.rate or rate
    if choice.output != NULL:
        found = opened(choice, renderer, inputs=inputs, outputs=outputs, rate=rate, notice=notice, native=native)
        if found is not None:
            return found
        notice(f"playing to the null device at {wanted} Hz: nothing is heard")
    return null_device(choice, renderer, inputs=inputs, outputs=outputs, rate=rate)


def likely(choice: Choice) -> str:
    """The name of the device that would be tried first; what was asked for where there is none."""
    if choice.output == NULL:
        return NULL
    found = _candidates(choice, devices()[:-1], lambda text: None, strict=False, playing=True)
    return next((info.name for info in found), choice.output)


def best_rate(choice: Choice, rate: int, *, playing: bool = True, strict: bool = False) -> int:
    """The rate that what would be opened runs at: the one that is asked for, if it can, else its own. What is asked for
    where there is no device, or, if ``strict``, none that the name means. A rate of 0 asks for none.
    """
    if choice.output == NULL:
        return rate
    for info in _candidates(choice, devices()[:-1], lambda text: None, strict, playing=playing):
        try:
            can = info.rate == rate or (rate > 0 and portaudio.runs_at(info, rate))
        except DeviceError:
            return rate
        return rate if can else info.rate
    return rate


def null_device(choice: Choice, renderer: Renderer, *, inputs: int, outputs: int, rate: int) -> Device:
    """The null device, as chosen."""
    from host.devices.null import NullDevice

    channels = (min(count, NULL_CHANNELS) for count in (inputs, outputs))
    inputs, outputs = channels
    return NullDevice(renderer, inputs=inputs, outputs=outputs, rate=choice.rate or rate, block=choice.block)


def opened(
    choice: Choice,
    renderer: Renderer,
    *,
    inputs: int,
    outputs: int,
    rate: int,
    notice: Notice,
    native: bool = True,
    strict: bool = False,
) -> Device | None:
    """As ``open_device``, but None instead of the null device. ``strict``: and only what the names mean."""
    found = devices()[:-1]
    if why_none():
        notice(why_none())
        return None
    tried: set[int] = set()
    for info in _candidates(choice, found, notice, strict, playing=outputs > 0 or inputs == 0):
        if info.index in tried:
            continue
        tried.add(info.index)
        try:
            return _open(info, choice, found, renderer, inputs, outputs, choice.rate or rate, notice, native)
        except DeviceError as error:
            notice(f"{error}{_rate_words(info, choice.rate or rate)}")
    return None


def _rate_words(info: DeviceInfo, rate: int) -> str:
    return f"; it runs at {info.rate} Hz" if info.rate != rate else ""


def _candidates(
    choice: Choice, found: Sequence[DeviceInfo], notice: Notice, strict: bool, *, playing: bool
) -> Iterator[DeviceInfo]:
    """What to try, best first."""
    name = choice.output if playing else choice.input
    fitting = [d for d in found if (d.outputs if playing else d.inputs)]
    if name:
        meant = list(matching(name, fitting))
        for info, exact in meant:
            if not exact:
                notice(f"there is no device {name!r}; taking {info.label}")
            yield info
        if strict:
            return
        others = ", ".join(repr(d.name) for d in fitting)
        tail = "trying the default" if meant else f"there are {others or 'none'}; trying the default"
        notice(f"there is no device {name!r} that can be used; {tail}")
    yield from sorted(fitting, key=lambda d: not (d.default_output if playing else d.default_input))


def _input_for(info: DeviceInfo, choice: Choice, found: Sequence[DeviceInfo], notice: Notice) -> DeviceInfo | None:
    """The input that goes with an output: PortAudio wants both from one interface."""
    beside = [d for d in found if d.inputs and d.api == info.api]
    if choice.input == NULL:
        return None
    if choice.input:
        meant = next(matching(choice.input, beside), None)
        if meant is not None:
            if not meant[1]:
                notice(f"there is no input {choice.input!r}; taking {meant[0].label}")
            return meant[0]
        elsewhere = next(matching(choice.input, [d for d in found if d.inputs]), None)
        why = f"it belongs to {elsewhere[0].api}, and {info.name} to {info.api}" if elsewhere else "there is none"
        notice(f"the input {choice.input!r} cannot be used: {why}; the inputs are silent")
        return None
    own = [d for d in beside if d.index == info.index]
    return (own or sorted(beside, key=lambda d: not d.default_input) or [None])[0]


def _open(
    info: DeviceInfo,
    choice: Choice,
    found: Sequence[DeviceInfo],
    renderer: Renderer,
    inputs: int,
    outputs: int,
    rate: int,
    notice: Notice,
    native: bool,
) -> Device:
    """Open one device, natively if that can be had."""
    from host.devices.fallback import PythonStream
    from host.devices.stream import Stream

    if outputs == 0 and inputs > 0:
        output, input = None, info
    else:
        output, input = info, _input_for(info, choice, found, notice) if inputs else None
    reached = {
        "inputs": min(inputs, input.inputs) if input else 0,
        "outputs": min(max(outputs, 1), output.outputs) if output else 0,
    }
    for way, wished in (("inputs", inputs), ("outputs", outputs)):
        there = reached[way]
        if there < wished and (way == "outputs" or input is not None):
            notice(f"{info.name} has {there} {way}, and {wished} are in use: the others are silent")
    if native:
        try:
            return Stream(output, input, renderer, rate=rate, block=choice.block, **reached)
        except (AttributeError, TypeError, NotImplementedError) as error:
            # what is missing is sounddevice's inside or a compiler's, not a device
            why = f" ({type(error).__name__}: {error})"
    else:
        why = ""
    notice(f"the native callback cannot be had{why}: playing through the interpreter, which may drop out under load")
    return PythonStream(output, input, renderer, rate=rate, block=choice.block, **reached)
