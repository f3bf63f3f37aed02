"""The patches there are to start from: shipped ones, the user's own, recent ones, with what they say of themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from editor.files.folders import SHIPPED, presets_folder
from editor.files.listing import PATCHES
from graph.errors import PatchError
from graph.patchfile import load

MOST = 300
"""How many patches of one folder are read."""


@dataclass(frozen=True, slots=True)
class About:
    """What a patch says of itself. ``problem``: why it cannot be read."""

    file: Path
    shelf: str
    name: str
    description: str = ""
    author: str = ""
    license: str = ""
    tags: tuple[str, ...] = ()
    nodes: int = 0
    snapshots: tuple[str, ...] = ()
    problem: str = ""


def about(file: Path, shelf: str) -> About:
    """What the patch in a file says; one that cannot be read says why."""
    try:
        patch = load(file)
    except PatchError as error:
        return About(file, shelf, file.stem, problem=error.message)
    return About(
        file,
        shelf,
        patch.name or file.stem.replace("_", " "),
        patch.description,
        patch.author,
        patch.license,
        tuple(patch.tags),
        len(patch.nodes()),
        tuple(patch.snapshots),
    )


def on_the_shelves(recent: Sequence[Path] = (), shipped: Path = SHIPPED, own: Path | None = None) -> list[About]:
    """Everything, by shelf and name; a file that is on two shelves is on the first of them."""
    found: list[About] = []
    seen: set[Path] = set()
    for shelf, files in (
        ("Shipped", _files(shipped)),
        ("Mine", _files(own or presets_folder())),
        ("Recent", recent),
    ):
        listed = [about(file, shelf) for file in files if file.resolve() not in seen]
        seen |= {each.file.resolve() for each in listed}
        found += listed if shelf == "Recent" else sorted(listed, key=lambda a: (a.name.casefold(), a.file))
    return found


def _files(folder: Path) -> Iterable[Path]:
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() in PATCHES and file.is_file())
    except OSError:
        return []
    return files[:MOST]


def common_tags(patches: Iterable[About], most: int) -> list[str]:
    """The tags that most of them have, at least two; the most common first."""
    counts = Counter(tag for a in patches for tag in set(a.tags))
    return [tag for tag, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if count > 1][:most]


def fitting(patches: Iterable[About], typed: str) -> list[About]:
    """Those that have every word that was typed in their name, description, tags, snapshots or author."""
    words = typed.casefold().split()
    return [a for a in patches if all(w in _text(a) for w in words)]


def _text(a: About) -> str:
    return " ".join((a.name, a.description, a.author, *a.tags, *a.snapshots, a.shelf, a.file.name)).casefold()
