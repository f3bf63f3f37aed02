"""The edits that keep frames: they lie in the metadata of the patch."""

from __future__ import annotations

from typing import Any

from editor.canvas.scene import Frame
from editor.model import Session
from graph.edits import Edit, SetPatchField


def frame_edit(session: Session, frame: Frame | None, remove: int | None = None) -> Edit:
    """The edit that stores a frame, a new one where its index is past the end, or that takes one away."""
    metadata: dict[str, Any] = dict(session.here.metadata)
    frames = list(metadata.get("frames") or []) if isinstance(metadata.get("frames"), list) else []
    if remove is not None and remove < len(frames):
        del frames[remove]
    elif frame is not None:
        box = frame.box
        kept = dict(frames[frame.index]) if frame.index < len(frames) else {}
        kept |= {"title": frame.title, "colour": frame.colour, "box": [box.x, box.y, box.width, box.height]}
        if frame.text:
            kept["text"] = frame.text
        frames[frame.index : frame.index + 1] = [kept]
    metadata["frames"] = frames
    if not frames:
        del metadata["frames"]
    return SetPatchField("metadata", metadata)
