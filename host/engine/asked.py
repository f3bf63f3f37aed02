"""The patch that an engine is asked to play, and how it becomes the next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from graph.delta import apply_delta
from graph.document import Patch
from graph.errors import PatchError
from graph.groups import expand
from graph.layouts import LAYOUTS
from graph.patchfile import loads


@dataclass(slots=True)
class Asked:
    """A patch, the serial it came with, and the folder that its paths are relative to."""

    serial: int
    patch: Patch
    folder: Path
    channels: tuple[int, int] = (0, 0)
    """Input and output channels of a device that it uses."""

    @classmethod
    def read(cls, serial: int, data: bytes, folder: Path) -> Asked:
        """From the bytes of a patch file. Raises PatchError."""
        patch = loads(data)
        patch.folder = folder
        return cls(serial, patch, folder)

    def change(self, serial: int, base: int, delta: bytes) -> bool:
        """Become the next; False where this is not the patch of ``base``, or the delta does not fit: then it is not to
        be played any more.
        """
        if self.serial != base:
            return False
        try:
            apply_delta(self.patch, delta)
        except PatchError:
            return False
        self.serial = serial
        return True

    def look(self) -> None:
        """Find out which channels it uses. Raises PatchError where it cannot be played at all."""
        most = {"audio_in": 0, "audio_out": 0}
        for entry in expand(self.patch).nodes.values():
            if entry.kind in most:
                first, layout = entry.settings.get("channel", 0), entry.settings.get("layout", "stereo")
                if type(first) is int and 0 <= first < 1024 and isinstance(layout, str):
                    most[entry.kind] = max(most[entry.kind], first + len(LAYOUTS.get(layout, ())))
        self.channels = most["audio_in"], most["audio_out"]
