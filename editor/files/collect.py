"""A patch and every file that it reads, together in one folder or one zip, so that it can go elsewhere."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from editor.files.missing import named_files
from graph.document import Patch
from graph.edits import Batch, Edit
from graph.errors import PatchError
from graph.patchfile import dumps
from graph.spec import Kinds

AUDIO_FOLDER, NODE_FOLDER = "audio", "nodes"
PART = ".part"


@dataclass(frozen=True, slots=True)
class Collection:
    """What is collected: the patch as it is then, and each file by its name in the collection."""

    patch: Patch
    files: dict[str, Path]
    missing: tuple[str, ...]
    """Files that are not there, as the patch names them; it goes on naming them so."""

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.stat().st_size for file in self.files.values())


def collected(patch: Patch, kinds: Kinds) -> Collection:
    """What a collection of the patch holds; no file is copied yet. Two files of one name are told apart by numbers."""
    folder = patch.folder or Path.cwd()
    names: dict[Path, str] = {}
    taken: set[str] = set()
    missing: list[str] = []
    edits: list[Edit] = []
    for named in named_files(patch, kinds):
        if not named.read:
            continue
        file = named.at(folder).resolve()
        if not file.is_file():
            missing.append(named.path)
            continue
        if file not in names:
            names[file] = _free(NODE_FOLDER if named.own else AUDIO_FOLDER, file, taken)
        edits.append(named.naming(names[file]))
    copy = patch.copy()
    Batch("Collect", tuple(edits)).apply(copy)
    return Collection(copy, {name: file for file, name in names.items()}, tuple(dict.fromkeys(missing)))


def _free(folder: str, file: Path, taken: set[str]) -> str:
    name, number = f"{folder}/{file.name}", 2
    while name.casefold() in taken:
        name, number = f"{folder}/{file.stem} {number}{file.suffix}", number + 1
    taken.add(name.casefold())
    return name


def to_folder(
    collection: Collection, folder: Path, name: str, tell: Callable[[int, int], None], stop: Callable[[], bool]
) -> Path:
    """Write it to a new folder ``folder/name``; the answer is the patch file. Stopped or failed, it leaves nothing.

    Raises PatchError where there is something of that name, and OSError where it cannot be written.
    """
    target = folder / name
    if target.exists():
        raise PatchError("there is something of this name already", place=str(target))
    part = folder / f".{name}.{os.getpid()}{PART}"
    try:
        part.mkdir()
        done, whole = 0, max(collection.size, 1)
        for inner, file in collection.files.items():
            _check(stop)
            at = part / inner
            at.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, at)
            done += file.stat().st_size
            tell(done, whole)
        (part / f"{name}.pwp").write_bytes(dumps(collection.patch))
        _check(stop)
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return target / f"{name}.pwp"


def to_zip(
    collection: Collection, file: Path, name: str, tell: Callable[[int, int], None], stop: Callable[[], bool]
) -> Path:
    """Write it to a zip file, all in a folder ``name``; the answer is the zip. Stopped or failed, it leaves nothing.

    Raises OSError where it cannot be written.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}{PART}")
    try:
        with zipfile.ZipFile(part, "x", zipfile.ZIP_DEFLATED) as archive:
            done, whole = 0, max(collection.size, 1)
            for inner, source in collection.files.items():
                _check(stop)
                archive.write(source, str(PurePosixPath(name) / inner), _how(source))
                done += source.stat().st_size
                tell(done, whole)
            archive.writestr(f"{name}/{name}.pwp", dumps(collection.patch))
        _check(stop)
        os.replace(part, file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return file


def _how(file: Path) -> int:
    """Files that are packed already are stored as they are."""
    packed = (".flac", ".ogg", ".mp3", ".m4a", ".opus")
    return zipfile.ZIP_STORED if file.suffix.lower() in packed else zipfile.ZIP_DEFLATED


class StoppedError(Exception):
    """It was to be stopped."""


def _check(stop: Callable[[], bool]) -> None:
    if stop():
        raise StoppedError
