"""The files that were open last, the newest first, in the user's data: ``recent.json``, a list of paths."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from editor.files.folders import data_folder
from graph.saving import write_whole

MOST = 20
LARGEST = 1 << 18
LONGEST = 4096


class Recent:
    """The list, kept on the disk. What cannot be read is an empty list; ``problem`` says why."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file or data_folder() / "recent.json"
        self.problem = ""
        self._paths = self._read()

    def _read(self) -> list[Path]:
        try:
            with self.file.open("rb") as file:
                data = file.read(LARGEST + 1)
        except FileNotFoundError:
            return []
        except OSError as error:
            self.problem = f"The list of recent files cannot be read: {error.strerror}"
            return []
        try:
            if len(data) > LARGEST:
                raise ValueError
            raw: Any = json.loads(data)
            if not isinstance(raw, list) or not all(isinstance(p, str) and 0 < len(p) <= LONGEST for p in raw):
                raise ValueError
            if any("\0" in p for p in raw):
                raise ValueError
        except (ValueError, RecursionError):
            self.problem = f"The list of recent files, {self.file}, is not as it must be; a new one is begun"
            return []
        return [Path(path) for path in raw[:MOST]]

    def paths(self) -> list[Path]:
        """The files that are still there, the newest first."""
        return [path for path in self._paths if path.is_file()]

    def add(self, path: Path) -> None:
        """A file was opened or saved. Raises OSError where that cannot be kept; the list of this run has it then."""
        path = path.resolve()
        self._paths = [path, *(p for p in self._paths if p != path)][:MOST]
        self.file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.file, json.dumps([str(p) for p in self._paths], indent=1).encode(), backups=0)
