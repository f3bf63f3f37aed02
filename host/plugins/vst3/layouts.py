"""Layouts in VST3's terms: sets of speakers as bits, and its order of channels.

The bits are those of the published ``SpeakerArrangement``; a bus has its channels in the order of its bits, which puts
the rear surrounds (Ls, Rs) of a 7.1 before those at the side (Sl, Sr), where ours are the other way round.
"""

from __future__ import annotations

from graph.layouts import LAYOUTS

_BITS = {"L": 0, "R": 1, "C": 2, "LFE": 3, "Ls": 4, "Rs": 5, "Lrs": 4, "Rrs": 5, "Lss": 9, "Rss": 10, "M": 19}
_BITS |= {"Ltf": 12, "Rtf": 14, "Ltr": 15, "Rtr": 17}

SPEAKERS: dict[str, int] = {name: sum(1 << _BITS[label] for label in labels) for name, labels in LAYOUTS.items()}
NAMES: dict[int, str] = {bits: name for name, bits in SPEAKERS.items()}
EMPTY = 0


def order(layout: str) -> list[int]:
    """For each channel of a bus, which of our channels it is."""
    labels = LAYOUTS[layout]
    return sorted(range(len(labels)), key=lambda k: _BITS[labels[k]])
