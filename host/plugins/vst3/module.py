"""A VST3 file: the shared library in its bundle, its factory, and the classes that the factory offers."""

from __future__ import annotations

import ctypes
import platform
import sys
from ctypes import c_bool, c_char_p, c_int32, c_void_p
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from host.plugins.errors import PluginError
from host.plugins.vst3 import com
from host.plugins.vst3.com import Remote
from host.plugins.vst3.objects import Host

MOST_CLASSES = 4096
AUDIO_CLASS = "Audio Module Class"


@dataclass(frozen=True, slots=True)
class PluginClass:
    """A class of a factory that can be played."""

    uid: str
    name: str
    vendor: str = ""
    version: str = ""
    category: str = ""


def machine_folder() -> str:
    """What the folder of this machine's library in a bundle is called."""
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        return "MacOS"
    if sys.platform == "win32":
        return {"amd64": "x86_64", "arm64": "arm64"}.get(machine, machine) + "-win"
    return {"amd64": "x86_64"}.get(machine, machine) + "-linux"


def library_of(path: Path) -> Path:
    """The shared library of a ``.vst3``: a bundle, or on Windows a bare file too. Raises PluginError."""
    if path.is_file() and sys.platform == "win32":
        return path
    if not path.is_dir():
        raise PluginError(f"{path}: no VST3 bundle is there")
    suffix = {"darwin": "", "win32": ".vst3"}.get(sys.platform, ".so")
    folder = path / "Contents" / machine_folder()
    found = folder / f"{path.stem}{suffix}"
    if not found.is_file():
        others = sorted(p.name for p in (path / "Contents").glob("*-*") if p.is_dir() and p != folder)
        has = f"it is built for {', '.join(others)}" if others else "it has no library at all"
        if folder.is_dir():
            has = f"there is a folder for it, without {found.name}"
        raise PluginError(f"{path}: nothing in it for this machine ({folder.name}); {has}")
    return found


@cache
def host() -> Host:
    """The one host object of this process."""
    return Host()


class Module:
    """A loaded library and its factory. It stays loaded: libraries seldom survive being unloaded and loaded again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._library = ctypes.CDLL(str(library_of(path)))
        except OSError as error:
            raise PluginError(f"{path}: the library does not load: {error}") from None
        entry, argument = {"darwin": ("bundleEntry", None), "win32": ("InitDll", None)}.get(
            sys.platform, ("ModuleEntry", self._library._handle)
        )
        begin = getattr(self._library, entry, None)
        if begin is None and sys.platform != "win32":
            raise PluginError(f"{path}: the library has no {entry}, so it is no VST3")
        if begin is not None:
            begin.restype = c_bool
            if not begin(c_void_p(argument)):
                raise PluginError(f"{path}: {entry} said no")
        get = getattr(self._library, "GetPluginFactory", None)
        if get is None:
            raise PluginError(f"{path}: the library has no GetPluginFactory, so it is no VST3")
        get.restype = c_void_p
        factory = get()
        if not factory:
            raise PluginError(f"{path}: GetPluginFactory gave nothing")
        self.factory = Remote(factory)
        self._second = self.factory.query(com.FACTORY_2)
        self._third = self.factory.query(com.FACTORY_3)
        if self._third:
            self._third.call(com.HOST_CONTEXT, host().this, types=(c_void_p,))
        info = com.FactoryInfo()
        self.factory.call(com.FACTORY_INFO, ctypes.byref(info), types=(c_void_p,))
        self.vendor = com.text8(info.vendor)
        self.classes = tuple(self._class(at) for at in self._audio_classes())

    def _audio_classes(self) -> list[int]:
        count = self.factory.call(com.COUNT_CLASSES)
        if not 0 <= count <= MOST_CLASSES:
            raise PluginError(f"{self.path}: its factory speaks of {count} classes")
        found = []
        for at in range(count):
            info = com.ClassInfo()
            code = self.factory.call(com.CLASS_INFO, at, ctypes.byref(info), types=(c_int32, c_void_p))
            if code == com.OK and com.text8(info.category) == AUDIO_CLASS:
                found.append(at)
        if not found:
            raise PluginError(f"{self.path}: there is no audio plugin in it")
        return found

    def _class(self, at: int) -> PluginClass:
        wide, second, first = com.ClassInfoW(), com.ClassInfo2(), com.ClassInfo()
        kinds = (c_int32, c_void_p)
        if self._third and self._third.call(com.CLASS_INFO_W, at, ctypes.byref(wide), types=kinds) == com.OK:
            info, text = wide, com.text16
        elif self._second and self._second.call(com.CLASS_INFO_2, at, ctypes.byref(second), types=kinds) == com.OK:
            info, text = second, com.text8
        else:
            self.factory.call(com.CLASS_INFO, at, ctypes.byref(first), types=kinds)
            return PluginClass(_uid(first), com.text8(first.name), self.vendor)
        vendor = text(info.vendor) or self.vendor
        return PluginClass(_uid(info), text(info.name), vendor, text(info.version), com.text8(info.subcategories))

    def find(self, uid: str | None) -> PluginClass:
        """The class with an id; without one, the only class. Raises PluginError."""
        if uid is None and len(self.classes) == 1:
            return self.classes[0]
        for found in self.classes:
            if found.uid == uid:
                return found
        offered = ", ".join(f"{c.uid} ({c.name})" for c in self.classes)
        raise PluginError(f"{self.path}: no plugin {uid or '(none was named)'} in it; there is {offered}")

    def create(self, raw: bytes, interface: bytes) -> Remote:
        """A new object of a class. Raises PluginError."""
        found = c_void_p()
        kinds = (c_char_p, c_char_p, c_void_p)
        code = self.factory.call(com.CREATE, raw, interface, ctypes.byref(found), types=kinds)
        if code != com.OK or not found.value:
            raise PluginError(f"{self.path}: the factory made no object of its class {com.hexadecimal(raw)} ({code})")
        return Remote(found.value)


def _uid(info: ctypes.Structure) -> str:
    return com.hexadecimal(ctypes.string_at(ctypes.addressof(info), 16))


@cache
def load(path: Path) -> Module:
    """The module at a path, loaded once in a process. Raises PluginError; nothing can catch a plugin that crashes."""
    return Module(path)
