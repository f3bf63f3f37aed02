"""Blocks: groups kept under a name in the settings folder, to be put into any patch. Knows no window.

A block is a patch file with one node in it, the group; files that it uses are named in full.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editor.faces import inner_patch
from editor.usernodes.listing import OWN
from graph.document import NodeEntry, Patch
from graph.errors import PatchError
from graph.form import to_document
from graph.patchfile import load
from graph.plain import copied
from graph.spec import Kinds
from host.devices.stored import settings_folder
from host.usernodes.source import locate

FOLDER, SUFFIX = "blocks", ".json"
MOST = 500
NODE = "block"


@dataclass(frozen=True, slots=True)
class Block:
    """A block that is kept: its name, a line about it, and the group."""

    name: str
    about: str
    entry: NodeEntry
    file: Path


class Blocks:
    """The blocks of a folder. ``count`` rises whenever there may be other ones; ``problems`` says what is none."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self.count = 0
        self.problems: list[str] = []
        self._listed: dict[str, Block] | None = None

    @property
    def folder(self) -> Path:
        """Where they are kept."""
        return self._folder or settings_folder() / FOLDER

    def listed(self) -> Mapping[str, Block]:
        """All of them, by name."""
        if self._listed is None:
            self._listed = {}
            files = sorted(self.folder.glob(f"*{SUFFIX}"))[:MOST] if self.folder.is_dir() else []
            for file in files:
                try:
                    block = _read(file)
                except (PatchError, OSError) as error:
                    self.problems.append(f"{file}: {error}")
                else:
                    self._listed[block.name] = block
        return self._listed

    def keep(self, name: str, entry: NodeEntry, kinds: Kinds, folder: Path | None) -> Block:
        """Keep a group under a name, in place of the one that has it. ``folder`` is where the patch's files are.

        Raises PatchError where it is no group or the name is none, and OSError.
        """
        name = " ".join(name.split())
        if not 1 <= len(name) <= 60:
            raise PatchError("a block has a name of 1 to 60 letters")
        kept = named_in_full(entry, kinds, folder)
        kept.title, kept.position = name, None
        inner = inner_patch(kept)
        if entry.kind != "group" or inner is None:
            raise PatchError("only a group can be kept as a block")
        patch = Patch(name)
        patch.description = ", ".join(sorted({each.kind.replace("_", " ") for each in inner.nodes().values()}))[:200]
        patch.graph.add_node(NODE, entry=kept)
        before = self.listed().get(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        file = before.file if before else self._free_file(name)
        patch.save(file)
        self._changed()
        return self.listed()[name]

    def remove(self, name: str) -> None:
        """Keep a block no more. Raises OSError."""
        block = self.listed().get(name)
        if block is not None:
            block.file.unlink(missing_ok=True)
            self._changed()

    def _free_file(self, name: str) -> Path:
        stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or NODE
        names = (stem, *(f"{stem}_{k}" for k in range(2, MOST + 2)))
        return next(file for each in names if not (file := self.folder / f"{each}{SUFFIX}").exists())

    def _changed(self) -> None:
        self._listed = None
        self.problems.clear()
        self.count += 1


def _read(file: Path) -> Block:
    patch = load(file)
    nodes = patch.nodes()
    entry = next(iter(nodes.values())) if len(nodes) == 1 else None
    if entry is None or entry.kind != "group" or inner_patch(entry) is None:
        raise PatchError("expected a block: a patch with one group in it")
    return Block(patch.name or file.stem, patch.description, entry, file)


def named_in_full(entry: NodeEntry, kinds: Kinds, folder: Path | None) -> NodeEntry:
    """A copy of a node that names files in full, in groups in it too."""
    found = entry.copy()
    found.settings = copied(entry.settings)
    kind = kinds.get(entry.kind)
    for setting in kind.settings_declared() if kind else ():
        value = found.settings.get(setting.name)
        if setting.type == "path" and isinstance(value, str) and value and not Path(value).is_absolute() and folder:
            if entry.kind != OWN or locate(value, folder) == folder / value:  # else it is in the node folder
                found.settings[setting.name] = (folder / value).resolve().as_posix()
    inner = inner_patch(found)
    if entry.kind == "group" and inner is not None:
        for id, each in inner.nodes().items():
            inner.graph.nodes[id]["entry"] = named_in_full(each, kinds, folder)
        document: dict[str, Any] = to_document(inner)
        kept: dict[str, Any] = dict(found.settings["patch"])
        found.settings["patch"] = {**kept, "nodes": document["nodes"], "cables": document["cables"]}
    return found
