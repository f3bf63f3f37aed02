"""Patch files: ``.pwp`` (msgpack) and ``.json``, the same document in two forms.

Loading never runs code and trusts no size: bytes, elements, depth and texts are bounded (``graph.encoding``,
``graph.plain``). Older versions are migrated (``graph.migrations``). Saving leaves the old or the new file, whole, and
keeps backups (``graph.saving``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from graph.document import Patch
from graph.encoding import MOST_BYTES, pack, read_plain, write_json, write_msgpack
from graph.errors import PatchError
from graph.form import from_document, to_document
from graph.migrations import current
from graph.saving import BACKUPS, backups_of, write_whole

__all__ = ["Form", "backups_of", "dumps", "from_document", "load", "loads", "packed", "save", "to_document"]

Form = Literal["pwp", "json"]


def load(path: str | Path) -> Patch:
    """The patch in a file; what is in the file says which form it has. Raises PatchError, which names the file."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise PatchError("there is no such file", place=str(path)) from None
    except OSError as error:
        raise PatchError(f"it cannot be read: {error.strerror}", place=str(path)) from None
    except ValueError:  # a path with a null byte
        raise PatchError("there is no such file", place=repr(str(path))) from None
    try:
        patch = loads(data)
    except PatchError as error:
        raise PatchError(
            error.message, place=f"{path}: {error.place}" if error.place else str(path), node=error.node
        ) from None
    patch.folder = path.resolve().parent
    return patch


def loads(data: bytes) -> Patch:
    """The patch that the bytes of a file hold, in either form. Raises PatchError."""
    return from_document(current(read_plain(data)))


def save(patch: Patch, path: str | Path, *, backups: int = BACKUPS) -> None:
    """Write a patch to a file, ``.json`` as text, any other name as msgpack; whole or not at all.

    What the file held before becomes the newest of its ``backups``. Raises PatchError where the patch holds what no
    file can, or where the file cannot be written.
    """
    path = Path(path)
    data = dumps(patch, "json" if path.suffix.lower() == ".json" else "pwp")
    try:
        write_whole(path, data, backups)
    except OSError as error:
        raise PatchError(f"it cannot be saved: {error.strerror}", place=str(path)) from None
    except ValueError:  # a path with a null byte
        raise PatchError("it cannot be saved: no file can have this name", place=repr(str(path))) from None


def dumps(patch: Patch, form: Form = "pwp") -> bytes:
    """The bytes of a file that holds the patch. Whatever is written can be read: it has been.

    Raises PatchError where the patch holds what no file can.
    """
    document = to_document(patch)
    data = write_json(document) if form == "json" else write_msgpack(document)
    loads(data)
    return data


def packed(patch: Patch) -> bytes:
    """The bytes of a ``.pwp`` file, for a reader that checks them at once: in no order, and not read back.

    Raises PatchError where the patch holds what has no bytes.
    """
    return pack(to_document(patch))
