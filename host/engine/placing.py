"""Where the files that a patch names really are, settled when it is planned.

The folder that paths are relative to may be another one for the next patch, while players of the one before are still
heard. So a plan holds whole paths: a node that goes on, or is on its way out, stays with its file; and where the same
path leads to another file from now on, the node is another one, with a crossfade.
"""

from __future__ import annotations

import os
from pathlib import Path

from graph.errors import PatchError
from graph.plan import Plan, leaves
from host.services import FileServices


def place_files(made: Plan, services: FileServices) -> None:
    """Make the paths in the settings of a plan's nodes whole, but for files that are written. Raises PatchError for
    what can be no path.
    """
    for node in made.nodes:
        if leaves(node.kind):
            continue  # where one may be written is looked at when that begins
        for setting in node.kind.settings_declared():
            path = node.settings[setting.name] if setting.type == "path" else ""
            if path:
                try:
                    whole = services.locate(path)
                except PatchError as error:
                    place = f"nodes.{node.id}.settings.{setting.name}"
                    raise PatchError(error.message, place=place, node=node.id) from None
                node.settings = {**node.settings, setting.name: str(_plain(whole))}


def _plain(path: Path) -> Path:
    """The same file by its plain name, so that two ways to it are one."""
    return Path(os.path.realpath(path)) if os.pardir in path.parts else path
