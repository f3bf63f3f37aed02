"""The params of a node's plugin by their names: which they are, and which of them choose a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from host.plugins.hosted import Hosted
from host.plugins.link import Link
from nodes.plugin import variant


@dataclass(frozen=True, slots=True)
class Names:
    """Names by id, ids by name, and the plugin's number of each param."""

    by_id: Mapping[int, str]
    ids: Mapping[str, int]
    places: tuple[tuple[str, int], ...]
    programs: frozenset[str]
    """Those that choose a program."""


class Naming:
    """The names of all plugins of a link, found out once."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._known: dict[int, Names] = {}

    def of(self, hosted: Hosted) -> Names:
        """The names of a plugin's params."""
        if hosted.number not in self._known:
            description = self._link.description(hosted.request.settings)
            kind = variant(description, hosted.request.settings["layout"])
            places = tuple((p.name, k) for p, k in zip(kind.params({}), kind.places, strict=True))  # pyright: ignore[reportAttributeAccessIssue]
            ids = {name: description.params[k].id for name, k in places}
            programs = frozenset(name for name, k in places if description.params[k].program)
            self._known[hosted.number] = Names({id: name for name, id in ids.items()}, ids, places, programs)
        return self._known[hosted.number]

    def values(self, hosted: Hosted) -> dict[str, float]:
        """What a plugin has for its params, as far as that is known."""
        values = hosted.values
        return {name: values[k] for name, k in self.of(hosted).places if k < len(values)}
