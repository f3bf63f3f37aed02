"""Which nodes of one's own there are: in the user's node folder, and in a patch. Nothing here runs any of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from graph.document import Patch
from graph.errors import PatchError
from graph.groups import expand
from host.usernodes.source import SUFFIX, Glance, Source, glance, locate, node_folder, read
from host.usernodes.trust import grants, is_trusted

MOST_FILES = 1000
"""Of a node folder, by name."""


@dataclass(frozen=True, slots=True)
class Own:
    """A file that is a node, or would be one."""

    path: str
    """What the setting ``path`` of a node is to be."""
    file: Path
    source: Source | None = None
    about: Glance | None = None
    problem: str = ""
    """Why it can be no node."""
    trusted: bool = False
    changed: bool = False
    """Whether this file was trusted, and is another now."""

    @property
    def kind(self) -> str:
        """What it calls itself, else its file's name."""
        return self.about.kind if self.about else self.file.stem

    @property
    def standing(self) -> str:
        """In words: whether it runs, and else why not."""
        if self.problem:
            return self.problem
        return "trusted" if self.trusted else "changed since it was trusted" if self.changed else "not trusted"


def listed(folder: Path | None = None) -> list[Own]:
    """The files of the user's node folder, by name."""
    folder = folder or node_folder()
    try:
        names = sorted(f.name for f in folder.iterdir() if f.suffix == SUFFIX and f.name[0] not in "._")
    except OSError:
        return []  # there is none yet
    once = _once_trusted()
    return [_own(name, folder / name, once) for name in names[:MOST_FILES]]


def in_patch(patch: Patch) -> list[Own]:
    """The files that the nodes of a patch name, inside groups too, each once. Raises PatchError where a group cannot be
    opened.
    """
    once = _once_trusted()
    folder = patch.folder or Path.cwd()
    return [_own(path, locate(path, folder), once) for path in dict.fromkeys(_paths(patch))]


def _paths(patch: Patch) -> Iterator[str]:
    for entry in expand(patch).nodes.values():
        path = entry.settings.get("path")
        if entry.kind == "user" and isinstance(path, str) and path and "\0" not in path:
            yield path


def _once_trusted() -> set[str]:
    return {grant.path for grant in grants()}


def _own(path: str, file: Path, once: set[str]) -> Own:
    try:
        source = read(file)
        about = glance(source)
    except PatchError as error:
        return Own(path, file, problem=error.message)
    trusted = is_trusted(source.digest)
    return Own(path, file, source, about, "", trusted, not trusted and str(file.resolve()) in once)
