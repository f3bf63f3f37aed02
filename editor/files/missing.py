"""The files that a patch names: which of them are not there, where else they may be, and how to name them anew."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from editor.usernodes.listing import OWN
from graph.document import NodeEntry, Patch
from graph.edits import Edit, SetSetting, inside
from graph.errors import PatchError
from graph.form import FORMAT, VERSION, from_document
from graph.resolve import resolve_settings
from graph.spec import Kinds, Node
from host.usernodes.source import locate

DEEPEST = 8
"""How many folders deep a search goes,"""
MOST_LOOKED_AT = 200_000
"""and how many files it looks at."""
DEEPEST_GROUP = 32


@dataclass(frozen=True, slots=True)
class Named:
    """A file that a node names: in which groups, which node, in which setting. ``read``: it is read, not written."""

    groups: tuple[str, ...]
    node: str
    setting: str
    path: str
    read: bool
    own: bool = False
    """Whether it is a node of the user's own, which may also lie in the node folder."""

    def at(self, folder: Path) -> Path:
        """Where it is, for a patch in a folder."""
        return locate(self.path, folder) if self.own else folder / self.path

    @property
    def address(self) -> str:
        """The node, as messages call it."""
        return "/".join((*self.groups, self.node))

    def naming(self, path: str) -> Edit:
        """The edit that makes it name another file."""
        return inside(self.groups, SetSetting(self.node, self.setting, path))


def named_files(patch: Patch, kinds: Kinds) -> list[Named]:
    """Every file that the nodes of a patch name, inside groups too, by address."""
    return sorted(_named(patch.nodes(), kinds, ()), key=lambda named: (named.address, named.setting))


def _named(nodes: Mapping[str, NodeEntry], kinds: Kinds, groups: tuple[str, ...]) -> Iterator[Named]:
    for id, entry in nodes.items():
        inner = entry.settings.get("patch")
        if entry.kind == "group" and isinstance(inner, Mapping) and len(groups) < DEEPEST_GROUP:
            try:
                inside = from_document({**cast(Mapping[str, Any], inner), "format": FORMAT, "version": VERSION})
            except PatchError:
                continue  # whoever compiles the patch says what is wrong with it
            yield from _named(inside.nodes(), kinds, (*groups, id))
            continue
        kind = kinds.get(entry.kind)
        for setting in kind.settings_declared() if kind is not None else ():
            path = entry.settings.get(setting.name)
            if setting.type == "path" and isinstance(path, str) and path and "\0" not in path:
                yield Named(groups, id, setting.name, path, _makes_sound(kind, entry), entry.kind == OWN)


def _makes_sound(kind: type[Node], entry: NodeEntry) -> bool:
    """Whether a node has outputs; one that has none writes its file."""
    try:
        return any(port.flow == "out" for port in kind.ports(resolve_settings(kind, entry)))
    except PatchError:
        return True


def missing_files(patch: Patch, kinds: Kinds) -> list[Named]:
    """The files that are read, and are not there."""
    folder = patch.folder or Path.cwd()
    return [named for named in named_files(patch, kinds) if named.read and not named.at(folder).is_file()]


def search(
    wanted: Iterable[str], folders: Iterable[Path], stop: Callable[[], bool] = lambda: False
) -> dict[str, list[Path]]:
    """Files in or below ``folders`` that are called as the wanted paths are; the best match of each first.

    Best is what shares most of the end of the wanted path; of equals, what lies least deep. Letters' case counts
    only between files that are otherwise equal. ``stop`` ends the search early.
    """
    paths = list(wanted)
    by_name: dict[str, list[str]] = {}
    for path in paths:
        by_name.setdefault(_parts(path)[-1].casefold(), []).append(path)
    found: dict[str, list[Path]] = {path: [] for path in paths}
    looked_at = 0
    for root in folders:
        for at, inner, names in os.walk(root):
            depth = len(Path(at).relative_to(root).parts)
            inner[:] = sorted(d for d in inner if not d.startswith(".")) if depth < DEEPEST else []
            looked_at += len(names)
            for name in names:
                for path in by_name.get(name.casefold(), ()):
                    if (full := Path(at) / name) not in found[path]:
                        found[path].append(full)
            if looked_at > MOST_LOOKED_AT or stop():
                break
    for path, files in found.items():
        files.sort(
            key=lambda file, path=path: (-_alike(path, file), file.name != _parts(path)[-1], len(file.parts), file)
        )
    return found


def _parts(path: str) -> list[str]:
    """The parts of a path of whatever system."""
    return [part for part in path.replace("\\", "/").split("/") if part] or [path]


def _alike(path: str, file: Path) -> int:
    """How many parts the ends of two paths have in common."""
    count = 0
    for a, b in zip(reversed(_parts(path)), reversed(file.parts), strict=False):
        if a.casefold() != b.casefold():
            break
        count += 1
    return count


def as_named(file: Path, folder: Path) -> str:
    """How a patch in ``folder`` names a file: from there on where both have a way in common, else in full."""
    file, folder = Path(os.path.abspath(file)), Path(os.path.abspath(folder))
    if file.is_relative_to(folder):
        return file.relative_to(folder).as_posix()
    try:
        way = Path(os.path.relpath(file, folder))
    except ValueError:  # another drive
        return file.as_posix()
    return way.as_posix() if way.parts.count("..") <= 3 else file.as_posix()


def moved(patch: Patch, kinds: Kinds, folder: Path) -> list[Edit]:
    """What makes the files that a patch reads be found when it lies in ``folder``, and below it wherever that is taken.
    Those it writes stay named as they are: they lie where the patch does.
    """
    before, folder = (patch.folder or Path.cwd()).resolve(), folder.resolve()
    edits: list[Edit] = []
    for named in named_files(patch, kinds):
        path = Path(named.path)
        if named.own and named.at(before) != before / path:
            continue  # in the node folder, wherever the patch lies
        if named.read and (path.is_relative_to(folder) if path.is_absolute() else before != folder):
            edits.append(named.naming(as_named(before / path, folder)))
    return edits
