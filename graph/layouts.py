"""Named channel layouts. A channel is a label; its index is only the lane it happens to have."""

from __future__ import annotations

from graph.errors import PatchError

_FIVE_ONE = ("L", "R", "C", "LFE", "Ls", "Rs")
_SEVEN_ONE = ("L", "R", "C", "LFE", "Lss", "Rss", "Lrs", "Rrs")
_HEIGHTS = ("Ltf", "Rtf", "Ltr", "Rtr")

LAYOUTS: dict[str, tuple[str, ...]] = {
    "mono": ("M",),
    "stereo": ("L", "R"),
    "lcr": ("L", "R", "C"),
    "quad": ("L", "R", "Ls", "Rs"),
    "5.0": ("L", "R", "C", "Ls", "Rs"),
    "5.1": _FIVE_ONE,
    "7.1": _SEVEN_ONE,
    "5.1.4": _FIVE_ONE + _HEIGHTS,
    "7.1.4": _SEVEN_ONE + _HEIGHTS,
}

EVENTS = "events"
"""What an events signal has in place of a layout: it fits no other, and no setting can name it."""
_EVENT_LANES = ("event", "data")


def labels_of(layout: str) -> tuple[str, ...]:
    """The channel labels of a layout, in lane order; for events, what the two lanes hold."""
    if layout == EVENTS:
        return _EVENT_LANES
    try:
        return LAYOUTS[layout]
    except KeyError:
        raise PatchError(f"there is no layout {layout!r}; there are {', '.join(LAYOUTS)}") from None


def channels_of(layout: str) -> int:
    """How many channels a layout has."""
    return len(labels_of(layout))


def layout_with(labels: tuple[str, ...]) -> str | None:
    """The layout that has exactly these labels in this order, if there is one."""
    for name, own in LAYOUTS.items():
        if own == labels:
            return name
    return None
