"""An engine whose disk stands still while the file that STALL names is there. Run as ``host.engine`` is."""

from __future__ import annotations

import os
from pathlib import Path
from time import sleep

from host.audiofile import AudioReader
from host.engine.__main__ import main

STALL = Path(os.environ["STALL"])
read_into = AudioReader.read_into


def slow(reader, out):
    """As a disk that answers when it likes."""
    while STALL.exists():
        sleep(0.01)
    return read_into(reader, out)


if __name__ == "__main__":
    AudioReader.read_into = slow
    main()
