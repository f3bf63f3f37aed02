"""What kinds with two equal inputs share: the layout that both must have."""

from __future__ import annotations

from graph.layouts import channels_of
from graph.spec import Config, PatchError, helper


def common_layout(config: Config, one: str, other: str) -> str:
    """The layout of the output of a kind that takes one input or another: what is not plugged in does not count, and
    mono goes with stereo. Raises PatchError where the two do not fit.
    """
    there = [config.layouts[port] for port in (one, other) if port in config.plugged] or ["stereo"]
    widest = max(there, key=channels_of)
    alike = {widest, "mono"} if widest == "stereo" else {widest}
    if not alike.issuperset(there):
        raise PatchError(
            f"{one} is {config.layouts[one]} and {other} is {config.layouts[other]}: "
            "expected the same layout; use downmix, upmix or channel_map"
        )
    return widest


@helper
def lane_of(port, lane):
    """The lane of an input for one of the output: mono goes to all."""
    return min(lane, port.channels - 1)
