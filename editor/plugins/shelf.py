"""The plugins that scans found on this machine, read aside; and what a plugin node really is. Knows no window.

Scans write to a database, which is read in a thread here: whoever asks for the list never waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graph.document import NodeEntry
from graph.errors import PatchError
from graph.plugins import PluginAbout
from graph.resolve import resolve_settings
from graph.spec import Kinds, Node
from host.services import FileServices
from host.usernodes.loading import Keeper

if TYPE_CHECKING:
    from host.plugins.description import Description
    from host.plugins.store import FileResult, Found, Store

Latencies = Mapping[tuple[str, str, int], Mapping[str, Any]]
"""What was measured, by path, uid and rate."""


@dataclass(frozen=True, slots=True)
class Known:
    """What scans found out. ``read`` is False before it was looked at for the first time."""

    plugins: tuple[Found, ...] = ()
    """The good ones, each once, by name."""
    files: tuple[FileResult, ...] = ()
    latencies: Latencies = field(default_factory=dict[tuple[str, str, int], Mapping[str, Any]])
    folders: tuple[Path, ...] = ()
    """The user's own."""
    problem: str = ""
    """Why nothing can be read."""
    read: bool = False

    @property
    def there(self) -> tuple[FileResult, ...]:
        """The files that were there when last looked for."""
        return tuple(f for f in self.files if f.present)


def _look_up(settings: Mapping[str, Any]) -> tuple[Description, Mapping[str, Any]]:
    from host.plugins.link import from_store  # only patches with plugins need it

    return from_store(settings)


def _open() -> Store:
    from host.plugins.store import Store

    return Store()


class Shelf:
    """All that is known, and the plugin that a node's settings name. May be asked from any thread.

    ``find`` is what looks one up in the database.
    """

    def __init__(
        self,
        find: Callable[[Mapping[str, Any]], tuple[Description, Mapping[str, Any]]] = _look_up,
        store: Callable[[], Store] = _open,
    ) -> None:
        self._find, self._store = find, store
        self._lock = threading.Lock()
        self._found: dict[tuple[Any, ...], Description | PatchError] = {}
        self._reading: threading.Thread | None = None
        self._again = False
        self.known = Known()
        self.count = 0
        """How many times it was read."""

    def read(self) -> None:
        """Read anew what scans found, aside; ``count`` rises when that is done."""
        with self._lock:
            if self._reading is not None:
                self._again = True
                return
            self._reading = threading.Thread(target=self._read, name="plugin list", daemon=True)
            self._reading.start()

    def _read(self) -> None:
        while True:
            known = self._looked()
            with self._lock:
                self._found = {_key(of_found(each)): each.description for each in known.plugins}
                self.known = known
                self.count += 1
                if not self._again:
                    self._reading = None
                    return
                self._again = False

    def _looked(self) -> Known:
        from host.plugins.store import StoreError, best

        try:
            with self._store() as store:
                files = tuple(store.files())
                return Known(tuple(best(files)), files, store.latencies(), tuple(store.folders()), read=True)
        except StoreError as error:
            return Known(problem=str(error), read=True)

    def describe(self, settings: Mapping[str, Any]) -> Description:
        """The plugin that a node's settings name. Raises PatchError where there is none."""
        key = _key(settings)
        with self._lock:
            found = self._found.get(key)
        if found is None:
            try:
                found = self._find(settings)[0]
            except PatchError as error:
                found = error
            with self._lock:
                self._found[key] = found
        if isinstance(found, PatchError):
            raise PatchError(found.message)
        return found

    def result(self, uid: str, format: str = "vst3", hint: str = "") -> FileResult | None:
        """What a scan found out about the file that a plugin is in: the one named, else any with it."""
        files = [f for f in self.known.there if f.format == format and any(c.uid == uid for c in f.classes)]
        return next((f for f in files if f.path == hint), files[0] if files else None)

    def services(self, folder: Path) -> FileServices:
        """Files of a folder, and the plugins that are known here, which are only looked at."""
        return _Services(folder, shelf=self)


def of_found(found: Found) -> dict[str, str]:
    """The settings of a node that is this plugin."""
    about = found.description
    return {
        "format": found.format,
        "uid": about.uid,
        "name": about.name,
        "vendor": about.vendor,
        "version": about.version,
        "path_hint": found.path,
    }


def _key(settings: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a plugin is found by."""
    return tuple(settings[name] for name in ("format", "uid", "name", "vendor", "path_hint"))


@dataclass
class _Services(FileServices):
    """Plugins are looked up on the shelf, which remembers them."""

    shelf: Shelf | None = None

    def plugin(self, settings: Mapping[str, Any]) -> PluginAbout:
        assert self.shelf is not None
        return self.shelf.describe(settings)


class KnownKinds(Mapping[str, type[Node]]):
    """Kinds by name, which also tells what a node of a kind that varies really is."""

    def __init__(self, kinds: Kinds, shelf: Shelf) -> None:
        self._kinds, self._services = kinds, shelf.services(Path.cwd())
        self._services.own = Keeper()

    def __getitem__(self, name: str) -> type[Node]:
        return self._kinds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def look_in(self, folder: Path) -> None:
        """Paths of the patch start here from now on."""
        self._services.folder = folder

    def variant(self, entry: NodeEntry) -> type[Node]:
        """What a node really is. Raises PatchError where it, or what it names, is not known here."""
        kind = self._kinds[entry.kind]
        return kind.variant(resolve_settings(kind, entry), self._services) if kind.varies else kind
