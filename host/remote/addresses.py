"""The address of every param of a patch: ``/node/param``, and ``/group/inner/param`` for what is in a group.

A param that a group exposes has a second address, ``/group/param``. Characters that OSC keeps for itself, or that are
not printable ASCII, are written as ``%`` and two hexadecimal digits for each byte of their UTF-8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from graph.document import NodeEntry, Patch
from graph.errors import PatchError
from graph.groups import expand
from graph.resolve import resolve_settings, shape_of
from graph.spec import BUILT_IN_PARAMS, Kinds, Node, Param

SAFE = "!\"$&'()+-.:;<=>@\\^_`|~"
"""What may stand in an address as it is, beside letters and digits."""


@dataclass(frozen=True, slots=True)
class Place:
    """A param, and where it is: ``node`` is the node that has it, also where a group exposes it."""

    address: str
    node: str
    param: Param

    @property
    def key(self) -> tuple[str, str]:
        """The node and the name of the param."""
        return self.node, self.param.name


def address_of(node: str, param: str) -> str:
    """The address of a param of a node, which may be ``group/inner``."""
    return f"/{node}/{_written(param)}"


@lru_cache(maxsize=4096)
def _written(name: str) -> str:
    return quote(name, safe=SAFE)


class Addresses:
    """Every param of a patch by its address; it does not change."""

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self._places: Mapping[str, Place] = MappingProxyType({place.address: place for place in places})
        self._by_key: Mapping[tuple[str, str], Place] = {
            place.key: place for place in self._places.values() if place.address == address_of(*place.key)
        }

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places.values())

    def get(self, address: str) -> Place | None:
        """The param of an address, or None where there is none."""
        return self._places.get(address)

    def find(self, node: str, param: str) -> Place | None:
        """The param of a node, or the one that a group exposes by that name; None where there is none."""
        return self._by_key.get((node, param)) or self._places.get(address_of(node, param))

    def under(self, prefix: str) -> list[Place]:
        """The params at an address or below it; all of them below ``/``."""
        below = prefix.rstrip("/") + "/"
        return [place for place in self if place.address == prefix or place.address.startswith(below)]


Variant = Callable[[NodeEntry], type[Node]]
"""What a node of a kind that varies really is. Raises PatchError where that is not known here."""


def addresses_of(patch: Patch, kinds: Kinds, variant: Variant | None = None) -> Addresses:
    """The addresses of a patch, sorted. Without ``variant``, plugins are those that a scan has found.

    Nodes of a kind that is not known, or whose settings are wrong, have none. Raises PatchError where a group cannot
    be opened.
    """
    flat, variant = expand(patch), variant or _scanned(patch, kinds)
    found: dict[str, Place] = {}
    for node, entry in flat.nodes.items():
        kind = kinds.get(entry.kind)
        if kind is None:
            continue
        if kind.varies:
            with suppress(PatchError):  # else what it has beside its kind's own params is not known here
                kind = variant(entry)
        try:
            own = shape_of(kind, resolve_settings(kind, entry)).params
        except PatchError:
            continue  # checking the patch says what is wrong
        for param in (*_built_in(kind, own), *own.values()):
            address = address_of(node, param.name)
            found[address] = Place(address, node, param)
    for (group, name), (node, inner) in flat.aliases.items():
        place = found.get(address_of(node, inner))
        if place is not None:
            address = address_of(group, name)
            found[address] = Place(address, node, place.param)
    return Addresses(found[address] for address in sorted(found))


def _scanned(patch: Patch, kinds: Kinds) -> Variant:
    """What nodes really are by what a scan has found."""

    def variant(entry: NodeEntry) -> type[Node]:
        from host.services import FileServices

        kind = kinds[entry.kind]
        return kind.variant(resolve_settings(kind, entry), FileServices(patch.folder or Path()))

    return variant


def _built_in(kind: type[Node], own: Mapping[str, Param]) -> list[Param]:
    return [
        param for name, param in BUILT_IN_PARAMS.items() if name not in own and (name != "bypass" or kind.bypassable)
    ]
