"""The clock as timecode, where the patch's metadata name a rate of pictures (``timecode``); ``run`` shows the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graph.document import Patch
from graph.edits import SetPatchField
from host.transport.timecode import RATES, PictureRate, TimecodeError, frame_at, parse, timecode_at

if TYPE_CHECKING:
    from editor.app import App

FIELD = "timecode"
FRAME_RATE = 48000
"""Places are frames of this rate where no device has another."""


def rate_of(patch: Patch) -> PictureRate | None:
    """The rate that a patch asks for, if it does."""
    name = patch.metadata.get(FIELD)
    return RATES.get(name) if isinstance(name, str) else None


def shown(seconds: float, rate: PictureRate, frame_rate: int) -> str:
    """A place on the timeline as timecode."""
    return str(timecode_at(max(0, round(seconds * frame_rate)), frame_rate, rate))


def typed(text: str, rate: PictureRate) -> float | None:
    """The seconds of a typed timecode; None where it is none, but perhaps another kind of place."""
    try:
        return frame_at(parse(text, rate), FRAME_RATE, rate) / FRAME_RATE
    except TimecodeError:
        return None


def next_rate(app: App) -> None:
    """Show the clock at the next rate, after the last one as time again; the patch keeps it."""
    metadata = dict(app.session.patch.metadata)
    names: list[str | None] = [None, *RATES]
    before = metadata.pop(FIELD, None)
    after = names[(names.index(before) + 1) % len(names)] if before in names else names[1]
    if after is not None:
        metadata[FIELD] = after
    app.session.do_at_root(SetPatchField("metadata", metadata), name="Change the timecode")
    app.notices.say(
        "info", f"The clock shows timecode at {after} pictures a second" if after else "The clock shows time"
    )
