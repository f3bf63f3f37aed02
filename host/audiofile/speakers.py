"""Channel labels and the orders in which files store them.

Every container has its own order: WAVE, FLAC and AIFF store channels by the bits of the WAVEFORMATEXTENSIBLE speaker
mask (backs before sides), Ogg by the table of the Vorbis I specification (§4.3.9). Here a *speaker* is a place named
by that mask, a *label* is our name for a channel: a file with only one pair of surrounds calls it ``Ls Rs``, whether
its mask says back or side; with both pairs the sides are ``Lss Rss`` and the backs ``Lrs Rrs``.

When we write ``Ls Rs`` we say *back*: 0x33, 0x37 and 0x3F are what FLAC's own defaults and nearly every reader call
quad, 5.0 and 5.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graph.layouts import LAYOUTS

# Bit i of dwChannelMask, after Microsoft's ksmedia.h.
SPEAKERS = (
    *("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR"),
    *("TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR"),
)

_LABELS = {
    "FL": "L",
    "FR": "R",
    "FC": "C",
    "LFE": "LFE",
    "FLC": "Lc",
    "FRC": "Rc",
    "BC": "Cs",
    "TC": "Tc",
    "TFL": "Ltf",
    "TFC": "Ctf",
    "TFR": "Rtf",
    "TBL": "Ltr",
    "TBC": "Ctr",
    "TBR": "Rtr",
}
_ONE_PAIR = {"BL": "Ls", "BR": "Rs", "SL": "Ls", "SR": "Rs"}
_TWO_PAIRS = {"BL": "Lrs", "BR": "Rrs", "SL": "Lss", "SR": "Rss"}

_SPEAKER_OF = (
    {label: speaker for speaker, label in _LABELS.items()}
    | {label: speaker for speaker, label in _TWO_PAIRS.items()}
    | {"M": "FC"}
)

_HEIGHT_MASK = 0x1000 | 0x4000 | 0x8000 | 0x20000

# What a channel count means where no mask says anything.
WAVE_DEFAULTS = {
    1: 0x4,
    2: 0x3,
    3: 0x7,
    4: 0x33,
    5: 0x37,
    6: 0x3F,
    8: 0x63F,
    10: 0x3F | _HEIGHT_MASK,
    12: 0x63F | _HEIGHT_MASK,
}
# RFC 9639, §9.1.3, with "back/surround" read as back.
FLAC_DEFAULTS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}

_VORBIS_ORDERS = (
    ("FC",),
    ("FL", "FR"),
    ("FL", "FC", "FR"),
    ("FL", "FR", "BL", "BR"),
    ("FL", "FC", "FR", "BL", "BR"),
    ("FL", "FC", "FR", "BL", "BR", "LFE"),
    ("FL", "FC", "FR", "SL", "SR", "BC", "LFE"),
    ("FL", "FC", "FR", "SL", "SR", "BL", "BR", "LFE"),
)


def unnamed(channels: int) -> tuple[str, ...]:
    """Labels for channels of which nothing is known: ``ch1 ch2 …``."""
    return tuple(f"ch{index + 1}" for index in range(channels))


def labels_of_speakers(speakers: Sequence[str | None]) -> tuple[str, ...]:
    """Our labels for speakers, in the same order; None (a channel without a place) becomes ``chN``."""
    if len(speakers) == 1:
        return ("M",)
    present = set(speakers)
    surrounds = _TWO_PAIRS if present & {"BL", "BR"} and present & {"SL", "SR"} else _ONE_PAIR
    names = _LABELS | surrounds
    return tuple(f"ch{index + 1}" if name is None else names[name] for index, name in enumerate(speakers))


def labels_of_mask(mask: int, channels: int) -> tuple[str, ...]:
    """Labels in mask order. Bits beyond the channel count are ignored, channels beyond the bits have no place,
    as WAVEFORMATEXTENSIBLE lays down."""
    speakers: list[str | None] = [name for bit, name in enumerate(SPEAKERS) if mask >> bit & 1]
    speakers = speakers[:channels]
    return labels_of_speakers(speakers + [None] * (channels - len(speakers)))


def default_labels(channels: int, defaults: dict[int, int] = WAVE_DEFAULTS) -> tuple[str, ...]:
    """Labels, in file order, of a file that says nothing about its channels."""
    mask = defaults.get(channels)
    return unnamed(channels) if mask is None else labels_of_mask(mask, channels)


def vorbis_labels(channels: int) -> tuple[str, ...]:
    """Labels in the order of an Ogg Vorbis (or Opus, RFC 7845 mapping 1) file."""
    if channels > len(_VORBIS_ORDERS):
        return default_labels(channels)
    return labels_of_speakers(_VORBIS_ORDERS[channels - 1])


def own_order(stored: tuple[str, ...]) -> tuple[tuple[str, ...], list[int] | None]:
    """Labels in the order of our layouts, and for each the index of its channel in the file (None: as stored).

    Labels that make up none of our layouts stay in the file's order.
    """
    for labels in LAYOUTS.values():
        if len(labels) == len(stored) and set(labels) == set(stored):
            order = [stored.index(label) for label in labels]
            return labels, None if order == list(range(len(order))) else order
    return stored, None


def speakers_of(labels: Sequence[str]) -> tuple[str, ...] | None:
    """The speaker of every label, or None when some label has no place or two share one."""
    rears = "Lrs" in labels or "Rrs" in labels
    pair = {"Ls": "SL" if rears else "BL", "Rs": "SR" if rears else "BR"}
    places = [pair.get(label) or _SPEAKER_OF.get(label) for label in labels]
    if None in places or len(set(places)) != len(places):
        return None
    return tuple(place for place in places if place is not None)


def mask_of(speakers: Iterable[str]) -> int:
    """The WAVEFORMATEXTENSIBLE mask with the bits of these speakers."""
    return sum(1 << SPEAKERS.index(name) for name in speakers)


def wave_order(labels: Sequence[str]) -> tuple[int, list[int] | None]:
    """How WAVE, FLAC and AIFF store these labels.

    Returns:
        the mask (0: discrete channels), and for each stored channel the index of its label (None: as they are).
    """
    speakers = speakers_of(labels)
    if speakers is None:
        return 0, None
    order = sorted(range(len(speakers)), key=lambda index: SPEAKERS.index(speakers[index]))
    return mask_of(speakers), None if order == list(range(len(order))) else order


def vorbis_order(labels: Sequence[str]) -> tuple[int | None, list[int] | None]:
    """How an Ogg file stores these labels. The mask is None where Vorbis' own table already says it."""
    if len(labels) <= len(_VORBIS_ORDERS):
        stored = vorbis_labels(len(labels))
        if set(stored) == set(labels):
            order = [list(labels).index(label) for label in stored]
            return None, None if order == list(range(len(order))) else order
    return wave_order(labels)
